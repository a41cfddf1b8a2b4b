"""Drive `Codex` and `AsyncCodex` from the same test text, and remember which methods were called."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Self

ROOMS = ("modelport.codex._async", "modelport.codex._sync")


class Blocking:
    """A handle of either face; methods that are awaited in the async one are run to their end."""

    def __init__(self, inner: Any, runner: asyncio.Runner, called: set[str]) -> None:
        self._inner = inner
        self._runner = runner
        self._called = called

    def __getattr__(self, name: str) -> Any:
        kind = type(self._inner).__name__.removeprefix("Async")
        self._called.add(f"{kind}.{name}")
        value = getattr(self._inner, name)
        return self._method(value) if inspect.ismethod(value) else self.wrap(value)

    def __repr__(self) -> str:
        return repr(self._inner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _method(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*map(self.unwrap, args), **{key: self.unwrap(value) for key, value in kwargs.items()})
            return self.wrap(self._runner.run(result) if inspect.iscoroutine(result) else result)

        return call

    def wrap(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.wrap(entry) for entry in value]
        if type(value).__module__.startswith(ROOMS):
            return self if value is self._inner else Blocking(value, self._runner, self._called)
        return value

    @staticmethod
    def unwrap(value: Any) -> Any:
        return value._inner if isinstance(value, Blocking) else value
