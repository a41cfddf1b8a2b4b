"""One test body for both clients: ``world.run(client.groups.list_groups())`` awaits what has to be awaited."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from modelport_api._runtime._async.client import AsyncBaseClient
from modelport_api._runtime._sync.client import BaseClient
from modelport_api.codex.v1 import AsyncClient, Client

FAST = {"timeout": 5.0, "max_retries": 0}


class World:
    """The sync or the async one.

    Args:
        name: ``sync`` or ``async``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_async = name == "async"
        self._loop = asyncio.new_event_loop() if self.is_async else None
        self._open: list[Any] = []

    def __repr__(self) -> str:
        return self.name

    def run(self, value: Any) -> Any:
        """The value, awaited if it has to be."""
        if not self.is_async:
            assert not inspect.isawaitable(value)
            return value
        assert self._loop is not None
        if inspect.iscoroutine(value):
            return self._loop.run_until_complete(value)
        return value

    def client(self, url: str | None, **settings: Any) -> Any:
        """A Codex client that is closed with the test."""
        return self.opened((AsyncClient if self.is_async else Client)(url, **settings))

    def base_client(self, url: str, **settings: Any) -> Any:
        """A client without operations."""
        return self.opened((AsyncBaseClient if self.is_async else BaseClient)(url, **settings))

    def http_client(self, **settings: Any) -> Any:
        """A client of httpx, to be injected; no trust store is read for it."""
        settings.setdefault("verify", False)
        return self.opened((httpx.AsyncClient if self.is_async else httpx.Client)(**settings))

    def opened(self, thing: Any) -> Any:
        self._open.append(thing)
        return thing

    def call(self, client: Any, operation: Any, body: Any = None, arguments: Any = None, **options: Any) -> Any:
        """Call an operation that no generated method has."""
        extra = () if body is None else (body,)
        return self.run(client._transport.call(operation, arguments or {}, options, *extra))

    @contextlib.contextmanager
    def entered(self, manager: Any) -> Iterator[Any]:
        """A ``with`` or ``async with`` block."""
        if not self.is_async:
            with manager as value:
                yield value
            return
        value = self.run(manager.__aenter__())
        try:
            yield value
        except BaseException as error:
            self.run(manager.__aexit__(type(error), error, error.__traceback__))
            raise
        self.run(manager.__aexit__(None, None, None))

    def iterated(self, iterator: Any) -> Iterator[Any]:
        """The items of an iterator or async iterator, one by one."""
        if not self.is_async:
            yield from iterator
            return
        assert isinstance(iterator, AsyncIterator)
        while True:
            try:
                item = self.run(_next(iterator))
            except StopAsyncIteration:
                return
            yield item

    def token_source(self, *tokens: str) -> Any:
        """A token source that gives the tokens in turn when the one before was rejected, and records its calls."""
        return (_AsyncTokens if self.is_async else _Tokens)(*tokens)

    def close(self) -> None:
        for thing in reversed(self._open):
            self.run(thing.aclose() if hasattr(thing, "aclose") else thing.close())
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            # A generator that was collected meanwhile is closed by a task, which must have its turn.
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator)


class _Tokens:
    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.calls: list[str | None] = []

    def token(self, rejected: str | None = None) -> str:
        self.calls.append(rejected)
        if rejected == self._tokens[0] and len(self._tokens) > 1:
            self._tokens.pop(0)
        return self._tokens[0]


class _AsyncTokens(_Tokens):
    async def token(self, rejected: str | None = None) -> str:  # type: ignore[override]
        return super().token(rejected)
