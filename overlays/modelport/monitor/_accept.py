"""Which format of metrics a scrape asks for: prometheus-client takes the first that it knows, whatever its weight."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OPENMETRICS_MEDIA", "chosen"]

OPENMETRICS_MEDIA = "application/openmetrics-text"
_VERSION = re.compile(r"\d+(\.\d+)*")
# From the exact to the general: the first that the header has speaks for plain text.
_TEXTS = ("text/plain", "text/*", "*/*")


class _Offer(NamedTuple):
    """One part of the header."""

    weight: float
    text: str


_NONE = _Offer(0.0, "")


def chosen(headers: Mapping[str, str] | None) -> str:
    """The part of the ``Accept`` header to answer to, in small letters; ``""``, which means plain text, for none.

    OpenMetrics where it is named and liked no less than plain text.
    """
    header = next((value for name, value in (headers or {}).items() if name.lower() == "accept"), "")
    offers: dict[str, _Offer] = {}
    for part in header.lower().split(","):
        media, *settings = (text.strip() for text in part.split(";"))
        told = {name.strip(): value.strip(' "') for name, _, value in (text.partition("=") for text in settings)}
        if _is_spoken(media, told.get("version", "")):
            offers[media] = max(_Offer(_weight(told.get("q", "1")), part), offers.get(media, _NONE))
    text = next((offers[media] for media in _TEXTS if media in offers), _NONE)
    openmetrics = offers.get(OPENMETRICS_MEDIA, _NONE)
    return openmetrics.text if 0 < openmetrics.weight >= text.weight else text.text


def _is_spoken(media: str, version: str) -> bool:
    if not version:
        return True
    return bool(_VERSION.fullmatch(version)) and (media != OPENMETRICS_MEDIA or version == "1.0.0")


def _weight(text: str) -> float:
    try:
        # Also what is no weight, such as NaN, is not liked.
        return min(max(0.0, float(text)), 1.0)
    except ValueError:
        return 0.0
