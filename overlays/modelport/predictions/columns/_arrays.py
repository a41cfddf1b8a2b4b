"""Arrow arrays of Python values, made without loading pandas.

``pyarrow.array`` imports pandas, where that is installed, to see whether it was handed a Series. In a service that is
50 MB and a second of CPU for nothing, and it comes in a background thread: a child forked meanwhile finds the lock of
the import held by a thread that it does not have, and waits for ever.
"""

from __future__ import annotations

import math
from array import array
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from modelport._extras import require

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["plain_bytes", "to_array"]


def to_array(values: Sequence[Any], type_: Any) -> Any:
    """`values` of the Arrow type `type_` (text, boolean, double, int64 or timestamp); None and NaN become null.

    Raises:
        OverflowError: More than 2 GiB of text, or a number that the type has no room for.
        UnicodeEncodeError: A lone surrogate.
    """
    pa: Any = require("pyarrow", "parquet")
    nulls = values.count(None)
    if nulls == len(values):
        return pa.nulls(len(values), type_)
    floating = pa.types.is_floating(type_)
    if not nulls and not (floating and math.isnan(sum(values))):
        return pa.Array.from_buffers(type_, len(values), [None, *_buffers(pa, values, type_)])
    # NaN is what differs from itself.
    present = bytes(value is not None and value == value for value in values)  # noqa: PLR0124
    blank = "" if pa.types.is_string(type_) else 0
    filled = [value if here else blank for value, here in zip(values, present, strict=True)]
    return pa.Array.from_buffers(type_, len(values), [_bits(pa, present), *_buffers(pa, filled, type_)])


def _buffers(pa: Any, values: Sequence[Any], type_: Any) -> list[Any]:
    """The data of an array without nulls."""
    if pa.types.is_string(type_):
        text = "".join(values)
        data = text.encode()
        # Most text is ASCII, with one byte for each character.
        lengths = map(len, values if len(data) == len(text) else map(str.encode, values))
        return [pa.py_buffer(array("i", accumulate(lengths, initial=0))), pa.py_buffer(data)]
    if pa.types.is_boolean(type_):
        return [_bits(pa, bytes(values))]
    return [pa.py_buffer(array("d" if pa.types.is_floating(type_) else "q", values))]


def plain_bytes(numbers: Any) -> Any:
    """The numbers of an Arrow array of doubles without nulls, as a buffer."""
    size = numbers.type.bit_width // 8
    return numbers.buffers()[1].slice(numbers.offset * size, len(numbers) * size)


def _bits(pa: Any, flags: bytes) -> Any:
    """One bit for each byte that is not 0."""
    return pa.Array.from_buffers(pa.uint8(), len(flags), [None, pa.py_buffer(flags)]).cast(pa.bool_()).buffers()[1]
