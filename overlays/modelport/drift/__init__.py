"""Drift: what training looked like, what serving looks like, and how far apart the two are.

    baseline = Baseline.from_data(training_frame, output=scores)
    baseline.save("baseline.json")
    ...
    report = drift_report(Baseline.load("baseline.json"), read_predictions("log", "churn"))
    Path("drift.html").write_text(report.to_html(title="Churn"))

The formulas are in `modelport.drift.divergence`. Importing this package loads neither numpy nor Jinja2.
"""

from modelport.drift._baseline import Baseline, BaselineError, FeatureBaseline
from modelport.drift._report import drift_report
from modelport.drift._results import DriftReport, DriftSlice, FeatureDrift, Performance
from modelport.drift._values import format_edge
from modelport.drift.divergence import (
    chi_square,
    js_divergence,
    kl_divergence,
    ks_distance,
    missing_rate,
    psi,
    psi_noise_threshold,
    total_variation,
    unseen_share,
    wasserstein_distance,
)
from modelport.drift.page._html import feature_chart_svg
from modelport.drift.serving._live import LiveCounts
from modelport.drift.serving._snapshot import CountsSnapshot, FeatureCounts
from modelport.drift.serving._state import CountsState

__all__ = [
    "Baseline",
    "BaselineError",
    "CountsSnapshot",
    "CountsState",
    "DriftReport",
    "DriftSlice",
    "FeatureBaseline",
    "FeatureCounts",
    "FeatureDrift",
    "LiveCounts",
    "Performance",
    "chi_square",
    "drift_report",
    "feature_chart_svg",
    "format_edge",
    "js_divergence",
    "kl_divergence",
    "ks_distance",
    "missing_rate",
    "psi",
    "psi_noise_threshold",
    "total_variation",
    "unseen_share",
    "wasserstein_distance",
]
