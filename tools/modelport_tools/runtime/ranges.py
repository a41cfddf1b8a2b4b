"""Going on with a body that was cut: what HTTP allows (RFC 9110, sections 8.8, 13.1.5 and 14). No I/O here."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_OK = 200
_PARTIAL = 206
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII | re.IGNORECASE)
_SAFE_SECONDS = 60
"""How much older than its answer a resource must be for its date to tell it from a later one.

RFC 9110, 8.8.2.2, asks for a second and clocks that agree; the minute is that of RFC 7232, 2.2.2, for any clocks.
"""


class Resource(NamedTuple):
    """What an answer with a whole body says of it.

    Attributes:
        validator: What ``If-Range`` may carry: a strong entity tag, else the date of the last change; empty if none.
        total: The number of bytes; None if it was not told.
        accepts_ranges: Whether the server says that it gives ranges; None if it says nothing.
    """

    validator: str
    total: int | None
    accepts_ranges: bool | None

    @property
    def is_resumable(self) -> bool:
        """Whether a range of the same content can be asked for."""
        return bool(self.validator) and self.accepts_ranges is not False

    def headers(self, start: int) -> dict[str, str]:
        """Those that ask for the rest, or for all of it if it is another by now."""
        return {"Range": f"bytes={start}-", "If-Range": self.validator, "Accept-Encoding": "identity"}

    def is_rest(self, status: int, headers: Mapping[str, str], start: int) -> bool:
        """Whether an answer is the rest of this very content, from `start` on."""
        found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
        if status != _PARTIAL or found is None or is_encoded(headers):
            return False
        if headers.get("etag" if self.validator.startswith('"') else "last-modified", self.validator) != self.validator:
            return False
        first, last, total = int(found[1]), int(found[2]), found[3]
        same = total == "*" or self.total is None or int(total) == self.total
        return first == start and same and last >= first and (self.total is None or last < self.total)


def resource_of(method: str, status: int, headers: Mapping[str, str]) -> Resource:
    """What an answer says of its content; nothing that helps to go on with, unless it is a plain GET of all of it."""
    if is_encoded(headers):  # its bytes are not those that are written
        return Resource("", None, accepts_ranges=None)
    length = headers.get("content-length", "")
    total = int(length) if length.isascii() and length.isdigit() else None
    units = headers.get("accept-ranges", "").strip().lower()
    accepts = None if not units else "bytes" in re.split(r"[\s,]+", units)
    # Range is defined for GET alone.
    validator = _validator(headers) if method == "GET" and status == _OK else ""
    return Resource(validator, total, accepts)


def is_encoded(headers: Mapping[str, str]) -> bool:
    """Whether the body is packed."""
    return headers.get("content-encoding", "").strip().lower() not in {"", "identity"}


def _validator(headers: Mapping[str, str]) -> str:
    tag = headers.get("etag", "").strip()
    if tag:  # a weak one says that two contents mean the same, not that their bytes are
        return tag if len(tag) > 1 and tag[0] == tag[-1] == '"' and tag.isascii() and tag.isprintable() else ""
    changed = headers.get("last-modified", "").strip()
    try:
        age = parsedate_to_datetime(headers.get("date", "")) - parsedate_to_datetime(changed)
    except (ValueError, TypeError, IndexError, OverflowError):  # what the parser of dates lets through
        return ""
    return changed if age.total_seconds() >= _SAFE_SECONDS else ""
