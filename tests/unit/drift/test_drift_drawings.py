"""Numbers in, numbers out: what the drawings of a drift report hold."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.drift import Baseline, DriftReport, DriftSlice, FeatureDrift, drift_report
from modelport.drift.page._chart import chart_of
from modelport.drift.page._line import line_of, metric_line, psi_line
from modelport.drift.page._missing import absences
from modelport.drift.page._places import Place, places_of
from modelport.drift.page._ranking import series_of, worst_segments
from modelport.drift.page._spark import SPARK_HEIGHT, SPARK_WIDTH, spark_of
from modelport.drift.page._strip import STRIP_HEIGHT, STRIP_WIDTH, strip_of
from modelport.drift.page._words import NOTHING, edge, headline, moment, percent, short
from tests.unit.drift.reports import DAY_NS, FIRST_DAY_NS, baseline, hostile_report, rich_report

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAMPLE = rich_report().features[0]

_counts = st.lists(st.integers(0, 10_000), min_size=1, max_size=40)


@st.composite
def rows(draw: st.DrawFn) -> FeatureDrift:
    """A row with any shares; the served ones may not exist."""
    before, now = draw(_counts), draw(_counts)
    size = min(len(before), len(now))
    before, now = [*before[: size - 1], before[size - 1] + 1], now[:size]
    numeric = draw(st.booleans())
    edges = sorted(draw(st.lists(st.floats(-1e9, 1e9), min_size=size - 1, max_size=size - 1)))
    bins = [*map(str, edges), "+Inf"] if numeric else [f"c{number}" for number in range(size)]
    return msgspec.structs.replace(
        _SAMPLE,
        kind="numeric" if numeric else "categorical",
        n=sum(now),
        bins=tuple(bins),
        baseline_shares=tuple(count / sum(before) for count in before),
        shares=tuple(count / sum(now) if sum(now) else math.nan for count in now),
    )


@given(rows())
def test_every_bar_is_inside_its_chart_and_as_long_as_its_share(row: FeatureDrift) -> None:
    chart = chart_of(row)

    lengths = [bar.width if chart.horizontal else bar.height for bar in chart.bars]
    for bar in chart.bars:
        assert chart.left - 1e-6 <= bar.x <= bar.x + bar.width <= chart.right + 1e-6
        assert chart.top - 1e-6 <= bar.y <= bar.y + bar.height <= chart.bottom + 1e-6
    shown = {"baseline": row.baseline_shares, "current": row.shares}
    if not chart.horizontal:
        for place, (bar, length) in enumerate(zip(chart.bars, lengths, strict=True)):
            share = shown[bar.series][place // 2]
            tick = chart.share_ticks[-1]
            full = float(tick.text.removesuffix(" %")) / 100
            expected = 0.0 if math.isnan(share) else share / full * (chart.bottom - chart.top)
            assert length == pytest.approx(expected, abs=1e-6)


@given(rows())
def test_the_largest_categories_are_drawn_in_proportion(row: FeatureDrift) -> None:
    row = msgspec.structs.replace(row, kind="categorical", bins=tuple(f"c{place}" for place in range(len(row.bins))))
    chart = chart_of(row)

    bars = [bar for bar in chart.bars if bar.series == "baseline"]
    shares = {f"c{place}": share for place, share in enumerate(row.baseline_shares)}
    full = float(chart.share_ticks[-1].text.removesuffix(" %")) / 100
    for bar, tick in zip(bars, chart.bin_ticks, strict=True):
        assert bar.width == pytest.approx(shares[tick.text] / full * (chart.right - chart.left), abs=1e-6)
    assert len(bars) <= 12


def corners(path: str) -> list[tuple[float, float, float]]:
    """Start, ground and height of each bar of a path of bars."""
    found = re.findall(r"M([\d.]+),([\d.]+)h([\d.]+)v-([\d.]+)h-[\d.]+z", path)
    assert len(found) == path.count("M")
    return [(float(x), float(width), float(height)) for x, _, width, height in found]


@given(rows())
def test_a_miniature_stays_inside_and_its_highest_bar_is_full(row: FeatureDrift) -> None:
    spark = spark_of(row)

    bars = corners(spark.serving)
    assert all(0 <= x <= x + width <= SPARK_WIDTH + 0.1 and 0 <= height < SPARK_HEIGHT for x, width, height in bars)
    heights = [SPARK_HEIGHT - float(y) for y in re.findall(r"V([\d.]+)h", spark.training)]
    assert max([*heights, *(height for *_, height in bars)]) == pytest.approx(SPARK_HEIGHT - 1, abs=0.06)


def windows(sizes: Sequence[int | None]) -> tuple[DriftSlice, ...]:
    """A window a day with so many tenths of PSI; None is a day without values."""
    report = rich_report()
    return tuple(
        DriftSlice(
            kind="window", name="", value="", records=0, start_ns=FIRST_DAY_NS + day * DAY_NS,
            end_ns=FIRST_DAY_NS + (day + 1) * DAY_NS,
            features=tuple(
                msgspec.structs.replace(row, psi=math.nan if size is None else size / 10, n=0 if size is None else 999)
                for row in report.features[:1]
            ),
        )
        for day, size in enumerate(sizes)
    )  # fmt: skip


def with_windows(parts: Sequence[DriftSlice]) -> DriftReport:
    report = rich_report()
    return msgspec.structs.replace(report, features=report.features[:1], windows=tuple(parts))


@given(st.lists(st.one_of(st.none(), st.integers(0, 12)), min_size=1, max_size=60))
def test_a_strips_bars_are_as_high_as_psi_and_gaps_stay_empty(sizes: list[int | None]) -> None:
    parts = windows(sizes)
    [series] = series_of(with_windows(parts))

    strip = strip_of(series, places_of(parts, 120))

    bars = sorted(bar for _, path in strip.paths for bar in corners(path))
    known = [(day, size) for day, size in enumerate(sizes) if size is not None]
    assert len(bars) == len(known) == strip.ground.count("M")
    slot = STRIP_WIDTH / len(sizes)
    for (x, width, height), (day, size) in zip(bars, known, strict=True):
        assert slot * day <= x + 0.06
        assert x + width <= slot * (day + 1) + 0.11
        assert height == pytest.approx(max(1.5, STRIP_HEIGHT * min(size / 10 / 0.5, 1)), abs=0.06)
    assert strip.over.count("M") == sum(size > 5 for _, size in known)


@given(st.lists(st.one_of(st.none(), st.integers(0, 12)), min_size=1, max_size=60))
def test_a_line_breaks_where_nothing_was_served(sizes: list[int | None]) -> None:
    parts = windows(sizes)
    [series] = series_of(with_windows(parts))

    line = psi_line(series, places_of(parts, 240))

    assert len(line.dots) == sum(size is not None for size in sizes)
    assert sum(len(points.split()) for points in line.lines) == sum(
        size is not None and any(other is not None for other in (*sizes[max(0, at - 1) : at], *sizes[at + 1 : at + 2]))
        for at, size in enumerate(sizes)
    )
    for points in (*line.lines, *line.areas):
        for x, y in (tuple(map(float, point.split(","))) for point in points.split()):
            assert line.left <= x <= line.right
            assert line.top - 0.1 <= y <= line.bottom + 0.1


def test_too_few_values_make_hollow_dots_outside_the_line() -> None:
    parts = list(windows([1, 1, 9, 1, 1]))
    few = msgspec.structs.replace(parts[2].features[0], verdict="too few values")
    parts[2] = msgspec.structs.replace(parts[2], features=(few,))
    [series] = series_of(with_windows(parts))

    line = psi_line(series, places_of(parts, 240))

    assert [dot.firm for dot in line.dots] == [True, True, False, True, True]
    assert [len(points.split()) for points in line.lines] == [2, 2]
    assert series.peak == pytest.approx(0.1)


def test_a_run_of_windows_shows_the_worst_that_may_be_judged() -> None:
    parts = list(windows([3, 9, None, 1]))
    few = msgspec.structs.replace(parts[1].features[0], verdict="too few values")
    parts[1] = msgspec.structs.replace(parts[1], features=(few,))
    [series] = series_of(with_windows(parts))

    line = psi_line(series, places_of(parts, 2))

    assert [dot.text.rpartition(": ")[2] for dot in line.dots] == ["0.300", "0.100"]


def test_a_window_that_is_not_there_is_a_gap_too() -> None:
    first, second, third = windows([1, 1, 1])
    later = msgspec.structs.replace(third, start_ns=FIRST_DAY_NS + 9 * DAY_NS, end_ns=FIRST_DAY_NS + 10 * DAY_NS)

    places = places_of([first, second, later], 10)

    assert [(place.start, place.end) for place in places] == [(0, 0.1), (0.1, 0.2), (0.9, 1.0)]
    [series] = series_of(with_windows([first, second, later]))
    line = psi_line(series, places)
    assert [len(points.split()) for points in line.lines] == [2]
    assert len(line.dots) == 3


def test_windows_without_times_follow_one_another() -> None:
    parts = hostile_report().windows

    places = places_of(parts, 100)

    assert [place.start for place in places] == [number / len(parts) for number in range(len(parts))]


@given(st.integers(1, 900), st.integers(1, 130))
def test_places_hold_every_window_once(count: int, most: int) -> None:
    places = places_of(windows([1] * count), most)

    assert len(places) <= most
    assert [index for place in places for index in range(place.first, place.last + 1)] == list(range(count))
    assert (places[0].start, places[-1].end) == (0, 1)


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.just(math.inf)), min_size=1, max_size=30))
def test_a_measure_is_drawn_within_round_numbers_around_it(values: list[float]) -> None:
    places = [Place(at / len(values), (at + 1) / len(values), at, at, str(at)) for at in range(len(values))]

    line = metric_line("mae", values, places)

    assert all(line.top - 0.1 <= dot.y <= line.bottom + 0.1 for dot in line.dots)
    heights = [tick.at for tick in line.y_ticks]
    assert len(set(heights)) == len(heights) >= 2
    assert len(line.dots) == sum(not math.isnan(value) for value in values)


@pytest.mark.parametrize("values", [[0.9, 0.9000000000000001], [1.0, 1.0], [0.0], [5e-324, 0.0], [-3.0, -3.0]])
def test_measures_that_hardly_differ_are_drawn_flat(values: list[float]) -> None:
    places = [Place(at / len(values), (at + 1) / len(values), at, at, str(at)) for at in range(len(values))]

    line = metric_line("accuracy", values, places)

    assert len({round(dot.y, 3) for dot in line.dots}) == 1
    assert all(0 <= float(tick.text) <= 1 for tick in line.y_ticks) or values[0] < 0


def test_a_value_lies_where_its_scale_says() -> None:
    places = [Place(0, 1, 0, 0, "now")]

    line = line_of([0.25], places, title="t", description="d", top=1.0)

    [dot] = line.dots
    assert dot.y == pytest.approx(line.bottom - 0.25 * (line.bottom - line.top))
    assert dot.x == pytest.approx((line.left + line.right) / 2)


@pytest.mark.parametrize("step", [10**9, 60 * 10**9, 3600 * 10**9, DAY_NS])
@pytest.mark.parametrize("count", [1, 2, 5, 24, 500])
def test_labels_of_time_neither_overlap_nor_leave_the_drawing(count: int, step: int) -> None:
    start = FIRST_DAY_NS + 50_401 * 10**9
    parts = [
        msgspec.structs.replace(part, start_ns=start + at * step, end_ns=start + (at + 1) * step)
        for at, part in enumerate(windows([1] * count))
    ]
    [series] = series_of(with_windows(parts))

    line = psi_line(series, places_of(parts, 240))

    # 11 pixels of system-ui: digits are hardly wider than 6.4.
    halves = [len(tick.text) * 6.4 / 2 for tick in line.x_ticks]
    ends = [(tick.at - half, tick.at + half) for tick, half in zip(line.x_ticks, halves, strict=True)]
    assert ends
    assert ends[0][0] >= 0
    assert ends[-1][1] <= line.width
    assert all(before[1] < after[0] for before, after in pairwise(ends))
    assert len({tick.text for tick in line.x_ticks}) == len(ends)


def test_segments_that_may_be_judged_come_first_by_psi() -> None:
    found = worst_segments(rich_report())

    assert [item.judged for item in found] == [True] * 7 + [False]
    judged = [item.worst.psi for item in found if item.judged and item.worst]
    assert judged == sorted(judged, reverse=True)
    for item in found:
        assert item.drifted == sum(row.verdict in {"major", "moderate"} for row in item.segment.features)


def test_missing_values_beyond_noise_are_told_from_noise() -> None:
    quiet = {"income": [1.0] * 980 + [None] * 20, "age": [1.0] * 1000}
    before = Baseline.from_data(quiet, kinds={"income": "numeric", "age": "numeric"})
    # At 99 % and 2 against 3.8 % of 1000, the noise is 2.576 * sqrt(0.029 * 0.971 / 500): 1.93 points.
    for missing, beyond in ((30, False), (38, False), (42, True), (60, True)):
        now = {"income": [1.0] * (1000 - missing) + [None] * missing, "age": [1.0] * 1000}
        [found] = absences(drift_report(before, now))

        assert found.row.name == "income"
        assert found.change == pytest.approx(missing / 1000 - 0.02)
        assert found.beyond_noise is beyond


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, NOTHING), (None, NOTHING), (math.inf, "∞"), (-math.inf, "-∞"), (0.0, "0.000"), (0.0004, "<0.001"),
        (-0.0004, "-0.0004"), (0.12345, "0.123"), (12.3456, "12.35"), (123456.0, "1.235e+05"),
    ],
)  # fmt: skip
def test_numbers_are_spelled_for_people(value: float | None, text: str) -> None:
    assert short(value) == text


def test_shares_edges_and_moments_are_spelled_for_people() -> None:
    shares = {0.0: "0.0 %", 0.0002: "<0.1 %", 0.1234: "12.3 %", 1.0: "100.0 %"}
    edges = {"2025.0": "2025", "1e+06": "1M", "-5e-324": "0", "12345.0": "12.3k"}

    assert {share: percent(share) for share in shares} == shares
    assert percent(math.nan) == NOTHING
    assert {text: edge(text) for text in edges} == edges
    assert moment(FIRST_DAY_NS) == "2025-03-01"
    assert moment(FIRST_DAY_NS + 90 * 10**9) == "2025-03-01 00:01:30"


def test_the_verdict_is_a_sentence() -> None:
    report = rich_report()
    stable = tuple(msgspec.structs.replace(row, verdict="stable") for row in report.features)

    assert headline(report) == "3 of 10 features have drifted from training: 2 major, 1 moderate; 1 by unseen values."
    assert headline(msgspec.structs.replace(report, features=stable)).startswith("No feature has drifted")
    assert headline(drift_report(baseline(), iter(()))).startswith("Nothing has been served")


@pytest.mark.parametrize(
    ("records", "uncounted", "told", "verdict"),
    [
        (0, 300, "Nothing to compare: 300 of 300 predictions do not fit the baseline's features.", "major"),
        (500, 500, "500 of 1,000 predictions do not fit the baseline's features.", "major"),
        (900, 100, "100 of 1,000 predictions do not fit the baseline's features.", "moderate"),
        (990, 10, "No feature has drifted from training beyond what noise explains.", "stable"),
    ],
)
def test_predictions_that_do_not_fit_are_told_and_judged(records: int, uncounted: int, told: str, verdict: str) -> None:
    served = {"x": [0.0, 1.0] * 500}
    report = drift_report(Baseline.from_data(served, kinds={"x": "numeric"}), served if records else iter(()))
    report = msgspec.structs.replace(report, records=records, uncounted=uncounted)

    assert headline(report).endswith(told)
    assert report.verdict == verdict
