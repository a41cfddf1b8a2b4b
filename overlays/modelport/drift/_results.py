"""What a comparison of serving with training says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from modelport.drift._verdict import overall

if TYPE_CHECKING:
    from modelport.drift.divergence import Rule

__all__ = ["DriftReport", "DriftSlice", "FeatureDrift", "Performance", "Reason", "Verdict"]

Verdict: TypeAlias = Literal["major", "moderate", "stable", "too few values"]
Reason: TypeAlias = Literal["distribution", "missing", "unseen"]


class FeatureDrift(msgspec.Struct, frozen=True, kw_only=True):
    """One feature, serving against training. Divergences are in nats and NaN where nothing was served.

    Attributes:
        name: The feature's name.
        kind: ``numeric`` or ``categorical``.
        role: ``feature``, ``output`` or ``attribution``.
        psi: Population stability index.
        kl: KL divergence of serving from training.
        kl_reverse: KL divergence of training from serving.
        js: Jensen-Shannon divergence.
        ks: Kolmogorov-Smirnov distance on the edges; None for a categorical feature, whose bins have no order.
        wasserstein: Wasserstein distance on the edges, in the feature's unit; None for a categorical feature.
        chi_square: Pearson's statistic of the two samples' bins.
        chi_square_p: The chance of one as large without drift.
        total_variation: Share of traffic that changed bins.
        n: Serving values in bins.
        missing: Serving values that are missing.
        missing_rate: Their share of all serving values.
        baseline_missing_rate: The same share in training.
        unseen: Serving values the baseline does not know.
        unseen_share: Their share of the serving values that are not missing.
        baseline_unseen_share: The same share in training: the values without a bin of their own.
        psi_threshold: The PSI that noise alone stays below at the report's level.
        significant: There are enough values, and PSI (under the rule ``clamp``) is above the threshold.
        verdict: ``major`` or ``moderate`` if there is a reason; else ``stable`` or ``too few values``.
        reasons: ``distribution`` if it is significant and PSI reaches 0.1 (major: 0.25); ``missing`` or ``unseen`` if
            that share is 0.1 or 0.05 above that of training (major: 0.25), and more than noise.
        bins: Text of each bin: its upper edge, or its category.
        baseline_shares: Share of the training values in each bin.
        shares: Share of the serving values in each bin; NaN where nothing was served.
        mean_absolute: Mean of the absolute serving values, where it was measured: of an attribution, mean |SHAP|.
        baseline_mean_absolute: The same in training, where the baseline has it.
    """

    name: str
    kind: str
    role: str
    psi: float
    kl: float
    kl_reverse: float
    js: float
    ks: float | None
    wasserstein: float | None
    chi_square: float
    chi_square_p: float
    total_variation: float
    n: int
    missing: int
    missing_rate: float
    baseline_missing_rate: float
    unseen: int
    unseen_share: float
    baseline_unseen_share: float
    psi_threshold: float
    significant: bool
    verdict: Verdict
    reasons: tuple[Reason, ...]
    bins: tuple[str, ...]
    baseline_shares: tuple[float, ...]
    shares: tuple[float, ...]
    mean_absolute: float | None = None
    baseline_mean_absolute: float | None = None

    @property
    def mean_absolute_change(self) -> float | None:
        """By what part of its training value `mean_absolute` has grown (-0.5: it has halved); None where unknown."""
        if self.mean_absolute is None or not self.baseline_mean_absolute:
            return None
        return self.mean_absolute / self.baseline_mean_absolute - 1


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """How right the model was where the truth has become known.

    Attributes:
        kind: ``classification`` or ``regression``.
        labelled: Predictions whose ground truth is known.
        metrics: Value by name, such as ``accuracy`` or ``mae``; NaN where it is not defined.
    """

    kind: Literal["classification", "regression"]
    labelled: int
    metrics: dict[str, float]


class DriftSlice(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the traffic, compared like the whole: a stretch of time, or the predictions of one segment.

    Attributes:
        kind: ``window`` or ``segment``.
        name: Of a segment: which label, such as ``country``; of a window: ``""``.
        value: Of a segment: the label's value; of a window: its start as ISO 8601 in UTC.
        records: Predictions compared.
        features: As in `DriftReport`.
        start_ns: Of a window: its start, in nanoseconds since 1970 (UTC).
        end_ns: Of a window: its end, not included.
        performance: Where ground truth is known.
    """

    kind: Literal["window", "segment"]
    name: str
    value: str
    records: int
    features: tuple[FeatureDrift, ...]
    start_ns: int | None = None
    end_ns: int | None = None
    performance: Performance | None = None


class DriftReport(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison of serving with training.

    Attributes:
        features: One row per feature, and one for the output, in the baseline's order.
        rule: How empty bins were treated: see `modelport.drift.divergence`.
        level: Confidence of the significance test.
        min_values: Serving values a feature needs before it is judged.
        records: Predictions compared.
        uncounted: Predictions that were no row of the baseline's features.
        baseline_rows: Rows of the training data.
        model_version: The baseline's.
        endpoint: Whose predictions were compared, if known.
        windows: The same comparison for each stretch of time, in order.
        segments: The same comparison for each segment.
        performance: Where ground truth is known.
        notes: What the reader of the numbers has to know, in sentences: what this way of counting has left out.
    """

    features: tuple[FeatureDrift, ...]
    rule: Rule
    level: float
    min_values: int
    records: int
    uncounted: int = 0
    baseline_rows: int = 0
    model_version: str | None = None
    endpoint: str | None = None
    windows: tuple[DriftSlice, ...] = ()
    segments: tuple[DriftSlice, ...] = ()
    performance: Performance | None = None
    notes: tuple[str, ...] = ()

    @property
    def by_psi(self) -> tuple[FeatureDrift, ...]:
        """The rows, highest PSI first; rows without values last."""
        return tuple(sorted(self.features, key=lambda row: (row.psi != row.psi, -row.psi, row.name)))

    @property
    def drifted(self) -> tuple[FeatureDrift, ...]:
        """The rows judged ``major`` or ``moderate``, in this order; those of one verdict by their PSI."""
        found = [row for row in self.by_psi if row.verdict in {"major", "moderate"}]
        return tuple(sorted(found, key=lambda row: row.verdict != "major"))

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the features and the output, or on predictions that are no rows of the features.

        Those weigh as unseen values do: `moderate` from a share of 0.05 on, `major` from 0.25.
        """
        verdicts: set[Verdict] = {row.verdict for row in self.features if row.role != "attribution"}
        return overall(verdicts, self.records, self.uncounted)

    @property
    def mean_psi(self) -> float:
        """PSI averaged over the features (not the output) that have values; NaN if none has."""
        return _mean([row.psi for row in self.features if row.role == "feature" and row.n])

    @property
    def mean_attribution_psi(self) -> float:
        """PSI averaged over the attributions that have values; NaN if none has."""
        return _mean([row.psi for row in self.features if row.role == "attribution" and row.n])

    @property
    def mean_absolute_attribution(self) -> float:
        """Mean |SHAP| averaged over the attributions; NaN where it is not known."""
        return _mean([row.mean_absolute for row in self.features if row.mean_absolute is not None])

    @property
    def baseline_mean_absolute_attribution(self) -> float:
        """The same in training, over the attributions that `mean_absolute_attribution` is of."""
        known = [row.baseline_mean_absolute for row in self.features if row.mean_absolute is not None]
        return math.nan if None in known else _mean([value for value in known if value is not None])

    def to_rows(self) -> list[dict[str, object]]:
        """One plain mapping per row, in the baseline's order; ready for a data frame."""
        return [msgspec.structs.asdict(row) for row in self.features]

    def to_html(self, *, title: str = "Drift report", subtitle: str = "") -> str:
        """One self-contained page that needs no network, light and dark, for screen and paper.

        It can be read without scripts; the one in it sorts and filters the overview and saves the numbers, and the
        page's content security policy lets no other run. All numbers are in it as JSON (``script#drift-data``). Of
        very many columns or windows only the most drifted are drawn, and the page says so.

        Raises:
            MissingExtraError: Jinja2 is not installed.
        """
        # Here, because Jinja2 is an extra.
        from modelport.drift.page._html import render_report

        return render_report(self, title=title, subtitle=subtitle)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
