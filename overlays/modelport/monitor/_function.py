"""`monitored`: log the calls of a plain function as predictions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from time import time_ns
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar, cast

from modelport.monitor._checks import check_function
from modelport.monitor._extraction import predictions_of
from modelport.monitor._id_source import IdSource, current
from modelport.monitor._model_monitor import monitor_of
from modelport.monitor._request_path import frozen

if TYPE_CHECKING:
    from modelport.monitor._model_monitor import ModelMonitor

__all__ = ["monitored"]

# Of these there is nothing to copy.
_FINAL = frozenset({type(None), bool, int, float, str, bytes})

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
        features: Called with the function's arguments, before the function. By default the one argument, or a mapping
            of all by name; a first parameter called ``self`` or ``cls`` is none of them.
        output: Called with the result; by default the result itself.
        segments: Called in the same way; gives labels to compare groups of calls by.

    Raises:
        TypeError: Around a generator function, whose result is not known when it returns; or an argument of another
            kind.
    """
    check_function("features", features)
    check_function("output", output)
    check_function("segments", segments)
    monitor = monitor_of(monitor)

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
            call = self._begin(args, kwargs)
            token = current.set(call.prediction_id)
            try:
                result = function(*args, **kwargs)
            finally:
                current.reset(token)
            self._log(call, result)
            return result

        return watched

    def awaited(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        async def watched(*args: object, **kwargs: object) -> object:
            call = self._begin(args, kwargs)
            token = current.set(call.prediction_id)
            try:
                result: object = await function(*args, **kwargs)
            finally:
                current.reset(token)
            self._log(call, result)
            return result

        return watched

    def _begin(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> _Call:
        """What the call is made with, as it is now: the function may change it."""
        started, prediction_id = time_ns(), self._next_id()
        try:
            features = _copy_of(self._features(*args, **kwargs))
            segments = None if self._segments is None else self._segments(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - extractors are foreign code, and the caller must not notice
            return _Call(prediction_id, started, error=error)
        return _Call(prediction_id, started, features, segments)

    def _log(self, call: _Call, result: object) -> None:
        error, output = call.error, result
        if error is None and self._output is not None:
            try:
                output = self._output(result)
            except Exception as raised:  # noqa: BLE001 - as above
                error = raised
        if error is not None:
            self._monitor.count_dropped("extract_error", error=error)
            return
        for made, row, answer in predictions_of(call.prediction_id, call.features, output):
            self._monitor.log(row, answer, prediction_id=made, timestamp=call.started, segments=call.segments)


class _Call(NamedTuple):
    prediction_id: str
    started: int
    features: object = None
    segments: Mapping[str, str] | None = None
    error: Exception | None = None


def _copy_of(features: object) -> object:
    """A copy, at any depth, of what holds values: lists, tuples, mappings, arrays and frames."""
    try:
        return _copied(features)
    except RecursionError:
        return features


def _copied(value: object) -> object:
    kind = type(value)
    if kind is dict:
        mapping = cast("dict[object, object]", value)
        if _FINAL.issuperset(map(type, mapping.values())):
            return mapping.copy()
        return {name: _copied(item) for name, item in mapping.items()}
    if kind is list or kind is tuple:
        items = cast("list[object]", value)
        return list(items) if _FINAL.issuperset(map(type, items)) else [_copied(item) for item in items]
    return value if kind in _FINAL else frozen(value)


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
