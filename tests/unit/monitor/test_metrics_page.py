"""The page that is written from a template says what the collector says, in both formats and whatever the names are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from modelport.drift import Baseline, CountsSnapshot, FeatureBaseline, FeatureCounts
from modelport.drift._baseline import Role
from modelport.drift._gauges import DriftGauges
from modelport.monitor import ModelMonitor
from modelport.monitor._metrics import MetricsPage, collector_of, render
from modelport.monitor._view import MonitorView, SinkView

ACCEPT = {"text": "text/plain;version=0.0.4", "openmetrics": "application/openmetrics-text;version=1.0.0"}
PARSERS: dict[str, Callable[[str], Iterable[object]]] = {"text": parse_text, "openmetrics": parse_openmetrics}
NAMES = st.one_of(st.text(max_size=8), st.sampled_from(['"', "\\", "\n", "%s", "%%", "é", "\ud800", "a\\n", "#", "{}"]))
# Their sums are exact as floats too.
COUNTS = st.integers(0, 2**48)
NUMBERS = st.floats(allow_nan=False, width=64)


@st.composite
def column(draw: st.DrawFn, name: str, role: Role) -> tuple[FeatureBaseline, FeatureCounts]:
    numeric = draw(st.booleans())
    edges = tuple(sorted(draw(st.sets(st.floats(-1e12, 1e12), max_size=4)))) if numeric else ()
    categories = () if numeric else tuple(draw(st.sets(NAMES.filter(lambda n: n != "other"), max_size=4)))
    many = len(edges) + len(categories) + 1
    bins = st.lists(COUNTS, min_size=many, max_size=many).map(tuple)
    baseline = FeatureBaseline(
        name=name, kind="numeric" if numeric else "categorical", role=role, edges=edges, categories=categories,
        counts=draw(bins), missing=draw(COUNTS), sum=draw(NUMBERS),
    )  # fmt: skip
    return baseline, FeatureCounts(draw(bins), draw(COUNTS), draw(COUNTS), draw(NUMBERS))


@st.composite
def views(draw: st.DrawFn) -> MonitorView:
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    features = [draw(column(name, "feature")) for name in names]
    output = draw(st.none() | column("output", "output"))
    attributions = [draw(column(name, "attribution")) for name in names] if draw(st.booleans()) else []
    baseline = Baseline(
        features=tuple(before for before, _ in features),
        output=output and output[0],
        attributions=tuple(before for before, _ in attributions),
    )
    counts = CountsSnapshot(
        {before.name: now for before, now in features},
        output and output[1],
        draw(COUNTS),
        draw(COUNTS),
        {before.name: now for before, now in attributions},
    )
    watched = draw(st.booleans())
    sinks = [SinkView(name, draw(COUNTS), 1, 2) for name in draw(st.lists(NAMES, max_size=2, unique=True))]
    return MonitorView(
        endpoint=draw(NAMES), model_version=draw(NAMES), process="1-2", started_seconds=draw(st.floats(0, 1e10)),
        predictions=draw(COUNTS), queued=3, sinks=sinks, dropped={("closed", ""): draw(COUNTS), ("sink_error", "x"): 1},
        baseline=baseline if watched else None, counts=counts if watched else None,
        drift=DriftGauges(baseline)(counts) if watched else None, sharing=draw(st.sampled_from([None, False, True])),
    )  # fmt: skip


class Source:
    def __init__(self, view: MonitorView) -> None:
        self._view = view

    def metrics_view(self) -> MonitorView:
        return self._view


def parsed(body: bytes, form: str) -> dict[str, object]:
    """What each family holds, NaN made comparable."""
    return {
        family.name: (  # type: ignore[attr-defined]
            family.type,  # type: ignore[attr-defined]
            family.documentation,  # type: ignore[attr-defined]
            {
                (sample.name, *sorted(sample.labels.items())): "NaN"
                if math.isnan(sample.value)
                else float(sample.value)
                for sample in family.samples  # type: ignore[attr-defined]
            },
            len(family.samples),  # type: ignore[attr-defined]
        )
        for family in PARSERS[form](body.decode())
    }


@pytest.mark.parametrize("form", ["text", "openmetrics"])
@given(view=views())
def test_the_template_and_the_collector_say_the_same(form: str, view: MonitorView) -> None:
    source, registry = Source(view), CollectorRegistry()
    collector_of(registry).add(source)
    fast, content_type = MetricsPage().render(view, {"Accept": ACCEPT[form]}, None)
    slow, other = render(registry, {"Accept": ACCEPT[form]}, None)

    assert parsed(fast, form) == parsed(slow, form)
    assert content_type.split(";")[0] == other.split(";")[0]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
            "application/openmetrics-text; v",
        ),
        ("application/openmetrics-text;version=0.0.1", "text/plain; version=0.0.4"),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", "text/plain"),
        ("text/html", "text/plain"),
        ("application/openmetrics-text;q=0.1,text/plain;q=0.9", "text/plain"),
        ("application/openmetrics-text;q=0.1,*/*;q=0.9", "text/plain"),
        ("application/openmetrics-text;q=0.9,text/*;q=0.1", "application/openmetrics-text; v"),
        ("text/plain;q=0.5, application/openmetrics-text; version=1.0.0; q=0.5", "application/openmetrics-text; v"),
        ("Application/OpenMetrics-Text; Version=1.0.0", "application/openmetrics-text; v"),
        ("application/openmetrics-text;q=0", "text/plain"),
        ("application/openmetrics-text;q=many", "text/plain"),
        ("application/openmetrics-text;q=nan", "text/plain"),
        ("application/openmetrics-text;version=abc", "text/plain"),
        ("application/openmetrics-text;version=2.0.0", "text/plain"),
        ("text/plain;version=abc", "text/plain; version=0.0.4"),
        ("", "text/plain"),
        (";;,=", "text/plain"),
    ],
)
def test_the_format_is_the_one_asked_for_and_named(accept: str, kind: str) -> None:
    for monitor in (ModelMonitor("e"), ModelMonitor("e", registry=CollectorRegistry())):
        body, content_type = monitor.export_http({"accept": accept})

        assert content_type.startswith(kind)
        assert body.endswith(b"# EOF\n") == kind.startswith("application")


def test_a_scraper_that_takes_names_in_utf8_gets_them() -> None:
    registry = CollectorRegistry()
    Gauge("of.the.application", "With dots.", registry=registry)
    monitor = ModelMonitor("e", registry=registry)
    accept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5"

    assert '"of.the.application"' in monitor.export_http({"Accept": accept})[0].decode()


def test_series_of_a_forked_process_are_its_own() -> None:
    monitor = ModelMonitor("e")
    before = monitor.export_http()[0]
    monitor.after_fork_in_child()

    label = monitor.metrics_view().process
    assert f'process="{label}"' in monitor.export_http()[0].decode()
    assert f'process="{label}"' not in before.decode()


@pytest.mark.parametrize("form", ["text", "openmetrics"])
def test_created_samples_of_the_application_stay_beside_ours(form: str) -> None:
    registry = CollectorRegistry()
    Counter("mine", "Of the application.", registry=registry).inc()
    with ModelMonitor("e", registry=registry) as monitor:
        body, _ = monitor.export_http({"Accept": ACCEPT[form]})

    found = {sample.name for family in PARSERS[form](body.decode()) for sample in family.samples}  # type: ignore[attr-defined]
    assert {"mine_total", "mine_created", "modelport_predictions_total"} <= found
