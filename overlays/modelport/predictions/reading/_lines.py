"""Lines of text files: cutting a stream into them, and what one of them says."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from modelport._plain import MAX_LEVELS, plain
from modelport.predictions._record import GroundTruth, Prediction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelport.predictions._record import Record

__all__ = ["LineTooLongError", "decode_line", "split_lines"]

MAX_LINE_BYTES = 16 * 1024**2

_SECOND_NS = 1_000_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MIN_TAG_PARTS = 2


class LineTooLongError(ValueError):
    """A line longer than 16 MiB: not a record, but the traces of a crash or another kind of file."""


class _Line(msgspec.Struct):
    """Any of the forms: ours (`Prediction`, `GroundTruth`) and that of Boxkite and ``bdrk`` (``entity_id``...)."""

    prediction_id: str | None = None
    timestamp_ns: int | None = None
    endpoint: str | None = None
    features: Any = msgspec.UNSET
    output: Any = None
    model_version: str | None = None
    request_body: Any = None
    segments: dict[str, str] | None = None
    attributions: dict[str, Any] | None = None
    label: Any = msgspec.UNSET
    entity_id: str | None = None
    server_id: str | None = None
    created_at: int | float | None = None


_decode = msgspec.json.Decoder(_Line).decode


class Line(NamedTuple):
    """One line of a stream; `content` is None where it was too long to keep."""

    number: int
    content: bytes | None


def split_lines(chunks: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines of a stream, numbered from 1, with neither their end nor the NULs a crash leaves before them.

    Empty ones are left out. At no time more than one line (at most 16 MiB) and one chunk are in memory.
    """
    rest = b""
    number = 0
    skipping = False
    for chunk in chunks:
        pieces = (rest + chunk).split(b"\n") if not skipping else chunk.split(b"\n")
        rest = pieces.pop()
        for piece in pieces:
            number += 1
            if skipping:
                skipping = False
                continue
            yield from _kept(number, piece)
        if skipping:
            rest = b""
        elif len(rest) > MAX_LINE_BYTES:
            yield Line(number + 1, None)
            rest = b""
            skipping = True
    if not skipping:
        yield from _kept(number + 1, rest)


def _kept(number: int, piece: bytes) -> Iterator[Line]:
    content = piece.strip(b"\0 \r")
    if content:
        yield Line(number, content)


def decode_line(line: bytes, endpoint: str | None = None) -> Record:
    """The record of a line: JSON, or a collector's ``time<TAB>tag<TAB>json``.

    Args:
        line: Without or with its end.
        endpoint: That of the file's folder, for records that do not say theirs.

    Raises:
        msgspec.DecodeError: Not JSON, or cut short.
        msgspec.ValidationError: JSON without the fields of a record, or nested too deep for one.
    """
    tag = None
    if not line.startswith(b"{"):
        start = line.find(b"\t{") + 1
        tag = line[:start].split(b"\t")[1:2]
        line = line[start:]
    read = _read(line)
    if read.entity_id is not None and read.prediction_id is None:
        return _from_boxkite(read, endpoint or _endpoint_of_tag(tag))
    if read.prediction_id is None or read.timestamp_ns is None:
        message = "no record: it has neither prediction_id and timestamp_ns nor entity_id and created_at"
        raise msgspec.ValidationError(message)
    return _own(read, read.prediction_id, read.timestamp_ns, _first(read.endpoint, endpoint))


def _read(line: bytes) -> _Line:
    try:
        read = _decode(line)
        # Few lines have so many brackets; in the others nothing can lie that deep.
        if line.count(b"[") + line.count(b"{") > MAX_LEVELS:
            for value in (read.features, read.output, read.request_body, read.label):
                plain(None if value is msgspec.UNSET else value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise
    except (RecursionError, ValueError):
        message = f"no record: more than {MAX_LEVELS} lists and objects lie in each other"
        raise msgspec.ValidationError(message) from None
    return read


def _first(own: str | None, of_folder: str | None) -> str:
    return own if own is not None else of_folder or ""


def _own(read: _Line, prediction_id: str, timestamp_ns: int, endpoint: str) -> Record:
    if read.features is msgspec.UNSET:
        if read.label is msgspec.UNSET:
            message = "no record: it has neither features nor a label"
            raise msgspec.ValidationError(message)
        return GroundTruth(prediction_id=prediction_id, timestamp_ns=timestamp_ns, endpoint=endpoint, label=read.label)
    return Prediction(
        prediction_id=prediction_id,
        timestamp_ns=timestamp_ns,
        endpoint=endpoint,
        features=read.features,
        output=read.output,
        model_version=read.model_version,
        request_body=read.request_body,
        segments=read.segments,
        attributions=None if read.attributions is None else _numbers(read.attributions),
    )


def _from_boxkite(read: _Line, endpoint: str | None) -> Prediction:
    created = read.created_at
    if created is None or not math.isfinite(created) or read.features is msgspec.UNSET:
        message = "no record: entity_id without created_at and features"
        raise msgspec.ValidationError(message)
    try:
        moment = _EPOCH + dt.timedelta(seconds=int(created))
    except OverflowError:
        message = f"created_at is no time: {created}"
        raise msgspec.ValidationError(message) from None
    # The id that Boxkite's log_prediction has returned.
    prediction_id = f"{read.server_id or 'unknown-server'}/{moment:%Y-%m-%dT%H:%M:%S}/{read.entity_id}"
    return Prediction(
        prediction_id=prediction_id,
        timestamp_ns=int(created * _SECOND_NS),
        endpoint=endpoint or "",
        features=read.features,
        output=read.output,
        request_body=read.request_body,
    )


def _endpoint_of_tag(tag: list[bytes] | None) -> str | None:
    """The endpoint in ``{prefix}.{endpoint}.{pod}``."""
    parts = tag[0].decode("utf-8", "replace").split(".") if tag else []
    return parts[-2] if len(parts) > _MIN_TAG_PARTS else None


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    """Attributions as numbers; null was NaN, and the text of an infinity is one."""
    try:
        return {name: math.nan if value is None else float(value) for name, value in values.items()}
    except (TypeError, ValueError):
        message = "attributions are a mapping of name to number"
        raise msgspec.ValidationError(message) from None
