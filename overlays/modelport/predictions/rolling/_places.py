"""Where journals lie."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from modelport.predictions._store import is_url, label_of

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
    label = os.fspath(target) if isinstance(target, (str, os.PathLike)) else label_of(target)
    own = hashlib.sha256(f"{label} {form}".encode()).hexdigest()[:16]
    if journal is not None:
        return Path(journal) / own
    # One per user, whose predictions are nobody else's to read, and directly below the temporary directory, where
    # nobody can put another in its place.
    user = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"modelport-journal-{user}-{own}"
