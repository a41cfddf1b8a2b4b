"""Serving against training, feature by feature."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, cast

from modelport._extras import require
from modelport.drift import divergence
from modelport.drift._baseline import Baseline
from modelport.drift._errors import BaselineError
from modelport.drift._noise import psi_noise
from modelport.drift._results import DriftReport, FeatureDrift
from modelport.drift._verdict import judged
from modelport.drift.serving._live import LiveCounts
from modelport.drift.serving._snapshot import CountsSnapshot

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from modelport.drift._baseline import FeatureBaseline
    from modelport.drift.divergence import Rule
    from modelport.drift.serving._snapshot import FeatureCounts

__all__ = ["drift_report", "feature_drift"]

# What tables have that iterables of rows or records have not.
_OF_TABLES = ("items", "get_columns", "ndim", "read_next_batch", "column_names", "__arrow_c_stream__")
_DEFAULT_LEVEL = 0.99
_DEFAULT_MIN_VALUES = 200


def drift_report(
    baseline: Baseline | str | os.PathLike[str],
    current: object,
    *,
    output: object = None,
    attributions: object = None,
    names: Sequence[str] | None = None,
    rule: Rule = "clamp",
    level: float = _DEFAULT_LEVEL,
    min_values: int = _DEFAULT_MIN_VALUES,
) -> DriftReport:
    """Compare serving with training.

    Args:
        baseline: The training side, or the path of a saved one.
        current: `LiveCounts`, a `CountsSnapshot`, an iterable of `modelport.predictions.Prediction`, or data in any
            form that `Baseline.from_data` takes.
        output: The outputs that go with data, or the name of the column of the data that holds them.
        attributions: The attributions that go with data, in any form that `Baseline.from_data` takes.
        names: The columns' names where the data has none.
        rule: How empty bins count: see `modelport.drift.divergence`.
        level: Confidence of the significance test.
        min_values: Serving values a feature needs before it is judged.

    Raises:
        BaselineError: No baseline; data that lacks a feature of the baseline, or that would make none either; outputs
            of another length; counts of another baseline.
        MissingExtraError: numpy is needed to count and not installed.
    """
    baseline = Baseline.of(baseline)
    counts = _counts(baseline, current, output, attributions, names)
    rows = [
        feature_drift(column, now, rule=rule, level=level, min_values=min_values)
        for column in baseline.columns
        if (now := counts.of(column)) is not None
    ]
    return DriftReport(
        features=tuple(rows),
        rule=rule,
        level=level,
        min_values=min_values,
        records=counts.records,
        uncounted=counts.uncounted,
        baseline_rows=baseline.rows,
        model_version=baseline.model_version,
    )


def feature_drift(
    baseline: FeatureBaseline,
    current: FeatureCounts,
    *,
    rule: Rule = "clamp",
    level: float = _DEFAULT_LEVEL,
    min_values: int = _DEFAULT_MIN_VALUES,
) -> FeatureDrift:
    """Compare one feature."""
    before, now = baseline.counts, current.counts
    total = current.total
    # A category without a bin of its own is in the last bin; what cannot be one, or is no number, is in none.
    strangers = current.unseen - (now[-1] if baseline.kind == "categorical" else 0)
    present = total + max(strangers, 0)
    clamped = divergence.psi(before, now, rule="clamp")
    threshold = psi_noise(baseline, now, clamped, level=level)
    psi = clamped if rule == "clamp" else divergence.psi(before, now, rule=rule)
    significant = total >= min_values and clamped > threshold
    chi_square, chi_square_p = divergence.chi_square(before, now)
    numeric = baseline.kind == "numeric"
    verdict, reasons = judged(
        baseline, current, psi, significant=significant, present=present, level=level, min_values=min_values
    )
    return FeatureDrift(
        name=baseline.name,
        kind=baseline.kind,
        role=baseline.role,
        psi=psi,
        kl=divergence.kl_divergence(before, now, rule=rule),
        kl_reverse=divergence.kl_divergence(before, now, reverse=True, rule=rule),
        js=divergence.js_divergence(before, now),
        ks=divergence.ks_distance(before, now) if numeric else None,
        wasserstein=divergence.wasserstein_distance(before, now, baseline.edges) if numeric else None,
        chi_square=chi_square,
        chi_square_p=chi_square_p,
        total_variation=divergence.total_variation(before, now),
        n=total,
        missing=current.missing,
        missing_rate=divergence.missing_rate(current.missing, present + current.missing),
        baseline_missing_rate=divergence.missing_rate(
            baseline.missing, baseline.total + baseline.missing + baseline.unseen
        ),
        unseen=current.unseen,
        unseen_share=divergence.unseen_share(current.unseen, present),
        baseline_unseen_share=divergence.unseen_share(baseline.strangers, baseline.total + baseline.unseen),
        psi_threshold=threshold,
        significant=significant,
        verdict=verdict,
        reasons=reasons,
        bins=baseline.labels,
        baseline_shares=divergence.shares(before),
        shares=divergence.shares(now),
        baseline_mean_absolute=baseline.mean_absolute,
    )


def _counts(
    baseline: Baseline, current: object, output: object, attributions: object, names: Sequence[str] | None
) -> CountsSnapshot:
    if isinstance(current, (LiveCounts, CountsSnapshot)):
        if not _are_of(current, baseline):
            message = "these counts are of another baseline: their features or bins differ"
            raise BaselineError(message)
        return current.snapshot() if isinstance(current, LiveCounts) else current
    require("numpy", "drift")
    # Here, because numpy is an extra.
    from modelport.drift.serving._count_data import count_data

    is_table = any(map(partial(hasattr, current), _OF_TABLES))
    if not is_table and isinstance(current, Iterable):
        items = iter(cast("Iterable[object]", current))
        first = next(items, None)
        if first is None or hasattr(first, "features"):
            live = LiveCounts(baseline)
            live.update_from(() if first is None else chain([first], items))
            return live.snapshot()
        current = chain([first], items)
    return count_data(baseline, current, output=output, attributions=attributions, names=names)


def _are_of(counts: LiveCounts | CountsSnapshot, baseline: Baseline) -> bool:
    if isinstance(counts, LiveCounts):
        return [column.bins for column in counts.baseline.columns] == [column.bins for column in baseline.columns]
    # A snapshot has no bounds of bins, only their number.
    known = [(column, counts.of(column)) for column in baseline.columns]
    fit = all(now is None or len(now.counts) == len(column.counts) for column, now in known)
    return fit and tuple(counts.features) == baseline.names
