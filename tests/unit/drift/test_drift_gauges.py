"""The gauges of all columns at once are the figures of the report, whatever was counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.drift import Baseline, CountsSnapshot, FeatureBaseline, FeatureCounts, drift_report
from modelport.drift._gauges import DriftGauges

COUNT = st.one_of(st.just(0), st.integers(0, 9), st.integers(0, 10**9))
EDGE = st.floats(-1e300, 1e300)
PAIRS = {
    "psi": "psi", "psi_noise": "psi_threshold", "kl": "kl", "kl_reverse": "kl_reverse", "js": "js", "ks": "ks",
    "wasserstein": "wasserstein", "unseen_share": "unseen_share", "missing_rate": "missing_rate", "values": "n",
}  # fmt: skip


@st.composite
def columns(draw: st.DrawFn) -> tuple[FeatureBaseline, FeatureCounts]:
    numeric = draw(st.booleans())
    edges = tuple(sorted(draw(st.sets(EDGE, max_size=6)))) if numeric else ()
    categories = () if numeric else tuple(f"c{n}" for n in range(draw(st.integers(0, 5))))
    bins = len(edges) + len(categories) + 1
    sides = [tuple(draw(st.lists(COUNT, min_size=bins, max_size=bins))) for _ in range(2)]
    baseline = FeatureBaseline(
        name="f", kind="numeric" if numeric else "categorical", counts=sides[0], edges=edges, categories=categories
    )
    # Those of a category without a bin are in the last one; others are in none.
    unseen = draw(st.integers(0, 10**6)) + (0 if numeric else sides[1][-1])
    return baseline, FeatureCounts(sides[1], draw(st.integers(0, 10**6)), unseen)


@given(st.lists(columns(), min_size=1, max_size=4))
def test_gauges_equal_the_report(given_columns: list[tuple[FeatureBaseline, FeatureCounts]]) -> None:
    named = [
        (FeatureBaseline(**{**_fields(before), "name": f"f{place}"}), now)
        for place, (before, now) in enumerate(given_columns)
    ]
    baseline = Baseline(features=tuple(before for before, _ in named))
    served = CountsSnapshot({before.name: now for before, now in named})

    report, gauges = drift_report(baseline, served), DriftGauges(baseline)(served)

    for gauge, field in PAIRS.items():
        for row, value in zip(report.features, getattr(gauges, gauge), strict=True):
            expected = getattr(row, field)
            if expected is not None:
                scale = max((abs(edge) for edge in baseline.features[int(row.name[1:])].edges), default=0.0)
                near = 1e-12 * scale if field == "wasserstein" and math.isfinite(scale) else 1e-12
                assert value == pytest.approx(expected, rel=1e-9, abs=near, nan_ok=True), (gauge, row)


def _fields(column: FeatureBaseline) -> dict[str, object]:
    return {name: getattr(column, name) for name in column.__struct_fields__}
