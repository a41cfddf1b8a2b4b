"""Frames in files: what `FileSink(format="msgpack")` and the spool write, and what survives of a damaged file.

A file is frames one after the other, each behind 32 bytes (little-endian)::

    magic "MPF1" | payload length, u32 | crc32, u32 | records, u32 | first time, i64 | last time, i64

The checksum covers all that follows it. The magic lets a reader find the next frame behind damaged bytes.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

from modelport.predictions._frame import Frame, FrameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelport.predictions._record import Record

__all__ = ["HEAD_BYTES", "iter_frames", "pack_frame", "read_frames"]

_MAGIC = b"MPF1"
_HEAD = struct.Struct("<4sIIIqq")
HEAD_BYTES = _HEAD.size
"""Bytes before each payload."""

_START = struct.Struct("<4sII")
_SUMMED = struct.Struct("<Iqq")
_CHUNK_BYTES = 1 << 20
_MAX_PAYLOAD_BYTES = 1 << 30
"""A length beyond it is taken for damage, not for a reason to fill the memory."""


def pack_frame(frame: Frame) -> bytes:
    """The frame as it lies in a file."""
    payload = frame.payload
    summed = _SUMMED.pack(frame.count, frame.first_ns, frame.last_ns)
    crc = zlib.crc32(payload, zlib.crc32(summed))
    return _START.pack(_MAGIC, len(payload), crc) + summed + payload


def read_frames(
    file: str | os.PathLike[str] | IO[bytes],
    *,
    on_error: Callable[[int, Exception], None] | None = None,
) -> Iterator[Record]:
    """Yield the records of a file of frames, in the order they were written.

    Args:
        file: A path, or a binary file open for reading.
        on_error: Called with the byte offset and what was wrong for each damaged stretch, such as a last frame that
            is cut short. Reading goes on at the next whole frame. By default damage is passed over in silence.
    """
    for offset, frame in iter_frames(file, on_error=on_error):
        try:
            records = frame.records()
        except FrameError as error:
            _tell(on_error, offset, error)
            continue
        if len(records) < frame.count:
            _tell(on_error, offset, FrameError(f"{frame.count - len(records)} records cannot be decoded"))
        yield from records


def iter_frames(
    file: str | os.PathLike[str] | IO[bytes],
    *,
    on_error: Callable[[int, Exception], None] | None = None,
) -> Iterator[tuple[int, Frame]]:
    """As `read_frames`, but yield the offset of each frame and the frame itself."""
    if isinstance(file, (str, os.PathLike)):
        with Path(file).open("rb") as opened:
            yield from _scan(opened, on_error)
    else:
        yield from _scan(file, on_error)


class _Window:
    """The part of a file that is being looked at."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.data = b""
        self.offset = 0

    def fill(self, size: int) -> bool:
        """Have `size` bytes at hand; False at the end of the file."""
        while len(self.data) < size:
            more = self._file.read(max(_CHUNK_BYTES, size - len(self.data)))
            if not more:
                return False
            self.data += more
        return True

    def skip(self, count: int) -> None:
        self.data = self.data[count:]
        self.offset += count


def _scan(file: IO[bytes], on_error: Callable[[int, Exception], None] | None) -> Iterator[tuple[int, Frame]]:
    window = _Window(file)
    while window.fill(1):
        frame = _frame_at(window)
        if isinstance(frame, Frame):
            yield window.offset, frame
            window.skip(HEAD_BYTES + len(frame.payload))
        else:
            _tell(on_error, window.offset, frame)
            _resynchronise(window)


def _frame_at(window: _Window) -> Frame | FrameError:
    if not window.fill(HEAD_BYTES):
        return FrameError("cut short within a frame's head")
    magic, length, crc, count, first_ns, last_ns = _HEAD.unpack_from(window.data)
    if magic != _MAGIC or length > _MAX_PAYLOAD_BYTES:
        return FrameError("no frame begins here")
    if not window.fill(HEAD_BYTES + length):
        return FrameError(f"cut short: {len(window.data) - HEAD_BYTES} of {length} bytes of a frame")
    payload = window.data[HEAD_BYTES : HEAD_BYTES + length]
    if zlib.crc32(payload, zlib.crc32(_SUMMED.pack(count, first_ns, last_ns))) != crc:
        return FrameError("the checksum does not match")
    return Frame(payload, count, first_ns, last_ns)


def _resynchronise(window: _Window) -> None:
    """Go on to the next place that looks like a frame."""
    window.skip(1)
    while True:
        place = window.data.find(_MAGIC)
        if place >= 0:
            window.skip(place)
            return
        # The last three bytes may be the beginning of a magic.
        window.skip(max(0, len(window.data) - len(_MAGIC) + 1))
        if not window.fill(len(window.data) + 1):
            window.skip(len(window.data))
            return


def _tell(on_error: Callable[[int, Exception], None] | None, offset: int, error: Exception) -> None:
    if on_error is not None:
        on_error(offset, error)
