"""Python values to the wire: path, query, header and cookie parameters by OpenAPI style, and request bodies."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote, quote_plus

from .errors import ClientConfigError, EncodeError
from .operation import Chosen, Encoding, Parameter
from .types import UNSET, File

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .operation import Operation

_UNRESERVED = "-._~"
_RESERVED = "-._~:/?@!$'()*,;="
"""What ``allowReserved`` leaves as it is: not what ends a value or the query (RFC 3986, 3.4; the ``+`` of forms)."""
_DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}


class Body(NamedTuple):
    """A request body: keyword arguments of ``build_request``, or an open file to be read in chunks."""

    arguments: dict[str, Any]
    headers: dict[str, str]
    resources: ExitStack | None = None
    replayable: bool = True
    file: Any = None

    def close(self) -> None:
        """Close the files that were opened for it."""
        if self.resources is not None:
            self.resources.close()


NO_BODY = Body({}, {})


def text(value: object, where: str) -> str:
    """The text of a simple value, as JSON writes it but without quotes.

    Raises:
        EncodeError: If the value is not a simple one, or not finite.
    """
    if value is UNSET:
        raise EncodeError(f"{where} was not given")
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        if not value.isascii() and _is_torn(value):
            raise EncodeError(f"{where} holds half of a surrogate pair")
        return str.__str__(value)
    if value is None:
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        raise EncodeError(f"{where}: {value} has no JSON form")
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    return _rare_text(value, where)


def _rare_text(value: Any, where: str) -> str:
    """The text of a value of types whose modules take longer to load than a call."""
    from decimal import Decimal
    from uuid import UUID

    if isinstance(value, UUID) or (isinstance(value, Decimal) and value.is_finite()):
        return str(value)
    if isinstance(value, Decimal):
        raise EncodeError(f"{where}: {value} has no JSON form")
    item = getattr(value, "item", None)  # a number of numpy
    if callable(item) and getattr(value, "shape", None) == ():
        return text(item(), where)
    raise EncodeError(f"{where}: a {type(value).__name__} cannot be written as text")


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (int, lambda value: str(int(value))),  # of a subclass, only its number
    (float, lambda value: repr(float(value))),
    (date, lambda value: value.isoformat()),  # a datetime too
)


def _is_torn(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def _plain(value: object) -> object:
    """A parameter's value with a model turned into the object that it stands for."""
    if hasattr(type(value), "__attrs_attrs__"):
        from .wire import wire_items

        return {name: item for name, item in wire_items(value) if item is not UNSET}
    return value


def build_path(operation: Operation[Any], arguments: Mapping[str, Any]) -> str:
    """The path with its parameters filled in; no value can change which operation is called.

    Raises:
        EncodeError: If a value is empty, or one of the dot segments that URLs resolve away.
    """
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location != "path":
            continue
        where = f"path parameter {parameter.python_name!r}"
        written = _path_value(parameter, _plain(arguments[parameter.python_name]), where)
        if written in {"", ".", ".."}:
            raise EncodeError(f"{where} must not be {written!r}")
        path = path.replace("{" + parameter.wire_name + "}", written)
    return path


def build_query(operation: Operation[Any], arguments: Mapping[str, Any]) -> str:
    """The query, without its question mark; empty if no parameter was given."""
    pairs: list[str] = []
    for parameter in operation.parameters:
        if parameter.location == "query":
            value = arguments.get(parameter.python_name, UNSET)
            if value is not UNSET and value is not None:
                pairs.extend(_query_pairs(parameter, value if parameter.style == "json" else _plain(value)))
    return "&".join(pairs)


def build_headers(operation: Operation[Any], arguments: Mapping[str, Any]) -> dict[str, str]:
    """The header parameters, and the cookie parameters as one ``Cookie`` header."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for parameter in operation.parameters:
        if parameter.location not in {"header", "cookie"}:
            continue
        value = arguments.get(parameter.python_name, UNSET)
        if value is UNSET or value is None:
            continue
        if parameter.location == "cookie":
            cookies += _query_pairs(parameter, value if parameter.style == "json" else _plain(value))
            continue
        where = f"header parameter {parameter.python_name!r}"
        joined = _json(value) if parameter.style == "json" else _joined(_plain(value), parameter, ",", where)
        if not is_header_value(joined):
            raise EncodeError(f"{where} must be ASCII, without line breaks or white space at its ends")
        headers[parameter.wire_name] = joined
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    return headers


def build_body(operation: Operation[Any], body: object) -> Body:
    """The request body in the document's preferred media type that fits the value.

    Raises:
        ClientConfigError: If the operation takes no body.
        EncodeError: If the value has no form in the media type.
    """
    if body is UNSET:
        return NO_BODY
    if not operation.body:
        raise ClientConfigError(f"{operation.name} takes no body")
    media_type = operation.body[0] if len(operation.body) == 1 else _chosen(operation, body)
    if isinstance(body, Chosen):
        body = body.body
        if body is UNSET:
            return NO_BODY
    bare = media_type.split(";", 1)[0].strip().lower()
    encoding = operation.encoding.get(media_type, _NO_ENCODING) if operation.encoding else _NO_ENCODING
    if bare == "multipart/form-data":
        return _multipart(body, encoding)
    if bare == "application/x-www-form-urlencoded":
        return Body({"content": _form(body, encoding).encode()}, {"Content-Type": media_type})
    if bare == "application/json" or bare.endswith("+json"):
        from .wire import encode_json

        return Body({"content": encode_json(body)}, {"Content-Type": media_type})
    return _binary(body, media_type)


_NO_ENCODING: Mapping[str, Encoding] = {}


def _chosen(operation: Operation[Any], body: object) -> str:
    """The media type that the caller named, else the first one whose type the body has, else the preferred one."""
    if isinstance(body, Chosen):
        wanted = body.content_type
        if wanted not in operation.body:
            raise ClientConfigError(f"{operation.name} takes {' or '.join(operation.body)}, not {wanted!r}")
        return wanted
    kind = type(body).__name__
    for media_type, kinds in zip(operation.body, operation.body_kinds, strict=True):
        if kind in kinds or "Any" in kinds or ("Iterable" in kinds and _is_iterable(body)):
            return media_type
    return operation.body[0]


def _is_iterable(body: object) -> bool:
    """Whether a body is a series of items, and nothing that has a form of its own."""
    return hasattr(body, "__iter__") and not isinstance(body, str | bytes | dict)


def _path_value(parameter: Parameter, value: object, where: str) -> str:
    encode = _quoter(where)
    name = quote(parameter.wire_name, safe=_UNRESERVED)
    pairs = "=" if parameter.explode else ","
    if parameter.style == "label":
        return "." + _exploded(value, encode, "." if parameter.explode else ",", pairs)
    if parameter.style == "matrix":
        if parameter.explode and isinstance(value, list | tuple):
            return "".join(_matrix(name, encode(item)) for item in cast("Iterable[object]", value))
        if parameter.explode and isinstance(value, dict):
            entries = cast("Mapping[object, object]", value).items()
            return "".join(_matrix(encode(key), encode(item)) for key, item in entries)
        return _matrix(name, _exploded(value, encode, ",", pairs))
    return _exploded(value, encode, ",", pairs)


def _matrix(name: str, written: str) -> str:
    return f";{name}={written}" if written else f";{name}"


def _exploded(value: object, encode: Any, separator: str, pairs: str) -> str:
    if isinstance(value, list | tuple):
        return separator.join(encode(item) for item in cast("Iterable[object]", value))
    if isinstance(value, dict):
        return separator.join(
            f"{encode(k)}{pairs}{encode(v)}" for k, v in cast("Mapping[object, object]", value).items()
        )
    return cast("str", encode(value))


def _query_pairs(parameter: Parameter, value: object) -> list[str]:  # noqa: PLR0911 - one return a style
    where = f"{parameter.location} parameter {parameter.python_name!r}"
    encode = _quoter(where, _RESERVED if parameter.reserved else _UNRESERVED)
    name = quote(parameter.wire_name, safe=_UNRESERVED)
    if parameter.style == "json":
        return [f"{name}={quote(_json(value), safe=_UNRESERVED)}"]
    if isinstance(value, dict):
        entries = cast("Mapping[object, object]", value)
        if parameter.style == "deepObject":
            return [f"{name}%5B{encode(key)}%5D={encode(item)}" for key, item in entries.items()]
        if parameter.explode:
            return [f"{encode(key)}={encode(item)}" for key, item in entries.items()]
        delimiter = _DELIMITERS.get(parameter.style, ",")
        return [f"{name}=" + delimiter.join(encode(part) for entry in entries.items() for part in entry)]
    if isinstance(value, list | tuple):
        items = [encode(item) for item in cast("Iterable[object]", value)]
        if parameter.explode:
            return [f"{name}={item}" for item in items]
        return [f"{name}=" + _DELIMITERS.get(parameter.style, ",").join(items)] if items else []
    return [f"{name}={encode(value)}"]


def _quoter(where: str, safe: str = _UNRESERVED) -> Any:
    def encode(value: object) -> str:
        return quote(text(value, where), safe=safe)

    return encode


def _joined(value: object, parameter: Parameter, separator: str, where: str) -> str:
    if isinstance(value, list | tuple):
        return separator.join(text(item, where) for item in cast("Iterable[object]", value))
    if isinstance(value, dict):
        pairs = "=" if parameter.explode else ","
        entries = cast("Mapping[object, object]", value).items()
        return separator.join(f"{text(key, where)}{pairs}{text(item, where)}" for key, item in entries)
    return text(value, where)


def _json(value: object) -> str:
    from .wire import encode_json

    return encode_json(value).decode()


def is_header_value(value: str) -> bool:
    """Whether a text can stand in a header as it is."""
    return value.isascii() and value.replace("\t", " ").isprintable() and value == value.strip()


def _entries(body: object, encoding: Mapping[str, Encoding]) -> list[tuple[str, object]]:
    """The set fields of a form, by wire name; lists repeat the name, unless the document has a style for them."""
    from .wire import wire_items

    pairs: list[tuple[str, object]] = []
    for name, value in wire_items(body):
        if value is UNSET or value is None:
            continue
        told = encoding.get(name)
        if isinstance(value, list | tuple) and (told is None or not _is_whole(told)):
            pairs.extend((name, item) for item in cast("Iterable[object]", value))
        else:
            pairs.append((name, cast("object", value)))
    return pairs


def _is_whole(told: Encoding) -> bool:
    """Whether a list is one field: in a style, or in a media type of its own that is no text."""
    return told.style is not None or (told.content_type or "").endswith("json")


def _form_text(name: str, value: object) -> str:
    """A form value: simple values as text, everything else as JSON."""
    from .wire import encode_json, is_structured

    return encode_json(value).decode() if is_structured(value) else text(value, f"form field {name!r}")


def _form(body: object, encoding: Mapping[str, Encoding]) -> str:
    pairs: list[str] = []
    for name, value in _entries(body, encoding):
        quoted = quote_plus(text(name, "a form field's name"))
        told = encoding.get(name)
        if told is not None and told.style is not None:
            field = Parameter(name, name, "form", told.style, told.explode, told.reserved)
            pairs += _query_pairs(field, _plain(value))
        else:
            pairs.append(f"{quoted}={quote_plus(_form_text(name, value))}")
    return "&".join(pairs)


def _multipart(body: object, encoding: Mapping[str, Encoding]) -> Body:
    """Parts in the order of the fields; the HTTP client draws a random boundary."""
    from .upload import UPLOAD_NAME, can_replay, opened
    from .wire import is_structured

    resources = ExitStack()
    parts: list[tuple[str, Any]] = []
    replayable = True
    try:
        for raw_name, value in _entries(body, encoding):
            name = text(raw_name, "a form field's name")
            told = encoding.get(name)
            media_type = told.content_type if told is not None else None
            if isinstance(value, File):
                content, file_name = opened(value, resources)
                replayable = replayable and can_replay(content)
                wanted = value.content_type or media_type
                kind = (_checked_type(wanted),) if wanted else ()
                parts.append((name, (text(file_name, "a file's name"), content, *kind)))
            elif isinstance(value, bytes):
                parts.append((name, (UPLOAD_NAME, value, *((media_type,) if media_type else ()))))
            else:
                wanted = media_type or ("application/json" if is_structured(value) else None)
                parts.append((name, (None, _form_text(name, value).encode(), *((wanted,) if wanted else ()))))
    except BaseException:
        resources.close()
        raise
    if not parts:  # the HTTP client would send nothing at all
        boundary = os.urandom(16).hex()
        return Body(
            {"content": f"--{boundary}--\r\n".encode()}, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        )
    return Body({"files": parts}, {}, resources, replayable)


def _binary(body: object, media_type: str) -> Body:
    if "*" in media_type:  # a range such as */* is what the server takes, and no name for what is sent
        media_type = "text/plain; charset=utf-8" if isinstance(body, str) else "application/octet-stream"
    headers = {"Content-Type": media_type}
    if isinstance(body, File):
        from .upload import can_replay, opened

        if body.content_type:
            headers["Content-Type"] = _checked_type(body.content_type)
        resources = ExitStack()
        content, _ = opened(body, resources)
        if isinstance(content, bytes):
            return Body({"content": content}, headers)
        replayable = can_replay(content)
        if replayable:  # without a length it would go in chunks, which many stores refuse
            headers["Content-Length"] = str(content.seek(0, os.SEEK_END))
            content.seek(0)
        return Body({}, headers, resources, replayable, content)
    if isinstance(body, str):
        return Body({"content": _written(body, media_type)}, headers)
    if isinstance(body, bytes):
        return Body({"content": body}, headers)
    from .upload import item_lines

    lines = item_lines(body, media_type)
    return Body({}, headers, replayable=isinstance(body, list | tuple), file=lines)


def _written(body: str, media_type: str) -> bytes:
    """A text in the charset of its media type, UTF-8 if it names none."""
    _, _, charset = media_type.lower().partition("charset=")
    charset = charset.split(";", 1)[0].strip(' "') or "utf-8"
    try:
        return text(body, "the body").encode(charset)
    except (LookupError, UnicodeEncodeError):
        raise EncodeError(f"the body cannot be written in {charset}") from None


def _checked_type(content_type: str) -> str:
    if not is_header_value(content_type):
        raise EncodeError(f"the content type {content_type!r} cannot stand in a header")
    return content_type
