"""What a scan of files cannot see, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.drift.offline._sources import FileSource

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from modelport.drift._baseline import Baseline
    from modelport.drift.offline._scan import Found
    from modelport.drift.offline._sources import Source

__all__ = ["notes", "version_note"]

_NAMED_VERSIONS = 5
_EXACT = "read as a log (its root as --logs, or logged_drift_report)"


def version_note(versions: Counter[str], baseline: Baseline) -> Iterator[str]:
    """How many of the predictions another version of the model made than the baseline is of, if any."""
    known = baseline.model_version
    others = {version: count for version, count in versions.most_common() if version != known}
    if known is not None and others:
        named = [f"{version}: {count:,}" for version, count in list(others.items())[:_NAMED_VERSIONS]]
        more = len(others) - len(named)
        told = ", ".join(named) + (f" and {more} more" if more else "")
        yield (
            f"{sum(others.values()):,} of {versions.total():,} predictions are of another model version ({told}) "
            f"than the baseline's, {known}; model_version= (--model-version) compares one alone"
        )


def notes(found: Found, source: Source, baseline: Baseline, label: str | None) -> tuple[str, ...]:
    """What the reader of the numbers has to know; empty if that is nothing."""
    made = list(version_note(found.versions, baseline))
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
