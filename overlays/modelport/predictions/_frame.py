"""A batch of records as one immutable piece of msgpack: encoded once, kept, spooled and shipped as the same bytes.

The payload is an array of seven columns::

    [header, ids, times, outputs, features, extras, labels]

with ``header`` a map of ``endpoint``, ``model_version`` and ``names`` (of features that are given by position), and
``extras`` either nil or, for each record, nil or ``[request_body, segments, attributions]``. Frames of ground truth
have labels and empty outputs and features. Integers of more than 64 bits are extension 1, their digits as ASCII.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

import msgspec

from modelport._plain import JsonValue, plain
from modelport.predictions._record import GroundTruth, Prediction, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelport.predictions._record import Record

__all__ = ["Frame", "FrameError", "Header", "decode_value"]

BIG_INTEGER = 1
"""Code of the msgpack extension for integers that msgpack has no form for."""

_WHOLE = frozenset({type(None), bool, int, float, str})


class FrameError(ValueError):
    """Bytes that are no frame, or a damaged one."""


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """What all records of a frame share."""

    endpoint: str
    model_version: str | None = None
    names: tuple[str, ...] | None = None


class _Columns(msgspec.Struct, array_like=True):
    header: Header
    ids: list[str]
    times: list[int]
    outputs: list[Any]
    features: list[Any]
    extras: list[Any] | None
    labels: list[Any]


class _HeaderOnly(msgspec.Struct, array_like=True):
    header: Header


class _Pieces(msgspec.Struct, array_like=True):
    """As `_Columns`, but undecoded where a single record may turn out to be unreadable."""

    header: msgspec.Raw
    ids: list[msgspec.Raw]
    times: list[int]
    outputs: list[msgspec.Raw]
    features: list[msgspec.Raw]
    extras: list[msgspec.Raw] | None
    labels: list[msgspec.Raw]


_UNREADABLE = (msgspec.DecodeError, RecursionError, TypeError, ValueError)
"""What decoding raises for damage, and for values that nobody could have encoded here."""


def _extension(code: int, data: memoryview) -> object:
    return int(bytes(data)) if code == BIG_INTEGER else bytes(data)


_decode = msgspec.msgpack.Decoder(_Columns, ext_hook=_extension).decode
_decode_header = msgspec.msgpack.Decoder(_HeaderOnly).decode
decode_value = msgspec.msgpack.Decoder(ext_hook=_extension).decode
_decode_pieces = msgspec.msgpack.Decoder(_Pieces).decode
_encode = msgspec.msgpack.Encoder().encode


class Frame:
    """Up to 1000 records of one endpoint.

    Attributes:
        payload: The msgpack, see the module's text.
        count: Records in it.
        first_ns: The earliest time of a record in it, in nanoseconds since 1970.
        last_ns: The latest one.
    """

    __slots__ = ("_endpoint", "_records", "count", "first_ns", "last_ns", "payload")

    def __init__(self, payload: bytes, count: int, first_ns: int, last_ns: int, endpoint: str | None = None) -> None:
        self.payload = payload
        self._endpoint = endpoint
        self.count = count
        self.first_ns = first_ns
        self.last_ns = last_ns
        self._records: list[Record] | None = None

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        # Not the payload: predictions may be confidential.
        return f"Frame({self.count} records, {len(self.payload)} bytes)"

    def records(self) -> list[Record]:
        """The records, decoded at the first call. A record that cannot be decoded is left out.

        Raises:
            FrameError: The payload is damaged as a whole.
        """
        records = self._records
        if records is None:
            records = self._records = _decoded(self.payload)
        return records

    @property
    def endpoint(self) -> str:
        """The endpoint of all its records.

        Raises:
            FrameError: The payload is damaged.
        """
        if self._endpoint is None:
            try:
                self._endpoint = _decode_header(self.payload).header.endpoint
            except _UNREADABLE as error:
                raise FrameError(f"not a frame of predictions: {error}") from error
        return self._endpoint

    def forget(self) -> None:
        """Keep only the bytes."""
        self._records = None

    def head(self, count: int) -> Frame:
        """The first `count` records as a frame of their own.

        Raises:
            FrameError: The payload is damaged.
        """
        pieces = _pieces(self.payload)
        part = slice(count)
        times = pieces.times[part]
        columns = (
            pieces.header,
            pieces.ids[part],
            times,
            pieces.outputs[part],
            pieces.features[part],
            None if pieces.extras is None else pieces.extras[part],
            pieces.labels[part],
        )
        return Frame(_encode(columns), len(times), min(times, default=0), max(times, default=0), self._endpoint)


def _pieces(payload: bytes) -> _Pieces:
    try:
        return _decode_pieces(payload)
    except _UNREADABLE as error:
        message = f"not a frame of predictions: {error}"
        raise FrameError(message) from error


def _decoded(payload: bytes) -> list[Record]:
    try:
        return list(_records(_decode(payload)))
    except _UNREADABLE:
        return list(_readable(_pieces(payload)))


def _readable(pieces: _Pieces) -> Iterator[Record]:
    """The records that can be decoded, one by one."""
    for place in range(len(pieces.times)):
        part = slice(place, place + 1)
        extras = None if pieces.extras is None else pieces.extras[part]
        columns = (pieces.header, pieces.ids[part], pieces.times[part], pieces.outputs[part], pieces.features[part])
        try:
            yield from list(_records(_decode(_encode((*columns, extras, pieces.labels[part])))))
        except _UNREADABLE:
            continue


def _records(columns: _Columns) -> Iterator[Record]:
    header = columns.header
    if columns.labels:
        for prediction_id, time, label in zip(columns.ids, columns.times, columns.labels, strict=True):
            yield GroundTruth(
                prediction_id=prediction_id, timestamp_ns=time, endpoint=header.endpoint, label=_plain(label)
            )
        return
    extras: Sequence[Any] | repeat[None] = repeat(None) if columns.extras is None else columns.extras
    rows = zip(columns.ids, columns.times, columns.features, columns.outputs, extras, strict=False)
    for prediction_id, time, features, output, extra in rows:
        body, segments, attributions = (None, None, None) if extra is None else extra
        yield Prediction(
            prediction_id=prediction_id,
            timestamp_ns=time,
            endpoint=header.endpoint,
            features=named(_plain(features), header.names),
            output=_plain(output),
            model_version=header.model_version,
            request_body=_plain(body),
            segments=segments,
            attributions=attributions,
        )


def _plain(value: object) -> JsonValue:
    """`value` as JSON has it; msgpack knows more, such as bytes and keys that are no text."""
    return cast("JsonValue", value) if type(value) in _WHOLE else plain(value)
