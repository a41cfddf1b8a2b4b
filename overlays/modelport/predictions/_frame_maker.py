"""Turning what waits in the queue into frames, once for all sinks."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

import msgspec

from modelport._plain import MAX_LEVELS, SCALARS, JsonValue, plain, plain_body, unwrap
from modelport.predictions._frame import BIG_INTEGER, Frame, Header, decode_value
from modelport.predictions._queued import Full, Truth
from modelport.predictions._record import (
    MAX_UINT64,
    MIN_INT64,
    GroundTruth,
    Prediction,
    attribution_values,
    segment_labels,
    to_nanoseconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from modelport.predictions._queued import Usual
    from modelport.predictions._record import Record
    from modelport.predictions._redaction import Redaction

__all__ = ["FrameMaker", "frames_of", "pack_plain"]

_COLUMNS = b"\x97"
"""A msgpack array of seven."""
_NOTHING = b"\x90"
_NIL = b"\xc0"
_OPENING = (*range(0x80, 0xA0), *range(0xDC, 0xE0))
"""What a map or an array begins with in msgpack."""
_NOT_OPENING = bytes(set(range(256)).difference(_OPENING))

_encode = msgspec.msgpack.Encoder().encode
# Decimals as numbers, as `plain` has them.
_encode_any = msgspec.msgpack.Encoder(enc_hook=unwrap, decimal_format="number").encode


class FrameMaker:
    """Makes frames of one endpoint and model version."""

    def __init__(
        self,
        endpoint: str,
        model_version: str | None,
        names: tuple[str, ...] | None,
        on_error: Callable[[Exception], None],
        redaction: Redaction | None = None,
        *,
        on_incomplete: Callable[[str, Exception], None] | None = None,
    ) -> None:
        """Prepare to make frames.

        Args:
            endpoint: Of all records.
            model_version: Of all records.
            names: Of features that are given by position.
            on_error: Called once for each record that has no such form, and which is then in no frame.
            redaction: Of all records.
            on_incomplete: Called with ``"segments"`` or ``"attributions"`` where these have none: the record is then
                without them. By default it is refused.
        """
        self._names = names
        self._endpoint = endpoint
        version = None if model_version is None else _text(model_version)
        # What is redacted has been named before.
        texts = None if names is None or redaction is not None else tuple(map(_text, names))
        self._head = _COLUMNS + _encode(Header(_text(endpoint), version, texts))
        self._on_error = on_error
        self._redaction = redaction
        self._on_incomplete = on_incomplete

    def make(self, step: Sequence[Usual | Full | Truth]) -> list[Frame]:
        """One frame of the predictions and one of the ground truths in `step`, where there are any."""
        first: Any = step[0] if len(step) == 1 else None
        if type(first) is tuple and self._redaction is None:
            return self._single(cast("Usual", first))
        kinds = set(map(type, step))
        truths: list[Truth] = []
        if Truth in kinds:
            truths = [queued for queued in step if type(queued) is Truth]
            step = [queued for queued in step if type(queued) is not Truth]
        frames: list[Frame] = []
        if step:
            predictions = cast("Sequence[Usual | Full]", step)
            frames += self._predictions(predictions, plain_only=Full not in kinds and self._redaction is None)
        return frames + self._truths(truths) if truths else frames

    def _predictions(self, step: Sequence[Usual | Full], *, plain_only: bool) -> list[Frame]:
        if plain_only:
            try:
                return [self._quick(cast("Sequence[Usual]", step))]
            except Exception:  # noqa: BLE001, S110 - any value may refuse in any way; each is then looked at by itself
                pass
        return self._careful(step)

    def _single(self, queued: Usual) -> list[Frame]:
        """As `_quick`, in one call of the encoder: for records that are written one by one."""
        features, output, prediction_id, time = queued
        try:
            packed = features if type(features) is bytes else _pack_features(features)
            columns = ((prediction_id,), (time,), (output,), (msgspec.Raw(packed),), None, ())
            # Without its first byte, an array of six, it goes on where the head, the first of seven, ends.
            payload = self._head + _encode_any(columns)[1:]
        except Exception:  # noqa: BLE001 - as in `_predictions`
            return self._careful((queued,))
        if _may_be_deep(packed if type(output) in SCALARS else payload):
            return self._careful((queued,))
        return [Frame(payload, 1, time, time, self._endpoint)]

    def _quick(self, step: Sequence[Usual]) -> Frame:
        """All records in a few calls."""
        features, outputs, ids, times = zip(*step, strict=True)
        if set(map(type, features)) != {bytes}:
            features = tuple([row if type(row) is bytes else _pack_features(row) for row in features])
        if max(map(len, features)) > MAX_LEVELS:
            for row in features:
                _check_levels(row)
        packed = _encode_any(outputs)
        if not SCALARS.issuperset(map(type, outputs)):
            _check_levels(packed)
        parts = (
            self._head,
            _encode(ids),
            _encode(times),
            packed,
            _array_head(len(step)),
            *features,
            _NIL,
            _NOTHING,
        )
        return Frame(b"".join(parts), len(step), min(times), max(times), self._endpoint)

    def _careful(self, step: Sequence[Usual | Full]) -> list[Frame]:
        """Record by record; one that refuses costs no other."""
        rows: list[tuple[str, int, bytes, bytes, bytes]] = []
        for queued in step:
            try:
                rows.append(self._row(queued))
            except Exception as error:  # noqa: BLE001 - as in `_predictions`
                self._on_error(error)
        if not rows:
            return []
        ids, times, outputs, features, extras = zip(*rows, strict=True)
        count = _array_head(len(rows))
        some = any(extra != _NIL for extra in extras)
        parts = (
            self._head, _encode(ids), _encode(times), count, *outputs, count, *features,
            *((count, *extras) if some else (_NIL,)), _NOTHING,
        )  # fmt: skip
        return [Frame(b"".join(parts), len(rows), min(times), max(times), self._endpoint)]

    def _row(self, queued: Usual | Full) -> tuple[str, int, bytes, bytes, bytes]:
        features, output, prediction_id, time, *more = queued
        extras: list[JsonValue] | None = None
        refused: dict[str, Exception] = {}
        if more:
            body, segments, attributions = more
            extras = [
                None if body is None else plain_body(body),
                self._part("segments", segment_labels, segments, refused),
                self._part("attributions", self._attributed, attributions, refused),
            ]
        if self._redaction is not None:
            features = self._redaction.features(features, self._names)
            output = self._redaction.value(plain(output))
            extras = extras and self._redaction.extras(extras)
        row = (
            _text(prediction_id),
            _time(time),
            _pack(output),
            _checked(features) if type(features) is bytes else _pack_features(features, careful=True),
            _NIL if extras is None else pack_plain(cast("JsonValue", extras)),
        )
        if self._on_incomplete is not None:
            for part, error in refused.items():
                self._on_incomplete(part, error)
        return row

    def _part(
        self, name: str, made: Callable[[object], object], value: object, refused: dict[str, Exception]
    ) -> JsonValue:
        """What beside features and output may be wrong without costing the prediction."""
        if value is None:
            return None
        try:
            return cast("JsonValue", made(value))
        except Exception as error:
            if self._on_incomplete is None:
                raise
            refused[name] = error
            return None

    def _attributed(self, attributions: object) -> dict[str, float]:
        return attribution_values(attributions, self._names)

    def _truths(self, step: Sequence[Truth]) -> list[Frame]:
        rows: list[tuple[str, int, bytes]] = []
        for truth in step:
            try:
                label = truth.label if self._redaction is None else self._redaction.value(plain(truth.label))
                rows.append((_text(truth.prediction_id), _time(truth.time), _pack(label)))
            except Exception as error:  # noqa: BLE001 - as in `_predictions`
                self._on_error(error)
        if not rows:
            return []
        ids, times, labels = zip(*rows, strict=True)
        parts = (
            self._head, _encode(ids), _encode(times), _NOTHING, _NOTHING, _NIL, _array_head(len(rows)), *labels,
        )  # fmt: skip
        return [Frame(b"".join(parts), len(rows), min(times), max(times), self._endpoint)]


def frames_of(records: Iterable[Record]) -> list[Frame]:
    """Records as frames, one for each run of the same kind, endpoint and model version."""
    frames: list[Frame] = []
    for (_, endpoint, version), run in groupby(records, _shared):
        maker = FrameMaker(endpoint, version, None, _raise)
        frames += maker.make([_queued(record) for record in run])
    return frames


def _shared(record: Record) -> tuple[type, str, str | None]:
    return type(record), record.endpoint, record.model_version if isinstance(record, Prediction) else None


def _queued(record: Record) -> Usual | Full | Truth:
    if isinstance(record, GroundTruth):
        return Truth(record.label, record.prediction_id, record.timestamp_ns)
    usual = (record.features, record.output, record.prediction_id, record.timestamp_ns)
    more = (record.request_body, record.segments, record.attributions)
    return usual if more == (None, None, None) else Full(*usual, *more)


def _raise(error: Exception) -> None:
    raise error


def pack_plain(value: JsonValue) -> bytes:
    """`value` as msgpack; with the integers and the halves of characters that msgpack refuses."""
    try:
        return _encode(value)
    except (OverflowError, UnicodeEncodeError):
        return _encode(_tamed(value))


def _pack(value: object) -> bytes:
    try:
        packed = _encode_any(value)
    except Exception:  # noqa: BLE001 - whatever msgspec refuses, `plain` has the last word
        return pack_plain(plain(value))
    return _checked(packed)


def _pack_features(features: Any, *, careful: bool = False) -> bytes:
    if type(features) is dict:
        # The cheapest test that all keys are text; one that is not has to go through `plain`.
        try:
            "".join(cast("dict[str, object]", features))
        except TypeError:
            return pack_plain(plain(cast("object", features)))
    return _pack(cast("object", features)) if careful else _encode_any(features)


def _checked(packed: bytes) -> bytes:
    _check_levels(packed)
    return packed


def _check_levels(packed: bytes) -> None:
    """Refuse what no reader could take: msgspec goes deeper than `plain` does.

    Raises:
        ValueError: More than `MAX_LEVELS` containers lie in each other.
    """
    if _may_be_deep(packed):
        plain(decode_value(packed))


def _may_be_deep(packed: bytes) -> bool:
    """False where it is too short for it, or has too few bytes that could open a container; which costs little."""
    return len(packed) > MAX_LEVELS and len(packed.translate(None, _NOT_OPENING)) > MAX_LEVELS


def _array_head(count: int) -> bytes:
    return b"\xdd" + count.to_bytes(4, "big")


def _text(value: object) -> str:
    text = value if type(value) is str else str(value)
    return text.encode("utf-8", "replace").decode()


def _time(value: object) -> int:
    time = value if type(value) is int else to_nanoseconds(value)
    if not MIN_INT64 <= time < -MIN_INT64:
        message = f"a time beyond the year 2262: {time} ns"
        raise ValueError(message)
    return time


def _tamed(value: JsonValue) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, int) and not MIN_INT64 <= value <= MAX_UINT64:
        return msgspec.msgpack.Ext(BIG_INTEGER, str(value).encode())
    if isinstance(value, list):
        return [_tamed(item) for item in value]
    if isinstance(value, dict):
        return {_tamed(name): _tamed(item) for name, item in value.items()}
    return value
