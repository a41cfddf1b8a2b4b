"""The attribute of a client that holds the operations of one tag, and its raw and streaming twins."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from .types import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from ._async.paging import AsyncPages
    from ._async.streaming import AsyncStream, AsyncStreamedResponse, AsyncStreamTransport
    from ._async.transport import AsyncRawTransport, AsyncTransport
    from ._sync.paging import Pages
    from ._sync.streaming import Stream, StreamedResponse, StreamTransport
    from ._sync.transport import RawTransport, Transport
    from .exchange import RawResponse
    from .operation import Follow, Operation
    from .types import RequestOptions
    from .waiting import OnProgress

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

    def _pages(
        self, operation: Operation[T], arguments: Mapping[str, Any], options: RequestOptions, body: object = UNSET
    ) -> Pages[Any, T]:
        from ._sync.paging import Pages

        return Pages(self._transport, operation, arguments, options, body)

    def _wait(
        self,
        operation: Operation[T],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        patience: tuple[float | None, float | None, OnProgress | None],
        *,
        body: object = UNSET,
    ) -> T:
        from ._sync.polling import Call, wait
        from .waiting import Patience

        return wait(Call(self._transport, operation, arguments, options, body), Patience(*patience))

    def _call_and_wait(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        patience: tuple[float | None, float | None, OnProgress | None],
        follow: Follow[T],
        *,
        body: object = UNSET,
    ) -> T:
        from ._sync.polling import Call, call_and_wait
        from .waiting import Patience

        call = Call(self._transport, operation, arguments, options, body)
        return call_and_wait(call, follow, Patience(*patience))


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

    def _pages(
        self, operation: Operation[T], arguments: Mapping[str, Any], options: RequestOptions, body: object = UNSET
    ) -> AsyncPages[Any, T]:
        from ._async.paging import AsyncPages

        return AsyncPages(self._transport, operation, arguments, options, body)

    async def _wait(
        self,
        operation: Operation[T],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        patience: tuple[float | None, float | None, OnProgress | None],
        *,
        body: object = UNSET,
    ) -> T:
        from ._async.polling import AsyncCall, wait
        from .waiting import Patience

        return await wait(AsyncCall(self._transport, operation, arguments, options, body), Patience(*patience))

    async def _call_and_wait(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        patience: tuple[float | None, float | None, OnProgress | None],
        follow: Follow[T],
        *,
        body: object = UNSET,
    ) -> T:
        from ._async.polling import AsyncCall, call_and_wait
        from .waiting import Patience

        call = AsyncCall(self._transport, operation, arguments, options, body)
        return await call_and_wait(call, follow, Patience(*patience))


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
