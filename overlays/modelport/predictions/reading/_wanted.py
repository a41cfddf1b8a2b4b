"""Which records are wanted, and which files may hold them."""

from __future__ import annotations

import datetime as dt
import math
import re
from bisect import bisect_left
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

import msgspec

from modelport.predictions._paths import endpoint_folders
from modelport.predictions._record import strict, to_nanoseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelport.predictions._record import Record

__all__ = ["Wanted", "parse_place", "time_of_id"]

# A collector names a file by a window (of up to an hour here), and may flush a record into the window after its own.
SLACK = dt.timedelta(hours=1)

_PLACE = re.compile(r"(?:^|.*/)([^/]+)/(\d{4}-\d{2}-\d{2})/(\d{2})(\d{2})_[^/]*")
_BOXKITE_ID = re.compile(r"[^/]*/(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})/[^/]+")
_LAST = "￿"


class Place(msgspec.Struct, frozen=True):
    """What a file's path says: the folder of its endpoint and the time it is named by."""

    folder: str
    moment: dt.datetime


def parse_place(path: str) -> Place | None:
    """What `path` says; None where it is not of the layout."""
    found = _PLACE.fullmatch(path.replace("\\", "/"))
    if found is None:
        return None
    try:
        date = dt.datetime.strptime(found[2], "%Y-%m-%d").replace(tzinfo=dt.UTC)
        return Place(found[1], date.replace(hour=int(found[3]), minute=int(found[4])))
    except ValueError:
        return None


def time_of_id(prediction_id: str) -> dt.datetime | None:
    """The time in an id of Boxkite's form ``server/YYYY-MM-DDTHH:MM:SS/uuid``; None for other ids."""
    found = _BOXKITE_ID.fullmatch(prediction_id)
    if found is None:
        return None
    try:
        return dt.datetime.fromisoformat(found[1]).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


class Wanted(msgspec.Struct, frozen=True):
    """A choice of records.

    Attributes:
        endpoint: Only of this endpoint; None for all.
        start: Only at or after this time.
        end: Only before this time.
        ids: Only of these predictions; None for all.
        moments: Where each of the ids carries its time: those times, sorted.
        window_ns: `start` and `end` in nanoseconds.
        names: What records of `endpoint` may call it; empty if all are wanted.
    """

    endpoint: str | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    ids: frozenset[str] | None = None
    moments: tuple[dt.datetime, ...] | None = None
    window_ns: tuple[float, float] = (-math.inf, math.inf)
    names: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        endpoint: str | None,
        start: dt.datetime | None,
        end: dt.datetime | None,
        prediction_ids: Iterable[str] | None,
    ) -> Wanted:
        """The choice that a caller describes.

        Raises:
            ValueError: `start` or `end` has no time zone, or `start` is after `end`.
            TypeError: `prediction_ids` is one text, of which each letter would be an id.
        """
        window = _nanoseconds(start, -math.inf), _nanoseconds(end, math.inf)
        if window[0] > window[1]:
            message = f"the start, {start}, is after the end, {end}"
            raise ValueError(message)
        # As given, as lines of JSON have it, and not at all.
        names = frozenset[str]() if endpoint is None else frozenset({endpoint, cast("str", strict(endpoint)), ""})
        if prediction_ids is None:
            return cls(endpoint, start, end, window_ns=window, names=names)
        if isinstance(prediction_ids, str):
            message = "prediction_ids is a list of ids: put the one id into a list"
            raise TypeError(message)
        ids = frozenset(prediction_ids)
        times = [time for time in map(time_of_id, ids) if time is not None]
        moments = tuple(sorted(times)) if len(times) == len(ids) else None
        return cls(endpoint, start, end, ids, moments, window, names)

    def within(self, start: dt.datetime | None, end: dt.datetime | None) -> Wanted:
        """The same endpoint and ids between other times, wherever the ids point."""
        window = _nanoseconds(start, -math.inf), _nanoseconds(end, math.inf)
        return msgspec.structs.replace(self, start=start, end=end, moments=None, window_ns=window)

    def anywhere(self, ids: Iterable[str]) -> Wanted:
        """Those of the ids, whatever time they seem to carry."""
        return msgspec.structs.replace(self, ids=frozenset(ids), moments=None)

    def endpoint_in(self, folder: str) -> str:
        """The endpoint of records that name none: the one that is asked for, where the folder may be its own."""
        if self.endpoint is not None and folder in endpoint_folders(self.endpoint):
            return self.endpoint
        return unquote(folder)

    def holds(self, record: Record) -> bool:
        """Whether `record` is wanted."""
        first, last = self.window_ns
        if not first <= record.timestamp_ns < last:
            return False
        if self.ids is not None and record.prediction_id not in self.ids:
            return False
        return not self.names or record.endpoint in self.names

    def may_be_in(self, moment: dt.datetime) -> bool:
        """Whether a file named by `moment` may hold a wanted record."""
        # Compared as differences: a datetime near year 1 or 9999 has no room for the slack itself.
        start, end = self.start, self.end
        if (start is not None and start - moment > SLACK) or (end is not None and moment - end >= SLACK):
            return False
        return self.moments is None or self._is_near(moment, self.moments)

    @staticmethod
    def _is_near(moment: dt.datetime, moments: tuple[dt.datetime, ...]) -> bool:
        place = bisect_left(moments, moment)
        return any(abs(moment - near) <= SLACK for near in moments[max(0, place - 1) : place + 1])

    def span(self) -> tuple[str, str]:
        """Where, by spelling of ``date/name``, the first and the last file of interest lie."""
        starts = [self.start, self.moments[0] if self.moments else None]
        ends = [self.end, self.moments[-1] if self.moments else None]
        first = max((_key(_minus(moment, SLACK)) for moment in starts if moment is not None), default="")
        last = min((_key(_minus(moment, -SLACK)) + _LAST for moment in ends if moment is not None), default=_LAST)
        return first, last


def _nanoseconds(moment: dt.datetime | None, default: float) -> float:
    return default if moment is None else to_nanoseconds(moment)


def _minus(moment: dt.datetime, delta: dt.timedelta) -> dt.datetime:
    try:
        return moment.astimezone(dt.UTC) - delta
    except OverflowError:
        # At either end of what a datetime can say there is nothing further to look for.
        return moment.replace(tzinfo=dt.UTC)


def _key(moment: dt.datetime) -> str:
    # Not strftime, which writes years before 1000 without their zeros.
    return f"{moment.date().isoformat()}/{moment:%H%M}"
