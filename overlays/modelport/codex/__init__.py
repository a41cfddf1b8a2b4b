"""Datarisk MLOps Codex: `Codex`, and `AsyncCodex` with the same methods, awaited.

Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelport._archives import ArchiveLimits
    from modelport._waiting import Backoff, Polling, Progress, Status
    from modelport.codex._async.client import AsyncCodex
    from modelport.codex._records import GroupToken
    from modelport.codex._sync.client import Codex
    from modelport.codex.pipeline import Pipeline

__all__ = [
    "ArchiveLimits",
    "AsyncCodex",
    "Backoff",
    "Codex",
    "GroupToken",
    "Pipeline",
    "Polling",
    "Progress",
    "Status",
]

_HOMES = {
    "ArchiveLimits": "modelport._archives",
    "AsyncCodex": "modelport.codex._async.client",
    "Backoff": "modelport._waiting",
    "Codex": "modelport.codex._sync.client",
    "GroupToken": "modelport.codex._records",
    "Pipeline": "modelport.codex.pipeline",
    "Polling": "modelport._waiting",
    "Progress": "modelport._waiting",
    "Status": "modelport._waiting",
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
