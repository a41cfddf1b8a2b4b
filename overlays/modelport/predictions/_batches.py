"""Predictions that are logged together: frozen in one call, taken apart by the drain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from modelport._plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from modelport.predictions._queued import Batch, Usual

__all__ = ["MAX_BATCH_ROWS", "expand", "freeze_rows", "rows_of"]

MAX_BATCH_ROWS = 1000
"""Rows that wait in the queue as one entry, so that a step of the drain stays small."""

_FLOAT64 = 0xCB
"""The byte before a number of eight bytes, most significant first."""

# Decimals as numbers, as `plain` has them.
_encode = msgspec.msgpack.Encoder(decimal_format="number").encode
_split = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


def rows_of(table: Iterable[object]) -> Sequence[Any]:
    """The rows of a list of rows, a 2-D array or a frame, in something that has a length and can be cut."""
    if isinstance(table, (list, tuple)) or (hasattr(table, "ndim") and not hasattr(table, "columns")):
        # A Series would be cut by its index instead of by position.
        return cast("Sequence[Any]", getattr(table, "array", table))
    if hasattr(table, "columns"):
        return cast("Sequence[Any]", plain(table))
    return list(table)


def freeze_rows(rows: Any) -> Any:
    """`rows` as they are at this moment, whatever the caller does with them afterwards."""
    if isinstance(rows, (list, tuple)):
        items = cast("Sequence[object]", rows)
        try:
            return _encode(items)
        except Exception:  # noqa: BLE001 - numbers of numpy among them, or anything else
            return [_copied(row) for row in items]
    return rows.copy() if hasattr(rows, "copy") else rows


def expand(batch: Batch) -> Iterator[Usual]:
    """The predictions of `batch`, one by one.

    Raises:
        Exception: Whatever the values' own conversion raises.
    """
    for row, output, prediction_id in zip(_rows(batch.features), _items(batch.outputs), batch.ids, strict=True):
        yield row, output, prediction_id, batch.time


def _rows(features: Any) -> Iterable[object]:
    """Rows as msgpack where that costs nothing, else as they are; `bytes` are always msgpack."""
    if isinstance(features, bytes):
        return [bytes(row) for row in _split(features)]
    if getattr(features, "ndim", 0) >= 2 and not hasattr(features, "columns"):  # noqa: PLR2004 - rows and columns
        # Not a masked array, which is one too, but has values that are not there.
        exact = type(features).__name__ == "ndarray"
        if exact and str(features.dtype) == "float64" and features.ndim == 2:  # noqa: PLR2004 - as above
            return _packed_rows(features)
        items = features.tolist()
        try:
            return [bytes(row) for row in _split(_encode(items))]
        except Exception:  # noqa: BLE001 - an array of objects
            return cast("list[object]", items)
    return [plain(row) if type(row) is bytes else row for row in cast("Iterable[object]", features)]


def _packed_rows(table: NDArray[np.float64]) -> list[bytes]:
    """Each row as a msgpack array of 64-bit floats, without making a Python object of each."""
    # Here, because numpy is an extra; whoever logs an array has it.
    import numpy as np

    rows, width = table.shape
    head = np.frombuffer(_encode([None] * width)[: -width or None], np.uint8)
    packed = np.empty((rows, len(head) + 9 * width), np.uint8)
    packed[:, : len(head)] = head
    numbers = packed[:, len(head) :].reshape(rows, width, 9)
    numbers[:, :, 0] = _FLOAT64
    numbers[:, :, 1:] = table.astype(">f8").view(np.uint8).reshape(rows, width, 8)
    content, size = packed.tobytes(), packed.shape[1]
    return [content[start : start + size] for start in range(0, len(content), size)]


def _items(outputs: Any) -> Iterable[object]:
    if isinstance(outputs, bytes):
        return _decode(outputs)
    return cast("Iterable[object]", outputs.tolist() if hasattr(outputs, "tolist") else outputs)


def _copied(row: object) -> object:
    try:
        return cast("Any", row).copy() if hasattr(row, "copy") else row
    except Exception:  # noqa: BLE001 - the request path never raises; then the reference has to do
        return row
