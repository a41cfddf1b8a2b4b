"""Taking named fields out of records before anything is encoded, so that neither spool nor sink ever holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from modelport._plain import JsonValue, plain
from modelport.predictions._record import named

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["REDACTED", "Redaction"]

REDACTED = "REDACTED"
"""What stands in the place of a redacted value."""

_decode_json = msgspec.json.Decoder().decode
_decode_packed = msgspec.msgpack.Decoder().decode


class Redaction:
    """Replaces the values of named fields, at any depth.

    A name without a dot, such as ``ssn``, is every field of that name. ``card.number`` is every field ``number`` in a
    field ``card``, or a field called ``card.number``. Upper and lower case are not told apart.
    """

    def __init__(self, fields: Iterable[str]) -> None:
        """Prepare to redact.

        Raises:
            ValueError: An empty name.
        """
        if isinstance(fields, str):
            fields = (fields,)
        paths = {field.casefold() for field in fields}
        if any(not part for path in paths for part in path.split(".")):
            message = "redact holds an empty name"
            raise ValueError(message)
        self._whole = frozenset(paths)
        self._paths = [tuple(path.split(".")) for path in paths]

    def value(self, value: JsonValue, path: tuple[str, ...] = ()) -> JsonValue:
        """`value` with the named fields replaced."""
        if isinstance(value, dict):
            return {name: self._field(name, item, path) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, path) for item in value]
        return value

    def features(self, features: object, names: tuple[str, ...] | None) -> JsonValue:
        """Features by name, redacted.

        A row without names stays as it is: no field in it has one.
        """
        given = _decode_packed(features) if type(features) is bytes else features
        return self.value(named(plain(given), names))

    def extras(self, extras: list[JsonValue]) -> list[JsonValue]:
        """Request body, segments and attributions, redacted."""
        body, segments, attributions = extras
        return [self._body(body), self.value(segments), self._attributions(attributions)]

    def _field(self, name: str, item: JsonValue, path: tuple[str, ...]) -> JsonValue:
        folded = name.casefold()
        here = (*path, folded)
        if folded in self._whole or any(here[-len(parts) :] == parts for parts in self._paths):
            return REDACTED
        return self.value(item, here)

    def _body(self, body: JsonValue) -> JsonValue:
        """A body; text is redacted as the JSON it is, and left out where it is none and so cannot be looked through."""
        if not isinstance(body, str):
            return self.value(body)
        try:
            parsed = cast("JsonValue", _decode_json(body))
        except (msgspec.DecodeError, UnicodeEncodeError):
            return None
        if not isinstance(parsed, (dict, list)):
            return None
        return msgspec.json.encode(self.value(parsed)).decode()

    def _attributions(self, attributions: JsonValue) -> JsonValue:
        """Attributions without the named ones: what stays must be numbers."""
        if not isinstance(attributions, dict):
            return attributions
        return {name: item for name, item in attributions.items() if self._field(name, None, ()) is None}
