"""A monitor's samples: their names and labels, which stay, and their values, which are all that a scrape has to find.

Both the collector for a shared registry and the page of a monitor's own are made of this, so they cannot differ.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from modelport.monitor._families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelport.drift import FeatureBaseline
    from modelport.monitor._families import Family
    from modelport.monitor._view import MonitorView

__all__ = ["Sample", "baseline_samples", "live_samples", "live_values"]


class Sample(NamedTuple):
    """What identifies a sample."""

    family: Family
    suffix: str
    labels: tuple[tuple[str, str], ...]


_SINK = (("modelport_sink_delivered", "_total"), ("modelport_sink_failures", "_total"))
_ALWAYS = (
    ("modelport_predictions", "_total"),
    ("modelport_predictions_uncounted", "_total"),
    ("modelport_predictions_incomplete", "_total"),
    ("modelport_spool_failures", "_total"),
    ("modelport_prediction_queue_records", ""),
    ("modelport_monitor_start_time_seconds", ""),
)
# Family and field of the gauges of every column, and of those that only numeric columns have.
_GAUGES = (
    ("modelport_feature_psi", "psi"),
    ("modelport_feature_psi_noise", "psi_noise"),
    ("modelport_feature_kl_divergence", "kl"),
    ("modelport_feature_kl_reverse_divergence", "kl_reverse"),
    ("modelport_feature_js_divergence", "js"),
    ("modelport_feature_unseen_share", "unseen_share"),
    ("modelport_feature_missing_rate", "missing_rate"),
    ("modelport_feature_window_values", "values"),
)
_NUMERIC_GAUGES = (("modelport_feature_ks_distance", "ks"), ("modelport_feature_wasserstein_distance", "wasserstein"))


def live_samples(view: MonitorView) -> list[Sample]:
    """All samples but those of the baseline, family by family; the same for every view of a monitor."""
    live = (("endpoint", view.endpoint), ("model_version", view.model_version), ("process", view.process))
    made = [_sample(name, suffix, live) for name, suffix in _ALWAYS]
    if view.sharing is not None:
        made.append(_sample("modelport_processes_shared", "", live))
    made += [
        _sample("modelport_predictions_dropped", "_total", (*live, ("reason", reason), ("sink", sink)))
        for reason, sink in view.dropped
    ]
    for name, suffix in (*_SINK, ("modelport_sink_pending_records", "")):
        made += [_sample(name, suffix, (*live, ("sink", sink.name))) for sink in view.sinks]
    if view.baseline is None or view.counts is None:
        return made
    labelled = [(column, (*live, *_of(column))) for column in view.baseline.columns]
    numeric = [(column, labels) for column, labels in labelled if column.kind == "numeric"]
    for column, labels in numeric:
        ends = ("_sum", "_count") if _has_sum(column) else ()
        made += _histogram("modelport_feature_value", column, labels, ends)
    for column, labels in labelled:
        made += [_sample("modelport_feature_bin", "_total", (*labels, ("bin", label))) for label in column.labels]
    for name in ("modelport_feature_missing", "modelport_feature_unseen"):
        made += [_sample(name, "_total", labels) for _, labels in labelled]
    if view.drift is not None:
        made += [_sample(name, "", labels) for name, _ in _GAUGES for _, labels in labelled]
        made += [_sample(name, "", labels) for name, _ in _NUMERIC_GAUGES for _, labels in numeric]
    return made


def live_values(view: MonitorView) -> list[float]:
    """The values that go with `live_samples`, in its order."""
    uncounted = view.counts.uncounted if view.counts is not None else 0
    made: list[float] = [view.predictions, uncounted, view.incomplete]
    made += (view.spool_failures, view.queued, view.started_seconds)
    if view.sharing is not None:
        made.append(view.sharing)
    made += view.dropped.values()
    made += [sink.delivered for sink in view.sinks]
    made += [sink.failures for sink in view.sinks]
    made += [sink.pending for sink in view.sinks]
    if view.baseline is None or view.counts is None:
        return made
    columns = view.counts.columns
    numeric = [place for place, column in enumerate(view.baseline.columns) if column.kind == "numeric"]
    for place in numeric:
        cumulative = list(accumulate(columns[place].counts))
        made += cumulative
        if _has_sum(view.baseline.columns[place]):
            # Values below the first edge may be negative, and the formats have no sum that falls below 0.
            made += (max(columns[place].sum, 0.0), cumulative[-1])
    for column in columns:
        made += column.counts
    made += [column.missing for column in columns]
    made += [column.unseen for column in columns]
    if view.drift is not None:
        for _, field in _GAUGES:
            made += getattr(view.drift, field)
        for _, field in _NUMERIC_GAUGES:
            found = getattr(view.drift, field)
            made += [found[place] for place in numeric]
    return made


def baseline_samples(view: MonitorView) -> Iterator[tuple[Sample, float]]:
    """Samples of the training side, which never change."""
    if view.baseline is None:
        return
    model = (("endpoint", view.endpoint), ("model_version", view.model_version))
    labelled = [(column, (*model, *_of(column))) for column in view.baseline.columns]
    for column, labels in labelled:
        if column.kind == "numeric":
            cumulative = list(accumulate(column.counts))
            # A gauge may have a negative sum, but only beside a negative bucket.
            summed = column.sum >= 0 or (bool(column.edges) and column.edges[0] < 0)
            samples = _histogram("modelport_baseline_value", column, labels, ("_gcount", "_gsum") if summed else ())
            yield from zip(samples, (*cumulative, *((cumulative[-1], column.sum) if summed else ())), strict=True)
    for column, labels in labelled:
        for label, count in zip(column.labels, column.counts, strict=True):
            yield _sample("modelport_baseline_bin", "", (*labels, ("bin", label))), count
    for column, labels in labelled:
        yield _sample("modelport_baseline_missing", "", labels), column.missing


def _sample(name: str, suffix: str, labels: tuple[tuple[str, str], ...]) -> Sample:
    # A lone surrogate in a name has no form in UTF-8, and the whole page would fail on it.
    known = ((label, text.encode("utf-8", "backslashreplace").decode()) for label, text in labels)
    return Sample(FAMILIES[name], suffix, tuple(known))


def _of(column: FeatureBaseline) -> tuple[tuple[str, str], ...]:
    return ("role", column.role), ("feature", column.name)


def _has_sum(column: FeatureBaseline) -> bool:
    # The formats know a sum only where it can never fall, and a count only beside it.
    return bool(column.edges) and column.edges[0] >= 0


def _histogram(
    name: str, column: FeatureBaseline, labels: tuple[tuple[str, str], ...], ends: tuple[str, ...]
) -> list[Sample]:
    buckets = [_sample(name, "_bucket", (*labels, ("le", edge))) for edge in column.labels]
    return buckets + [_sample(name, end, labels) for end in ends]
