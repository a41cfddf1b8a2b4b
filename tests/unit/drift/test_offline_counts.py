"""What SQL counts is what `LiveCounts` counts, whatever the values, the types and the names."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelport.cli._drift_view import render_terminal
from modelport.drift import Baseline, CountsSnapshot, FeatureBaseline, LiveCounts, drift_report
from modelport.drift.offline import counts_sql, offline_drift_report
from modelport.drift.offline._columns import Layout
from modelport.drift.offline._counting import to_feature_counts
from modelport.drift.offline._engines import open_table
from modelport.drift.offline._literals import double
from modelport.drift.offline._parts import total
from modelport.drift.offline._scan import Scan
from modelport.drift.offline._sources import ArrowSource

ENGINES = ["duckdb", "polars"]
EDGES = (-1.7976931348623157e308, -1e300, -1.0, 0.0, 5e-324, 0.1, 0.30000000000000004, 1.0, 5.0, 1e22)
HOSTILE = (
    "it's",
    "back\\slash",
    'dq"',
    "${x}",
    "\ue000",
    "\ue0001",
    "--",
    "; DROP TABLE t",
    "",
    " a",
    "{i}",
    "\0",
    "😀",
)
LABELS = ("-1", "0", "1", "2.5", "Infinity", "9007199254740993", "a", "A", *HOSTILE)
LONG = "x" * 119 + "yz"


def numeric(name: str, role: Any = "feature") -> FeatureBaseline:
    return FeatureBaseline(name=name, kind="numeric", edges=EDGES, counts=(1,) * (len(EDGES) + 1), role=role)


def categorical(name: str) -> FeatureBaseline:
    return FeatureBaseline(name=name, kind="categorical", categories=LABELS, counts=(1,) * (len(LABELS) + 1))


special = st.sampled_from([*EDGES, -0.0, math.inf, -math.inf, math.nan, math.nextafter(0.1, 1), math.nextafter(5, 6)])
floats = st.none() | special | st.floats()
integers = (
    st.none() | st.sampled_from([-1, 0, 1, 2**53 + 1, 2**53, 2**63 - 1, -(2**63)]) | st.integers(-(2**63), 2**63 - 1)
)
texts = st.none() | st.sampled_from([*LABELS, "b", LONG]) | st.text(st.characters(codec="utf-8"), max_size=4)
spelled = st.sampled_from(
    ["nan", "-NaN", "inf", "+Infinity", "-INF", "1e400", " 2.5 ", "5.", ".5", "1f", "1d", "0x1p3", "N/A"]
)
numbers_in_text = st.none() | spelled | st.floats().map(repr) | st.text("0123456789+-.eEinfatyxd", max_size=6)

COLUMNS: list[tuple[st.SearchStrategy[Any], Any]] = [
    (floats, pa.float64()),
    (st.none() | st.floats(width=32), pa.float32()),
    (integers, pa.int64()),
    (st.none() | st.integers(0, 255), pa.uint8()),
    (st.none() | st.booleans(), pa.bool_()),
    (texts, pa.string()),
    (texts, pa.large_string()),
    (texts, pa.dictionary(pa.int32(), pa.string())),
    (numbers_in_text, pa.string()),
    (st.none() | st.lists(st.integers(0, 3), min_size=2, max_size=2), pa.list_(pa.int64())),
]


@st.composite
def tables(draw: Callable[..., Any]) -> tuple[Any, list[tuple[object, ...]]]:
    rows = draw(st.integers(1, 12))
    arrays, values = [], []
    for _ in range(3):
        strategy, kind = draw(st.sampled_from(COLUMNS))
        array = pa.array(draw(st.lists(strategy, min_size=rows, max_size=rows)), kind)
        arrays.append(array)
        values.append(array.to_pylist())
    return arrays, list(zip(*values, strict=True))


names = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=2, max_size=2, unique=True).filter(
    lambda pair: "output" not in pair
)


def live(baseline: Baseline, rows: list[tuple[object, ...]]) -> CountsSnapshot:
    counts = LiveCounts(baseline)
    counts.update([dict(zip(baseline.names, row[:2], strict=True)) for row in rows], [row[2] for row in rows])
    return counts.snapshot()


def in_sql(baseline: Baseline, table: Any, engine: str) -> list[tuple[tuple[int, ...], int, int]]:
    opened = open_table(ArrowSource(table), engine)
    found = Scan(baseline, Layout.find(baseline, opened.columns)).run(opened)
    columns = map(to_feature_counts, total(found.parts[()].values()).columns)
    return [(column.counts, column.missing, column.unseen) for column in columns]


@pytest.mark.parametrize("engine", ENGINES)
@given(tables(), names, st.sampled_from([(numeric, categorical), (categorical, numeric)]))
@settings(max_examples=150, deadline=None)
@example(([pa.array([0.1]), pa.array([LONG]), pa.array([1])], [(0.1, LONG, 1)]), ["a", "A"], (numeric, categorical))
@example(([pa.array([0.1]), pa.array([1]), pa.array([1])], [(0.1, 1, 1)]), ["^.*$", '"'], (numeric, categorical))
def test_sql_counts_what_live_counts(
    engine: str, made: tuple[list[Any], list[tuple[object, ...]]], called: list[str], kinds: tuple[Any, Any]
) -> None:
    arrays, rows = made
    baseline = Baseline(features=(kinds[0](called[0]), kinds[1](called[1])), output=numeric("output", "output"))

    counted = in_sql(baseline, pa.Table.from_arrays(arrays, names=[*called, "output"]), engine)

    expected = [(column.counts, column.missing, column.unseen) for column in live(baseline, rows).columns]
    assert expected == counted


@pytest.mark.parametrize("engine", ENGINES)
@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_an_edge_is_read_to_the_bit(engine: str, values: list[float]) -> None:
    edges = tuple(sorted({value + 0.0 for value in values if math.isfinite(value)}))
    column = FeatureBaseline(name="x", kind="numeric", edges=edges, counts=(1,) * (len(edges) + 1))
    baseline = Baseline(features=(column,))
    neighbours = [near for edge in edges for near in (edge, math.nextafter(edge, math.inf))]

    [(counts, _, _)] = in_sql(baseline, pa.table({"x": pa.array(neighbours, pa.float64())}), engine)

    expected = [sum(value <= edge for value in neighbours) for edge in (*edges, math.inf)]
    assert [high - low for low, high in zip([0, *expected], expected, strict=False)] == list(counts)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_literal_is_a_double_and_not_a_decimal(value: float) -> None:
    assert "e" in double(value)
    assert struct.pack("d", value) == struct.pack("d", float(double(value)))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_report_is_that_of_the_live_page(engine: str) -> None:
    rows = [{"x": (index % 17) / 3 - 2, "c": "aAb"[index % 3]} for index in range(1000)]
    baseline = Baseline(features=(numeric("x"), categorical("c")), rows=20)
    counts = LiveCounts(baseline)
    counts.update(rows, [None] * len(rows))

    report = offline_drift_report(baseline, pa.Table.from_pylist(rows), engine=engine)

    assert drift_report(baseline, counts) == report


@pytest.mark.parametrize("engine", ENGINES)
def test_attributions_are_counted_where_there_are_any(engine: str) -> None:
    baseline = Baseline(features=(numeric("x"),), attributions=(numeric("x", "attribution"),))
    attributions = [{"x": 0.5}, None, {"x": -3.0}, None]
    counts = LiveCounts(baseline)
    counts.update([{"x": 1.0}] * 4, [None] * 4, [given for given in attributions if given is not None])

    table = pa.table({"x": [1.0] * 4, "attribution_x": [given and given["x"] for given in attributions]})

    expected = [(column.counts, column.missing, column.unseen) for column in counts.snapshot().columns]
    assert expected == in_sql(baseline, table, engine)
    report = offline_drift_report(baseline, table, engine=engine)
    assert [row.mean_absolute for row in report.features] == [None, (0.5 + 3.0) / 2]
    assert report.mean_absolute_attribution == (0.5 + 3.0) / 2
    assert report.mean_attribution_psi == report.features[1].psi


@pytest.mark.parametrize("engine", ENGINES)
def test_mean_shap_stands_beside_that_of_training(engine: str) -> None:
    data = {"x": [1.0, 2.0], "y": [1.0, 2.0]}
    baseline = Baseline.from_data(data, attributions={"x": [-0.5, 1.5], "y": [0.0, 0.0]})
    table = pa.table({**data, "attribution_x": [-2.0, -3.0], "attribution_y": [1.0, 1.0]})

    report = offline_drift_report(baseline, table, engine=engine)

    by_hand = [(None, None, None)] * 2 + [(1.0, 2.5, 1.5), (0.0, 1.0, None)]
    assert by_hand == [
        (row.baseline_mean_absolute, row.mean_absolute, row.mean_absolute_change) for row in report.features
    ]
    assert (report.baseline_mean_absolute_attribution, report.mean_absolute_attribution) == (0.5, 1.75)
    html, told = report.to_html(), render_terminal(report).plain
    assert "<td>1.000</td><td>2.500</td><td>+150 %</td>" in html
    assert re.search(r"1\.000 +2\.500 +\+150 % +x", told)
    assert re.search(r"0\.000 +1\.000 +\S+ +y", told)


def test_the_sql_names_nothing_of_the_data() -> None:
    baseline = Baseline(features=(numeric("Robert'); DROP TABLE Students;--"), categorical("c")))

    sql = counts_sql(baseline)

    assert "Robert" not in sql
    assert not any(letter in sql for letter in "\\$")
    # Every quote opens or closes a literal; none is doubled inside of one.
    assert "'s" not in sql.replace("'something", "")
    assert sql.count("'") % 2 == 0
