"""Rows of features as msgpack, read without making a Python object of every number. Needs numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._kernel import Floats

__all__ = ["matrix_of", "unpack_rows"]

_FLOAT64 = 0xCB
"""The byte before a number of eight bytes, most significant first (msgpack specification, "float format family")."""
_FLOAT_BYTES = 9
_FIX_ARRAY_LIMIT = 16

_decode = msgspec.msgpack.Decoder().decode


def matrix_of(packed: Sequence[bytes], width: int) -> Floats | None:
    """Values of shape (features, rows), if every row is an array of `width` 64-bit floats; else None.

    It is a view of the bytes, nine apart and most significant first: to be copied once, to where it is wanted.
    """
    head = _array_head(width)
    joined = b"".join(packed)
    size = len(head) + width * _FLOAT_BYTES
    if len(joined) != len(packed) * size or not packed or not width:
        return None
    table = np.frombuffer(joined, np.uint8).reshape(len(packed), size)
    # Rows of other lengths may add up to the same size: then a head or a mark is not where it belongs.
    if (table[:, : len(head)] != np.frombuffer(head, np.uint8)).any():
        return None
    numbers = table[:, len(head) :].reshape(len(packed), width, _FLOAT_BYTES)
    if (numbers[:, :, 0] != _FLOAT64).any():
        return None
    start, strides = len(head) + 1, (size, _FLOAT_BYTES)
    return np.ndarray((len(packed), width), ">f8", joined, start, strides).T


def unpack_rows(packed: Sequence[bytes]) -> list[object]:
    """Each row as the list or mapping it was; None where it cannot be read."""
    return [_unpacked(row) for row in packed]


def _array_head(width: int) -> bytes:
    if width < _FIX_ARRAY_LIMIT:
        return bytes((0x90 | width,))
    return b"\xdc" + width.to_bytes(2, "big") if width < 1 << 16 else b"\xdd" + width.to_bytes(4, "big")


def _unpacked(row: bytes) -> object:
    try:
        return _decode(row)
    except (msgspec.DecodeError, RecursionError, TypeError, UnicodeDecodeError):
        return None
