"""Predictions as Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.predictions._sink import DEFAULT_MAX_BUFFER
from modelport.predictions.columns import load_pyarrow
from modelport.predictions.rolling._destination import destination_of
from modelport.predictions.rolling._places import journal_of
from modelport.predictions.rolling._rolling_sink import (
    DEFAULT_MAX_BACKLOG_BYTES,
    DEFAULT_MAX_ROWS,
    DEFAULT_MAX_SECONDS,
    RollingSink,
)

if TYPE_CHECKING:
    import os

    from obstore.store import ObjectStore

__all__ = ["ParquetSink"]


class ParquetSink(RollingSink):
    """Write predictions to ``models/predictions/{endpoint}/{date}/{HHMM}_{logger_id}-{replica_id}.{id}.parquet``.

    One typed column per feature, so that DuckDB, Polars and Spark scan them directly; ground truth goes to files of
    its own, ``..._labels.parquet``. HHMM is the quarter of an hour (UTC) of the predictions.

    A Parquet file can only be written whole, so records wait in a journal on the local disk, `max_rows` or
    `max_seconds` long: from there nothing is lost when the process dies, but only then they can be read.
    """

    def __init__(
        self,
        target: str | os.PathLike[str] | ObjectStore,
        *,
        journal: str | os.PathLike[str] | None = None,
        logger_id: str | None = None,
        replica_id: str | None = None,
        max_rows: int = DEFAULT_MAX_ROWS,
        max_seconds: float = DEFAULT_MAX_SECONDS,
        max_backlog_bytes: int = DEFAULT_MAX_BACKLOG_BYTES,
        fsync: bool = False,
        max_buffer: int = DEFAULT_MAX_BUFFER,
        name: str = "parquet",
    ) -> None:
        """Prepare a sink; nothing is created or connected to before the first prediction.

        Args:
            target: A directory, ``s3://bucket/prefix`` (see `S3Sink`) or an obstore store.
            journal: Local directory where records wait; by default ``.journal`` in a directory `target`, else one
                below the user's temporary directory. It should outlive a restart of the process.
            logger_id: Names the writing process; by default made from its process id.
            replica_id: Names the model server; by default ``BEDROCK_POD_NAME``, ``POD_NAME`` or the host name.
            max_rows: Records after which a file is written; it is encoded in memory.
            max_seconds: Time after which a file is written, however few records there are.
            max_backlog_bytes: What the journal may hold while the destination is out of reach.
            fsync: Wait for the disk after every batch: then a power cut loses nothing either.
            max_buffer: Records kept in memory while the journal cannot be written.
            name: How metrics call this sink.

        Raises:
            MissingExtraError: pyarrow is not installed, or obstore for a store.
        """
        load_pyarrow()
        super().__init__(
            destination_of(target),
            "parquet",
            journal_of(target, journal, "parquet"),
            logger_id=logger_id,
            replica_id=replica_id,
            max_rows=max_rows,
            max_seconds=max_seconds,
            max_backlog_bytes=max_backlog_bytes,
            fsync=fsync,
            max_buffer=max_buffer,
            name=name,
        )
