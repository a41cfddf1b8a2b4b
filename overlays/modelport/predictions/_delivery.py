"""Offering a batch to a sink: as frames, as records, or one by one where the sink refuses them together."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from modelport.predictions._frame import FrameError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelport.predictions._frame import Frame
    from modelport.predictions._record import Record
    from modelport.predictions._sink import Sink

__all__ = ["hand_over", "told"]

_KNOWN = frozenset({"modelport", *sys.stdlib_module_names})
"""Where errors come from whose text quotes no more than paths and addresses."""


def hand_over(
    sink: Sink,
    frames: Sequence[Frame],
    done: int,
    failed: Callable[[BaseException], None],
    settle: Callable[[int], None],
) -> int:
    """Give what is left of a batch to `sink` and say how many records it took.

    Args:
        sink: Who is to take it.
        frames: The batch.
        done: How many of its records have been settled before, one by one.
        failed: Called with each error that is final.
        settle: Called for each record that was offered by itself: with 1 if it was taken, else with 0.

    Raises:
        OSError: The sink is out of reach; what it had taken or refused by then has been settled.
        KeyboardInterrupt: Passed on.
    """
    if sink.takes_frames and not done:
        try:
            sink.write_frames(frames)
        except (OSError, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - a sink is foreign code: it may panic in Rust, or call sys.exit
            failed(error)
        else:
            return sum(frame.count for frame in frames)
    return _write(sink, _decoded(frames)[done:], failed, settle)


def told(error: BaseException) -> str:
    """What to log of an error: the text of others than the system's may quote predictions, or a URL with its key."""
    if isinstance(error, OSError) and type(error).__module__.partition(".")[0] in _KNOWN:
        return repr(error)
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = "" if place is None else f" at {place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
    return type(error).__name__ + where


def _write(
    sink: Sink, records: list[Record], failed: Callable[[BaseException], None], settle: Callable[[int], None]
) -> int:
    if not records:
        return 0
    try:
        sink.write(records)
    except (OSError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - as in `hand_over`
        failed(error)
        if len(records) == 1:
            return 0
    else:
        return len(records)
    for record in records:
        settle(_write(sink, [record], failed, settle))
    return 0


def _decoded(frames: Sequence[Frame]) -> list[Record]:
    records: list[Record] = []
    for frame in frames:
        # Only a spool's file can be damaged, or come from elsewhere; what is not here counts as lost.
        with contextlib.suppress(FrameError):
            records += frame.records()
    return records
