"""A baseline as Prometheus text: the file ``histogram.prom``, in the form that Boxkite writes and reads.

A numeric column is the histogram ``feature_{i}_value_baseline`` (``inference_value_baseline`` for the output), a
categorical one the counter of that name with the label ``bin``. Names of features stand in the help texts. As in
Boxkite, values without a place (missing, of the wrong kind) are in the ``+Inf`` bucket or the bin ``nan``, and a
histogram whose first edge is negative has neither count nor sum. Attributions are histograms
``attribution_{i}_value_baseline``, which Boxkite hands through.

What that form cannot hold is in comment lines ``# modelport: {...}``, which every Prometheus parser skips. Without them
(a file of Boxkite's) all of the ``+Inf`` bucket counts as missing: there, the last edge is the largest value.
"""

from __future__ import annotations

import json
import math
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from modelport.drift._values import OTHER, format_edge, to_label
from modelport.drift.training._prometheus_read import HELP, NOTE, NOTED, OUTPUT, Family, Note, column_of
from modelport.drift.training._saved import FORMAT, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelport.drift._baseline import Baseline, FeatureBaseline

__all__ = ["to_text"]

_MISSING = "nan"
# Samples are floats, which hold every count up to here.
_EXACT = 2**53


def to_text(baseline: Baseline) -> str:
    """The whole file."""
    head = Note(format=FORMAT, version=VERSION, model_version=baseline.model_version, rows=baseline.rows)
    parts = [_comment(head)]
    for metric, column in _metrics(baseline):
        family = _family(column)
        parts += [_comment(_note(metric, column, family)), *_lines(metric, column, family)]
    return "".join(f"{line}\n" for line in parts if line)


def _metrics(baseline: Baseline) -> Iterator[tuple[str, FeatureBaseline]]:
    # The order in which Boxkite writes: features, then the output.
    for index, feature in enumerate(baseline.features):
        yield f"feature_{index}_value_baseline", feature
    if baseline.output is not None:
        yield OUTPUT, baseline.output
    for index, attribution in enumerate(baseline.attributions):
        yield f"attribution_{index}_value_baseline", attribution


def _family(column: FeatureBaseline) -> Family:
    name = _one_line(column.name)
    if column.kind == "categorical":
        return Family(name, column.role, bins=_bins(column))
    cumulative = list(accumulate(column.counts))
    cumulative[-1] += column.missing + column.unseen
    edges = column.edges
    if not edges:
        # A Prometheus histogram has two buckets at least; Boxkite puts this one before the other too.
        edges, cumulative = (0.0,), [0, *cumulative]
    buckets = dict(zip((*edges, math.inf), map(float, cumulative), strict=True))
    has_sum = edges[0] >= 0
    return Family(name, column.role, buckets=buckets, sum=column.sum if has_sum else 0.0)


def _bins(column: FeatureBaseline) -> dict[str, float]:
    bins: dict[str, float] = {}
    taken = set(column.categories)
    for label, count in zip(column.labels, column.counts, strict=True):
        spelled = _spelled(label)
        text = _one_line(label if spelled in taken else spelled)
        if text != OTHER or count:
            bins[text] = bins.get(text, 0.0) + count
    if column.missing:
        bins[_MISSING] = bins.get(_MISSING, 0.0) + column.missing
    return bins


def _spelled(label: str) -> str:
    """A number's label as Boxkite has it: ``1.0`` for ``1``, ``inf`` for ``Infinity``."""
    try:
        number = float(label)
    except ValueError:
        return label
    return repr(number) if to_label(number) == label else label


def _one_line(text: str) -> str:
    # Only \n, \\ and \" can be escaped; a carriage return would end the line for who reads with universal newlines.
    return text.replace("\r", "\\r").encode("utf-8", "backslashreplace").decode()


def _note(metric: str, column: FeatureBaseline, family: Family) -> Note:
    """What has to be said for the column to come back as it is."""
    note = Note(metric=metric)
    if column.kind == "numeric":
        note.missing, note.unseen = column.missing, column.unseen
    if column.total + column.missing + column.unseen > _EXACT:
        note.counts = column.counts
    plain = column_of(metric, family._replace(name=family.name.strip()), note)
    for field in NOTED:
        value = getattr(column, field)
        if value != getattr(plain, field):
            setattr(note, field, value)
    return note


def _comment(note: Note) -> str:
    told = {name: value for name, value in msgspec.structs.asdict(note).items() if value is not None}
    return NOTE + json.dumps(told) if told.keys() != {"metric"} else ""


def _lines(metric: str, column: FeatureBaseline, family: Family) -> Iterator[str]:
    kind = "histogram" if family.bins is None else "counter"
    full = metric if family.bins is None else f"{metric}_total"
    name = "" if column.role == "output" else family.name
    yield f"# HELP {full} {_escaped(HELP[column.role] + name)}"
    yield f"# TYPE {full} {kind}"
    for label, count in (family.bins or {}).items():
        yield f'{full}{{bin="{_escaped(label, quoted=True)}"}} {float(count)!r}'
    buckets = family.buckets or {}
    for edge, count in buckets.items():
        yield f'{metric}_bucket{{le="{format_edge(edge)}"}} {count!r}'
    if buckets and next(iter(buckets)) >= 0:
        yield f"{metric}_count {buckets[math.inf]!r}"
        yield f"{metric}_sum {family.sum!r}"


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quoted else text
