"""Basis AI Bedrock: so far its serving side, `PredictionStore`.

Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelport.bedrock._prediction_store import PredictionStore

__all__ = ["PredictionStore"]

_HOMES = {"PredictionStore": "modelport.bedrock._prediction_store"}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
