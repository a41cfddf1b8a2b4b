"""Boxkite's `ModelMonitoringService` on top of `modelport.ModelMonitor`.

Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelport.boxkite._baseline_collector import BaselineMetricCollector
    from modelport.boxkite._exporter import LogExporter, PredictionContext
    from modelport.boxkite._service import ModelMonitoringService

__all__ = ["BaselineMetricCollector", "LogExporter", "ModelMonitoringService", "PredictionContext"]

_HOMES = {
    "BaselineMetricCollector": "modelport.boxkite._baseline_collector",
    "LogExporter": "modelport.boxkite._exporter",
    "ModelMonitoringService": "modelport.boxkite._service",
    "PredictionContext": "modelport.boxkite._exporter",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
