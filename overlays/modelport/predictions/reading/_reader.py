"""What a reader offers: records one by one, or as a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from modelport._extras import require
from modelport.predictions._record import GroundTruth, Prediction
from modelport.predictions.columns import Layout, to_batch
from modelport.predictions.columns._build import schema_of
from modelport.predictions.reading._labels import LabelTable
from modelport.predictions.reading._scan import labels_wanted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from modelport.predictions.reading._scan import Scan
    from modelport.predictions.reading._wanted import Wanted

__all__ = ["GroundTruthReader", "PredictionReader"]

_BATCH_ROWS = 65_536
_JOIN_ROWS = 1000

Found = TypeVar("Found", Prediction, GroundTruth)


class _Reader(ABC, Generic[Found]):
    """Records that are read when they are asked for; each iteration reads the files anew."""

    def __init__(self, scan: Scan, wanted: Wanted) -> None:
        self._scan = scan
        self._wanted = wanted

    @abstractmethod
    def __iter__(self) -> Iterator[Found]:
        """Yield the records."""

    @abstractmethod
    def _empty_layout(self) -> Layout: ...

    def _for_layout(self) -> Iterator[Found]:
        return iter(self)

    def to_arrow_batches(self, size: int = _BATCH_ROWS) -> Any:
        """A ``pyarrow.RecordBatchReader`` of batches of at most `size` rows, all of one schema.

        The files are read twice: once for the names and types of the columns, which is done before this returns,
        and once for the values. At most one batch is in memory.

        Raises:
            MissingExtraError: pyarrow is not installed.
            ValueError: `size` is not positive.
        """
        pa: Any = require("pyarrow", "parquet")
        if size < 1:
            message = f"a batch has at least one row, not {size}"
            raise ValueError(message)
        layout = self._empty_layout()
        for record in self._for_layout():
            layout.observe(record)
        return pa.RecordBatchReader.from_batches(schema_of(layout), self._batches(layout, size))

    def _batches(self, layout: Layout, size: int) -> Iterator[Any]:
        records = iter(self)
        while batch := list(islice(records, size)):
            yield to_batch(batch, layout)

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table`` with a column per feature, as `ParquetSink` writes them.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        return self.to_arrow_batches().read_all()

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` of the same columns.

        Raises:
            MissingExtraError: pandas or pyarrow is not installed.
        """
        require("pandas", "training")
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """A ``polars.DataFrame`` of the same columns.

        Raises:
            MissingExtraError: polars or pyarrow is not installed.
        """
        polars: Any = require("polars", "polars")
        return polars.from_arrow(self.to_arrow())


class PredictionReader(_Reader[Prediction]):
    """Predictions, each with its label where ground truth for it was found. Made by `read_predictions`."""

    def __init__(self, scan: Scan, wanted: Wanted, *, labels: bool, label_delay: dt.timedelta | None) -> None:
        super().__init__(scan, wanted)
        self._labels = labels
        self._label_delay = label_delay

    def __iter__(self) -> Iterator[Prediction]:
        """Yield the predictions, file by file in order of their names."""
        return self._found(self._wanted) if self._wanted.moments is None else self._by_their_times()

    def _by_their_times(self) -> Iterator[Prediction]:
        missing = set(self._wanted.ids or ())
        for prediction in self._found(self._wanted):
            missing.discard(prediction.prediction_id)
            yield prediction
        if missing:
            # An id that somebody has made may look as if it carried its time.
            yield from self._found(self._wanted.anywhere(missing))

    def _found(self, wanted: Wanted) -> Iterator[Prediction]:
        predictions = self._scan.predictions(wanted)
        return self._joined(predictions, wanted) if self._labels else predictions

    def _joined(self, predictions: Iterator[Prediction], wanted: Wanted) -> Iterator[Prediction]:
        with LabelTable() as table:
            for truth in self._scan.truths(labels_wanted(wanted, self._label_delay)):
                table.add(truth)
            while batch := list(islice(predictions, _JOIN_ROWS)):
                yield from table.joined(batch)

    def _empty_layout(self) -> Layout:
        return Layout(labels=self._labels)


class GroundTruthReader(_Reader[GroundTruth]):
    """Ground truth as it was logged, corrections included. Made by `read_ground_truth`."""

    def __iter__(self) -> Iterator[GroundTruth]:
        """Yield the ground truth, file by file in order of their names."""
        return self._scan.truths(self._wanted)

    def _empty_layout(self) -> Layout:
        return Layout(labels=True, predictions=False)
