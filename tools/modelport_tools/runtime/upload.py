"""Bodies that are read while they are sent: files, which may tell how far they are, and items that become lines."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, cast

from .errors import EncodeError
from .lines import framing
from .wire import encode_json, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import ExitStack

    from .types import File

    OnProgress = Callable[[int, int | None], object]


UPLOAD_NAME = "upload"
"""The name of a file that has none."""


def opened(file: File, resources: ExitStack) -> tuple[Any, str]:
    """The content of a file, set to its start, and its name; what is opened for it is closed with the resources.

    Raises:
        EncodeError: If it cannot be read.
    """
    content: Any = file.content
    if isinstance(content, str | os.PathLike):
        path = os.fspath(cast("str", content))
        try:
            content = resources.enter_context(open(path, "rb"))  # noqa: PTH123, SIM115 - closed with the stack; no pathlib here
        except OSError as error:
            raise EncodeError(f"cannot read {path}: {error.strerror or error}") from error
        return _reporting(content, file), file.name or os.path.basename(path)  # noqa: PTH119
    if not isinstance(content, bytes):
        _rewind(content)
    own_name = getattr(content, "name", None)
    default = os.path.basename(own_name) if isinstance(own_name, str) else UPLOAD_NAME  # noqa: PTH119
    if not can_replay(content):
        content = _Tape(content)
    return _reporting(content, file), file.name or default


def _reporting(content: Any, file: File) -> Any:
    if file.on_progress is None:
        return content
    content = io.BytesIO(content) if isinstance(content, bytes) else content
    if not can_replay(content):
        return _Watched(content, None, file.on_progress)
    total: int = content.seek(0, os.SEEK_END)
    content.seek(0)
    return _WatchedFile(content, total, file.on_progress)


class _Tape:
    """A file that cannot be rewound, such as a pipe: the HTTP client must neither try to, nor believe its size."""

    def __init__(self, file: Any) -> None:
        self.read = file.read


def _rewind(content: Any) -> None:
    """Set a file object to its start: the attempt before this one may have read it."""
    if isinstance(content, io.TextIOBase) or not hasattr(content, "read"):
        raise EncodeError(f"a file must be bytes, a path or a file opened in binary mode, not {type(content).__name__}")
    try:
        if can_replay(content):
            content.seek(0)
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise EncodeError(f"cannot read the file: {error}") from error


def can_replay(content: Any) -> bool:
    """Whether a content can be sent again."""
    if isinstance(content, bytes):
        return True
    seekable = getattr(content, "seekable", None)
    return bool(seekable and seekable())


class _Watched:
    """A file that tells how much of it was sent; made anew for each attempt, which begins at 0 again.

    What was read counts as sent when more is asked for: the connection has taken it by then.
    """

    def __init__(self, file: Any, total: int | None, on_progress: OnProgress) -> None:
        self._file = file
        self._total = total
        self._on_progress = on_progress
        self._sent = -1
        self._given = 0

    def read(self, size: int = -1) -> bytes:
        """The next piece."""
        sent = max(self._sent, 0) + self._given
        if sent != self._sent:
            self._sent = sent
            self._on_progress(sent, self._total)
        chunk: bytes = self._file.read(size)
        self._given = len(chunk)
        return chunk


class _WatchedFile(_Watched):
    """One that can be set back, and so be measured by the HTTP client."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place."""
        place: int = self._file.seek(offset, whence)
        return place

    def tell(self) -> int:
        """The place that is read next."""
        place: int = self._file.tell()
        return place

    def seekable(self) -> bool:
        """Yes."""
        return True


class ItemLines:
    """Items written as JSON, each in a line of its own, while the request is sent.

    Args:
        items: Each a model or a JSON value.
        lead: What stands before each: the record separator of RFC 7464, or nothing.
    """

    def __init__(self, items: Iterable[object], lead: bytes = b"") -> None:
        self._items = iter(items)
        self._lead = lead

    def read(self, size: int) -> bytes:
        """Whole lines of at least `size` bytes together; empty at the end.

        Raises:
            EncodeError: If an item has no JSON form.
        """
        lines: list[bytes] = []
        length = 0
        for item in self._items:
            line = b"%b%b\n" % (self._lead, encode_json(item))
            lines.append(line)
            length += len(line)
            if length >= size:
                break
        return b"".join(lines)


def item_lines(body: object, media_type: str) -> ItemLines:
    """Items as lines of JSON, or as the records of RFC 7464.

    Raises:
        EncodeError: If the media type holds no items, or the body is no iterable of them.
    """
    kind = framing(media_type.split(";", 1)[0].strip().lower())
    if kind not in {"lines", "records"}:
        raise EncodeError(f"a body of {media_type} must be text, bytes or a File, not {type(body).__name__}")
    if is_object(body) or not hasattr(body, "__iter__"):
        what = "an iterable of items, text, bytes or a File"
        raise EncodeError(f"a body of {media_type} must be {what}, not {type(body).__name__}")
    return ItemLines(cast("Iterable[object]", body), b"\x1e" if kind == "records" else b"")
