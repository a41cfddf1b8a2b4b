"""What can go wrong when logged data is compared."""

from __future__ import annotations

__all__ = ["OfflineError"]


class OfflineError(ValueError):
    """Data that cannot be read or compared; the text says which part of it."""
