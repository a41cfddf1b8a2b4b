from __future__ import annotations

import enum
import math
import sys
import threading
from fractions import Fraction

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.drift import Baseline, CountsSnapshot, FeatureBaseline, LiveCounts
from modelport.drift._values import to_label, to_number
from modelport.drift.serving._count_data import count_data

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
    "row", [[1, 2], [1, 2, 3, 4], {}, {"z": 1}, 5, None, "abc", object(), np.zeros((0, 3)), [], {"z": [1]}]
)
def test_what_is_no_row_is_counted_apart(row: object) -> None:
    snapshot = counted([row, [0.0, "a", 1]], [0, 0])

    assert (snapshot.records, snapshot.uncounted) == (1, 1)


TABLE = [[0.05, "a", 3], [7.0, "b", 1], [0.05, "a", 1]]


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        [tuple(row) for row in TABLE],
        [dict(zip("xcy", row, strict=True)) for row in TABLE],
        np.array(TABLE, object),
        pd.DataFrame(TABLE, columns=list("xcy")),
        pl.DataFrame(TABLE, schema=["x", "c", "y"], orient="row"),
        pa.Table.from_pylist([dict(zip("xcy", row, strict=True)) for row in TABLE]),
    ],
)
@pytest.mark.parametrize("output", [[0.1, 0.9, 0.2], np.array([0.1, 0.9, 0.2]), np.array([[0.1], [0.9], [0.2]])])
def test_a_table_logged_as_one_prediction_is_counted_row_by_row(table: object, output: object) -> None:
    snapshot = counted([table], [output])

    assert [counts.counts for counts in snapshot.columns] == [(0, 0, 2, 0, 1), (0, 0, 2, 1), (2, 1), (2, 1)]
    assert (snapshot.records, snapshot.uncounted) == (3, 0)


@pytest.mark.parametrize("output", [[0.1, 0.2], 0.5, None, np.zeros(4), "abc"])
def test_a_table_whose_outputs_are_of_another_number_is_uncounted_row_by_row(output: object) -> None:
    snapshot = counted([TABLE, [0.05, "a", 3]], [output, 0.1])

    assert (snapshot.records, snapshot.uncounted) == (1, 3)


@pytest.mark.parametrize("rows", [2039, 2040, 2041, 4081, 70_000])
def test_a_table_of_any_length_is_counted_exactly(rows: int) -> None:
    x = np.arange(rows) % 7
    table = [[float(value), "a", None] for value in x]
    snapshot = counted([table], [[0.5] * rows])

    assert snapshot.features["x"].counts == (0, int((x == 0).sum()), 0, int(((x > 0) & (x <= 5)).sum()), sum(x == 6))
    assert snapshot.features["c"].counts == (0, 0, rows, 0)
    assert snapshot.features["y"].missing == rows
    assert snapshot.output is not None
    assert snapshot.output.counts == (rows, 0)


def test_a_ragged_row_of_a_table_is_uncounted_alone() -> None:
    snapshot = counted([[[0.05, "a", 3], [1]]], [[0.1, 0.2]])

    assert (snapshot.records, snapshot.uncounted) == (1, 1)


def test_as_many_rows_as_features_are_rows_and_not_one_row_of_lists() -> None:
    snapshot = counted([[[0.05, "a", 3]] * 3], [[0.1, 0.1, 0.1]])

    assert (snapshot.records, snapshot.features["x"].counts) == (3, (0, 0, 3, 0, 0))


@given(
    st.lists(
        st.lists(st.floats() | st.integers(-5, 5) | st.none(), min_size=2, max_size=2)
        | st.fixed_dictionaries({"p": st.floats(), "q": st.floats() | st.none()}),
        min_size=1,
        max_size=20,
    )
)
def test_packed_rows_count_as_the_rows_themselves(data: list[object]) -> None:
    baseline = Baseline.from_data({"p": [float(n) for n in range(30)], "q": [-1.0, 0.5, 1.0] * 10})
    plain, packed = LiveCounts(baseline), LiveCounts(baseline)

    plain.update(data, [None] * len(data))
    packed.update_packed([msgspec.msgpack.encode(row) for row in data], [None] * len(data))

    assert repr(packed.snapshot()) == repr(plain.snapshot())  # as text: a sum may be NaN


def test_packed_rows_of_floats_are_counted_exactly_with_their_outputs() -> None:
    data = np.random.default_rng(3).normal(size=(2500, 20))
    baseline = Baseline.from_data(data, names=[f"f{n}" for n in range(20)], output=data[:, 0])
    live = LiveCounts(baseline)

    live.update_packed([msgspec.msgpack.encode(row) for row in data.tolist()], data[:, 0].tolist())

    assert [counts.counts for counts in live.snapshot().columns] == [column.counts for column in baseline.columns]


def test_packed_nonsense_is_uncounted() -> None:
    live = LiveCounts(BASELINE)

    live.update_packed([b"", b"\xc1", b"\x93\xcb", msgspec.msgpack.encode([0.05, "a", 3])], [0.1] * 4)

    assert (live.snapshot().records, live.snapshot().uncounted) == (1, 3)


ATTRIBUTED = msgspec.structs.replace(
    BASELINE,
    attributions=(
        FeatureBaseline(name="x", kind="numeric", edges=(0.0,), counts=(1, 1), role="attribution"),
        FeatureBaseline(name="c", kind="numeric", edges=(-1.0, 1.0), counts=(1, 1, 1), role="attribution"),
        FeatureBaseline(name="y", kind="numeric", edges=(0.0,), counts=(1, 1), role="attribution"),
    ),
)


def test_attributions_are_counted_where_they_are_given() -> None:
    live = LiveCounts(ATTRIBUTED)

    live.update([[0.05, "a", 3]] * 4, [0.1] * 4, [[0.5, 0.0, -1.0], {"c": 2.0, "x": -0.5}, np.array([1.0, 1.0, 1.0])])

    snapshot = live.snapshot()
    assert [counts.counts for counts in snapshot.attributions.values()] == [(1, 2), (0, 2, 1), (1, 1)]
    assert snapshot.attributions["y"].missing == 1
    assert (snapshot.records, snapshot.features["x"].total) == (4, 4)
    assert snapshot.columns[-3:] == tuple(snapshot.attributions.values())


def test_attributions_that_are_none_cost_nothing_else() -> None:
    live = LiveCounts(ATTRIBUTED)

    live.update([[0.05, "a", 3]], [0.1], [object(), [1], "x", None])

    assert live.snapshot().records == 1
    assert all(counts.total == 0 for counts in live.snapshot().attributions.values())


def test_states_and_snapshots_of_two_processes_add_up() -> None:
    one, two, both = LiveCounts(ATTRIBUTED), LiveCounts(ATTRIBUTED), LiveCounts(ATTRIBUTED)
    for live, number in ((one, 3), (two, 5), (both, 8)):
        live.update([[0.5, "b", 3], [1]] * number, [0.25] * 2 * number, [[0.5, 0.0, -1.0]] * number)

    assert one.snapshot(one.state().plus(two.state())) == both.snapshot()
    assert one.snapshot() + two.snapshot() == both.snapshot()
    assert both.snapshot() - one.snapshot() == two.snapshot()


def test_counts_of_different_baselines_do_not_add_up() -> None:
    other = LiveCounts(Baseline.from_data({"z": [1.0, 2.0]}))

    with pytest.raises(ValueError, match="different baselines"):
        _ = LiveCounts(BASELINE).snapshot() + other.snapshot()


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
    assert live._served._labels == {1: {"0": 0, "1": 1, "a": 2}}


class Level(enum.Enum):
    HIGH = 4


def test_what_is_logged_as_one_number_is_one() -> None:
    assert to_number({4}) == to_number(Level.HIGH) == to_number([[4]]) == 4
    assert math.isnan(to_number([math.nan]))
    assert math.isnan(to_number([None]))
    assert math.isnan(to_number({None}))


def test_equal_values_of_other_types_harm_no_label() -> None:
    live = LiveCounts(
        Baseline(features=(FeatureBaseline(name="c", kind="categorical", categories=("0.5",), counts=(1, 0)),))
    )
    odd: list[object] = [Fraction(1, 2), *[0.5] * 98, np.float64(0.5)]
    live.update([{"c": value} for value in odd], [None] * 100)

    counts = live.snapshot().features["c"]
    assert counts.counts[0] >= 99
    assert counts.unseen <= 1


def test_sums_beyond_a_floats_range_stay_finite() -> None:
    largest = sys.float_info.max
    live = LiveCounts(baseline := Baseline(features=BASELINE.features[:1]))
    for values, total in (([1e308, 1e308], largest), ([1e308], largest), ([-1e308, -1e308], 0.0)):
        live.update([[value] for value in values], [None] * len(values))

        assert live.snapshot().features["x"].sum == pytest.approx(total, abs=largest / 1e15)
    halves = live.snapshot() + live.snapshot()
    assert math.isfinite(halves.features["x"].sum)
    assert (
        count_data(baseline, {"x": [1e308] * 2}, output=None, attributions=None, names=None).features["x"].sum
        == largest
    )
