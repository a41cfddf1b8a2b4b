"""What a media type says of a body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport_tools.idioms import is_structured

from .schemas import mapped

if TYPE_CHECKING:
    from modelport_tools.document import Document

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


def asked_for(document: Document, content: Document) -> list[str]:
    """The media types of an answer that a client asks for, preferred ones first.

    Of one value in several formats it takes JSON: what comes as YAML or CBOR it could not read. A text stays what it
    is in each of them, and a stream is not the same as the whole.
    """
    kinds = sorted(content, key=media_rank)
    json = next((mapped(content, kind).get("schema") for kind in kinds if is_json(kind)), None)
    if json is None or not is_structured(document, json):
        return kinds
    return [
        kind
        for kind in kinds
        if "json" in kind or "event-stream" in kind or mapped(content, kind).get("schema") != json
    ]
