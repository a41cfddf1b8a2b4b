"""`monitored`: log the calls of a plain function as predictions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from time import time_ns
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from modelport.monitor._extraction import rows_of
from modelport.monitor._id_source import IdSource, current

if TYPE_CHECKING:
    from modelport.monitor._model_monitor import ModelMonitor

__all__ = ["monitored"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def monitored(
    monitor: ModelMonitor,
    *,
    features: Callable[..., object] | None = None,
    output: Callable[[Any], object] | None = None,
    segments: Callable[..., Mapping[str, str] | None] | None = None,
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """A decorator that logs each call of a function, or of a coroutine function once it is awaited.

    Example::

        @monitored(monitor)
        def predict(row): ...

    Its results and exceptions pass unchanged; a call that raises is not logged, and nothing that goes wrong in
    logging reaches the caller. `current_prediction_id` tells the id inside the function.

    Args:
        monitor: Where predictions go.
        features: Called with the function's arguments. By default the one argument, or a mapping of all by name;
            a first parameter called ``self`` or ``cls`` is none of them.
        output: Called with the result; by default the result itself.
        segments: Called with the function's arguments; gives labels to compare groups of calls by.

    Raises:
        TypeError: Around a generator function, whose result is not known when it returns.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("monitored() watches functions that return their result, not generators")
        call = _Calls(monitor, features or _arguments_of(function), output, segments)
        watched = call.awaited(function) if inspect.iscoroutinefunction(function) else call.called(function)
        return cast("Callable[_P, _R]", watched)

    return decorate


class _Calls:
    def __init__(
        self,
        monitor: ModelMonitor,
        features: Callable[..., object],
        output: Callable[[Any], object] | None,
        segments: Callable[..., Mapping[str, str] | None] | None,
    ) -> None:
        self._monitor = monitor
        self._features = features
        self._output = output
        self._segments = segments
        self._next_id = IdSource()
        monitor.expect_dropped("extract_error")

    def called(self, function: Callable[..., object]) -> Callable[..., object]:
        @wraps(function)
        def watched(*args: object, **kwargs: object) -> object:
            started, prediction_id = time_ns(), self._next_id()
            token = current.set(prediction_id)
            try:
                result = function(*args, **kwargs)
            finally:
                current.reset(token)
            self._log(prediction_id, started, args, kwargs, result)
            return result

        return watched

    def awaited(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        async def watched(*args: object, **kwargs: object) -> object:
            started, prediction_id = time_ns(), self._next_id()
            token = current.set(prediction_id)
            try:
                result: object = await function(*args, **kwargs)
            finally:
                current.reset(token)
            self._log(prediction_id, started, args, kwargs, result)
            return result

        return watched

    def _log(
        self, prediction_id: str, started: int, args: tuple[object, ...], kwargs: Mapping[str, object], result: object
    ) -> None:
        try:
            features = self._features(*args, **kwargs)
            output = result if self._output is None else self._output(result)
            segments = None if self._segments is None else self._segments(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - extractors are foreign code, and the caller must not notice
            self._monitor.count_dropped("extract_error", error=error)
            return
        rows = rows_of(features, output)
        if rows is None:
            self._monitor.log(features, output, prediction_id=prediction_id, timestamp=started, segments=segments)
            return
        for number, (row, answer) in enumerate(rows):
            row_id = f"{prediction_id}/{number}"
            self._monitor.log(row, answer, prediction_id=row_id, timestamp=started, segments=segments)


def _arguments_of(function: Callable[..., object]) -> Callable[..., object]:
    """What a call is made with: the one argument, or all of them by name."""
    signature = inspect.signature(function)
    names = list(signature.parameters)
    bound = names[0] if names and names[0] in {"self", "cls"} else None

    def arguments(*args: object, **kwargs: object) -> object:
        given = dict(signature.bind(*args, **kwargs).arguments)
        given.pop(bound or "", None)
        return next(iter(given.values())) if len(names) - (bound is not None) == 1 else given

    return arguments
