"""One process's figures in a file that others read while it is written: whole or not at all, whoever dies when.

The file has a head and two slots, written in turns, each with a sequence number and a checksum over all of it. So the
slot that was complete last stays complete while the other is overwritten. Its owner holds ``flock`` on it: the kernel
gives the lock back at any death, and that is how others know of it.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from typing import TYPE_CHECKING

import msgspec

from modelport._files import is_there, try_lock
from modelport.monitor._group_totals import Totals

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LayoutError", "OwnFile", "read_figures"]

_MAGIC = b"mpgroup1"
_HEAD = struct.Struct("<8sQ")  # magic, bytes per slot
_SLOT = struct.Struct("<QII")  # sequence number, checksum, bytes of figures
# Whatever is a byte of msgpack now may be a whole 64-bit number later.
_GROWTH = 9
_SPARE_BYTES = 4096
_ATTEMPTS = 100


class LayoutError(Exception):
    """A file that another version wrote, or that is none of ours."""


class OwnFile:
    """The file of this process. Others may read it at any time; the lock on it ends with the process or `close`."""

    def __init__(self, path: Path, figures: Totals) -> None:
        """Make the file; whoever folds files must be kept out meanwhile.

        Raises:
            OSError: The directory cannot be written.
        """
        self.path = path
        payload = msgspec.msgpack.encode(figures)
        self._capacity = _SLOT.size + _GROWTH * len(payload) + _SPARE_BYTES
        self._sequence = 0
        new = path.with_suffix(".new")
        # Not open(): the descriptor is written at offsets, and must not reach child programs.
        self._descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _lock(self._descriptor, new)
            os.pwrite(self._descriptor, _HEAD.pack(_MAGIC, self._capacity), 0)
            self._put(payload)
            new.replace(path)
        except BaseException:
            os.close(self._descriptor)
            raise

    def write(self, figures: Totals) -> bool:
        """Replace what the file says; False if it cannot: somebody removed it, or it has become too small.

        Raises:
            OSError: The disk is full, or refuses for another reason. The file says what it said before.
        """
        payload = msgspec.msgpack.encode(figures)
        if _SLOT.size + len(payload) > self._capacity or not is_there(self._descriptor, self.path):
            return False
        self._put(payload)
        return True

    def close(self) -> None:
        """Give the file up: it counts as that of a process that has ended."""
        # Without unlocking: in a forked child that would take the lock from the parent.
        os.close(self._descriptor)

    def _put(self, payload: bytes) -> None:
        # Of its own: a signal handler may come between and write with the next.
        sequence = self._sequence = self._sequence + 1
        start = _HEAD.size + (sequence % 2) * self._capacity
        content, written = _sealed(sequence, payload), 0
        try:
            written = os.pwrite(self._descriptor, content, start)
        finally:
            if written < len(content):
                # The same slot again next time: the other one is whole.
                self._sequence -= 1
        if written < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))


def _lock(descriptor: int, path: Path) -> None:
    if not try_lock(descriptor):
        message = f"{path} is another process's"
        raise BlockingIOError(message)


def read_figures(path: Path) -> tuple[Totals, bool]:
    """What the file says, and whether its owner lives.

    Raises:
        FileNotFoundError: It has been folded away.
        LayoutError: It says nothing that this version understands.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Shared: two readers must not take each other for the owner.
        living = not try_lock(descriptor, shared=True)
        return _newest(descriptor), living
    finally:
        os.close(descriptor)


def _newest(descriptor: int) -> Totals:
    # Both slots can only be torn if the owner wrote twice during one read.
    for _ in range(_ATTEMPTS):
        content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        if len(content) < _HEAD.size:
            break
        magic, capacity = _HEAD.unpack_from(content)
        if magic != _MAGIC:
            message = f"begins with {magic!r} instead of {_MAGIC!r}"
            raise LayoutError(message)
        slots = [_opened(content, _HEAD.size + number * capacity) for number in range(2)]
        whole = [slot for slot in slots if slot is not None]
        if whole:
            return _decoded(max(whole)[1])
    return Totals()


def _decoded(payload: bytes) -> Totals:
    try:
        return msgspec.msgpack.decode(payload, type=Totals)
    except msgspec.DecodeError as error:
        raise LayoutError(str(error)) from error


def _sealed(sequence: int, payload: bytes) -> bytes:
    return _SLOT.pack(sequence, _checksum(sequence, payload), len(payload)) + payload


def _checksum(sequence: int, payload: bytes) -> int:
    return zlib.crc32(payload, sequence & 0xFFFFFFFF)


def _opened(content: bytes, start: int) -> tuple[int, bytes] | None:
    if len(content) < start + _SLOT.size:
        return None
    sequence, checksum, length = _SLOT.unpack_from(content, start)
    payload = content[start + _SLOT.size : start + _SLOT.size + length]
    if not sequence or len(payload) != length or _checksum(sequence, payload) != checksum:
        return None
    return sequence, payload
