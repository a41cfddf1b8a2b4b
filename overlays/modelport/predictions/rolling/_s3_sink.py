"""Predictions in S3 and other object stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.predictions._sink import DEFAULT_MAX_BUFFER
from modelport.predictions._store import is_store, is_url
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

    from modelport.predictions.rolling._files import Format

__all__ = ["S3Sink"]


class S3Sink(RollingSink):
    """Put predictions to ``{prefix}/models/predictions/{endpoint}/{date}/{HHMM}_{logger_id}-{replica_id}.{id}.txt``.

    HHMM is the quarter of an hour (UTC) of the predictions. Objects cannot be appended to, so records wait in a
    journal on the local disk, `max_rows` or `max_seconds` long. While the store is out of reach they stay there, up
    to `max_backlog_bytes`; a put that is repeated replaces its own object, so nothing is doubled.

    The journal is only as lasting as the disk it is on: a container that is deleted takes an ``emptyDir`` with it.
    """

    def __init__(
        self,
        target: str | ObjectStore,
        *,
        format: Format = "txt",  # noqa: A002 - the word users look for
        journal: str | os.PathLike[str] | None = None,
        logger_id: str | None = None,
        replica_id: str | None = None,
        max_rows: int = DEFAULT_MAX_ROWS,
        max_seconds: float = DEFAULT_MAX_SECONDS,
        max_backlog_bytes: int = DEFAULT_MAX_BACKLOG_BYTES,
        fsync: bool = False,
        max_buffer: int = DEFAULT_MAX_BUFFER,
        name: str = "s3",
    ) -> None:
        """Prepare a sink; nothing is connected to before the first file is due.

        Args:
            target: ``s3://bucket/prefix``, with credentials, region and endpoint from the environment
                (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``, ``AWS_REGION``,
                ``AWS_ENDPOINT_URL``) or from the machine's role; or an obstore store of any kind.
            format: ``txt`` (lines of JSON), ``txt.gz`` or ``parquet``.
            journal: Local directory where records wait; by default one below the user's temporary directory.
            logger_id: Names the writing process; by default made from its process id.
            replica_id: Names the model server; by default ``BEDROCK_POD_NAME``, ``POD_NAME`` or the host name.
            max_rows: Records after which an object is put; it is encoded in memory.
            max_seconds: Time after which an object is put, however few records there are.
            max_backlog_bytes: What the journal may hold while the store is out of reach.
            fsync: Wait for the disk after every batch.
            max_buffer: Records kept in memory while the journal cannot be written.
            name: How metrics call this sink.

        Raises:
            ValueError: The URL is not ``s3://bucket/prefix``.
            TypeError: `target` is neither a URL nor a store.
            MissingExtraError: obstore is not installed, or pyarrow for ``parquet``.
        """
        if not (is_url(target) or is_store(target)):
            message = f"an S3 sink needs s3://bucket/prefix or an obstore store, not {type(target).__name__}"
            raise TypeError(message)
        if format == "parquet":
            load_pyarrow()
        super().__init__(
            destination_of(target),
            format,
            journal_of(target, journal, format),
            logger_id=logger_id,
            replica_id=replica_id,
            max_rows=max_rows,
            max_seconds=max_seconds,
            max_backlog_bytes=max_backlog_bytes,
            fsync=fsync,
            max_buffer=max_buffer,
            name=name,
        )
