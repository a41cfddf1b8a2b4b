"""The attribute of a client that holds the operations of one tag, and its raw and streaming twins."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ._async.streaming import AsyncStream, AsyncStreamedResponse, AsyncStreamTransport
    from ._async.transport import AsyncRawTransport, AsyncTransport
    from ._sync.streaming import Stream, StreamedResponse, StreamTransport
    from ._sync.transport import RawTransport, Transport
    from .exchange import RawResponse

P = ParamSpec("P")
T = TypeVar("T")


class Resource:
    """The operations of one tag."""

    __slots__ = ("_transport",)

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _raw(self) -> RawTransport:
        from ._sync.transport import RawTransport

        return RawTransport(self._transport.settings, self._transport.pool)

    def _stream(self) -> StreamTransport:
        from ._sync.streaming import StreamTransport

        return StreamTransport(self._transport.settings, self._transport.pool)


class AsyncResource:
    """The operations of one tag, awaited."""

    __slots__ = ("_transport",)

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def _raw(self) -> AsyncRawTransport:
        from ._async.transport import AsyncRawTransport

        return AsyncRawTransport(self._transport.settings, self._transport.pool)

    def _stream(self) -> AsyncStreamTransport:
        from ._async.streaming import AsyncStreamTransport

        return AsyncStreamTransport(self._transport.settings, self._transport.pool)


class _Method:
    """A method of a resource that runs over another transport; its arguments stay the same."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def _bound(self, resource: object) -> Any:
        return partial(self._method, resource)


class RawMethod(_Method, Generic[P, T]):
    """Returns the whole answer."""

    def __init__(self, method: Callable[Concatenate[Any, P], T]) -> None:
        super().__init__(method)

    def __get__(self, resource: object, owner: type) -> Callable[P, RawResponse[T]]:
        return cast("Callable[P, RawResponse[T]]", self._bound(resource))


class RawItemsMethod(_Method, Generic[P, T]):
    """Returns the whole answer, with a list of the items of its stream."""

    def __init__(self, method: Callable[Concatenate[Any, P], Stream[T]]) -> None:
        super().__init__(method)

    def __get__(self, resource: object, owner: type) -> Callable[P, RawResponse[list[T]]]:
        return cast("Callable[P, RawResponse[list[T]]]", self._bound(resource))


class StreamMethod(_Method, Generic[P, T]):
    """Returns an answer to be read as it comes."""

    def __init__(self, method: Callable[Concatenate[Any, P], T]) -> None:
        super().__init__(method)

    def __get__(self, resource: object, owner: type) -> Callable[P, StreamedResponse[T]]:
        return cast("Callable[P, StreamedResponse[T]]", self._bound(resource))


class AsyncRawMethod(_Method, Generic[P, T]):
    """Returns the whole answer, awaited."""

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> None:
        super().__init__(method)

    def __get__(self, resource: object, owner: type) -> Callable[P, Coroutine[Any, Any, RawResponse[T]]]:
        return cast("Callable[P, Coroutine[Any, Any, RawResponse[T]]]", self._bound(resource))


class AsyncRawItemsMethod(_Method, Generic[P, T]):
    """Returns the whole answer, with a list of the items of its stream, awaited."""

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, AsyncStream[T]]]) -> None:
        super().__init__(method)

    def __get__(self, resource: object, owner: type) -> Callable[P, Coroutine[Any, Any, RawResponse[list[T]]]]:
        return cast("Callable[P, Coroutine[Any, Any, RawResponse[list[T]]]]", self._bound(resource))


class AsyncStreamMethod(_Method, Generic[P, T]):
    """Returns an answer to be read as it comes."""

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> None:
        super().__init__(method)

    def __get__(self, resource: object, owner: type) -> Callable[P, AsyncResponseContext[T]]:
        method: Callable[..., Coroutine[Any, Any, AsyncStreamedResponse[T]]] = self._method
        return lambda *args, **kwargs: AsyncResponseContext(partial(method, resource, *args, **kwargs))


class AsyncResponseContext(Generic[T]):
    """An answer to enter with ``async with``.

    Prepares the call only when the block is entered: an unused one leaves no coroutine behind.
    """

    def __init__(self, prepare: Callable[[], Coroutine[Any, Any, AsyncStreamedResponse[T]]]) -> None:
        self._prepare = prepare

    async def __aenter__(self) -> AsyncStreamedResponse[T]:
        self._response: AsyncStreamedResponse[T] = await self._prepare()
        return await self._response.__aenter__()

    async def __aexit__(self, *exc_info: object) -> None:
        await self._response.__aexit__(*exc_info)
