"""The ``Link`` header of RFC 8288, and which of its targets may be followed. Pure."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, unquote_plus, urljoin, urlsplit

from .errors import PaginationError

_SPACE = " \t"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Link(NamedTuple):
    """One target of a ``Link`` header.

    Attributes:
        target: As it stands between the angle brackets.
        relations: What it is to the context, in lower case.
        anchor: The context, if it is not the answer itself.
    """

    target: str
    relations: tuple[str, ...]
    anchor: str | None = None


def parse_links(value: str) -> list[Link]:
    """The links of a ``Link`` header, whose repetitions are joined by commas.

    What comes after something malformed is left out, as appendix B of RFC 8288 has it.
    """
    links: list[Link] = []
    reader = _Reader(value)
    while True:
        reader.skip(f"{_SPACE},")  # a list may have empty elements: section 5.6.1 of RFC 9110
        if not reader.take("<"):
            return links
        target = reader.until(">")
        if not reader.take(">"):
            return links
        parameters = _parameters(reader)
        relations = tuple(parameters.get("rel", "").lower().split())
        links.append(Link(target, relations, parameters.get("anchor")))
        reader.skip(_SPACE)
        if not reader.take(","):
            return links


def _parameters(reader: _Reader) -> dict[str, str]:
    """The first value of each parameter: later ones of the same name do not count (section 3.3)."""
    found: dict[str, str] = {}
    while True:
        reader.skip(_SPACE)
        if not reader.take(";"):
            return found
        reader.skip(_SPACE)
        name = reader.until(f"{_SPACE}=;,").lower()
        reader.skip(_SPACE)
        value = ""
        if reader.take("="):
            reader.skip(_SPACE)
            value = reader.quoted() if reader.take('"') else reader.until(";,").rstrip(_SPACE)
        if name:
            found.setdefault(name, value)


class _Reader:
    """A text that is read from the left."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def skip(self, characters: str) -> None:
        while self._at < len(self._text) and self._text[self._at] in characters:
            self._at += 1

    def take(self, character: str) -> bool:
        """Whether the next character is this one, which is then read."""
        found = self._text.startswith(character, self._at)
        self._at += found
        return found

    def until(self, characters: str) -> str:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in characters:
            self._at += 1
        return self._text[start : self._at]

    def quoted(self) -> str:
        """The rest of a quoted text, its escapes undone."""
        written: list[str] = []
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == '"':
                break
            if character == "\\" and self._at < len(self._text):
                character = self._text[self._at]
                self._at += 1
            written.append(character)
        return "".join(written)


def next_target(header: str, url: str) -> str | None:
    """The target of relation ``next``; None if there is none.

    Args:
        header: The ``Link`` header.
        url: Where the answer came from: a link with an anchor elsewhere says nothing of this list.
    """
    for link in parse_links(header):
        is_ours = link.anchor is None or urljoin(url, link.anchor).partition("#")[0] == url.partition("#")[0]
        if "next" in link.relations and is_ours:
            return link.target
    return None


def checked_target(target: str, url: str, base_url: str, secret_names: frozenset[str] = frozenset()) -> str:
    """The URL of a link that the server gave, if it may be followed.

    Args:
        target: The link; it may be relative.
        url: Where the answer came from.
        base_url: That of the client, without a trailing slash: credentials are for what lies below it.
        secret_names: Query parameters that hold a credential: the client adds them itself.

    Raises:
        PaginationError: If it leads to another origin, or out of the base URL's path.
    """
    if any(character <= " " or character == "\x7f" for character in target):
        raise PaginationError("the link to the next page holds white space or control characters")
    try:
        joined = urlsplit(urljoin(url, target))
        here, there = _origin(base_url), _origin(joined.geturl())
    except ValueError:
        raise PaginationError("the link to the next page is no URL") from None
    if joined.username is not None or joined.password is not None:
        raise PaginationError("the link to the next page holds a user name")
    if here != there:
        raise PaginationError(
            f"the link to the next page leads to {there[0]}://{there[1]}:{there[2]}: credentials are only for "
            f"{here[0]}://{here[1]}:{here[2]}, so it is not followed"
        )
    root = urlsplit(base_url).path
    if not _is_below(joined.path, root):
        raise PaginationError(f"the link to the next page leads out of {root or '/'}, so it is not followed")
    pieces = [piece for piece in joined.query.split("&") if unquote_plus(piece.partition("=")[0]) not in secret_names]
    # The authority is that of the base URL, whatever another parser would take the link's to be.
    return urlsplit(base_url)._replace(path=joined.path, query="&".join(pieces)).geturl()


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port (RFC 6454)."""
    parts = urlsplit(url)
    port = _DEFAULT_PORTS.get(parts.scheme) if parts.port is None else parts.port
    return parts.scheme, parts.hostname or "", port


def _is_below(path: str, root: str) -> bool:
    """Whether a path is the root or below it, however its dots and slashes are written."""
    if "\\" in path:
        return False
    plain = unquote(path).replace("\\", "/")
    return ".." not in plain.split("/") and (path == root or path.startswith(f"{root}/"))
