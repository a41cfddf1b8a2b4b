"""Going through the files of a source, past whatever is wrong with them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from modelport.predictions._record import GroundTruth, Prediction
from modelport.predictions.reading._formats import Item, Job, format_of
from modelport.predictions.reading._sources import FilesSource
from modelport.predictions.reading._wanted import SLACK, parse_place

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from modelport.predictions._record import Record
    from modelport.predictions.reading._sources import Source
    from modelport.predictions.reading._wanted import Wanted

__all__ = ["OnError", "Scan"]

OnError: TypeAlias = "Callable[[str, int, Exception], object]"
"""Called with the file, the number of the line or row (0: the file itself) and what is wrong with it."""

_MAX_TOLD = 100_000

_logger = logging.getLogger("modelport.predictions")


class Scan(msgspec.Struct, frozen=True):
    """Records of `source`, file by file in order of their names; nothing is held but the line or batch at hand."""

    source: Source
    on_error: OnError | None = None
    # A reader goes through its files more than once; what is wrong with them is told the first time.
    told: set[tuple[str, int]] = msgspec.field(default_factory=set[tuple[str, int]])

    def predictions(self, wanted: Wanted) -> Iterator[Prediction]:
        """Yield the predictions that are wanted, and stop when each of the ids asked for has been found."""
        missing = None if wanted.ids is None else set(wanted.ids)
        for record in self._records(wanted, truths=False):
            if isinstance(record, Prediction):
                yield record
                if missing is not None:
                    missing.discard(record.prediction_id)
                    if not missing:
                        return

    def truths(self, wanted: Wanted) -> Iterator[GroundTruth]:
        """Yield the ground truth that is wanted."""
        for record in self._records(wanted, truths=True):
            if isinstance(record, GroundTruth):
                yield record

    def _records(self, wanted: Wanted, *, truths: bool) -> Iterator[Record]:
        for folder in self.source.folders(wanted.endpoint):
            for path in self.source.files(folder, *wanted.span()):
                read = self._format(path, wanted)
                if read is not None:
                    place = parse_place(path)
                    job = Job(self.source, path, wanted.endpoint_in(place.folder) if place else None, truths)
                    yield from filter(wanted.holds, self._without_errors(path, read(job)))

    def _format(self, path: str, wanted: Wanted) -> Callable[[Job], Iterator[Item]] | None:
        read = format_of(path)
        if isinstance(self.source, FilesSource):
            # Named by the caller: it is read whatever it is called, as text if nothing else is known.
            return read or format_of(".txt")
        place = parse_place(path)
        return read if place is not None and wanted.may_be_in(place.moment) else None

    def _without_errors(self, path: str, items: Iterator[Item]) -> Iterator[Record]:
        bad = 0
        try:
            for item in items:
                if isinstance(item, tuple):
                    bad += self._tell(path, *item)
                else:
                    yield item
        except (FileNotFoundError, IsADirectoryError) as error:
            # Most likely a clean-up or a compaction has removed it since it was listed.
            bad += self._tell(path, 0, error)
        if bad and self.on_error is None:
            _logger.warning("%s: %d unreadable lines or parts skipped", path, bad)

    def _tell(self, path: str, number: int, error: Exception) -> int:
        """Tell what is wrong with a line, unless that was done; how many were told."""
        if (path, number) in self.told:
            return 0
        if len(self.told) < _MAX_TOLD:
            self.told.add((path, number))
        if self.on_error is not None:
            self.on_error(path, number, error)
        return 1


def labels_wanted(wanted: Wanted, delay: dt.timedelta | None) -> Wanted:
    """Where the labels of the predictions in `wanted` may be: from its start on, however late, or up to `delay`."""
    start = wanted.start
    if start is None and wanted.moments:
        start = wanted.moments[0]
    try:
        # A label may be stamped by another clock than its prediction.
        start = None if start is None else start - SLACK
    except OverflowError:
        start = None
    end = None
    last = wanted.end or (wanted.moments[-1] if wanted.moments else None)
    if delay is not None and last is not None:
        end = last + delay
    return wanted.within(start, end)
