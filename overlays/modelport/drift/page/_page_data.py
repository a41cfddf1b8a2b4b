"""The report's numbers as JSON that may stand inside a page."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._results import DriftReport, DriftSlice, FeatureDrift

__all__ = ["page_json", "report_data"]

_MOST_CELLS = 100_000
_DIGITS = 6
_ESCAPES = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})


def page_json(report: DriftReport) -> str:
    """`report_data` as ASCII text in which no tag can begin or end."""
    text = json.dumps(report_data(report), separators=(",", ":"), allow_nan=False)
    # Only text can hold these letters, and there the escape means the same.
    return text.translate(_ESCAPES)


def report_data(report: DriftReport) -> dict[str, Any]:
    """The report in JSON's own types: NaN is null, infinities are ``"Infinity"`` and ``"-Infinity"``.

    The whole comparison is given in full. Windows and segments are given as one list of PSI (six digits) and one of n
    for each, in the order of ``columns``: all columns where that makes at most 100,000 numbers, else the most drifted.
    """
    whole = msgspec.structs.asdict(report)
    parts = {"windows": report.windows, "segments": report.segments}
    slices = {name: _slices(report, found) for name, found in parts.items()}
    found = {**whole, **slices, "verdict": report.verdict, "mean_psi": report.mean_psi, "features": report.to_rows()}
    return {"format": "modelport.drift_report", "version": 1, **_plain(found)}


def _slices(report: DriftReport, slices: Sequence[DriftSlice]) -> dict[str, Any]:
    kept = list(report.features)
    if len(slices) * len(kept) > _MOST_CELLS:
        kept = list(report.by_psi[: max(1, _MOST_CELLS // len(slices))])
    keys = [(row.role, row.name) for row in kept]
    return {
        "columns": [{"role": role, "name": name} for role, name in keys],
        "items": [_slice(part, keys) for part in slices],
    }


def _slice(part: DriftSlice, keys: Sequence[tuple[str, str]]) -> dict[str, Any]:
    rows: dict[tuple[str, str], FeatureDrift] = {(row.role, row.name): row for row in part.features}
    found = [rows.get(key) for key in keys]
    fields = {name: value for name, value in msgspec.structs.asdict(part).items() if name not in {"features", "kind"}}
    return {
        **{name: value for name, value in fields.items() if value is not None},
        "psi": [None if row is None else _rounded(row.psi) for row in found],
        "n": [None if row is None else row.n for row in found],
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if isinstance(value, msgspec.Struct):
        return _plain(msgspec.structs.asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in cast("dict[object, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in cast("list[object]", value)]
    return value
