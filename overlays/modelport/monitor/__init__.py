"""Watching a model that you serve: predictions logged off the request path, drift and metrics beside them."""

from __future__ import annotations

from modelport.monitor._logged_drift import logged_drift_report
from modelport.monitor._model_monitor import ModelMonitor

__all__ = ["ModelMonitor", "logged_drift_report"]
