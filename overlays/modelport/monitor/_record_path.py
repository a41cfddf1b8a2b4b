"""The function behind `ModelMonitor.log` with ``Spool(mode="record")``: on disk before it returns."""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING

from modelport.monitor._request_path import packed
from modelport.predictions._queued import Full, Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport.predictions._gate import Gate
    from modelport.predictions._queued import Usual

__all__ = ["record_path"]


def record_path(gate: Gate, keep: Callable[[Usual | Full], bool]) -> Callable[..., str]:
    """A function with the arguments of `ModelMonitor.log`, which writes each record with `keep`.

    What has been written waits in the queue only to be counted; so a full queue costs counts, and no record.
    """

    def log(  # noqa: PLR0917 - as in `request_path`
        features: object,
        output: object,
        request_body: object = None,
        prediction_id: str | None = None,
        timestamp: object = None,
        segments: object = None,
        attributions: object = None,
    ) -> str:
        try:
            taken, admitted = gate.take(), True
        except StopIteration:
            taken, admitted = gate.more()
        if prediction_id is not None:
            taken = prediction_id
        if gate.closed and not admitted:
            return taken
        features = packed(features)
        time = time_ns() if timestamp is None else timestamp
        queued: Usual | Full | Kept
        if type(taken) is str and type(time) is int and request_body is segments is attributions is None:
            queued = (features, output, taken, time)
        else:
            queued = Full(features, output, taken, time, request_body, segments, attributions)
        if keep(queued):
            queued = Kept(features, output, attributions)
        if admitted:
            gate.queue.append(queued)
        return taken

    return log
