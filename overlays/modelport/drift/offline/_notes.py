"""What a scan of files cannot see, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.drift.offline._sources import FileSource

if TYPE_CHECKING:
    from modelport.drift.offline._scan import Found
    from modelport.drift.offline._sources import Source

__all__ = ["notes"]

_EXACT = "read as a log (its root as --logs, or logged_drift_report)"


def notes(found: Found, source: Source, label: str | None) -> tuple[str, ...]:
    """What the report leaves out of files that `ParquetSink` wrote; empty if that is nothing."""
    made: list[str] = []
    if found.untold:
        # Some may be there for less: a feature that is null among rows that have none of it is no value that counts.
        rows = "up to 1 row keeps" if found.untold == 1 else f"up to {found.untold:,} rows keep"
        made.append(
            f"{rows} values that fit no column in other_json; here these count as missing, {_EXACT} as what they are"
        )
    if isinstance(source, FileSource) and source.truths and label is None:
        files = "1 file" if source.truths == 1 else f"{source.truths:,} files"
        made.append(f"the ground truth in {files} is not joined here; {_EXACT} it is")
    return tuple(made)
