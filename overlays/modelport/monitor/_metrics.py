"""Prometheus metrics of monitors. Import it only where prometheus-client is present.

Every scrape reads one immutable snapshot per monitor, so buckets, sums and counts agree; every series exists from
the start, so no first increment is lost to ``increase()``; and the ``process`` label changes with every restart, so a
counter that overtakes its old value between two scrapes is not taken for a slow one.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, cast

from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder

from modelport.monitor._accept import OPENMETRICS_MEDIA, chosen
from modelport.monitor._page import OPENMETRICS, TEXT, Page
from modelport.monitor._samples import baseline_samples, live_samples, live_values
from modelport.monitor._view import MetricsSource, MonitorView, SinkView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.registry import Collector, CollectorRegistry

    from modelport.monitor._samples import Sample

__all__ = ["MetricsPage", "MetricsSource", "MonitorView", "SinkView", "collector_of", "render"]


class MonitorCollector:
    """A prometheus-client collector for any number of monitors, whose samples share their metric families."""

    def __init__(self) -> None:
        # Not a WeakSet: going through one fails where another thread adds a source meanwhile.
        self._sources: weakref.WeakValueDictionary[int, MetricsSource] = weakref.WeakValueDictionary()

    def add(self, source: MetricsSource) -> None:
        """Show `source` until it is gone or removed."""
        self._sources[id(source)] = source

    def remove(self, source: MetricsSource) -> None:
        """Show `source` no longer."""
        self._sources.pop(id(source), None)

    @staticmethod
    def describe() -> Iterable[Metric]:
        """Empty: names are known only with the baselines, and a registry must not collect to learn them."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All families of all monitors."""
        sources = [source for reference in self._sources.valuerefs() if (source := reference()) is not None]
        views = [source.metrics_view() for source in sources]
        yield from _metrics_of(sorted(views, key=lambda view: (view.endpoint, view.model_version, view.process)))


_collectors: weakref.WeakKeyDictionary[CollectorRegistry, MonitorCollector] = weakref.WeakKeyDictionary()


def collector_of(registry: CollectorRegistry) -> MonitorCollector:
    """The one collector of monitors in `registry`; two would repeat each other's families."""
    collector = _collectors.get(registry)
    if collector is None:
        collector = _collectors[registry] = MonitorCollector()
        registry.register(collector)
    return collector


def render(
    registry: Collector, headers: Mapping[str, str] | None, params: Mapping[str, object] | None
) -> tuple[bytes, str]:
    """A scrape's body and content type, in the format its ``Accept`` header asks for.

    Args:
        registry: What to show.
        headers: Of the request; names in any case.
        params: Of the query; ``name[]`` limits the answer to samples or families of that name, given as text or list.
    """
    encode, content_type = choose_encoder(chosen(headers))
    names = _wanted(params)
    body: bytes = encode(_Filtered(registry, names) if names else registry)
    return body, content_type


class MetricsPage:
    """Scrapes of one monitor that shares its page with nobody."""

    def __init__(self) -> None:
        self._pages: dict[bool, tuple[object, Page]] = {}

    def render(
        self, view: MonitorView, headers: Mapping[str, str] | None, params: Mapping[str, object] | None
    ) -> tuple[bytes, str]:
        """As the function `render`, of what `view` shows."""
        if _wanted(params):
            return render(_Views([view]), headers, params)
        openmetrics = OPENMETRICS_MEDIA in chosen(headers)
        return self._page(view, openmetrics=openmetrics).write(view), OPENMETRICS if openmetrics else TEXT

    def _page(self, view: MonitorView, *, openmetrics: bool) -> Page:
        # Names and labels change with a fork (the process), and perhaps with the first loss of a new kind.
        key = (view.endpoint, view.model_version, view.process, *view.dropped, *(sink.name for sink in view.sinks))
        known = self._pages.get(openmetrics)
        if known is None or known[0] != key:
            known = self._pages[openmetrics] = key, Page(view, openmetrics=openmetrics)
        return known[1]


class _Views:
    def __init__(self, views: list[MonitorView]) -> None:
        self._views = views

    def collect(self) -> Iterator[Metric]:
        yield from _metrics_of(self._views)


class _Filtered:
    def __init__(self, registry: Collector, names: set[str]) -> None:
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


def _wanted(params: Mapping[str, object] | None) -> set[str]:
    wanted = (params or {}).get("name[]")
    names = {wanted} if isinstance(wanted, str) else {str(name) for name in cast("Iterable[object]", wanted or ())}
    # An empty name is a form's field that was left empty, and limits nothing.
    return names - {""}


def _metrics_of(views: list[MonitorView]) -> Iterator[Metric]:
    """All families, each once, with the samples of all views. Replicas of one model share the baseline's samples."""
    families: dict[str, Metric] = {}
    shown: set[tuple[str, ...]] = set()

    def add(sample: Sample, value: float) -> None:
        family = sample.family
        if family.name not in families:
            families[family.name] = Metric(family.name, family.documentation, family.type)
        families[family.name].add_sample(family.name + sample.suffix, dict(sample.labels), value)

    for view in views:
        if (group := (view.endpoint, view.model_version, view.process)) in shown:
            # Another monitor of one directory: both show what all have counted.
            continue
        shown.add(group)
        for sample, value in zip(live_samples(view), live_values(view), strict=True):
            add(sample, value)
        if (model := (view.endpoint, view.model_version)) not in shown and view.baseline is not None:
            shown.add(model)
            for sample, value in baseline_samples(view):
                add(sample, value)
    yield from families.values()
