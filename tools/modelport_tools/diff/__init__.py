"""What changed between two OpenAPI documents, and whom it breaks."""

from __future__ import annotations

from .comparing import diff, diff_files
from .report import Change, DiffReport, Label

__all__ = ["Change", "DiffReport", "Label", "diff", "diff_files"]
