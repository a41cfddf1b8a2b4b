"""Typed clients, overlays and a local sandbox for machine-learning platforms.

Names are loaded when they are first used, so importing this package loads nothing else.
"""

# Not from typing, which takes longer to import than all the rest of this; checkers know the name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelport._version import __version__
    from modelport.boxkite import ModelMonitoringService
    from modelport.codex import AsyncCodex, Codex
    from modelport.errors import ModelportError
    from modelport.monitor import ModelMonitor

__all__ = ["AsyncCodex", "Codex", "ModelMonitor", "ModelMonitoringService", "ModelportError", "__version__"]

_HOMES = {
    "AsyncCodex": "modelport.codex",
    "Codex": "modelport.codex",
    "ModelMonitor": "modelport.monitor",
    "ModelMonitoringService": "modelport.boxkite",
    "ModelportError": "modelport.errors",
    "__version__": "modelport._version",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
