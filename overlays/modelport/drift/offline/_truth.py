"""How right a model was: SQL that compares outputs with ground truth, and the metrics made of its sums.

Formulas as in scikit-learn's user guide, section "Metrics and scoring"; verified against it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from modelport.drift._results import Performance
from modelport.drift._values import to_label
from modelport.drift.offline import _literals
from modelport.drift.offline._columns import View
from modelport.drift.offline._counting import how_many, number
from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._literals import INFINITY
from modelport.drift.offline._parts import Part
from modelport.drift.offline._query import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelport.drift.offline._columns import Column, Table
    from modelport.drift.offline._parts import Parts
    from modelport.drift.offline._query import Key

__all__ = ["Comparison", "Task", "comparison_of", "performance", "task_of"]

Task: TypeAlias = Literal["classification", "regression"]

_THRESHOLD = "0.5e0"
# As scikit-learn keeps a probability away from 0 and 1 before it takes the logarithm.
_EPSILON = 2.220446049250313e-16
_SCORE_BINS_PER_NAT = 512
_MAX_PAIRS = 100_000
_SUMS = (
    how_many("y <> 0e0 AND y <> 1e0"),
    how_many("p < 0e0 OR p > 1e0"),
    how_many("p > 0e0 AND p < 1e0"),
    how_many(f"y = 1e0 AND p >= {_THRESHOLD}"),
    how_many(f"y = 0e0 AND p >= {_THRESHOLD}"),
    how_many(f"y = 1e0 AND p < {_THRESHOLD}"),
    "SUM(y * LN(s) + (1e0 - y) * LN(1e0 - s))",
    "SUM(ABS(p - y))",
    "SUM(p - y)",
    "SUM((p - y) * (p - y))",
    "SUM(y - m)",
    "SUM((y - m) * (y - m))",
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which columns hold the output and the truth.

    Attributes:
        output: What the model answered.
        truth: What was true.
        labels: Compare them as labels, not as numbers.
        middle: A number near the mean of the truth, so that sums of squares keep their digits.
    """

    output: Column
    truth: Column
    labels: bool
    middle: float = 0.0

    def add_to(self, parts: Parts, table: Table, groups: tuple[str, ...], view: View, where: list[str]) -> None:
        """Scan the two columns and add what was found to `parts`."""
        if self.labels:
            self._add_pairs(parts, table, groups, view, where)
            return
        inner = {
            "y": number(self.truth.kind, view.add(self.truth, self.truth.kind)),
            "p": number(self.output.kind, view.add(self.output, self.output.kind)),
        }
        known = [*where, *(f"({expression}) <= {INFINITY}" for expression in inner.values())]
        if self._add_sums(parts, table, Query(view, groups, inner, where=known)):
            self._add_scores(parts, table, Query(view, groups, inner, where=known))

    def _add_sums(self, parts: Parts, table: Table, query: Query) -> bool:
        """Also whether the numbers may be classes and probabilities."""
        low, high = _literals.double(_EPSILON), _literals.double(1 - _EPSILON)
        p = query.inner["p"]
        query.inner = {
            **query.inner,
            "s": f"CASE WHEN ({p}) < {low} THEN {low} WHEN ({p}) > {high} THEN {high} ELSE ({p}) END",
            "m": _literals.double(self.middle),
        }
        query.outer = list(_SUMS)
        others = 0.0
        for key, known, values in query.run(table):
            sums = (float(known), *(float(value or 0) for value in values))
            parts.setdefault(key, Part()).add(Part(numbers=sums))
            others += sums[1] + sums[2]
        return not others

    @staticmethod
    def _add_scores(parts: Parts, table: Table, query: Query) -> None:
        p, limit = f"({query.inner['p']})", _literals.double(_EPSILON)
        inside = f"{p} > {limit} AND {p} < {_literals.double(1 - _EPSILON)}"
        end = 40 * _SCORE_BINS_PER_NAT
        odds = f"CAST(FLOOR({_SCORE_BINS_PER_NAT}e0 * LN({p} / (1e0 - {p}))) AS BIGINT)"
        score = f"CASE WHEN {inside} THEN {odds} WHEN {p} < {_THRESHOLD} THEN -{end} ELSE {end} END"
        query.groups = (*query.groups, score)
        query.outer = [how_many("y = 1e0")]
        query.inner = {"y": query.inner["y"]}
        for (*key, place), known, (true,) in query.run(table):
            parts.setdefault(tuple(key), Part()).add(Part(scores={place or 0: (int(true or 0), known)}))

    def _add_pairs(self, parts: Parts, table: Table, groups: tuple[str, ...], view: View, where: list[str]) -> None:
        columns = (self.truth, self.output)
        names = [view.add(column, column.kind) for column in columns]
        known = [*where, *(f"{name} IS NOT NULL" for name in names)]
        query = Query(view, groups, {"y": names[0], "p": names[1]}, where=known)
        for key, truth, output, count in _pairs(table, query):
            parts.setdefault(key, Part()).add(Part(pairs={(truth, output): count}))


def _pairs(table: Table, query: Query) -> Iterator[tuple[Key, str, str, int]]:
    """How often each truth met each output, by group."""
    by = ", ".join([*query.keys, *query.inner])
    sql = f"SELECT {by}, COUNT(*) AS n FROM ({query.source()}) AS t GROUP BY {by} LIMIT {_MAX_PAIRS + 1}"
    rows = table.query(sql, query.view.columns)
    if len(rows) > _MAX_PAIRS:
        raise OfflineError(f"more than {_MAX_PAIRS} pairs of truth and output: these are no classes")
    for *key, truth, output, count in rows:
        labels = to_label(truth), to_label(output)
        if labels[0] is not None and labels[1] is not None:
            yield tuple([None if value is None else int(value) for value in key]), labels[0], labels[1], int(count)


def comparison_of(
    table: Table, output: Column, truth: Column, *, labels: bool, conditions: Callable[[View], list[str]]
) -> Comparison:
    """How to compare two columns: as labels if that is wished or one of them is text, else as numbers.

    Raises:
        OfflineError: One of them holds neither text nor numbers.
    """
    for column in (output, truth):
        if column.kind in {"time", "other"}:
            raise OfflineError(f"the column {column.name!r} holds neither text nor numbers, so nothing can be compared")
    if labels or "text" in {output.kind, truth.kind}:
        return Comparison(output, truth, labels=True)
    view = View()
    y = number(truth.kind, view.add(truth, truth.kind))
    where = [*conditions(view), f"ABS({y}) < 1e300"]
    [(_, _, (middle,))] = Query(view, inner={"y": y}, outer=["AVG(y)"], where=where).run(table)
    return Comparison(output, truth, labels=False, middle=float(middle or 0.0))


def task_of(whole: Part, wanted: Task | None) -> Task:
    """Whether all of the traffic is a classification or a regression.

    Numbers are a classification if every truth is 0 or 1 and every output from 0 to 1.

    Raises:
        OfflineError: It was said to be the one that it cannot be.
    """
    if whole.pairs:
        if wanted == "regression":
            raise OfflineError("a regression needs numbers as output and truth")
        return "classification"
    _, not_binary, outside, *_ = whole.numbers or (0, 0, 0)
    if wanted == "classification" and (not_binary or outside):
        raise OfflineError(
            "numbers are a classification only if each truth is 0 or 1 and each output a probability; "
            "classes are compared when the baseline's output is categorical"
        )
    return wanted or ("regression" if not_binary or outside else "classification")


def performance(part: Part, task: Task, *, soft: bool) -> Performance | None:
    """The metrics of a part; None where no truth is known. `soft` outputs are probabilities, not just 0 and 1."""
    if part.pairs:
        return _of_labels(part.pairs)
    if not part.numbers or not part.numbers[0]:
        return None
    known, _, _, _, tp, fp, fn, log_likelihood, absolute, signed, squared, shifted, shifted_squares = part.numbers
    if task == "regression":
        spread = shifted_squares - shifted * shifted / known
        metrics = {
            "mae": absolute / known,
            "rmse": math.sqrt(squared / known),
            "bias": signed / known,
            "r2": 1 - squared / spread if spread > 0 else math.nan,
        }
        return Performance(kind=task, labelled=int(known), metrics=metrics)
    metrics = _binary(int(tp), int(fp), int(fn), int(known))
    if soft:
        metrics |= {"auc": _auc(part.scores), "log_loss": -log_likelihood / known}
    return Performance(kind=task, labelled=int(known), metrics=metrics)


def _binary(tp: int, fp: int, fn: int, known: int) -> dict[str, float]:
    return {
        "accuracy": (known - fp - fn) / known,
        "precision": tp / (tp + fp) if tp + fp else math.nan,
        "recall": tp / (tp + fn) if tp + fn else math.nan,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else math.nan,
    }


def _of_labels(pairs: dict[tuple[str, str], int]) -> Performance:
    known = sum(pairs.values())
    classes = sorted({label for pair in pairs for label in pair})
    if set(classes) <= {"0", "1"}:
        tp, fp, fn = (pairs.get(pair, 0) for pair in (("1", "1"), ("0", "1"), ("1", "0")))
        return Performance(kind="classification", labelled=known, metrics=_binary(tp, fp, fn, known))
    each = [_one_class(pairs, label) for label in classes]
    metrics: dict[str, float] = {"accuracy": sum(pairs.get((label, label), 0) for label in classes) / known}
    for place, name in enumerate(("precision_macro", "recall_macro", "f1_macro")):
        metrics[name] = math.fsum(values[place] for values in each) / len(classes)
    return Performance(kind="classification", labelled=known, metrics=metrics)


def _one_class(pairs: dict[tuple[str, str], int], label: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of one class; 0 where undefined, as scikit-learn counts it in a mean."""
    hit = pairs.get((label, label), 0)
    said = sum(count for (_, output), count in pairs.items() if output == label)
    true = sum(count for (truth, _), count in pairs.items() if truth == label)
    return (hit / said if said else 0.0, hit / true if true else 0.0, 2 * hit / (said + true) if said + true else 0.0)


def _auc(scores: dict[int, tuple[int, int]]) -> float:
    """The chance that a true case scores above a false one (Mann-Whitney), ties counting half.

    Scores of one bin (a 512th of a nat of log-odds, that is 0.2 % of the odds) are ties.
    """
    above = wins = 0.0
    positives = sum(true for true, _ in scores.values())
    negatives = sum(known - true for true, known in scores.values())
    for _, (true, known) in sorted(scores.items(), reverse=True):
        wins += (known - true) * (above + true / 2)
        above += true
    return wins / positives / negatives if positives and negatives else math.nan
