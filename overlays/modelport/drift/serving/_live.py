"""Counts of what a model is asked and answers, kept in the bins of its baseline."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.drift.serving._snapshot import CountsSnapshot, FeatureCounts
from modelport.drift.serving._state import CountsState, zero_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelport.drift._baseline import Baseline, FeatureBaseline

__all__ = ["LiveCounts"]

_STEP = 1000


class LiveCounts:
    """Exact counts per bin of a `Baseline`, fed in batches and read as immutable snapshots.

    Threads may call any method at any time; batches are added one after the other.
    """

    def __init__(self, baseline: Baseline) -> None:
        """Begin at zero.

        Raises:
            MissingExtraError: numpy is not installed.
        """
        require("numpy", "drift")
        # Here, because numpy is an extra.
        from modelport.drift.serving._tally import Tally

        self.baseline = baseline
        self._width = len(baseline.features) + (baseline.output is not None)
        self._served = Tally(baseline.features, baseline.output)
        self._attributed = Tally(baseline.attributions, None) if baseline.attributions else None
        self._zero = zero_state(baseline)
        self._lock = threading.Lock()
        self._state = self._zero

    def update(
        self,
        features: Sequence[object],
        outputs: Sequence[object],
        attributions: Iterable[object] = (),
    ) -> None:
        """Count a batch of predictions.

        Args:
            features: One entry each: a mapping by name, a sequence or array in the baseline's order, or a table of
                several rows (list of rows, 2-D array, frame), whose output is then a sequence of as many items.
            outputs: As many outputs.
            attributions: What features added to outputs, as mappings by feature name or sequences in their order;
                for any number of the predictions. What is neither is not counted.

        A prediction that is no row of the baseline's features counts as uncounted, a table whose outputs are of
        another number as one per row; no value makes this raise.
        """
        for start in range(0, len(features), _STEP):
            made = self._blank()
            stop = start + _STEP
            rows, uncounted = self._served.count(features[start:stop], outputs[start:stop], made.part(0, self._width))
            self._add(made._replace(records=rows, uncounted=uncounted))
        self._update_attributions(attributions)

    def update_packed(
        self, features: Sequence[bytes], outputs: Sequence[object], attributions: Iterable[object] = ()
    ) -> None:
        """As `update`, for features that are msgpack arrays or maps, one to a prediction."""
        for start in range(0, len(features), _STEP):
            made = self._blank()
            stop = start + _STEP
            part = made.part(0, self._width)
            rows, uncounted = self._served.count_packed(features[start:stop], outputs[start:stop], part)
            self._add(made._replace(records=rows, uncounted=uncounted))
        self._update_attributions(attributions)

    def update_from(self, predictions: Iterable[object]) -> None:
        """Count `modelport.predictions.Prediction` records, such as `read_predictions` yields; others are passed by."""
        batch: list[Any] = []
        for prediction in predictions:
            if hasattr(prediction, "features"):
                batch.append(prediction)
            if len(batch) == _STEP:
                self._update_batch(batch)
                batch = []
        self._update_batch(batch)

    def state(self) -> CountsState:
        """The counts of this moment as arrays: immutable by agreement, and added up with `CountsState.plus`."""
        return self._state

    def snapshot(self, state: CountsState | None = None) -> CountsSnapshot:
        """The counts of this moment, or those of `state`, which may be the sum of several processes'."""
        now = self._state if state is None else state
        columns = self.baseline.columns
        counts = [_feature(now, index, column) for index, column in enumerate(columns)]
        count = len(self.baseline.features)
        attributed = zip((column.name for column in self.baseline.attributions), counts[self._width :], strict=True)
        return CountsSnapshot(
            dict(zip(self.baseline.names, counts[:count], strict=True)),
            counts[count] if self.baseline.output is not None else None,
            now.records,
            now.uncounted,
            dict(attributed),
        )

    def reset(self) -> None:
        """Begin again at zero, as a forked child has to; not while another thread is counting."""
        self._lock = threading.Lock()
        self._state = self._zero

    def _update_batch(self, batch: list[Any]) -> None:
        self.update(
            [prediction.features for prediction in batch],
            [prediction.output for prediction in batch],
            [prediction.attributions for prediction in batch if prediction.attributions is not None],
        )

    def _update_attributions(self, attributions: Iterable[object]) -> None:
        given = list(attributions)
        if self._attributed is None or not given:
            return
        for start in range(0, len(given), _STEP):
            made = self._blank()
            step = given[start : start + _STEP]
            self._attributed.count(step, [None] * len(step), made.part(self._width, len(made.missing)))
            self._add(made)

    def _blank(self) -> CountsState:
        zero = self._zero
        arrays = (zero.bins, zero.missing, zero.unseen)
        bins, missing, unseen = (array.copy() for array in arrays)
        return CountsState(bins, missing, unseen, zero.sums.copy(), 0, 0)

    def _add(self, made: CountsState) -> None:
        with self._lock:
            self._state = self._state.plus(made)


def _feature(state: CountsState, index: int, column: FeatureBaseline) -> FeatureCounts:
    counts = tuple(state.bins[index, : len(column.counts)].tolist())
    return FeatureCounts(counts, int(state.missing[index]), int(state.unseen[index]), float(state.sums[index]))
