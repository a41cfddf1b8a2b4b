"""From the queue to the sinks: count a step, encode it once, hand it to the spool and to every sink."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from modelport.monitor._lifecycle import see_to_exit
from modelport.monitor._prediction_ids import prediction_ids
from modelport.predictions._delivery import told
from modelport.predictions._drain import Drain
from modelport.predictions._drops import Drops
from modelport.predictions._frame_maker import FrameMaker
from modelport.predictions._queued import Full, Kept, Truth
from modelport.predictions._spool import Spooler, SpoolFullError
from modelport.predictions._worker import SinkWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from modelport.drift import Baseline, LiveCounts
    from modelport.drift.serving._window import DriftWindow
    from modelport.predictions import Sink, Spool
    from modelport.predictions._frame import Frame
    from modelport.predictions._queued import Single, Usual
    from modelport.predictions._redaction import Redaction

__all__ = ["Pipeline"]

_FIRST, _SECOND = itemgetter(0), itemgetter(1)

_logger = logging.getLogger("modelport.predictions")


class Pipeline:
    """Everything behind the request path of one monitor.

    Attributes:
        drain: The queue and the thread that empties it.
        workers: One for each sink.
        live: What has been counted; None without a baseline.
        window: Snapshots over the drift window; None without a baseline.
        incomplete: Predictions shipped without segments or attributions that had no form.
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
            ValueError: Two sinks of one name, or a spool without a sink.
            OSError: The spool cannot be made.
        """
        self.workers = tuple(SinkWorker(sink) for sink in sinks)
        if len({worker.sink.name for worker in self.workers}) != len(self.workers):
            message = "sinks need different names: FileSink(..., name='archive')"
            raise ValueError(message)
        self.live: LiveCounts | None = None
        self.window: DriftWindow | None = None
        if baseline is not None:
            # Here, so that logging alone loads nothing of drift.
            from modelport.drift import LiveCounts
            from modelport.drift.serving._window import DriftWindow

            self.live, self.window = LiveCounts(baseline), DriftWindow(drift_window)
        self.on_step: list[Callable[[], object]] = []
        self.incomplete = _incomplete()
        self.drain = Drain(
            self._process,
            max_queue,
            interval,
            prediction_ids,
            stepped=self._publish,
            idle=self._look_around,
            started=see_to_exit,
        )
        names = None if baseline is None else baseline.names
        self._maker = FrameMaker(endpoint, model_version, names, self._refused, redaction, on_incomplete=self._left_out)
        self.spooler = (
            None
            if spool is None
            else Spooler(spool, endpoint, [worker.sink.name for worker in self.workers], self._lost)
        )
        self._attach()

    def dropped(self) -> dict[tuple[str, str], int]:
        """Lost records by reason and, where it was a sink that lost them, its name."""
        lost = {(reason, ""): count for reason, count in self.drain.dropped().items()}
        lost.setdefault(("spool_full", ""), 0)
        for worker in self.workers:
            lost["sink_error", worker.sink.name] = worker.dropped + worker.sink.lost
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
        self.incomplete = _incomplete()
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
                _logger.warning("no spool in this process: %s", told(error))
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
                _logger.warning("spool: cannot look for what others have left: %s", told(error))
            for worker in self.workers:
                worker.notify()

    def _process(self, step: list[Single]) -> None:
        """One step of the drain."""
        if self.live is not None and self.window is not None:
            self.window.before_count(time.monotonic(), self.live.snapshot)
            _count(self.live, step)
        kinds = set(map(type, step))
        if self.workers:
            unkept = [queued for queued in step if not isinstance(queued, Kept)] if Kept in kinds else step
            self._ship(cast("list[Usual | Full | Truth]", unkept))
        # Last, so that whoever sees a prediction in this number sees it in its bins too.
        self.drain.drained += sum(type(queued) is not Truth for queued in step) if Truth in kinds else len(step)

    def _publish(self) -> None:
        for publish in self.on_step:
            publish()

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

    def _lost(self, sink: str, records: int) -> None:
        """Somebody has removed records from the spool that `sink` had not taken."""
        for worker in self.workers:
            if worker.sink.name == sink:
                worker.lose(records)

    def _refused(self, error: Exception) -> None:
        self.drain.drops.add("encode_error", error=error)

    def _left_out(self, part: str, error: Exception) -> None:
        self.incomplete.add(part, error=error)


def _incomplete() -> Drops:
    return Drops(what="predictions kept without what has no form")


def _count(live: LiveCounts, step: Sequence[Single]) -> None:
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
