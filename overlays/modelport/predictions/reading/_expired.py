"""Data that is past its time."""

from __future__ import annotations

import datetime as dt

__all__ = ["ExpiredDataError", "check_ttl"]


class ExpiredDataError(LookupError):
    """What was asked for begins before the store's time to live, so the answer would silently be short.

    Attributes:
        horizon: The oldest time that is still kept.
        asked: The time that was asked for.
    """

    def __init__(self, asked: dt.datetime, horizon: dt.datetime) -> None:
        self.asked = asked
        self.horizon = horizon
        super().__init__(
            f"predictions of {asked.isoformat()} have expired: only those since {horizon.isoformat()} are kept. "
            "Ask for a later start, or leave ttl out to read what is still there"
        )


def check_ttl(ttl: dt.timedelta | None, *moments: dt.datetime | None) -> None:
    """Raise if one of `moments` lies further back than `ttl`.

    Raises:
        ExpiredDataError: It does.
        ValueError: `ttl` is not positive.
    """
    if ttl is None:
        return
    if ttl <= dt.timedelta():
        message = f"a ttl is a positive time, not {ttl}"
        raise ValueError(message)
    horizon = dt.datetime.now(dt.UTC) - ttl
    for moment in moments:
        if moment is not None and moment < horizon:
            raise ExpiredDataError(moment, horizon)
