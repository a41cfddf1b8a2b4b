"""Text in double quotes, spelled so that YAML, PromQL and JSON read the same in it."""

from __future__ import annotations

import json
import re

__all__ = ["encodable", "quoted"]

# Beside what JSON escapes: what YAML takes for an end of line or refuses as not printable.
_UNPRINTABLE = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")


def quoted(text: str) -> str:
    """`text` as a literal."""
    plain = json.dumps(encodable(text), ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)


def encodable(text: str) -> str:
    """`text` with half surrogate pairs, which no UTF-8 can hold, spelled out as on a monitor's page."""
    return text.encode("utf-8", "backslashreplace").decode()
