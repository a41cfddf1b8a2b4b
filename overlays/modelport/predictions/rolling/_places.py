"""Where journals lie."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from modelport.predictions._store import is_url

if TYPE_CHECKING:
    from obstore.store import ObjectStore

    from modelport.predictions.rolling._files import Format

__all__ = ["journal_of"]


def journal_of(
    target: str | os.PathLike[str] | ObjectStore, journal: str | os.PathLike[str] | None, form: Format
) -> Path:
    """The journal directory for `target`.

    Below a directory that several sinks may share each destination and format has its own, because whoever takes
    a journal over ships it to where its own files go.
    """
    if isinstance(target, (str, os.PathLike)) and not is_url(target):
        return Path(journal) if journal is not None else Path(target) / ".journal"
    label = target if isinstance(target, str) else repr(target)
    own = hashlib.sha256(f"{label} {form}".encode()).hexdigest()[:16]
    return (Path(journal) if journal is not None else _temporary()) / own


def _temporary() -> Path:
    # One per user: another's could not be written, and predictions are nobody else's to read.
    user = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"modelport-journal-{user}"
