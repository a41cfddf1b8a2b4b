"""Prometheus metrics of monitors. Import it only where prometheus-client is present.

Every scrape reads one immutable snapshot per monitor, so buckets, sums and counts agree; every series exists from
the start, so no first increment is lost to ``increase()``; and the ``process`` label changes with every restart, so a
counter that overtakes its old value between two scrapes is not taken for a slow one.
"""

from __future__ import annotations

import weakref
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

import msgspec
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from prometheus_client.registry import CollectorRegistry

    from modelport.drift import Baseline, CountsSnapshot, DriftReport

__all__ = ["MetricsSource", "MonitorView", "SinkView", "collector_of", "render"]


class SinkView(msgspec.Struct, frozen=True):
    """One sink's figures."""

    name: str
    delivered: int
    pending: int
    failures: int


class MonitorView(msgspec.Struct, frozen=True, kw_only=True):
    """One monitor's figures at one moment."""

    endpoint: str
    model_version: str
    process: str
    started_seconds: float
    predictions: int
    queued: int
    dropped: Mapping[tuple[str, str], int]
    sinks: Sequence[SinkView]
    baseline: Baseline | None = None
    counts: CountsSnapshot | None = None
    drift: DriftReport | None = None


class MetricsSource(Protocol):
    """What has figures to show."""

    def metrics_view(self) -> MonitorView:
        """The figures of this moment."""
        ...


_LIVE = ("endpoint", "model_version", "process")
_MODEL = ("endpoint", "model_version")
_COLUMN = ("role", "feature")


class MonitorCollector:
    """A prometheus-client collector for any number of monitors, whose samples share their metric families."""

    def __init__(self) -> None:
        self._sources: weakref.WeakSet[MetricsSource] = weakref.WeakSet()

    def add(self, source: MetricsSource) -> None:
        """Show `source` until it is gone or removed."""
        self._sources.add(source)

    def remove(self, source: MetricsSource) -> None:
        """Show `source` no longer."""
        self._sources.discard(source)

    @staticmethod
    def describe() -> Iterable[Metric]:
        """Empty: names are known only with the baselines, and a registry must not collect to learn them."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All families of all monitors."""
        views = sorted((source.metrics_view() for source in self._sources), key=_live)
        yield from _pipeline_families(views)
        yield from _live_families(views)
        yield from _baseline_families(views)
        yield from _drift_families(views)


_collectors: weakref.WeakKeyDictionary[CollectorRegistry, MonitorCollector] = weakref.WeakKeyDictionary()


def collector_of(registry: CollectorRegistry) -> MonitorCollector:
    """The one collector of monitors in `registry`; two would repeat each other's families."""
    collector = _collectors.get(registry)
    if collector is None:
        collector = _collectors[registry] = MonitorCollector()
        registry.register(collector)
    return collector


def render(
    registry: CollectorRegistry, headers: Mapping[str, str] | None, params: Mapping[str, object] | None
) -> tuple[bytes, str]:
    """A scrape's body and content type, in the format its ``Accept`` header asks for.

    Args:
        registry: What to show.
        headers: Of the request; names in any case.
        params: Of the query; ``name[]`` limits the answer to samples or families of that name, given as text or list.
    """
    accept = next((value for name, value in (headers or {}).items() if name.lower() == "accept"), "")
    encode, content_type = choose_encoder(accept)
    wanted = (params or {}).get("name[]")
    names = {wanted} if isinstance(wanted, str) else {str(name) for name in wanted or ()}  # type: ignore[attr-defined]
    body: bytes = encode(_Filtered(registry, names) if names else registry)
    return body, content_type


class _Filtered:
    def __init__(self, registry: CollectorRegistry, names: set[str]) -> None:
        self._registry = registry
        self._names = names

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            whole = family.name in self._names or f"{family.name}_total" in self._names
            samples = [sample for sample in family.samples if whole or sample.name in self._names]
            if samples:
                kept = Metric(family.name, family.documentation, family.type, family.unit)
                kept.samples = samples
                yield kept


def _live(view: MonitorView) -> tuple[str, ...]:
    return view.endpoint, view.model_version, view.process


def _pipeline_families(views: list[MonitorView]) -> Iterator[Metric]:
    predictions = CounterMetricFamily("modelport_predictions", "Predictions taken from the queue.", labels=_LIVE)
    dropped = CounterMetricFamily(
        "modelport_predictions_dropped", "Predictions lost, by reason and sink.", labels=(*_LIVE, "reason", "sink")
    )
    uncounted = CounterMetricFamily(
        "modelport_predictions_uncounted", "Predictions that were no row of the baseline's features.", labels=_LIVE
    )
    queued = GaugeMetricFamily("modelport_prediction_queue_records", "Predictions in the queue.", labels=_LIVE)
    started = GaugeMetricFamily(
        "modelport_monitor_start_time_seconds", "When counting began, in Unix time.", labels=_LIVE
    )
    delivered = CounterMetricFamily("modelport_sink_delivered", "Predictions delivered.", labels=(*_LIVE, "sink"))
    failures = CounterMetricFamily("modelport_sink_failures", "Failed attempts to deliver.", labels=(*_LIVE, "sink"))
    pending = GaugeMetricFamily(
        "modelport_sink_pending_records", "Predictions kept until the sink takes them.", labels=(*_LIVE, "sink")
    )
    for view in views:
        labels = _live(view)
        predictions.add_metric(labels, view.predictions)
        uncounted.add_metric(labels, view.counts.uncounted if view.counts is not None else 0)
        queued.add_metric(labels, view.queued)
        started.add_metric(labels, view.started_seconds)
        for (reason, sink), count in view.dropped.items():
            dropped.add_metric((*labels, reason, sink), count)
        for sink_view in view.sinks:
            delivered.add_metric((*labels, sink_view.name), sink_view.delivered)
            failures.add_metric((*labels, sink_view.name), sink_view.failures)
            pending.add_metric((*labels, sink_view.name), sink_view.pending)
    yield from (predictions, dropped, uncounted, queued, started, delivered, failures, pending)


def _live_families(views: list[MonitorView]) -> Iterator[Metric]:
    names = (*_LIVE, *_COLUMN)
    values = HistogramMetricFamily("modelport_feature_value", "Numeric values served.", labels=names)
    bins = CounterMetricFamily("modelport_feature_bin", "Values served, per bin.", labels=(*names, "bin"))
    missing = CounterMetricFamily("modelport_feature_missing", "Values served that are missing.", labels=names)
    unseen = CounterMetricFamily(
        "modelport_feature_unseen", "Values served that the baseline does not know.", labels=names
    )
    for view in views:
        if view.baseline is None or view.counts is None:
            continue
        for column, now in zip(view.baseline.columns, view.counts.columns, strict=True):
            labels = (*_live(view), column.role, column.name)
            missing.add_metric(labels, now.missing)
            unseen.add_metric(labels, now.unseen)
            for label, count in zip(column.labels, now.counts, strict=True):
                bins.add_metric((*labels, label), count)
            if column.kind == "numeric":
                buckets = list(zip(column.labels, map(float, accumulate(now.counts)), strict=True))
                values.add_metric(labels, buckets, now.sum)
    yield from (values, bins, missing, unseen)


def _baseline_families(views: list[MonitorView]) -> Iterator[Metric]:
    # Gauges, not counters: they never grow, and increase() over them would be 0.
    names = (*_MODEL, *_COLUMN)
    bins = GaugeMetricFamily("modelport_baseline_bin", "Training values, per bin.", labels=(*names, "bin"))
    values = GaugeHistogramMetricFamily("modelport_baseline_value", "Numeric training values.", labels=names)
    missing = GaugeMetricFamily("modelport_baseline_missing", "Training values that are missing.", labels=names)
    shown: set[tuple[str, str]] = set()
    for view in views:
        model = (view.endpoint, view.model_version)
        if view.baseline is None or model in shown:
            continue
        shown.add(model)
        for column in view.baseline.columns:
            labels = (*model, column.role, column.name)
            missing.add_metric(labels, column.missing)
            for label, count in zip(column.labels, column.counts, strict=True):
                bins.add_metric((*labels, label), count)
            if column.kind == "numeric":
                buckets = list(zip(column.labels, map(float, accumulate(column.counts)), strict=True))
                values.add_metric(labels, buckets, column.sum)
    yield from (bins, values, missing)


def _drift_families(views: list[MonitorView]) -> Iterator[Metric]:
    names = (*_LIVE, *_COLUMN)
    psi = GaugeMetricFamily("modelport_feature_psi", "PSI of the drift window against training.", labels=names)
    js = GaugeMetricFamily("modelport_feature_js_divergence", "Jensen-Shannon divergence, in nats.", labels=names)
    noise = GaugeMetricFamily("modelport_feature_psi_noise", "The PSI that noise alone stays below.", labels=names)
    values = GaugeMetricFamily("modelport_feature_window_values", "Values in the drift window.", labels=names)
    for view in views:
        for row in view.drift.features if view.drift is not None else ():
            labels = (*_live(view), row.role, row.name)
            psi.add_metric(labels, row.psi)
            js.add_metric(labels, row.js)
            noise.add_metric(labels, row.psi_threshold)
            values.add_metric(labels, row.n)
    yield from (psi, js, noise, values)
