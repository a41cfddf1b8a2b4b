"""How the pages of a list follow each other. Pure: the requests are sent by `AsyncPages`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from .errors import ClientConfigError, PaginationError
from .operation import Chosen
from .types import UNSET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .exchange import RawResponse
    from .operation import Operation

B = TypeVar("B")

MAX_EMPTY_PAGES = 1000
"""So many empty pages in a row are taken for a list without an end."""

_END = object()


class Pagination(NamedTuple):
    """The pages of an operation, as the document declares them. Places in an answer are runtime expressions.

    Attributes:
        style: ``token``, ``cursor``, ``page``, ``offset`` or ``link``.
        items: JSON pointer to the list in the body; empty if the body is the list.
        next: ``token``: the place of the next token; ``cursor``: a JSON pointer in an item; ``link``: the place of the
            URL, or empty for the ``Link`` header.
        parameter: The argument that says which page; empty if it is in the body or the link says it.
        body: JSON pointer to it in the request body.
        first: The number of the first page or item.
        more: The place that says whether there is another page.
        total: The place of the number of items in all.
        pages: The place of the number of pages in all.
    """

    style: str
    items: str = ""
    next: str = ""
    parameter: str = ""
    body: str = ""
    first: int = 0
    more: str = ""
    total: str = ""
    pages: str = ""


class Page(Generic[B]):
    """One page as it came.

    Attributes:
        body: The typed body.
        items: What is listed, typed.
    """

    def __init__(self, pagination: Pagination, response: RawResponse[B]) -> None:
        from .expressions import pointer_steps, value_at
        from .wire import is_array

        self.response = response
        self.body: B = response.parsed
        self._pagination = pagination
        self._values: Any = UNSET
        items = value_at(self.body, pointer_steps(pagination.items))
        if items is None or items is UNSET:
            items = ()
        elif not is_array(items):
            raise response.decode_error(f"there is no list at {pagination.items or 'the top'} of the body")
        self.items: tuple[Any, ...] = tuple(items)

    @property
    def values(self) -> Any:
        """The body as plain JSON values: a token goes back to the letter."""
        if self._values is UNSET:
            from .json_bytes import parse_json

            try:
                self._values = parse_json(self.response.content)
            except ValueError:  # a body that is no JSON
                self._values = None
        return self._values

    def value(self, place: str) -> Any:
        """What is at a place of the answer; `UNSET` if nothing is."""
        from .expressions import Exchange, evaluate

        response = self.response
        return evaluate(place, Exchange("", "", {}, None, response.status, response.headers, self.values))

    def is_more(self) -> bool | None:
        """Whether the server says that there is another page; None if it says nothing."""
        found = self.value(self._pagination.more) if self._pagination.more else None
        if found is UNSET or found is None:
            return None
        if isinstance(found, str):
            return found.strip().lower() not in {"", "0", "false", "no"}
        return bool(found)

    def number(self, place: str) -> int | None:
        """The number at a place; None if there is none."""
        found = self.value(place) if place else None
        if isinstance(found, str) and found.strip().isdecimal():
            found = int(found)
        return found if isinstance(found, int) and not isinstance(found, bool) else None


class Course(Generic[B]):
    """Where a walk through the pages stands: which request is next, and what its answer leads to.

    A request that fails leaves it where it was.

    Args:
        operation: Gives the pages.
        arguments: Those of the first request; the one that says which page may be among them.
        body: That of the first request.
        base_url: What links must stay below.
    """

    def __init__(
        self, operation: Operation[B], pagination: Pagination, arguments: Mapping[str, Any], body: object, base_url: str
    ) -> None:
        self._operation = operation
        self._pagination = pagination
        self._arguments = arguments
        self._body = body.body if isinstance(body, Chosen) else body
        self._content_type = body.content_type if isinstance(body, Chosen) else None
        self._base_url = base_url
        self._page: Page[B] | None = None
        self._previous: Page[B] | None = None
        self._empty = 0
        self._count = 0
        self._is_done = False
        self._place: Any = self._start()
        self._starts_first = self._place == pagination.first
        self._seen = {_mark(self._place)}

    def _start(self) -> Any:
        pagination = self._pagination
        given: Any = UNSET
        if pagination.parameter:
            given = self._arguments.get(pagination.parameter, UNSET)
        elif pagination.body:
            from .expressions import pointer_steps, value_at

            given = value_at(self._body, pointer_steps(pagination.body))
        if pagination.style not in {"page", "offset"}:
            return given
        if given is UNSET or given is None:
            return pagination.first
        if not isinstance(given, int) or isinstance(given, bool):
            name = pagination.parameter or pagination.body
            raise ClientConfigError(f"{name} must be a whole number to count on from, not {given!r}")
        return given

    @property
    def next_token(self) -> Any:
        """What the next request says which page it wants with; None if that is not told yet, or at the end."""
        if self._page is not None:
            try:
                place = self._following(self._page)
            except PaginationError:
                return None
            return None if place is _END else place
        return None if self._is_done or self._place is UNSET else self._place

    def proceed(self) -> bool:
        """Whether there is another request to send.

        Raises:
            PaginationError: If what the last answer says of the next page cannot be followed.
        """
        if self._page is None:
            return not self._is_done
        place = self._following(self._page)
        self._previous, self._page = self._page, None
        if place is _END:
            self._is_done = True
            return False
        self._place = place
        self._seen.add(_mark(place))
        return True

    def request(self) -> tuple[Mapping[str, Any], object, str | None]:
        """The arguments, the body and, where a link says it, the URL of the next request."""
        place, pagination = self._place, self._pagination
        if place is UNSET:
            return self._arguments, self._as_chosen(self._body), None
        if pagination.style == "link":
            return self._arguments, self._as_chosen(self._body), place
        if pagination.parameter:
            return {**self._arguments, pagination.parameter: place}, self._as_chosen(self._body), None
        from .expressions import pointer_steps, with_value_at
        from .wire import to_builtins

        plain = None if self._body is UNSET else to_builtins(self._body)
        return self._arguments, self._as_chosen(with_value_at(plain, pointer_steps(pagination.body), place)), None

    def _as_chosen(self, body: object) -> object:
        """The body in the media type that the caller chose, if one was."""
        return body if self._content_type is None else Chosen(body, self._content_type)

    def arrived(self, response: RawResponse[B]) -> Page[B]:
        """The page of an answer.

        Raises:
            DecodeError: If its body is not what the document says.
            PaginationError: If it is the page before once more, or one of too many empty ones.
        """
        page = Page(self._pagination, response)
        if self._previous is not None and _is_same(page, self._previous) and self._counts():
            raise self._error("the server gave the same page twice: it does not heed which one is asked for")
        self._empty = 0 if page.items else self._empty + 1
        if self._empty > MAX_EMPTY_PAGES:
            self._empty = 0
            raise self._error(f"{MAX_EMPTY_PAGES} pages in a row were empty: the list has no end")
        self._count += len(page.items)
        self._page = page
        return page

    def _counts(self) -> bool:
        return self._pagination.style in {"page", "offset"}

    def _following(self, page: Page[B]) -> Any:
        """What the next request is sent with, or the end."""
        more = page.is_more()
        if more is False:
            return _END
        if self._counts():
            return self._following_number(page, more)
        place = self._following_link(page) if self._pagination.style == "link" else self._following_token(page)
        if place is _END and more:
            raise self._error("the server says that there is more, and not how to get it")
        if place is not _END and _mark(place) in self._seen:
            kind = "link to a page" if self._pagination.style == "link" else "token"
            raise self._error(f"the server gave the same {kind} twice: the list would have no end")
        return place

    def _following_token(self, page: Page[B]) -> Any:
        if self._pagination.style == "token":
            token = page.value(self._pagination.next)
            # 0 is not False: `in` would take them for the same; as a token it means the start, hence the end.
            return _END if token is UNSET or not token else token
        if not page.items:
            return _END
        from .expressions import pointer_steps, value_at

        listed = value_at(page.values, pointer_steps(self._pagination.items))
        token = value_at(listed[-1], pointer_steps(self._pagination.next))
        if token is UNSET or token is None:
            raise self._error(f"the last item has nothing at {self._pagination.next} to go on from")
        return token

    def _following_link(self, page: Page[B]) -> Any:
        from .links import checked_target, next_target

        url = page.response.full_url
        if self._pagination.next:
            target = page.value(self._pagination.next)
        else:
            target = next_target(page.response.headers.get("link", ""), url)
        if target is UNSET or not target:
            return _END
        if not isinstance(target, str):
            raise self._error("the link to the next page is no text")
        secret = frozenset(name for _, where, name in self._operation.schemes.values() if where == "query")
        try:
            return checked_target(target, url, self._base_url, secret)
        except PaginationError as error:
            raise self._error(error.message) from None

    def _following_number(self, page: Page[B], more: bool | None) -> Any:  # noqa: FBT001 - as the server says it
        pagination, total = self._pagination, page.number(self._pagination.total)
        if pagination.style == "offset":
            place = self._place + len(page.items)
            if not page.items and more:
                raise self._error("the server says that there is more, and gave an empty page")
            return _END if not page.items or (total is not None and place >= total) else place
        pages = page.number(pagination.pages)
        if pages is not None:
            return _END if self._place - pagination.first + 1 >= pages else self._place + 1
        if more:
            return self._place + 1
        ended = total is not None and self._starts_first and self._count >= total
        return _END if not page.items or ended else self._place + 1

    def _error(self, message: str) -> PaginationError:
        from .http import without_query

        url = without_query(self._base_url + self._operation.path)
        return PaginationError(message, method=self._operation.method, url=url)


def _mark(place: Any) -> int:
    """What a place is known by again; tokens may be long, and there may be many."""
    return hash(repr(place))


def _is_same(page: Page[Any], other: Page[Any]) -> bool:
    """Whether a page is the one before once more; equal pages of plain values are nothing strange."""
    from .wire import is_structured

    return bool(page.items) and page.response.content == other.response.content and is_structured(page.items[0])
