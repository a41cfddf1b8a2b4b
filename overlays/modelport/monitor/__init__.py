"""Watching a model that you serve: predictions logged off the request path, drift and metrics beside them.

Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport._lazy import lazy_names

if TYPE_CHECKING:
    from modelport.monitor._asgi import MonitorMiddleware
    from modelport.monitor._function import monitored
    from modelport.monitor._id_source import current_prediction_id
    from modelport.monitor._logged_drift import logged_drift_report
    from modelport.monitor._model_monitor import ModelMonitor
    from modelport.monitor._watcher import Exchange, WatchOptions
    from modelport.monitor._wsgi import WSGIMonitorMiddleware

__all__ = [
    "Exchange",
    "ModelMonitor",
    "MonitorMiddleware",
    "WSGIMonitorMiddleware",
    "WatchOptions",
    "current_prediction_id",
    "logged_drift_report",
    "monitored",
]

_HOMES = {
    "Exchange": "modelport.monitor._watcher",
    "ModelMonitor": "modelport.monitor._model_monitor",
    "MonitorMiddleware": "modelport.monitor._asgi",
    "WSGIMonitorMiddleware": "modelport.monitor._wsgi",
    "WatchOptions": "modelport.monitor._watcher",
    "current_prediction_id": "modelport.monitor._id_source",
    "logged_drift_report": "modelport.monitor._logged_drift",
    "monitored": "modelport.monitor._function",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
