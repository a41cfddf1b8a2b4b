"""A baseline as Prometheus text: the file ``histogram.prom``, in the form that Boxkite writes and reads.

A numeric column is the histogram ``feature_{i}_value_baseline`` (``inference_value_baseline`` for the output), a
categorical one the counter of that name with the label ``bin``. Names of features stand in the help texts. As in
Boxkite, values without a place (missing, of the wrong kind) are in the ``+Inf`` bucket or the bin ``nan``, and a
histogram whose first edge is negative has neither count nor sum. Attributions are histograms
``attribution_{i}_value_baseline``, which Boxkite hands through.

What that form cannot hold is in comment lines ``# modelport: {...}``, which every Prometheus parser skips. Without them
(a file of Boxkite's) all of the ``+Inf`` bucket counts as missing: there, the last edge is the largest value.
The last of them tells the number of columns, so that a file that was cut short is known.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import msgspec

from modelport.drift._values import OTHER, format_edge
from modelport.drift.training._prometheus_form import (
    MISSING,
    TRAINING,
    bins_of,
    buckets_of,
    help_text,
    metrics_of,
    one_line,
)
from modelport.drift.training._prometheus_read import NOTE, NOTED, Family, Note, column_of
from modelport.drift.training._saved import FORMAT, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelport.drift._baseline import Baseline, FeatureBaseline

__all__ = ["to_text"]

# Samples are floats, which hold every count up to here.
_EXACT = 2**53


def to_text(baseline: Baseline) -> str:
    """The whole file."""
    head = Note(format=FORMAT, version=VERSION, model_version=baseline.model_version, rows=baseline.rows)
    parts = [_comment(head)]
    for name, column in metrics_of(baseline):
        metric, family = f"{name}_baseline", _family(column)
        parts += [_comment(_note(metric, column, family)), *_lines(metric, column, family)]
    parts.append(_comment(Note(columns=len(baseline.columns))))
    return "".join(f"{line}\n" for line in parts if line)


def _family(column: FeatureBaseline) -> Family:
    name = one_line(column.name)
    if column.kind == "categorical":
        bins = {text: n for text, n in bins_of(column, column).items() if n or text not in {OTHER, MISSING}}
        return Family(name, column.role, bins=bins)
    buckets = buckets_of(column, column)
    return Family(name, column.role, buckets=buckets, sum=column.sum if min(buckets) >= 0 else 0.0)


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
    yield f"# HELP {full} {_escaped(help_text(TRAINING, column.role, column.name))}"
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
