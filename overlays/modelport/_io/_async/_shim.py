"""What differs between the two worlds beyond spelling; written by hand on both sides."""

from __future__ import annotations

from asyncio import Lock, sleep, to_thread

__all__ = ["Lock", "sleep", "to_thread"]
