"""JSON texts to values and back: by the standard library at first, by msgspec once there is enough to do.

Loading msgspec takes as long as some hundred small bodies, and the HTTP client has loaded ``json`` already. Both ways
give the same values and bytes: where they could differ, or something is wrong, msgspec has the last word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

WORTH_BYTES = 65_536
"""How much JSON a process reads and writes before msgspec is loaded for it."""

_loads: Callable[[str], Any] | None = None
_light_bytes = 0
"""How much went the light way; beyond `WORTH_BYTES` nothing does any more."""


def parse_json(content: bytes) -> Any:
    """JSON bytes to Python values.

    Raises:
        ValueError: If the bytes are not JSON in UTF-8, or nested too deeply.
    """
    if _light_bytes < WORTH_BYTES and _is_light(len(content)):
        try:
            return _parse_light(content)
        except (ValueError, RecursionError):
            pass  # not JSON, or not surely the same in both: msgspec says which
    import msgspec

    try:
        return msgspec.json.decode(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def write_json(value: Any) -> bytes:
    """Dicts, lists and simple values, numbers finite, to JSON bytes.

    Raises:
        RecursionError: If the value is nested too deeply.
        UnicodeEncodeError: If a text holds half of a surrogate pair.
    """
    if is_light():
        import json

        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        _is_light(len(text))
        if "e-" not in text and "e+" not in text:  # msgspec writes 1e16, json 1e+16
            return text.encode()
    import msgspec

    return msgspec.json.encode(value)


def is_light() -> bool:
    """Whether there was so little JSON yet that msgspec is not worth loading."""
    return _light_bytes < WORTH_BYTES


def _is_light(size: int) -> bool:
    """Whether the light way may take so much; counts it."""
    global _light_bytes  # noqa: PLW0603 - one count a process; threads that miss a step do no harm
    _light_bytes += size
    return _light_bytes < WORTH_BYTES


def _parse_light(content: bytes) -> Any:
    global _loads  # noqa: PLW0603 - made once
    if _loads is None:
        from json import JSONDecoder

        _loads = JSONDecoder(parse_float=_finite, parse_constant=_refused).decode
    text = content.decode()
    if "\\u" in text:  # may be half of a surrogate pair, which json takes
        raise ValueError(text)
    return _loads(text)


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0.0:
        raise ValueError(text)
    return value


def _refused(text: str) -> Any:
    """NaN and infinities are no JSON."""
    raise ValueError(text)
