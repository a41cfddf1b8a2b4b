"""Packages of the user's environment that are large, optional or untyped: imported when first needed, typed as Any."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .problems import ContractError


def heavy(name: str) -> Any:
    """The module; ContractError that names the package when it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0].replace("sklearn", "scikit-learn")
        raise ContractError(
            f"{package} is not installed where the script runs ({error}): add it to requirements"
        ) from None
