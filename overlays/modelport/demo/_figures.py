"""The figures that the report shows, computed from the story."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

import attrs

from modelport._extras import require

if TYPE_CHECKING:
    from modelport.demo._story import Scored, Story

THRESHOLD = 0.5


@attrs.frozen(kw_only=True)
class Quality:
    """How well the deployed model did on records it had never seen."""

    auc: float
    roc: list[tuple[float, float]]
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @property
    def metrics(self) -> dict[str, float]:
        """The usual rates, under the names that the training gives them."""
        found = self.true_positives + self.false_positives
        ill = self.true_positives + self.false_negatives
        right = self.true_positives + self.true_negatives
        return {
            "roc_auc": self.auc,
            "accuracy": right / (found + self.true_negatives + self.false_negatives),
            "precision": self.true_positives / found if found else math.nan,
            "recall": self.true_positives / ill if ill else math.nan,
            "f1": 2 * self.true_positives / (found + ill) if found + ill else math.nan,
        }


@attrs.frozen(kw_only=True)
class FeatureRow:
    """One feature in both weeks, and what the platform says of it."""

    name: str
    usual: Any
    shifted: Any
    shap: float | None
    platform: tuple[float, ...]


def quality_of(held_out: Scored) -> Quality:
    """Curve and confusion matrix at a half."""
    metrics: Any = require("sklearn.metrics", "demo")
    false_rates, true_rates, _ = metrics.roc_curve(held_out.labels, held_out.scores)
    pairs = [(label, score >= THRESHOLD) for label, score in zip(held_out.labels, held_out.scores, strict=True)]
    return Quality(
        auc=float(metrics.roc_auc_score(held_out.labels, held_out.scores)),
        roc=[(float(x), float(y)) for x, y in zip(false_rates, true_rates, strict=True)],
        true_positives=pairs.count((1, True)),
        false_positives=pairs.count((0, True)),
        true_negatives=pairs.count((0, False)),
        false_negatives=pairs.count((1, False)),
    )


def feature_rows(story: Story) -> list[FeatureRow]:
    """The features, those that drifted most first."""
    if story.usual is None or story.shifted is None:
        return []
    usual = {row.name: row for row in story.usual.features}
    shap = story.watched[-1].shap if story.watched else {}
    return [
        FeatureRow(
            name=row.name,
            usual=usual[row.name],
            shifted=row,
            shap=shap.get(row.name),
            platform=tuple(watched.psi.get(row.name, math.nan) for watched in story.watched),
        )
        for row in story.shifted.by_psi
        if row.role == "feature"
    ]


def drifted(report: Any) -> int:
    """How many features (not the output) are judged to have drifted."""
    return 0 if report is None else sum(row.role == "feature" for row in report.drifted)


def figures_of(story: Story) -> dict[str, float]:
    """The report's headline figures, for programs."""
    rows = feature_rows(story)
    ran = [program.ran for program in story.programs]
    return {
        "seconds": round(story.total_seconds, 3),
        "roc_auc": quality_of(story.held_out).auc if story.held_out else math.nan,
        "predictions_logged": story.logged,
        "predictions_dropped": story.dropped,
        "features": len(rows),
        "features_drifted_usual": drifted(story.usual),
        "features_drifted_shifted": drifted(story.shifted),
        "highest_psi": rows[0].shifted.psi if rows else math.nan,
        "median_answer_milliseconds": statistics.median(story.milliseconds) if story.milliseconds else math.nan,
        "programs": len(ran),
        "programs_ran": ran.count(True),
        "programs_failed": ran.count(False),
    }
