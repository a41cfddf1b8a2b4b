"""What a media type says of a body."""

from __future__ import annotations

RAW_BODY = ("str", "bytes", "File")
MULTIPART = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"
_PREFERENCE = ("application/json", MULTIPART, FORM)


def bare_media(kind: str) -> str:
    """A media type without its parameters."""
    return kind.partition(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    """Whether a media type is JSON, by its name or its suffix (RFC 6839)."""
    bare = bare_media(kind)
    return bare == "application/json" or bare.endswith("+json")


def is_raw(kind: str) -> bool:
    """Whether a body of a media type goes as it is, without a schema for what is in it."""
    bare = bare_media(kind)
    return bare not in {MULTIPART, FORM, "application/octet-stream"} and not is_json(bare)


def media_rank(kind: str) -> tuple[int, str]:
    """Sorts media types, preferred ones first."""
    bare = bare_media(kind)
    if bare in _PREFERENCE:
        return _PREFERENCE.index(bare), kind
    return len(_PREFERENCE) + is_raw(kind), kind
