"""When an attempt is repeated, and after how long. Pure: the sleeping is done by the transport."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 8.0
MAX_RETRY_AFTER_SECONDS = 60.0
"""A server that asks for a longer pause is believed, and the error is raised instead."""

_SECONDS = re.compile(r"\d{1,12}(?:\.\d*)?", re.ASCII)
"""RFC 9110 knows whole seconds; fractions are seen in the wild."""

_REFUSED = frozenset({429})
"""The server did not take the request up: a repeat is safe for every method."""
_TRANSIENT = frozenset({408, 429, 502, 503, 504})


def is_retryable_status(status: int, *, idempotent: bool) -> bool:
    """Whether a repeat may help and does no harm."""
    return status in (_TRANSIENT if idempotent else _REFUSED)


def delay_seconds(attempt: int, headers: Mapping[str, str] | None = None) -> float | None:
    """The pause before the next attempt.

    Args:
        attempt: How many attempts were made, 1 after the first.
        headers: Those of the answer, by lower-case name, for ``Retry-After``.

    Returns:
        Seconds, up to a quarter less than the doubling schedule says so that clients do not march in step; None
        if the server asks for more than `MAX_RETRY_AFTER_SECONDS`.
    """
    asked = retry_after_seconds(headers or {})
    if asked is not None:
        return asked if asked <= MAX_RETRY_AFTER_SECONDS else None
    full = min(FIRST_DELAY_SECONDS * 2.0 ** min(attempt - 1, 16), MAX_DELAY_SECONDS)
    return full * (1.0 - 0.25 * random.random())  # noqa: S311 - jitter, not a secret


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The ``Retry-After`` of RFC 9110 in seconds, from its number or date form; None if absent or malformed."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):  # what the parser of dates lets through
        return None
