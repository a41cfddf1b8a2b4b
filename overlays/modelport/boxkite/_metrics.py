"""Boxkite's metric names over modelport's counts. Import it only where prometheus-client is present.

Both sides of every metric are made by the same functions out of one snapshot, so that edges and bins are spelled
alike, every bin of the one side is there on the other, and missing values lie in the same place: in the bucket
``+Inf`` or the bin ``nan``, where Boxkite's files have them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder

from modelport.drift._values import format_edge
from modelport.drift.training._prometheus_form import (
    LIVE,
    TRAINING,
    bins_of,
    buckets_of,
    help_text,
    metrics_of,
    one_line,
)
from modelport.monitor._metrics import MetricsPage, MonitorCollector, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client import Metric

    from modelport.drift import Baseline, CountsSnapshot, FeatureBaseline, FeatureCounts
    from modelport.monitor._metrics import MonitorView

__all__ = ["BoxkitePage", "baseline_families"]

_END = b"# EOF\n"


class BoxkitePage:
    """Scrapes of one service: the metrics under Boxkite's names, then the monitor's own, of one view."""

    def __init__(self) -> None:
        self._own = MetricsPage()
        # The training side, by content type. It never changes, and is the larger part.
        self._training: dict[str, bytes] = {}

    def render(
        self, view: MonitorView, headers: Mapping[str, str] | None, params: Mapping[str, object] | None
    ) -> tuple[bytes, str]:
        """Body and content type, as `modelport.monitor._metrics.render`."""
        if (params or {}).get("name[]"):
            return render(_Families(_all_families(view)), headers, params)
        own, content_type = self._own.render(view, headers, None)
        if view.baseline is None or view.counts is None:
            return own, content_type
        if content_type not in self._training:
            self._training[content_type] = _encoded(_training_families(view.baseline), content_type)
        live = _encoded(_live_families(view.baseline, view.counts), content_type)
        return b"".join((live, self._training[content_type], own)), content_type


class _Families:
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


class _Moment:
    """A view that has been taken already."""

    def __init__(self, view: MonitorView) -> None:
        self._view = view

    def metrics_view(self) -> MonitorView:
        return self._view


def _encoded(families: Iterable[Metric], content_type: str) -> bytes:
    encode, _ = choose_encoder(content_type)
    return encode(_Families(families)).removesuffix(_END)


def _all_families(view: MonitorView) -> Iterator[Metric]:
    if view.baseline is not None and view.counts is not None:
        yield from _live_families(view.baseline, view.counts)
        yield from _training_families(view.baseline)
    moment, own = _Moment(view), MonitorCollector()
    own.add(moment)
    yield from own.collect()


def _training_families(baseline: Baseline) -> Iterator[Metric]:
    yield from baseline_families(baseline)
    yield _info(baseline)


def baseline_families(baseline: Baseline) -> Iterator[Metric]:
    """The training side."""
    for name, column in metrics_of(baseline):
        if _is_shown(column):
            yield _family(f"{name}_baseline", TRAINING, column, column)


def _live_families(baseline: Baseline, counts: CountsSnapshot) -> Iterator[Metric]:
    for (name, column), now in zip(metrics_of(baseline), counts.columns, strict=True):
        if _is_shown(column):
            yield _family(name, LIVE, column, now)


def _info(baseline: Baseline) -> Metric:
    info = InfoMetricFamily(
        "baseline_metrics",
        "Name, metric and type of each column of the baseline.",
        labels=["feature_name", "metric_name", "metric_type"],
    )
    for name, column in metrics_of(baseline):
        if not _is_shown(column):
            continue
        # Dashboards list the output by this sentence.
        feature = help_text(TRAINING, "output") if column.role == "output" else one_line(column.name)
        kind = "histogram" if column.kind == "numeric" else "counter"
        info.add_metric([feature, f"{name}_baseline", kind], {})
    return info


def _is_shown(column: FeatureBaseline) -> bool:
    # Boxkite's pages know no attributions.
    return column.role != "attribution"


def _family(name: str, side: str, column: FeatureBaseline, values: FeatureBaseline | FeatureCounts) -> Metric:
    text = help_text(side, column.role, column.name)
    if column.kind == "numeric":
        histogram = HistogramMetricFamily(name, text)
        buckets = [(format_edge(edge), count) for edge, count in buckets_of(column, values).items()]
        # Where an edge is negative prometheus-client leaves out the sum, and the count with it, as OpenMetrics demands.
        histogram.add_metric([], buckets, values.sum)
        return histogram
    counter = CounterMetricFamily(name, text, labels=["bin"])
    # All bins are there, on both sides: one that one side lacks would drop out of every comparison.
    for label, count in bins_of(column, values).items():
        counter.add_metric([label], count)
    return counter
