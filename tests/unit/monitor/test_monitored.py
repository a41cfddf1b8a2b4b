"""`monitored` around plain functions."""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelport.bedrock import PredictionStore
from modelport.drift import Baseline
from modelport.monitor import ModelMonitor, current_prediction_id, monitored
from modelport.predictions import Prediction
from tests.unit.conftest import ListSink


class Logged:
    def __init__(self, sink: ListSink) -> None:
        self.sink = sink
        baseline = Baseline.from_data(
            {"a": [float(n) for n in range(50)], "b": ["x", "y"] * 25}, output=[0.5, 1.5] * 25
        )
        self.monitor = ModelMonitor("e", baseline=baseline, sinks=[sink])

    def records(self) -> list[Prediction]:
        assert self.monitor.flush()
        return self.sink.records


@pytest.fixture
def logged(list_sink: Callable[..., ListSink]) -> Iterator[Logged]:
    made = Logged(list_sink())
    yield made
    made.monitor.close()


def called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    result = function(*args, **kwargs)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


def both(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return function(*args, **kwargs)

    awaited.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return [function, awaited]


@pytest.mark.parametrize("function", both(lambda row: row["a"] * 2))
def test_a_call_is_a_prediction(logged: Logged, function: Callable[..., Any]) -> None:
    watched = monitored(logged.monitor)(function)

    assert called(watched, {"a": 1.0, "b": "x"}) == 2.0
    (record,) = logged.records()
    assert (record.features, record.output) == ({"a": 1.0, "b": "x"}, 2.0)


@pytest.mark.parametrize("function", both(lambda a, *, b="x": a))
def test_several_arguments_are_features_by_name(logged: Logged, function: Callable[..., Any]) -> None:
    called(monitored(logged.monitor)(function), 1.0, b="y")

    assert logged.records()[0].features == {"a": 1.0, "b": "y"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"a": 1.0, "b": "x"}, {"a": 1.0, "b": "x"}),
        ([1.0, "x"], {"a": 1.0, "b": "x"}),
        ({"a": 1.0, "b": ["x", {"c": 2}]}, {"a": 1.0, "b": ["x", {"c": 2}]}),
        (np.array([1.0, 2.0]), {"a": 1.0, "b": 2.0}),
        ({"a": np.array([1.0])}, {"a": [1.0]}),
    ],
)
@pytest.mark.parametrize("extra", [{}, {"features": lambda row: row}])
def test_features_are_those_the_function_was_called_with(
    logged: Logged, row: Any, expected: object, extra: dict[str, Any]
) -> None:
    def scaled(row: Any) -> float:
        items = row.items() if isinstance(row, dict) else enumerate(row)
        for name, item in list(items):
            if isinstance(item, list):
                item[1].clear()
            elif isinstance(item, np.ndarray):
                item[:] = 0
            row[name] = 0.0
        return 0.5

    for function in both(scaled):
        called(monitored(logged.monitor, **extra)(function), copy.deepcopy(row))

    assert [record.features for record in logged.records()] == [expected, expected]


def test_what_cannot_be_copied_is_logged_as_it_is(logged: Logged) -> None:
    loop: list[object] = [1.0]
    loop.append(loop)

    assert monitored(logged.monitor)(len)(loop) == 2
    assert logged.records() == []
    assert logged.monitor.dropped == {**dict.fromkeys(logged.monitor.dropped, 0), "encode_error": 1}


@pytest.mark.parametrize("function", both(lambda row: 1 / row["a"]))
def test_a_call_that_raises_is_no_prediction(logged: Logged, function: Callable[..., Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        called(monitored(logged.monitor)(function), {"a": 0})

    assert logged.records() == []
    assert sum(logged.monitor.dropped.values()) == 0


def test_methods_are_watched_without_their_object(logged: Logged) -> None:
    class Model:
        @monitored(logged.monitor)
        def predict(self, row: dict[str, object]) -> float:
            """Half."""
            return 0.5

    assert Model().predict({"a": 1.0, "b": "x"}) == 0.5
    assert (Model.predict.__name__, Model.predict.__doc__) == ("predict", "Half.")
    assert logged.records()[0].features == {"a": 1.0, "b": "x"}


def test_features_output_and_segments_are_the_users(logged: Logged) -> None:
    @monitored(
        logged.monitor,
        features=lambda customer, **_: customer["row"],
        output=lambda answer: answer[0],
        segments=lambda customer, country: {"country": country},
    )
    def predict(customer: dict[str, Any], *, country: str) -> tuple[float, str]:
        return 0.5, "why"

    predict({"row": [1.0, "x"]}, country="SG")

    (record,) = logged.records()
    assert (record.features, record.output, record.segments) == ({"a": 1.0, "b": "x"}, 0.5, {"country": "SG"})


def test_what_goes_wrong_in_logging_is_counted_and_not_raised(logged: Logged) -> None:
    @monitored(logged.monitor, features=lambda row: row["missing"])
    def predict(row: dict[str, Any]) -> int:
        return 3

    assert predict({}) == 3
    assert logged.records() == []
    assert logged.monitor.dropped["extract_error"] == 1


def test_one_row_keeps_the_id_of_its_call(logged: Logged) -> None:
    known: list[str | None] = []

    @monitored(logged.monitor)
    def predict(rows: list[list[object]]) -> list[float]:
        known.append(current_prediction_id())
        return [0.5]

    predict([[1.0, "x"]])

    (record,) = logged.records()
    assert (record.prediction_id, record.features, record.output) == (known[0], {"a": 1.0, "b": "x"}, 0.5)


def test_rows_are_predictions_of_their_own(logged: Logged) -> None:
    known: list[str | None] = []

    @monitored(logged.monitor)
    def predict(rows: list[list[object]]) -> list[float]:
        known.append(current_prediction_id())
        return [0.5 for _ in rows]

    predict([[1.0, "x"], [2.0, "y"]])

    assert [record.prediction_id for record in logged.records()] == [f"{known[0]}/0", f"{known[0]}/1"]
    assert current_prediction_id() is None


@pytest.mark.parametrize(
    "rows",
    [np.array([[1.0, 2.0], [3.0, 4.0]]), pd.DataFrame({"a": [1.0, 3.0], "b": ["x", "y"]})],
    ids=["array", "frame"],
)
def test_tables_are_counted_by_the_row(logged: Logged, rows: Any) -> None:
    @monitored(logged.monitor)
    def predict(rows: Any) -> Any:
        return np.array([0.5, 1.5])

    predict(rows)
    logged.records()

    counts = logged.monitor.counts
    assert counts is not None
    assert (counts.records, counts.uncounted, counts.features["a"].total) == (2, 0, 2)
    assert counts.columns[2].total == 2


@pytest.mark.parametrize("option", ["features", "output", "segments"])
def test_an_option_that_is_no_function_is_refused(logged: Logged, option: str) -> None:
    with pytest.raises(TypeError, match=option):
        monitored(logged.monitor, **{option: "a"})  # type: ignore[arg-type]


def test_what_is_no_monitor_is_refused() -> None:
    with pytest.raises(TypeError, match="ModelMonitor, not NoneType"):
        monitored(None)  # type: ignore[arg-type]
    with PredictionStore(sinks=[]) as store, pytest.raises(TypeError, match=r"PredictionStore: give its \.monitor"):
        monitored(store)  # type: ignore[arg-type]


def test_generators_are_refused(logged: Logged) -> None:
    def stream(row: object) -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="generator"):
        monitored(logged.monitor)(stream)
