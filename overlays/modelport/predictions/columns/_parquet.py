"""Parquet files of records."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.predictions._gently import in_steps
from modelport.predictions._record import GroundTruth
from modelport.predictions.columns._arrays import plain_bytes
from modelport.predictions.columns._build import to_batch
from modelport.predictions.columns._layout import Layout
from modelport.predictions.columns._rebuild import from_batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelport.predictions._record import Record

__all__ = ["load_pyarrow", "read_parquet", "storage_of", "to_parquet"]

_ROWS_AT_ONCE = 4096
_ROWS_PER_STEP = 200
_ROW_GROUP_ROWS = 65_536
# Compressed over plain size up to which a column of numbers is compressed.
_SAVES = 0.85
# How often a value occurs on average in a column that is worth a dictionary.
_REPEATS = 4


def load_pyarrow() -> None:
    """Import all that `to_parquet` needs, so that the thread that calls it does not.

    A child that is forked while another thread imports finds the lock of that import taken, for ever.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    require("pyarrow.parquet", "parquet")
    require("pyarrow.compute", "parquet")


def to_parquet(records: Sequence[Record]) -> bytes:
    """`records`, all predictions or all ground truth, as one Parquet file.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa: Any = require("pyarrow", "parquet")
    pq: Any = require("pyarrow.parquet", "parquet")
    truth = isinstance(records[0], GroundTruth)
    layout = Layout(labels=truth, predictions=not truth)
    for step in in_steps(records, _ROWS_PER_STEP):
        for record in step:
            layout.observe(record)
    batches = [to_batch(step, layout) for step in in_steps(records, _ROWS_PER_STEP)]
    table = pa.Table.from_batches(batches).combine_chunks()
    content = io.BytesIO()
    pq.write_table(table, content, **storage_of(table))
    return content.getvalue()


def storage_of(table: Any) -> dict[str, Any]:
    """How to store `table`: arguments of ``pyarrow.parquet.write_table``, found by looking at its first rows.

    zstd where that saves something, for logs are written more often than read. Numbers with all their digits have
    nothing to save, and unpacking them is two thirds of what a scan would cost.
    """
    repeating = _repeating(table)
    codecs = {
        field.name: "none" if field.name not in repeating and _is_dense(table.column(field.name)) else "zstd"
        for field in table.schema
    }
    return {"compression": codecs, "use_dictionary": repeating, "row_group_size": _ROW_GROUP_ROWS}


def _is_dense(column: Any) -> bool:
    pa: Any = require("pyarrow", "parquet")
    if not pa.types.is_floating(column.type):
        return False
    numbers = column.slice(0, _ROWS_AT_ONCE).drop_null().combine_chunks()
    if not len(numbers):
        return False
    plain = plain_bytes(numbers)
    return bool(len(pa.compress(plain, codec="zstd", asbytes=True)) > _SAVES * plain.size)


def _repeating(table: Any) -> list[str]:
    """The columns that a dictionary makes smaller: those that repeat their values.

    Arrow's own way tries one on every column, and keeps it for numbers that are nearly all different: against that,
    files of 20 numbers a row are a fifth smaller, take half the CPU to write and a quarter less to scan.
    """
    pc: Any = require("pyarrow.compute", "parquet")
    head = table.slice(0, _ROWS_AT_ONCE)
    return [
        name
        for name, column in zip(head.column_names, head.columns, strict=True)
        if pc.count_distinct(column, mode="all").as_py() * _REPEATS <= head.num_rows
    ]


def read_parquet(file: Any) -> Iterator[Record]:
    """Yield the records of a Parquet file (a path or a seekable binary file), some thousands in memory at a time.

    Raises:
        OSError: No Parquet, or cut short (pyarrow's ``ArrowInvalid`` is a ValueError).
    """
    pq: Any = require("pyarrow.parquet", "parquet")
    # Not through a memory map: a file that shrinks under one kills the process.
    with pq.ParquetFile(file, memory_map=False) as parquet:
        for batch in parquet.iter_batches(batch_size=_ROWS_AT_ONCE):
            yield from from_batch(batch)
