"""Reading a baseline from Prometheus text: see `modelport.drift.training._prometheus_write` for the form."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from modelport._extras import require
from modelport.drift._baseline import OUTPUT_NAME, Baseline, BaselineError, FeatureBaseline
from modelport.drift._values import OTHER, to_label
from modelport.drift.training._prometheus_form import OUTPUT, TRAINING, help_text
from modelport.drift.training._saved import FORMAT, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from modelport.drift._baseline import Role

__all__ = ["NOTE", "NOTED", "Family", "Note", "column_of", "from_text"]

NOTE = "# modelport: "
_OUTPUT = f"{OUTPUT}_baseline"
# With the suffix of a sample where the text does not say what type of metric it is.
_METRIC = re.compile(rf"(?:(feature|attribution)_\d{{1,9}}_value_baseline|{_OUTPUT})(?:_total|_bucket|_count|_sum)?")
NOTED = ("name", "missing", "unseen", "sum", "edges", "categories", "counts", "absolute_sum")


class Note(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a comment line adds: to one metric, or (without `metric`) to the file.

    The file has two: the first begins with `format`, the last says how many `columns` there are.
    """

    metric: str | None = None
    format: str | None = None
    version: int | None = None
    model_version: str | None = None
    rows: int | None = None
    columns: int | None = None
    name: str | None = None
    missing: int | None = None
    unseen: int | None = None
    sum: float | None = None
    edges: tuple[float, ...] | None = None
    categories: tuple[str, ...] | None = None
    counts: tuple[int, ...] | None = None
    absolute_sum: float | None = None


class Family(NamedTuple):
    """What the text says of one column, apart from comments."""

    name: str
    role: Role
    buckets: Mapping[float, float] | None = None
    bins: Mapping[str, float] | None = None
    sum: float = 0.0


def from_text(text: str) -> Baseline:
    """The baseline in `text`.

    Raises:
        BaselineError: Not Prometheus text, or not of this form; it says where.
        MissingExtraError: prometheus-client is not installed.
    """
    notes = _notes(text)
    head = notes.file
    found = dict(_families(text))
    columns = {metric: column_of(metric, family, notes.metrics.get(metric, Note())) for metric, family in found.items()}
    features = _in_order("feature", columns)
    if not features:
        message = "no metric feature_0_value_baseline"
        raise BaselineError(message)
    if head is not None and notes.columns != len(columns):
        message = "cut short: its last line, which tells the number of columns, "
        message += "is not there" if notes.columns is None else f"says {notes.columns}, and there are {len(columns)}"
        raise BaselineError(message)
    rows = max(column.total + column.missing + column.unseen for column in columns.values())
    return Baseline(
        features=features,
        output=columns.get(_OUTPUT),
        attributions=_in_order("attribution", columns),
        model_version=None if head is None else head.model_version,
        rows=rows if head is None or head.rows is None else head.rows,
    )


class _Notes(msgspec.Struct):
    """All comments: of the file, None if it is not ours; how many columns it says it has; and by metric."""

    file: Note | None = None
    columns: int | None = None
    metrics: dict[str, Note] = {}


def _notes(text: str) -> _Notes:
    notes = _Notes()
    for line in text.split("\n"):
        if not line.startswith(NOTE):
            continue
        try:
            note = msgspec.convert(json.loads(line[len(NOTE) :]), Note)
        except (ValueError, msgspec.ValidationError) as error:
            message = f"comment of modelport: {error}"
            raise BaselineError(message) from error
        if note.metric is not None:
            notes.metrics[note.metric] = note
        elif note.columns is not None:
            notes.columns = note.columns
        elif note.format != FORMAT or note.version != VERSION:
            message = f"{note.format} version {note.version}; this modelport reads {FORMAT} version {VERSION}"
            raise BaselineError(message)
        else:
            notes.file = note
    return notes


def _families(text: str) -> Iterator[tuple[str, Family]]:
    parser = require("prometheus_client.parser", "drift")
    seen: set[str] = set()
    try:
        metrics = list(parser.text_string_to_metric_families(text))
    except (ValueError, IndexError, KeyError) as error:
        message = f"not Prometheus text: {error}"
        raise BaselineError(message) from error
    for metric in metrics:
        role = _role(metric.name)
        if role is None:
            continue
        if metric.name in seen:
            message = f"{metric.name}: occurs twice"
            raise BaselineError(message)
        seen.add(metric.name)
        yield metric.name, _read_family(metric, role)


def _role(metric: str) -> Role | None:
    match = _METRIC.fullmatch(metric)
    return cast("Role", match[1] or "output") if match else None


def _read_family(metric: Any, role: Role) -> Family:
    told = str(metric.documentation).removeprefix(help_text(TRAINING, role).strip()).strip()
    name = OUTPUT_NAME if role == "output" else told
    if metric.type == "counter":
        return Family(name, role, bins=_labelled(metric, "_total", "bin"))
    if metric.type != "histogram":
        message = f"{metric.name}: of type {metric.type}, where a histogram or a counter is expected"
        raise BaselineError(message)
    try:
        buckets = {float(edge): count for edge, count in _labelled(metric, "_bucket", "le").items()}
    except ValueError as error:
        message = f"{metric.name}: {error}"
        raise BaselineError(message) from error
    return Family(name, role, buckets=buckets, sum=_sum(metric, buckets))


def _sum(metric: Any, buckets: Mapping[float, float]) -> float:
    """The sum of the values; 0.0 where none is told, as with negative edges, or where it is beyond a float."""
    ends = {sample.name.removeprefix(metric.name): sample.value for sample in metric.samples}
    count, total = ends.get("_count"), ends.get("_sum")
    if (count is None) != (total is None) or count not in {None, buckets.get(math.inf, count)}:
        message = f"{metric.name}: its count, its sum and its buckets do not belong together"
        raise BaselineError(message)
    return total if total is not None and math.isfinite(total) else 0.0


def _labelled(metric: Any, suffix: str, label: str) -> dict[str, float]:
    """The samples with that suffix by that label."""
    values: dict[str, float] = {}
    for sample in metric.samples:
        if sample.name != metric.name + suffix:
            continue
        key = sample.labels.get(label)
        if key is None or key in values:
            message = f"{metric.name}: {f'no label {label}' if key is None else f'{label} {key!r} occurs twice'}"
            raise BaselineError(message)
        values[key] = sample.value
    return values


def column_of(metric: str, family: Family, note: Note) -> FeatureBaseline:
    """The column of a family, with what the comment says instead of what its form makes of it."""
    made = _categorical(metric, family) if family.buckets is None else _numeric(metric, family, note)
    changes = {field: value for field in NOTED if (value := getattr(note, field)) is not None}
    return msgspec.structs.replace(made, **changes)


def _numeric(metric: str, family: Family, note: Note) -> FeatureBaseline:
    buckets = sorted((family.buckets or {}).items())
    if not buckets or buckets[-1][0] != math.inf:
        message = f"{metric}: no bucket +Inf"
        raise BaselineError(message)
    edges = tuple(edge for edge, _ in buckets[:-1])
    cumulative = [0, *_whole(metric, (count for _, count in buckets))]
    counts = [high - low for low, high in pairwise(cumulative)]
    # Of what is in the last bucket, that which has a place.
    placed = 0 if note.missing is None else counts[-1] - note.missing - (note.unseen or 0)
    missing = counts[-1] if note.missing is None else note.missing
    counts[-1] = placed
    if min(counts) < 0 and note.counts is None:
        message = f"{metric}: buckets that fall, or that hold less than the comment says"
        raise BaselineError(message)
    return FeatureBaseline(
        name=family.name, kind="numeric", counts=tuple(counts), edges=edges, missing=missing, sum=family.sum,
        role=family.role,
    )  # fmt: skip


def _categorical(metric: str, family: Family) -> FeatureBaseline:
    bins = family.bins or {}
    counts: dict[str, int] = {}
    missing = other = 0
    for text, count in zip(bins, _whole(metric, bins.values()), strict=True):
        label = _read_label(text)
        if label is None:
            missing += count
        elif label == OTHER:
            other += count
        else:
            counts[label] = counts.get(label, 0) + count
    return FeatureBaseline(
        name=family.name, kind="categorical", counts=(*counts.values(), other), categories=tuple(counts),
        missing=missing, role=family.role,
    )  # fmt: skip


def _whole(metric: str, values: Iterable[float]) -> list[int]:
    found = list(values)
    if not all(math.isfinite(value) and value >= 0 and float(value).is_integer() for value in found):
        message = f"{metric}: a value that is no count"
        raise BaselineError(message)
    return list(map(int, found))


def _in_order(prefix: str, columns: Mapping[str, FeatureBaseline]) -> tuple[FeatureBaseline, ...]:
    names = [name for name in columns if name.startswith(f"{prefix}_")]
    expected = [f"{prefix}_{index}_value_baseline" for index in range(len(names))]
    lacking = [name for name in expected if name not in columns]
    if lacking:
        message = f"no metric {lacking[0]}, but later ones"
        raise BaselineError(message)
    return tuple(columns[name] for name in expected)


def _read_label(text: str) -> str | None:
    """A bin's label as ours; None for missing."""
    try:
        number = float(text)
    except ValueError:
        return text
    # Text such as "007" or "1" cannot have come from a number.
    return to_label(number) if repr(number) == text else text
