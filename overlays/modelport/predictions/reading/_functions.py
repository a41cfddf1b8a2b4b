"""The two ways in: `read_predictions` and `read_ground_truth`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.predictions.reading._expired import check_ttl
from modelport.predictions.reading._reader import GroundTruthReader, PredictionReader
from modelport.predictions.reading._scan import Scan
from modelport.predictions.reading._sources import source_of
from modelport.predictions.reading._wanted import Wanted, time_of_id

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from modelport.predictions.reading._scan import OnError
    from modelport.predictions.reading._sources import SourceLike

__all__ = ["read_ground_truth", "read_predictions"]


def read_predictions(
    source: SourceLike,
    endpoint: str | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    *,
    prediction_ids: Iterable[str] | None = None,
    labels: bool = True,
    label_delay: dt.timedelta | None = None,
    ttl: dt.timedelta | None = None,
    on_error: OnError | None = None,
) -> PredictionReader:
    """The predictions logged below `source`; nothing is read before they are asked for.

    Args:
        source: The directory given to `FileSink` or `ParquetSink`, ``s3://bucket/prefix`` (credentials and endpoint
            from the AWS variables), an obstore store, or a list of local files of any name.
        endpoint: Only this endpoint; by default all.
        start: Only predictions made at or after it (aware).
        end: Only predictions made before it (aware).
        prediction_ids: Only these. Where each id carries its time (Boxkite's ``server/time/uuid``), the files of that
            time are read, and the others only for ids that are not there; otherwise all between `start` and `end`.
        labels: Join ground truth: each prediction with its latest label, in ``label``. Costs a second pass over the
            files, also those after `end`, since labels come late.
        label_delay: Look for labels up to this long after `end`; by default to the end of the log.
        ttl: How long the store keeps predictions. Asking for older ones is then an error instead of a short answer.
        on_error: Called with file, line (0: the file itself) and error for what cannot be read, such as the last line
            of a file still being written. By default these are skipped and their number is logged per file.

    Raises:
        ValueError: `start` or `end` has no time zone, `start` is after `end`, or the URL is not ``s3://bucket/prefix``.
        FileNotFoundError: The directory, or a file of the list, does not exist.
        ExpiredDataError: `start`, `end` or the time in an id lies further back than `ttl`.
        OSError: While reading: the store is out of reach (``PermissionError``: it refuses the credentials).
    """
    scan, wanted = _prepared(source, endpoint, start, end, prediction_ids, ttl, on_error)
    return PredictionReader(scan, wanted, labels=labels, label_delay=label_delay)


def read_ground_truth(
    source: SourceLike,
    endpoint: str | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    *,
    prediction_ids: Iterable[str] | None = None,
    ttl: dt.timedelta | None = None,
    on_error: OnError | None = None,
) -> GroundTruthReader:
    """The ground truth logged below `source`, by the time at which it became known.

    The arguments are those of `read_predictions`; a correction of a label follows it as a record of its own.

    Raises:
        ValueError: `start` or `end` has no time zone, `start` is after `end`, or the URL is not ``s3://bucket/prefix``.
        FileNotFoundError: The directory, or a file of the list, does not exist.
        ExpiredDataError: `start` or `end` lies further back than `ttl`.
        OSError: While reading: the store is out of reach.
    """
    scan, wanted = _prepared(source, endpoint, start, end, prediction_ids, ttl, on_error)
    # The time in an id is the prediction's, and its label comes when it comes.
    return GroundTruthReader(scan, wanted.within(start, end))


def _prepared(  # noqa: PLR0917 - one argument per argument of the two
    source: SourceLike,
    endpoint: str | None,
    start: dt.datetime | None,
    end: dt.datetime | None,
    prediction_ids: Iterable[str] | None,
    ttl: dt.timedelta | None,
    on_error: OnError | None,
) -> tuple[Scan, Wanted]:
    wanted = Wanted.of(endpoint, start, end, prediction_ids)
    check_ttl(ttl, start, end, *map(time_of_id, wanted.ids or ()))
    return Scan(source_of(source), on_error), wanted
