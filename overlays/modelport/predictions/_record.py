"""One logged prediction or ground truth, and its form as a line of JSON."""

from __future__ import annotations

import datetime as dt
import math
import operator
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, cast

import msgspec

from modelport._plain import JsonValue, plain
from modelport._tables import is_table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MAX_UINT64",
    "MIN_INT64",
    "GroundTruth",
    "Prediction",
    "Record",
    "attribution_values",
    "named",
    "segment_labels",
    "strict",
    "to_json_line",
    "to_nanoseconds",
]

_NANOSECONDS = 1_000_000_000
MIN_INT64, MAX_UINT64 = -(2**63), 2**64 - 1
"""The whole numbers that msgpack has a form for."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Prediction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One prediction as it is shipped and read back.

    Attributes:
        prediction_id: Unique id, by default in the form of a random UUID.
        timestamp_ns: When it was made, in nanoseconds since 1970 (UTC).
        endpoint: The endpoint that served it.
        features: Value by feature name, or a list where no names are known.
        output: What the model answered.
        model_version: The version that answered, if known.
        request_body: The request as it came in, if it was handed over.
        segments: Labels to compare groups of traffic by, such as ``{"country": "SG"}``.
        attributions: What each feature added to the output (SHAP values), by feature name.
        label: The ground truth, where a reader has joined it; never shipped with the prediction.
    """

    prediction_id: str
    timestamp_ns: int
    endpoint: str
    features: JsonValue
    output: JsonValue
    model_version: str | None = None
    request_body: JsonValue = None
    segments: dict[str, str] | None = None
    attributions: dict[str, float] | None = None
    label: JsonValue = None

    @property
    def timestamp(self) -> dt.datetime:
        """The time as an aware UTC datetime, cut to microseconds."""
        return _EPOCH + dt.timedelta(microseconds=self.timestamp_ns // 1000)

    def as_dict(self) -> dict[str, JsonValue]:
        """The set fields by name; ``features`` and the like are shared, not copied."""
        return cast("dict[str, JsonValue]", msgspec.structs.asdict(self))


class GroundTruth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What turned out to be true, shipped through the same sinks as the prediction, often days after it.

    Attributes:
        prediction_id: The prediction it belongs to.
        timestamp_ns: When it became known, in nanoseconds since 1970 (UTC).
        endpoint: The endpoint that served the prediction.
        label: The true value.
    """

    prediction_id: str
    timestamp_ns: int
    endpoint: str
    label: JsonValue

    def as_dict(self) -> dict[str, JsonValue]:
        """The fields by name."""
        return cast("dict[str, JsonValue]", msgspec.structs.asdict(self))


Record: TypeAlias = Prediction | GroundTruth
"""What sinks take and files hold."""


_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode


def to_nanoseconds(time: object) -> int:
    """Nanoseconds since 1970 from an int (nanoseconds), a float (seconds) or an aware datetime.

    Raises:
        TypeError: Another kind of value.
        ValueError: Not finite, or a datetime without a time zone.
    """
    if isinstance(time, SupportsIndex):
        # Those of numpy are whole numbers too, and no int.
        return operator.index(time)
    if isinstance(time, float):
        if not math.isfinite(time):
            message = f"a timestamp must be finite, not {time}"
            raise ValueError(message)
        return int(time * _NANOSECONDS)
    if isinstance(time, dt.datetime):
        if time.tzinfo is None:
            message = "a timestamp needs a time zone: datetime.now(timezone.utc)"
            raise ValueError(message)
        return (time - _EPOCH) // dt.timedelta(microseconds=1) * 1000
    message = f"a timestamp is an int (ns), a float (s) or a datetime, not {type(time).__name__}"
    raise TypeError(message)


def to_json_line(record: object) -> bytes:
    r"""Encode a record (or plain mapping) as one line of strict JSON, ended by ``\\n``.

    NaN becomes null (both mean "missing"), an infinity the text ``"Infinity"`` or ``"-Infinity"`` (the spelling of
    the protobuf JSON mapping, which ``float()`` reads back), a lone surrogate U+FFFD.
    """
    try:
        line = _encode(record)
    except UnicodeEncodeError:
        line = _encode(strict(msgspec.to_builtins(record)))
    else:
        # msgspec writes every non-finite float as null, so a line without a null holds none.
        if b"null" in line:
            line = _encode(strict(msgspec.to_builtins(record)))
    return line + b"\n"


def named(features: JsonValue, names: tuple[str, ...] | None) -> JsonValue:
    """`features` with `names` given to the items of a row, or of each row of a table that has as many."""
    if isinstance(features, list):
        if len(features) == 1 and isinstance(features[0], (list, dict)):
            # A model's input is often a batch of one row: [[...]] or [{...}].
            features = features[0]
        if names is not None and isinstance(features, list):
            if is_table(features, names):
                return [_named_row(row, names) for row in features]
            return _named_row(features, names)
    return features


def _named_row(row: JsonValue, names: tuple[str, ...]) -> JsonValue:
    return dict(zip(names, row, strict=True)) if isinstance(row, list) and len(row) == len(names) else row


def segment_labels(segments: object) -> dict[str, str]:
    """Segments as text by name.

    Raises:
        TypeError: They are no mapping.
    """
    labels = plain(segments)
    if not isinstance(labels, dict):
        message = "segments are a mapping of name to text"
        raise TypeError(message)
    return {name: value if isinstance(value, str) else str(value) for name, value in labels.items()}


def attribution_values(attributions: object, names: tuple[str, ...] | None) -> dict[str, float]:
    """Attributions as numbers by feature name; a sequence gets `names`, or its positions where there are none.

    Raises:
        TypeError: They are no mapping and no sequence, or hold something that is no number.
        ValueError: As many values as there are features is what a sequence must have.
    """
    values = plain(attributions)
    if isinstance(values, list) and len(values) == 1 and isinstance(values[0], (list, dict)):
        values = values[0]
    if isinstance(values, list):
        keys = tuple(map(str, range(len(values)))) if names is None else names
        values = dict(zip(keys, values, strict=True))
    if not isinstance(values, dict):
        message = "attributions are a mapping of feature name to number, or a sequence in the features' order"
        raise TypeError(message)
    return _numbers(values)


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    # A line of JSON has no NaN; it is null there.
    return {name: math.nan if value is None else float(value) for name, value in values.items()}


def strict(value: JsonValue, *, wide: bool = True) -> JsonValue:
    """`value` of what strict JSON has: NaN as null, an infinity and half a character as `to_json_line` says.

    Args:
        value: What to look through.
        wide: Whether integers of more than 64 bits stay numbers, which JSON has and msgpack has not, or become text.
    """
    try:
        packed = _pack(value)
    except (OverflowError, UnicodeEncodeError):
        return _strict(value, wide=wide)
    # Nearly always it is so already, and this tells in a tenth of the time: NaN and infinities have all ones in the
    # exponent, as have only the largest numbers in its first seven bits.
    return _strict(value, wide=wide) if b"\xcb\x7f" in packed or b"\xcb\xff" in packed else value


def _strict(value: JsonValue, *, wide: bool) -> JsonValue:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_strict(item, wide=wide) for item in value]
    if isinstance(value, dict):
        return {cast("str", _strict(name, wide=wide)): _strict(item, wide=wide) for name, item in value.items()}
    if not wide and isinstance(value, int) and not MIN_INT64 <= value <= MAX_UINT64:
        return str(value)
    return value
