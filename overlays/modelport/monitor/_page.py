"""The page of one monitor, written without prometheus-client: only numbers are new in a scrape.

Everything else (names, labels, the whole of the baseline) is put into one template when the monitor is first scraped.
Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ (text 0.0.4), and OpenMetrics 1.0.0.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from modelport.monitor._samples import baseline_samples, live_samples, live_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelport.monitor._families import Family
    from modelport.monitor._samples import Sample
    from modelport.monitor._view import MonitorView

__all__ = ["OPENMETRICS", "TEXT", "Page"]

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Page:
    """Writes views of one monitor: the first one settles all names and labels."""

    def __init__(self, view: MonitorView, *, openmetrics: bool) -> None:
        known = [(sample, _number(value)) for sample, value in baseline_samples(view)]
        lines = [*((sample, "%s") for sample in live_samples(view)), *known]
        writer = _openmetrics_lines if openmetrics else _text_lines
        self._template = "".join(writer(lines))

    def write(self, view: MonitorView) -> bytes:
        """The page with the figures of `view`."""
        return (self._template % tuple(map(_number, live_values(view)))).encode()


def _openmetrics_lines(samples: Iterable[tuple[Sample, str]]) -> Iterator[str]:
    for family, group in groupby(samples, lambda pair: pair[0].family):
        yield _head(family.name, family.type, family)
        yield from (_line(sample, value) for sample, value in group)
    yield "# EOF\n"


def _text_lines(samples: Iterable[tuple[Sample, str]]) -> Iterator[str]:
    # Without the histogram of a gauge: its buckets are a histogram's, its sum and count are gauges of their own.
    for family, group in groupby(samples, lambda pair: pair[0].family):
        within: list[str] = []
        beside: dict[str, list[str]] = {}
        for sample, value in group:
            lines = beside.setdefault(sample.suffix, []) if sample.suffix in {"_gsum", "_gcount"} else within
            lines.append(_line(sample, value))
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield _head(name, "histogram" if family.type == "gaugehistogram" else family.type, family)
        yield from within
        for suffix, lines in beside.items():
            yield _head(f"{family.name}{suffix}", "gauge", family)
            yield from lines


def _head(name: str, kind: str, family: Family) -> str:
    return f"# HELP {name} {_plain(family.documentation)}\n# TYPE {name} {kind}\n"


def _line(sample: Sample, value: str) -> str:
    labels = ",".join(f'{name}="{_plain(_escaped(text))}"' for name, text in sample.labels)
    return f"{sample.family.name}{sample.suffix}{{{labels}}} {value}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _plain(text: str) -> str:
    """Text of the template that is no place for a value."""
    return text.replace("%", "%%")


def _number(value: float) -> str:
    if value.__class__ is int:
        return str(value)
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
