"""Divergences of all columns at once, as often as they are scraped: the figures of `drift_report` for a tenth."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec

from modelport._extras import require
from modelport.drift._noise import psi_noise
from modelport.drift.divergence import CLAMP_SHARE, psi_noise_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._baseline import Baseline, FeatureBaseline
    from modelport.drift._kernel import Floats
    from modelport.drift.serving._snapshot import CountsSnapshot, FeatureCounts

__all__ = ["ColumnGauges", "DriftGauges"]

_LEVEL = 0.99


class ColumnGauges(msgspec.Struct, frozen=True):
    """One list per figure, with one item per column of the baseline; NaN where nothing was served.

    The names are those of `FeatureDrift`, and so are the values: shares are clamped for PSI and KL, KS and Wasserstein
    distance only mean something for numeric columns.
    """

    psi: list[float]
    psi_noise: list[float]
    kl: list[float]
    kl_reverse: list[float]
    js: list[float]
    ks: list[float]
    wasserstein: list[float]
    unseen_share: list[float]
    missing_rate: list[float]
    values: list[int]


class DriftGauges:
    """Compares counts with one baseline, again and again: all columns in one matrix, one bin a column of it."""

    def __init__(self, baseline: Baseline) -> None:
        """Prepare the training side.

        Raises:
            MissingExtraError: numpy is not installed.
        """
        require("numpy", "drift")
        # Here, because numpy is an extra.
        import numpy as np

        self._np = np
        self._columns = columns = baseline.columns
        self._width = max((len(column.counts) for column in columns), default=1)
        self._real = np.array([[bin_ < len(column.counts) for bin_ in range(self._width)] for column in columns], bool)
        self._training = self._matrix([column.counts for column in columns])
        self._numeric = np.array([column.kind == "numeric" for column in columns], bool)
        self._p = self._shares(self._training)
        self._clamped_p = self._clamp(self._p)
        self._log_p = np.log(self._clamped_p)
        self._last = (np.arange(len(columns)), [len(column.counts) - 1 for column in columns])
        self._low, self._high = self._edges([column.edges for column in columns])

    def __call__(self, served: CountsSnapshot) -> ColumnGauges:
        """The figures of `served` against training."""
        np = self._np
        counts = self._matrix([column.counts for column in served.columns])
        q = self._shares(counts)
        clamped = self._clamp(q)
        logs = np.log(clamped) - self._log_p
        gaps = np.abs(np.cumsum(q, axis=1) - np.cumsum(self._p, axis=1))
        values = counts.sum(axis=1)
        used = (((counts + self._training) > 0) & self._real).sum(axis=1)
        unseen = np.array([column.unseen for column in served.columns], float)
        missing = np.array([column.missing for column in served.columns], float)
        # A stranger among categories is in the last bin, unless it is none at all; among numbers it is in no bin.
        present = values + np.where(self._numeric, unseen, np.maximum(unseen - counts[self._last], 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            rates = unseen / present, missing / (present + missing)
            earth = (gaps * self._high - gaps * self._low).sum(axis=1)
        psi: list[float] = ((clamped - self._clamped_p) * logs).sum(axis=1).tolist()
        return ColumnGauges(
            psi=psi,
            psi_noise=self._noise(served, used.tolist(), psi),
            kl=(clamped * logs).sum(axis=1).tolist(),
            kl_reverse=(-self._clamped_p * logs).sum(axis=1).tolist(),
            js=self._js(q),
            ks=np.minimum(gaps.max(axis=1, initial=0), 1).tolist(),
            wasserstein=earth.tolist(),
            unseen_share=rates[0].tolist(),
            missing_rate=rates[1].tolist(),
            values=values.astype(int).tolist(),
        )

    def _matrix(self, counts: Sequence[Sequence[float]]) -> Floats:
        rows = [[*row, *([0.0] * (self._width - len(row)))] for row in counts]
        return self._np.array(rows, float).reshape(len(rows), self._width)

    def _shares(self, counts: Floats) -> Floats:
        with self._np.errstate(invalid="ignore"):
            shares: Floats = counts / counts.sum(axis=1, keepdims=True)
        return shares

    def _clamp(self, shares: Floats) -> Floats:
        # 1 where there is no bin: its logarithm is 0 on both sides.
        return self._np.where(self._real, self._np.maximum(shares, CLAMP_SHARE), 1.0)

    def _edges(self, edges: Sequence[Sequence[float]]) -> tuple[Floats, Floats]:
        """Lower and upper edge of all bins but the outer two; 0 for those."""
        np = self._np
        low, high = np.zeros((2, len(edges), self._width))
        for row, values in enumerate(edges):
            if values:
                low[row, : len(values) - 1], high[row, : len(values) - 1] = values[:-1], values[1:]
        return low, high

    def _js(self, q: Floats) -> list[float]:
        np = self._np
        middle = (self._p + q) / 2
        total = np.zeros(len(q))
        with np.errstate(divide="ignore", invalid="ignore"):
            for side in (self._p, q):
                total += np.where(side == 0, 0.0, side * np.log(np.where(side == 0, 1.0, side / middle))).sum(axis=1)
        bounded: list[float] = np.clip(total / 2, 0.0, np.log(2)).tolist()
        return bounded

    def _noise(self, served: CountsSnapshot, used: list[int], psi: list[float]) -> list[float]:
        columns = zip(self._columns, served.columns, used, psi, strict=True)
        return [self._column_noise(*column) for column in columns]

    def _column_noise(self, before: FeatureBaseline, now: FeatureCounts, used: int, psi: float) -> float:
        trained, served = before.total, now.total
        bound = _quantile(used) * (1 / trained + 1 / served) if trained and served else float("inf")
        # Few columns are above, and only those take the longer way.
        return psi_noise(before, now.counts, psi, level=_LEVEL) if psi > bound else bound


@cache
def _quantile(bins: int) -> float:
    # Of chi-square: with two values on each side the factor beside it is 1.
    return psi_noise_threshold(bins, 2, 2, level=_LEVEL)
