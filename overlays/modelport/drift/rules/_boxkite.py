"""The rule file for services whose metrics have Boxkite's names.

They tell less than ours: a feature has a number and no name, there is neither an endpoint nor a version, and no label
changes with a restart, so that gains can only be had by ``increase()``. What is in a bin is known from the baseline
file. Names and spellings: boxkite 0.0.5, monitoring/collector and monitoring/registry.
"""

from __future__ import annotations

import math
import re
from itertools import accumulate
from typing import TYPE_CHECKING

from modelport.drift._values import OTHER, format_edge
from modelport.drift.rules._groups import checked_window, rules_text
from modelport.drift.rules._options import RuleOptions
from modelport.drift.rules._promql import Window
from modelport.drift.rules._quoted import encodable, quoted
from modelport.drift.rules._yaml import Rule
from modelport.drift.training._prometheus_form import metrics_of, number_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelport.drift._baseline import Baseline, FeatureBaseline

__all__ = ["boxkite_rules"]

_DEFAULT_ENDPOINT = "boxkite"
# How it spells a missing category at training, and at serving.
_MISSING = frozenset({"nan", "None", "NaN"})


def boxkite_rules(baseline: Baseline, options: RuleOptions | None = None, *, endpoint: str = "") -> str:
    """A file for Prometheus' ``rule_files``: drift of one model served with Boxkite.

    Args:
        baseline: The model's; its features in the order of Boxkite's vector.
        options: As of `drift_rules`; `by` is not used.
        endpoint: The label of what is recorded.

    Raises:
        ValueError: A window or interval that Prometheus would not take.
    """
    options = options or RuleOptions()
    name = endpoint or _DEFAULT_ENDPOINT
    length = checked_window(options).text
    window = Window(length, mark=f"{length} {name}")
    model = {"endpoint": name, "model_version": baseline.model_version or ""}
    gains: list[Rule] = []
    for metric, column in metrics_of(baseline):
        if column.role != "attribution":
            gains += _column_rules(metric, column, model, window)
    return rules_text(f"boxkite {name}", gains, (), options, window)


def _column_rules(metric: str, column: FeatureBaseline, model: dict[str, str], window: Window) -> Iterator[Rule]:
    labels = {**model, "role": column.role, "feature": column.name}
    numeric = column.kind == "numeric"
    made = _numeric(metric, column, labels, window) if numeric else _categorical(metric, column, window)
    for name, further, expr in made:
        yield Rule(name=name, expr=expr, labels={**window.labels, **labels, **further})


_Made = tuple[str, dict[str, str], str]


def _numeric(metric: str, column: FeatureBaseline, labels: dict[str, str], window: Window) -> Iterator[_Made]:
    cumulative = list(accumulate(column.counts))
    edges = (*column.edges, math.inf)
    for edge, trained in zip(edges, cumulative, strict=True):
        le = {"le": format_edge(edge)}
        yield "modelport:feature_le:training", le, f"vector({trained})"
        yield "modelport:feature_le:gain", le, f"sum({_increase(f'{metric}_bucket', 'le', _spellings(edge), window)})"
    lower: float | None = None
    for edge, trained in zip(edges, column.counts, strict=True):
        label = {"bin": format_edge(edge)}
        # Of series just recorded: their labels are taken off, for the rule to put its own on.
        expr = f"sum({window.recorded('modelport:feature_le:gain', **labels, le=format_edge(edge))})"
        if lower is not None:
            expr += f" - sum({window.recorded('modelport:feature_le:gain', **labels, le=format_edge(lower))})"
        yield "modelport:feature_bin:training", label, f"vector({trained})"
        yield "modelport:feature_bin:gain", label, expr
        lower = edge


def _categorical(metric: str, column: FeatureBaseline, window: Window) -> Iterator[_Made]:
    def gained(spellings: Iterable[str], *, operator: str = "=~") -> str:
        return f"sum({_increase(f'{metric}_total', 'bin', spellings, window, operator=operator)}) or vector(0)"

    taken = set(column.categories)
    known = {category: _category_spellings(category, taken) for category in column.categories}
    ours = set[str]().union(*known.values())
    for category, trained in zip(column.categories, column.counts, strict=False):
        yield "modelport:feature_bin:training", {"bin": category}, f"vector({trained})"
        yield "modelport:feature_bin:gain", {"bin": category}, gained(known[category])
    strangers = gained(ours | _MISSING, operator="!~")
    yield "modelport:feature_bin:training", {"bin": OTHER}, f"vector({column.counts[-1]})"
    yield "modelport:feature_bin:gain", {"bin": OTHER}, strangers
    yield "modelport:feature:unseen", {}, strangers
    yield "modelport:feature:missing", {}, gained(_MISSING - ours)
    yield "modelport:feature:training_missing", {}, f"vector({column.missing})"


def _increase(metric: str, label: str, texts: Iterable[str], window: Window, *, operator: str = "=~") -> str:
    # Not re.escape: it escapes what Go's regular expressions do not let it.
    pattern = "|".join(re.sub(r"([.+*?()|\[\]{}^$\\])", r"\\\1", text) for text in sorted(map(encodable, texts)))
    return f"increase({metric}{{{label}{operator}{quoted(pattern)}}}[{window.text}])"


def _spellings(edge: float) -> set[str]:
    """Ours, Python's and Go's: it has the second in its file, the third in its live metrics from 1e6 up."""
    if math.isinf(edge):
        return {"+Inf"}
    return {format_edge(edge), repr(edge), f"{edge:.17g}"}


def _category_spellings(category: str, taken: set[str]) -> set[str]:
    """Ours, and Python's of the number or flag that it may have been, unless that is a category too."""
    number = number_text(category)
    flag = {"1.0": "True", "0.0": "False"}.get(number, number)
    return {category} | ({number, flag} - taken)
