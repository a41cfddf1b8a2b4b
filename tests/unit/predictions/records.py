"""Records for tests, also those nobody would log on purpose."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from modelport.predictions import GroundTruth, Prediction
from modelport.predictions._frame_maker import frames_of
from modelport.predictions._record import to_json_line
from modelport.predictions._worker import SinkWorker
from modelport.predictions.reading._lines import decode_line

START_NS = 1_772_323_200_000_000_000
"""2026-03-01T00:00:00Z."""
MINUTE_NS = 60 * 1_000_000_000


def prediction(number: int = 0, **fields: Any) -> Prediction:
    made = {
        "prediction_id": f"p{number}",
        "timestamp_ns": START_NS + number,
        "endpoint": "churn",
        "features": {"age": number},
        "output": 0.5,
    }
    return Prediction(**{**made, **fields})


def truth(number: int = 0, label: Any = True, **fields: Any) -> GroundTruth:
    made = {"prediction_id": f"p{number}", "timestamp_ns": START_NS + MINUTE_NS, "endpoint": "churn", "label": label}
    return GroundTruth(**{**made, **fields})


def offer(worker: SinkWorker, records: list[Any]) -> None:
    for frame in frames_of(records):
        worker.offer(frame)


class Panic(BaseException):
    """What an extension in Rust raises that gives up: no Exception."""


class Panics:
    """Gives up whatever is asked of it."""

    def tolist(self) -> object:
        raise Panic

    def __copy__(self) -> object:
        raise Panic


def nested(levels: int) -> Any:
    value: Any = 1.0
    for _ in range(levels):
        value = [value]
    return value


def logged(record: Any) -> Any:
    """The record as its JSON line says it: what every way back from a file is measured by."""
    return decode_line(to_json_line(record))


names = st.sampled_from(["age", "Age", "plan", "", "a.b", "ü", "0", "1", "10", "label", "json"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["Infinity", "-Infinity", "NaN", "null", "1", '{"a": 1}', "\0"])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)
# Mostly columns of one kind, as real ones are, and some that are not.
rows = st.fixed_dictionaries({"age": st.integers(0, 99), "plan": st.sampled_from(["a", "b"]), "x": st.floats()})
features = rows | st.lists(st.floats(), min_size=2, max_size=2) | st.dictionaries(names, values, max_size=4) | values

predictions = st.builds(
    Prediction,
    prediction_id=st.text(max_size=8),
    timestamp_ns=st.integers(START_NS, START_NS + 100 * MINUTE_NS),
    endpoint=st.just("churn"),
    features=features,
    output=values,
    model_version=st.none() | st.text(max_size=3),
    request_body=values,
    segments=st.none() | st.dictionaries(names, st.text(max_size=3), max_size=2),
    attributions=st.none() | st.dictionaries(names, st.floats(), max_size=2),
)
truths = st.builds(
    GroundTruth,
    prediction_id=st.text(max_size=8),
    timestamp_ns=st.integers(START_NS, START_NS + 100 * MINUTE_NS),
    endpoint=st.just("churn"),
    label=values,
)
