"""From counted parts to a report."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import structs

from modelport.drift._report import feature_drift
from modelport.drift._results import DriftReport, DriftSlice
from modelport.drift._values import to_label
from modelport.drift.offline._counting import all_missing, to_feature_counts
from modelport.drift.offline._parts import Part, Parts, merge, total
from modelport.drift.offline._slicing import NO_VALUE, OTHERS, Window
from modelport.drift.offline._truth import performance, task_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelport.drift._baseline import Baseline, FeatureBaseline
    from modelport.drift._results import FeatureDrift, Performance
    from modelport.drift.divergence import Rule
    from modelport.drift.offline._counting import Counted
    from modelport.drift.offline._scan import Dimension, Found
    from modelport.drift.offline._slicing import Segment
    from modelport.drift.offline._truth import Task

__all__ = ["Assembly"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Assembly:
    """How the report is to be made.

    Attributes:
        baseline: The training side.
        rule: How empty bins count.
        level: Confidence of the significance test.
        min_values: Serving values a feature needs before it is judged.
        task: What the model does, if that was said.
        endpoint: Whose predictions these are, if that is known.
    """

    baseline: Baseline
    rule: Rule
    level: float
    min_values: int
    task: Task | None = None
    endpoint: str | None = None

    def report(self, found: Found, dimensions: tuple[Dimension, ...], uncounted: int = 0) -> DriftReport:
        """The report on everything, each window and each segment."""
        first: Parts = next(iter(found.parts.values())) if found.parts else {}
        whole = total(first.values())
        judge = _Judge(whole, self.task)
        windows: list[DriftSlice] = []
        segments: list[DriftSlice] = []
        for place, dimension in enumerate(dimensions):
            parts = _along(found, place)
            if isinstance(dimension, Window):
                windows = [self._window(start, part, dimension, judge) for start, part in _in_order(parts)]
            else:
                segments += self._segment(parts, dimension, judge)
        return DriftReport(
            features=self._rows(whole),
            rule=self.rule,
            level=self.level,
            min_values=self.min_values,
            records=whole.records,
            uncounted=uncounted,
            baseline_rows=self.baseline.rows,
            model_version=self.baseline.model_version,
            endpoint=self.endpoint,
            windows=tuple(windows),
            segments=tuple(segments),
            performance=judge(whole),
        )

    def _rows(self, part: Part) -> tuple[FeatureDrift, ...]:
        columns = part.columns or tuple(all_missing(column, 0) for column in self.baseline.columns)
        return tuple(self._row(known, now) for known, now in zip(self.baseline.columns, columns, strict=True))

    def _row(self, known: FeatureBaseline, now: Counted) -> FeatureDrift:
        row = feature_drift(known, to_feature_counts(now), rule=self.rule, level=self.level, min_values=self.min_values)
        if known.role != "attribution" or known.kind != "numeric" or not row.n:
            return row
        return structs.replace(row, mean_absolute=now[-1] / row.n)

    def _window(self, start: int, part: Part, window: Window, judge: _Judge) -> DriftSlice:
        return DriftSlice(
            kind="window",
            name="",
            value=_iso(start),
            records=part.records,
            features=self._rows(part),
            start_ns=start,
            end_ns=start + window.nanoseconds,
            performance=judge(part),
        )

    def _segment(self, parts: Parts, segment: Segment, judge: _Judge) -> list[DriftSlice]:
        named = [(_value(segment, number), part) for (number,), part in parts.items()]
        # The most frequent first; what is left over and what has no label at the end.
        named.sort(key=lambda pair: (pair[0] == NO_VALUE, pair[0] == OTHERS, -pair[1].records, pair[0]))
        return [
            DriftSlice(
                kind="segment",
                name=segment.name,
                value=value,
                records=part.records,
                features=self._rows(part),
                performance=judge(part),
            )
            for value, part in named
        ]


class _Judge:
    """Performance of parts, all measured as the whole is."""

    def __init__(self, whole: Part, task: Task | None) -> None:
        self._known = bool(whole.numbers or whole.pairs)
        self._task: Task = task_of(whole, task) if self._known else "regression"
        self._soft = bool(whole.numbers) and whole.numbers[3] > 0

    def __call__(self, part: Part) -> Performance | None:
        return performance(part, self._task, soft=self._soft) if self._known else None


def _along(found: Found, place: int) -> Parts:
    """The parts along one dimension, whatever they are in the others."""
    made: Parts = {}
    for grouping, parts in found.parts.items():
        if place in grouping:
            for key, part in parts.items():
                merge(made, {(key[grouping.index(place)],): part})
            break
    return made


def _in_order(parts: Parts) -> Iterable[tuple[int, Part]]:
    """Windows by their start; predictions without a time are in none."""
    return sorted(((start, part) for (start,), part in parts.items() if start is not None), key=lambda pair: pair[0])


def _value(segment: Segment, number: int | None) -> str:
    if number is None:
        return NO_VALUE
    if number >= len(segment.values):
        return OTHERS
    label = to_label(segment.values[number])
    # An empty text is a value like any other.
    return NO_VALUE if label is None else label


def _iso(nanoseconds: int) -> str:
    try:
        return (_EPOCH + dt.timedelta(microseconds=nanoseconds // 1000)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return f"{nanoseconds} ns"
