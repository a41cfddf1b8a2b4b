"""Boxkite's `ModelMonitoringService` on top of `modelport.ModelMonitor`.

Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport._lazy import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
