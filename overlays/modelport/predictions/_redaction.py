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

    What has a place and no name could be any field: a row that the names do not fit is replaced as a whole, and so are
    lists of bare values in a request body.
    """

    def __init__(self, fields: Iterable[str]) -> None:
        """Prepare to redact.

        Raises:
            TypeError: A name that is no text.
            ValueError: An empty name.
        """
        names = (fields,) if isinstance(fields, str) else tuple(fields)
        for name in cast("tuple[object, ...]", names):
            if not isinstance(name, str):
                message = f"redact holds names of fields, not {type(name).__name__}"
                raise TypeError(message)
        paths = {name.casefold() for name in names}
        if any(not part for path in paths for part in path.split(".")):
            message = "redact holds an empty name"
            raise ValueError(message)
        self._whole = frozenset(paths)
        self._paths = [tuple(path.split(".")) for path in paths]

    def value(self, value: JsonValue, path: tuple[str, ...] = (), *, bare: bool = True) -> JsonValue:
        """`value` with the named fields replaced, and, unless `bare` values may stay, lists that hold any."""
        if isinstance(value, dict):
            return {name: self._field(name, item, path, bare=bare) for name, item in value.items()}
        if isinstance(value, list):
            if not bare and not _nested(value):
                return REDACTED
            return [self.value(item, path, bare=bare) for item in value]
        return value

    def features(self, features: object, names: tuple[str, ...] | None) -> JsonValue:
        """Features by name, redacted.

        Without `names` a row stays as it is: no field in it has one.
        """
        given = _decode_packed(features) if type(features) is bytes else features
        rows = named(plain(given), names)
        return self.value(rows) if names is None else self._rows(rows, names)

    def extras(self, extras: list[JsonValue]) -> list[JsonValue]:
        """Request body, segments and attributions, redacted."""
        body, segments, attributions = extras
        return [self._body(body), self.value(segments), self._attributions(attributions)]

    def _rows(self, rows: JsonValue, names: tuple[str, ...]) -> JsonValue:
        if isinstance(rows, dict):
            # With no name in common it is something around features, in which they may lie by position.
            return self.value(rows, bare=any(name in rows for name in names))
        if isinstance(rows, list) and _nested(rows):
            return [self._rows(row, names) for row in rows]
        return REDACTED

    def _field(self, name: str, item: JsonValue, path: tuple[str, ...], *, bare: bool = True) -> JsonValue:
        folded = name.casefold()
        here = (*path, folded)
        if folded in self._whole or any(here[-len(parts) :] == parts for parts in self._paths):
            return REDACTED
        return self.value(item, here, bare=bare)

    def _body(self, body: JsonValue) -> JsonValue:
        """A body; text is redacted as the JSON it is, and left out where it is none and so cannot be looked through."""
        if not isinstance(body, str):
            return self.value(body, bare=False)
        try:
            parsed = cast("JsonValue", _decode_json(body))
        except (msgspec.DecodeError, UnicodeEncodeError):
            return None
        if not isinstance(parsed, (dict, list)):
            return None
        return msgspec.json.encode(self.value(parsed, bare=False)).decode()

    def _attributions(self, attributions: JsonValue) -> JsonValue:
        """Attributions without the named ones: what stays must be numbers."""
        if not isinstance(attributions, dict):
            return attributions
        return {name: item for name, item in attributions.items() if self._field(name, None, ()) is None}


def _nested(items: list[JsonValue]) -> bool:
    return all(isinstance(item, (dict, list)) for item in items)
