"""Basis AI Bedrock: so far its serving side, `PredictionStore`.

Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport._lazy import lazy_names

if TYPE_CHECKING:
    from modelport.bedrock._prediction_store import PredictionStore

__all__ = ["PredictionStore"]

_HOMES = {"PredictionStore": "modelport.bedrock._prediction_store"}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
