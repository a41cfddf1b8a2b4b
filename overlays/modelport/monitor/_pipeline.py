"""From the queue to the sinks: count a step, encode it once, hand it to the spool and to every sink."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias, cast

from modelport.monitor._lifecycle import see_to_exit
from modelport.monitor._prediction_ids import prediction_ids
from modelport.predictions._batches import expand
from modelport.predictions._drain import Drain
from modelport.predictions._frame_maker import FrameMaker
from modelport.predictions._gently import MAX_STEP
from modelport.predictions._queued import Batch, Full, Kept, Truth
from modelport.predictions._spool import Spooler, SpoolFullError
from modelport.predictions._worker import SinkWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from modelport.drift import Baseline, LiveCounts
    from modelport.drift.serving._window import DriftWindow
    from modelport.predictions import Sink, Spool
    from modelport.predictions._frame import Frame
    from modelport.predictions._queued import Queued, Usual
    from modelport.predictions._redaction import Redaction

__all__ = ["Pipeline"]

_FEW_NAMES = 3

_FIRST, _SECOND = itemgetter(0), itemgetter(1)

_Single: TypeAlias = "Usual | Full | Kept | Truth"

_logger = logging.getLogger("modelport.predictions")


class Pipeline:
    """Everything behind the request path of one monitor.

    Attributes:
        drain: The queue and the thread that empties it.
        workers: One for each sink.
        live: What has been counted; None without a baseline.
        window: Snapshots over the drift window; None without a baseline.
        on_step: Called by the drain's thread after each step, such as to publish `live.state()`.
    """

    def __init__(
        self,
        endpoint: str,
        model_version: str | None,
        baseline: Baseline | None,
        sinks: Iterable[Sink],
        *,
        max_queue: int,
        interval: float,
        drift_window: float,
        redaction: Redaction | None,
        spool: Spool | None,
    ) -> None:
        """Prepare everything; threads start with the first prediction.

        Raises:
            ValueError: Two sinks of one name, a limit below 1, or a spool without a sink.
            OSError: The spool cannot be made.
        """
        self.workers = tuple(SinkWorker(sink) for sink in sinks)
        if len({worker.sink.name for worker in self.workers}) != len(self.workers):
            message = "sinks need different names: FileSink(..., name='archive')"
            raise ValueError(message)
        if max_queue < 1 or interval <= 0:
            message = "max_queue must be at least 1 and interval above 0"
            raise ValueError(message)
        self.live: LiveCounts | None = None
        self.window: DriftWindow | None = None
        if baseline is not None:
            # Here, so that logging alone loads nothing of drift.
            from modelport.drift import LiveCounts
            from modelport.drift.serving._window import DriftWindow

            self.live, self.window = LiveCounts(baseline), DriftWindow(drift_window)
        self._misfits_told = False
        self.on_step: list[Callable[[], object]] = []
        self.drain = Drain(
            self._process, max_queue, interval, prediction_ids, idle=self._look_around, started=see_to_exit
        )
        names = None if baseline is None else baseline.names
        self._maker = FrameMaker(endpoint, model_version, names, self._refused, redaction)
        self.spooler = (
            None if spool is None else Spooler(spool, endpoint, [worker.sink.name for worker in self.workers])
        )
        self._attach()

    def dropped(self) -> dict[tuple[str, str], int]:
        """Lost records by reason and, where it was a sink that lost them, its name."""
        lost = {(reason, ""): count for reason, count in self.drain.dropped().items()}
        lost.setdefault(("spool_full", ""), 0)
        lost.update({("sink_error", worker.sink.name): worker.dropped for worker in self.workers})
        return lost

    def flush(self, deadline: float) -> bool:
        """Wait until everything queued so far is counted, and delivered or dropped by every sink."""
        self._look_around()
        with ExitStack() as stack:
            for worker in self.workers:
                stack.enter_context(worker.hurried())
            drained = self.drain.flush(deadline)
            shipped = [worker.flush(deadline) for worker in self.workers]
        return all(shipped) and drained

    def close(self, deadline: float) -> bool:
        """Flush, stop the threads and close the sinks."""
        self._look_around()
        with ExitStack() as stack:
            for worker in self.workers:
                stack.enter_context(worker.hurried())
            drained = self.drain.close(deadline)
            delivered = [worker.close(deadline) for worker in self.workers]
        if self.spooler is not None:
            self.spooler.close()
        return all(delivered) and drained

    def after_fork(self) -> None:
        """Forget, in a forked child, what is the parent's."""
        self.drain.reset()
        if self.live is not None:
            self.live.reset()
        if self.window is not None:
            self.window.reset()
        for worker in self.workers:
            worker.after_fork()
        if self.spooler is not None:
            try:
                self.spooler.after_fork()
            except OSError as error:
                # A fork must not fail for it; records are kept in memory then.
                _logger.warning("no spool in this process: %r", error)
                self.spooler = None
        self._attach()

    def keep(self, queued: Usual | Full | Truth) -> bool:
        """Write a record to the spool in the thread that logs it.

        Returns:
            False if the disk refuses it, so that it has to go the way through the queue.
        """
        spooler = self.spooler
        if spooler is None:
            return False
        for frame in self._maker.make((queued,)):
            try:
                spooler.append(frame)
            except SpoolFullError:
                self.drain.drops.add("spool_full", frame.count)
            except OSError:
                return False
        return True

    def _attach(self) -> None:
        if self.spooler is not None:
            for worker in self.workers:
                worker.attach(self.spooler.backlogs[worker.sink.name])

    def _look_around(self) -> None:
        """Now and then: has a dead process left something, has another thread written something?"""
        if self.spooler is not None:
            try:
                self.spooler.look()
            except OSError as error:
                _logger.warning("spool: cannot look for what others have left: %r", error)
            for worker in self.workers:
                worker.notify()

    def _process(self, entries: list[Queued]) -> None:
        """One step of the drain."""
        records = self._expanded(entries) if Batch in set(map(type, entries)) else cast("list[_Single]", entries)
        for start in range(0, len(records), MAX_STEP):
            step = records[start : start + MAX_STEP]
            if self.live is not None and self.window is not None:
                self.window.before_count(time.monotonic(), self.live.snapshot)
                _count(self.live, step)
                self._tell_misfits(self.live)
            if self.workers:
                self._ship([queued for queued in step if not isinstance(queued, Kept)])
            # Last, so that whoever sees a prediction in this number sees it in its bins too.
            self.drain.drained += len(step)
        for publish in self.on_step:
            publish()

    def _tell_misfits(self, live: LiveCounts) -> None:
        """Once: predictions that are in no count would otherwise only show in a metric."""
        uncounted = live.state().uncounted
        if uncounted and not self._misfits_told:
            self._misfits_told = True
            names = live.baseline.names
            few = ", ".join(names[:_FEW_NAMES]) + (", ..." if len(names) > _FEW_NAMES else "")
            _logger.warning(
                "predictions are no rows of the baseline's %d features (%s), and so in no count: %d so far; "
                "modelport_predictions_uncounted_total goes on counting",
                len(names), few, uncounted,
            )  # fmt: skip

    def _expanded(self, entries: list[Queued]) -> list[_Single]:
        records: list[_Single] = []
        for entry in entries:
            if not isinstance(entry, Batch):
                records.append(entry)
                continue
            try:
                records += list(expand(entry))
            except Exception as error:  # noqa: BLE001 - any value may refuse in any way, and the thread must go on
                self.drain.drops.add("encode_error", len(entry.ids), error)
        return records

    def _ship(self, step: Sequence[Usual | Full | Truth]) -> None:
        for frame in self._maker.make(step):
            if self._spooled(frame):
                continue
            for worker in self.workers:
                worker.offer(frame)
        if self.spooler is not None:
            for worker in self.workers:
                worker.notify()

    def _spooled(self, frame: Frame) -> bool:
        """Whether `frame` needs no place in memory: it is on disk, or there is no room for it there."""
        if self.spooler is None:
            return False
        try:
            self.spooler.append(frame)
        except SpoolFullError:
            self.drain.drops.add("spool_full", frame.count)
        except OSError:
            return False
        return True

    def _refused(self, error: Exception) -> None:
        self.drain.drops.add("encode_error", error=error)


def _count(live: LiveCounts, step: Sequence[_Single]) -> None:
    attributions: list[object] = []
    if set(map(type, step)) != {tuple}:
        step = [queued for queued in step if type(queued) is not Truth]
        more = [queued.attributions for queued in step if isinstance(queued, (Full, Kept))]
        attributions = [attribution for attribution in more if attribution is not None]
    features = list(map(_FIRST, step))
    outputs = list(map(_SECOND, step))
    if set(map(type, features)) == {bytes}:
        live.update_packed(cast("list[bytes]", features), outputs, attributions)
    else:
        live.update([unpacked(row) for row in features], outputs, attributions)


def unpacked(features: object) -> object:
    """Features that are msgpack as what they were; others as they are."""
    if type(features) is not bytes:
        return features
    # Here, because numpy is an extra, and without it there is nothing to count.
    from modelport.drift.serving._packed import unpack_rows

    return unpack_rows([features])[0]
