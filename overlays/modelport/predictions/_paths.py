"""Where prediction files lie: ``models/predictions/{endpoint_id}/{date}/{HHMM}_{logger_id}-{replica_id}.txt``."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import socket
from urllib.parse import quote

__all__ = ["PREFIX", "default_replica_id", "endpoint_folders", "minute_names", "minute_of", "path_part"]

PREFIX = "models/predictions"

_MINUTE_NS = 60 * 1_000_000_000
_MAX_PART_BYTES = 100


def default_replica_id() -> str:
    """The pod's or the host's name."""
    return os.environ.get("BEDROCK_POD_NAME") or os.environ.get("POD_NAME") or socket.gethostname() or "unknown"


def path_part(text: str) -> str:
    """`text` as one harmless path component; different texts never share one.

    Everything but letters, digits, ``_``, ``.``, ``-`` and ``~`` is percent-encoded, so are leading dots and the
    empty text; beyond 100 bytes the rest is replaced by a digest.
    """
    part = quote(text, safe="", errors="backslashreplace") or "%"
    if part.startswith("."):
        part = "%2E" + part[1:]
    if len(part) > _MAX_PART_BYTES:
        digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
        part = f"{part[: _MAX_PART_BYTES - 17]}~{digest}"
    return part


def endpoint_folders(endpoint: str) -> list[str]:
    """Folders that records of `endpoint` may lie in: our own, and that of a collector, in whose tag dots are dashes."""
    return sorted({path_part(endpoint), path_part(endpoint.replace(".", "-"))})


def minute_of(timestamp_ns: int) -> int:
    """The minute a record belongs to, counted since 1970 (UTC)."""
    return timestamp_ns // _MINUTE_NS


def minute_names(minute: int) -> tuple[str, str]:
    """The date folder and the HHMM that open a file's name, both UTC.

    Raises:
        OverflowError: Outside the years 1 to 9999.
    """
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minute)
    return f"{moment:%Y-%m-%d}", f"{moment:%H%M}"
