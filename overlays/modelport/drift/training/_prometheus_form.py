"""The form that Boxkite gives a column: names, help texts, edges and bins. Its files and its pages are made of this.

Values without a place (missing, of the wrong kind) are in the bucket ``+Inf`` or the bin ``nan``, as there.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

from modelport.drift._values import to_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelport.drift._baseline import Baseline, FeatureBaseline, Role
    from modelport.drift.serving._snapshot import FeatureCounts

__all__ = [
    "LIVE",
    "MISSING",
    "OUTPUT",
    "TRAINING",
    "bins_of",
    "buckets_of",
    "help_text",
    "metrics_of",
    "number_text",
    "one_line",
]

OUTPUT = "inference_value"
MISSING = "nan"
"""The bin of missing categories."""
TRAINING, LIVE = "Baseline", "Real time"
"""How help texts begin on the two sides."""

_HELP: dict[Role, str] = {
    "feature": "values for feature: ",
    "output": "inference values for test set",
    "attribution": "attributions for feature: ",
}


def metrics_of(baseline: Baseline) -> Iterator[tuple[str, FeatureBaseline]]:
    """The columns with their metrics' names in serving, in the order of `Baseline.columns`, which is Boxkite's too."""
    for index, feature in enumerate(baseline.features):
        yield f"feature_{index}_value", feature
    if baseline.output is not None:
        yield OUTPUT, baseline.output
    for index, attribution in enumerate(baseline.attributions):
        yield f"attribution_{index}_value", attribution


def help_text(side: str, role: Role, name: str = "") -> str:
    """What the metric of a column is: the one place where the column's name stands."""
    return f"{side} {_HELP[role]}{'' if role == 'output' else one_line(name)}"


def buckets_of(column: FeatureBaseline, values: FeatureBaseline | FeatureCounts) -> dict[float, float]:
    """Cumulative counts by upper edge."""
    cumulative = list(accumulate(values.counts))
    cumulative[-1] += values.missing + values.unseen
    edges = column.edges
    if not edges:
        # A histogram has two buckets at least; Boxkite puts this one before the other too.
        edges, cumulative = (0.0,), [0, *cumulative]
    return dict(zip((*edges, math.inf), map(float, cumulative), strict=True))


def bins_of(column: FeatureBaseline, values: FeatureBaseline | FeatureCounts) -> dict[str, int]:
    """Counts by bin, those of missing and of other categories among them even where they are 0."""
    bins: dict[str, int] = {}
    taken = set(column.labels)
    for label, count in zip(column.labels, values.counts, strict=True):
        spelled = number_text(label)
        text = one_line(label if spelled in taken else spelled)
        bins[text] = bins.get(text, 0) + count
    bins[MISSING] = bins.get(MISSING, 0) + values.missing
    return bins


def number_text(label: str) -> str:
    """A number's label as Boxkite has it: ``1.0`` for ``1``, ``inf`` for ``Infinity``; others as they are."""
    try:
        number = float(label)
    except ValueError:
        return label
    return repr(number) if to_label(number) == label else label


def one_line(text: str) -> str:
    """`text` without what the formats cannot hold: half a surrogate pair, which is no UTF-8, and a carriage return.

    Only the other ends of lines can be escaped; this one would end the line for who reads with universal newlines.
    """
    return text.replace("\r", "\\r").encode("utf-8", "backslashreplace").decode()
