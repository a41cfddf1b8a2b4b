from __future__ import annotations

import math
import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.drift import Baseline, CountsSnapshot, FeatureBaseline, LiveCounts
from modelport.drift._values import to_label, to_number

BASELINE = Baseline(
    features=(
        FeatureBaseline(name="x", kind="numeric", edges=(-1e300, 0.0, 0.1, 5.0), counts=(1, 1, 1, 1, 1)),
        FeatureBaseline(name="c", kind="categorical", categories=("0", "1", "a"), counts=(1, 1, 1, 0)),
        FeatureBaseline(name="y", kind="numeric", edges=(2.0,), counts=(1, 1)),
    ),
    output=FeatureBaseline(name="output", kind="numeric", edges=(0.5,), counts=(1, 1), role="output"),
)

floats = [-0.0, 0.0, 0.1, 5.0, math.nextafter(5.0, 6), -1e300, 5e-324, math.inf, -math.inf, math.nan, 10**400]
others: list[object] = [pd.NA, "a", "1", "2.5", b"a", [1], [], {}, (1, 2), object()]
hostile = (
    st.floats() | st.none() | st.integers() | st.booleans() | st.text(max_size=3)
    | st.floats().map(np.float64) | st.integers(-5, 5).map(np.int64) | st.sampled_from(floats) | st.sampled_from(others)
)  # fmt: skip
rows = st.lists(st.tuples(hostile, hostile, hostile, hostile), min_size=1, max_size=40)


def naive(column: FeatureBaseline, values: list[object]) -> tuple[tuple[int, ...], int, int]:
    counts, missing, unseen = [0] * len(column.counts), 0, 0
    for value in values:
        try:
            read = to_number(value) if column.kind == "numeric" else to_label(value)
        except (TypeError, ValueError):
            unseen += 1
            continue
        if read is None or read != read:  # noqa: PLR0124 - NaN, or text that equals itself
            missing += 1
        elif column.kind == "numeric":
            counts[next((i for i, edge in enumerate(column.edges) if read <= edge), len(column.edges))] += 1  # type: ignore[operator]
        elif read in column.categories:
            counts[column.categories.index(read)] += 1  # type: ignore[arg-type]
        else:
            counts[-1] += 1
            unseen += 1
    return tuple(counts), missing, unseen


def counted(features: list[object], outputs: list[object], step: int | None = None) -> CountsSnapshot:
    live = LiveCounts(BASELINE)
    for start in range(0, len(features), step or len(features)):
        stop = start + (step or len(features))
        live.update(features[start:stop], outputs[start:stop])
    return live.snapshot()


@given(rows)
def test_counts_equal_a_naive_reference_for_any_values(data: list[tuple[object, ...]]) -> None:
    snapshot = counted([list(row[:3]) for row in data], [row[3] for row in data])

    for index, (column, counts) in enumerate(zip(BASELINE.columns, snapshot.columns, strict=True)):
        expected = naive(column, [row[index] for row in data])
        assert (counts.counts, counts.missing, counts.unseen) == expected
    assert (snapshot.records, snapshot.uncounted) == (len(data), 0)


@given(rows)
def test_a_batch_counts_as_the_sum_of_its_rows(data: list[tuple[object, ...]]) -> None:
    features: list[object] = [list(row[:3]) for row in data]
    outputs: list[object] = [row[3] for row in data]

    whole, singly = counted(features, outputs), counted(features, outputs, step=1)

    assert [(c.counts, c.missing, c.unseen) for c in whole.columns] == [
        (c.counts, c.missing, c.unseen) for c in singly.columns
    ]
    for one, other in zip(whole.columns, singly.columns, strict=True):
        assert one.sum == pytest.approx(other.sum, rel=1e-9, nan_ok=True)


@given(st.lists(st.floats(), min_size=1, max_size=60))
def test_the_sum_is_of_the_finite_values(values: list[float]) -> None:
    snapshot = counted([[value, "a", 0.0] for value in values], [0] * len(values))

    finite = [value for value in values if math.isfinite(value)]
    largest = max(map(abs, finite), default=0.0)
    if largest < 1e290:
        assert snapshot.features["x"].sum == pytest.approx(math.fsum(finite), rel=1e-9, abs=largest * 1e-12 + 1e-300)


def test_a_value_on_an_edge_is_below_it_and_infinities_are_outermost() -> None:
    edges = [[5.0, "a", 2.0], [math.nextafter(5.0, 6), "a", 2.0], [-math.inf, "a", math.inf]]

    snapshot = counted(edges, [0.5, 0.5, 0.5])  # type: ignore[arg-type]

    assert snapshot.features["x"].counts == (1, 0, 0, 1, 1)
    assert snapshot.features["y"].counts == (2, 1)


@pytest.mark.parametrize(
    "row",
    [
        [0.05, "a", 3],
        (0.05, "a", 3),
        {"y": 3, "c": "a", "x": 0.05, "extra": 1},
        np.array([0.05, "a", 3], object),
        pd.Series({"x": 0.05, "c": "a", "y": 3}),
        [[0.05, "a", 3]],
        pd.DataFrame([{"x": 0.05, "c": "a", "y": 3}]),
    ],
)
def test_a_row_in_any_form_is_counted(row: object) -> None:
    snapshot = counted([row], [0.1])

    assert [counts.counts for counts in snapshot.features.values()] == [(0, 0, 1, 0, 0), (0, 0, 1, 0), (0, 1)]
    assert snapshot.uncounted == 0


@pytest.mark.parametrize(
    "row", [[1, 2], [1, 2, 3, 4], {}, {"z": 1}, 5, None, "abc", object(), np.zeros((2, 3)), [[1, 2, 3], [4, 5, 6]]]
)
def test_what_is_no_row_is_counted_apart(row: object) -> None:
    snapshot = counted([row, [0.0, "a", 1]], [0, 0])

    assert (snapshot.records, snapshot.uncounted) == (1, 1)


def test_a_name_that_is_absent_is_missing() -> None:
    snapshot = counted([{"x": 1.0}], [0])

    assert [counts.missing for counts in snapshot.features.values()] == [0, 1, 1]


def test_numeric_rows_of_float_arrays_are_counted_exactly() -> None:
    random = np.random.default_rng(0)
    data = random.normal(size=(5000, 7))
    baseline = Baseline.from_data(data, names=list("abcdefg"))
    live = LiveCounts(baseline)

    live.update(list(data), [None] * 5000)

    assert [counts.counts for counts in live.snapshot().columns] == [column.counts for column in baseline.columns]


def test_one_feature_is_enough() -> None:
    live = LiveCounts(Baseline.from_data({"x": [1.0, 2.0]}, kinds={"x": "numeric"}))

    live.update([[1.0], (2.0,), {"x": 1.0}, np.array([1.0]), [[1.0]], [{"x": 1.0}]], [None] * 6)

    assert live.snapshot().records == 6


def test_threads_lose_nothing() -> None:
    live = LiveCounts(BASELINE)
    batch = [[0.05, "a", 3.0]] * 50

    def work() -> None:
        for _ in range(100):
            live.update(batch, [1.0] * 50)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert live.snapshot().features["x"].counts == (0, 0, 40_000, 0, 0)
    assert live.snapshot().records == 40_000


def test_a_snapshot_never_changes() -> None:
    live = LiveCounts(BASELINE)
    before = live.snapshot()
    live.update([[0.0, "a", 1.0]], [1.0])

    assert before.records == 0
    assert before == LiveCounts(BASELINE).snapshot()
    assert (live.snapshot() - before).records == 1


def test_many_distinct_categories_cost_no_memory_per_category() -> None:
    live = LiveCounts(BASELINE)
    live.update([[0.0, f"user {number}", 1.0] for number in range(20_000)], [1.0] * 20_000)

    counts = live.snapshot().features["c"]
    assert (counts.counts, counts.unseen) == ((0, 0, 0, 20_000), 20_000)
    assert live._columns.labels == {1: {"0": 0, "1": 1, "a": 2}}
