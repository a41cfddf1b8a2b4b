# Derived from tools/modelport_tools/runtime/_async/paging.py by modelport_tools.unasync; do not edit.
"""The items of a list that comes in pages."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..pagination import Course
from ..types import UNSET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from ..operation import Operation
    from ..pagination import Page
    from ..types import RequestOptions
    from .transport import Transport

T = TypeVar("T")
B = TypeVar("B")


class Pages(Generic[T, B]):
    """The items of a list, asked for page by page as they are needed; `T` is an item, `B` the body of a page.

    It is an iterator: nothing is sent before the first item is asked for, and iterating again goes on where it
    stopped. A request that failed is sent again then, so no item is lost and none comes twice.
    """

    __slots__ = ("_course", "_items", "_operation", "_options", "_transport")

    def __init__(
        self,
        transport: Transport,
        operation: Operation[B],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> None:
        if operation.pagination is None:
            raise TypeError(f"{operation.name} has no pages")
        self._transport = transport
        self._operation = operation
        self._options = options
        self._items: deque[T] = deque()
        self._course = Course(
            operation, operation.pagination, arguments, body, operation.base_url(transport.settings.base_url)
        )

    @property
    def next_token(self) -> Any:
        """What the next request is sent with (a token, a number, for links a URL); None if that is not known.

        The items of a page that was begun come before it.
        """
        return self._course.next_token

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        items = self._items
        while not items:
            page = self._turn()
            if page is None:
                raise StopIteration
            items.extend(page.items)
        return items.popleft()

    def pages(self) -> Iterator[B]:
        """The body of each page from here on, typed; the items of a page that was begun stay where they are."""
        while (page := self._turn()) is not None:
            yield page.body

    def _turn(self) -> Page[B] | None:
        """Ask for the next page; None at the end."""
        course = self._course
        if not course.proceed():
            return None
        arguments, body, url = course.request()
        response = self._transport.exchange(self._operation, arguments, self._options, body, url=url)
        return course.arrived(response)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._operation.name}>"
