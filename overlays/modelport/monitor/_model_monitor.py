"""`ModelMonitor`: logging predictions and watching for drift, off the request path."""

from __future__ import annotations

import os
import signal
import time
from time import time_ns
from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.monitor._lifecycle import manage, release
from modelport.monitor._prediction_ids import prediction_ids
from modelport.predictions._drain import Drain, QueuedPrediction
from modelport.predictions._record import make_prediction
from modelport.predictions._worker import SinkWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import FrameType, TracebackType
    from typing import Self

    from prometheus_client.registry import CollectorRegistry

    from modelport.drift import Baseline, CountsSnapshot, DriftReport
    from modelport.monitor._metrics import MonitorView
    from modelport.predictions import Prediction, Sink

__all__ = ["ModelMonitor"]

_DEFAULT_MAX_QUEUE = 100_000
_DEFAULT_INTERVAL_SECONDS = 0.1
_DEFAULT_WINDOW_SECONDS = 3600.0
_DEFAULT_TIMEOUT_SECONDS = 5.0


class ModelMonitor:
    """Log every prediction of an endpoint, ship it to sinks, count it against a baseline, show it to Prometheus.

    `log` costs the request one append to a bounded queue: it never blocks and never raises. One thread empties the
    queue in steps of at most 1000 records; each sink has a thread of its own behind it. What cannot be kept is
    counted, by reason, in `dropped` and in the metrics.

    Ends of a process: at a normal end, `close` runs by itself and loses nothing that sinks take within 5 seconds.
    Python's default for SIGTERM ends a process without any of that: call `install_signal_handlers`, unless the
    server around it (gunicorn, uvicorn) already turns SIGTERM into a normal end. SIGKILL loses what has not been
    shipped, usually one `interval`. A forked child starts with an empty queue, zero counts and its own threads.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        model_version: str | None = None,
        baseline: str | os.PathLike[str] | Baseline | None = None,
        sinks: Iterable[Sink] = (),
        max_queue: int = _DEFAULT_MAX_QUEUE,
        interval: float = _DEFAULT_INTERVAL_SECONDS,
        drift_window: float = _DEFAULT_WINDOW_SECONDS,
        copy_features: bool = True,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """Prepare a monitor. Threads start with the first prediction.

        Args:
            endpoint: Name of what serves the model; on every record and metric.
            model_version: Version of the model; by default the baseline's.
            baseline: What training looked like, or the path of a saved baseline. Without one nothing is counted.
            sinks: Where predictions go, such as `FileSink` and `FluentSink`. The monitor closes them.
            max_queue: Predictions held between two steps of the thread; beyond it new ones are dropped.
            interval: Seconds between two looks at the queue.
            drift_window: Seconds of traffic that the drift gauges look back on.
            copy_features: Copy the features' container in `log`, so that the caller may reuse it. Without it `log`
                costs about half, and features must not change before they are shipped.
            registry: A prometheus-client registry to appear in; by default one that holds nothing else.

        Raises:
            BaselineError: The baseline cannot be read.
            MissingExtraError: A baseline or a registry is given and the extra ``drift`` is not installed.
            ValueError: Two sinks of one name, or a limit below 1.
        """
        workers = tuple(SinkWorker(sink) for sink in sinks)
        if len({worker.sink.name for worker in workers}) != len(workers):
            message = "sinks need different names: FileSink(..., name='archive')"
            raise ValueError(message)
        if max_queue < 1 or interval <= 0:
            message = "max_queue must be at least 1 and interval above 0"
            raise ValueError(message)
        self._baseline, self._live, self._window = _drift_parts(baseline, drift_window)
        self.endpoint = endpoint
        self.model_version = model_version
        if model_version is None and self._baseline is not None:
            self.model_version = self._baseline.model_version
        self._names = None if self._baseline is None else self._baseline.names
        self._workers = workers
        self._copy_features = copy_features
        self._drain = Drain(self._process, max_queue, interval)
        self._begin()
        self._registry = registry
        self._shared_registry = registry is not None
        if registry is not None:
            self._join(registry)
        manage(self)

    def log(
        self,
        features: object,
        output: object,
        *,
        request_body: object = None,
        prediction_id: str | None = None,
        timestamp: object = None,
        segments: Mapping[str, str] | None = None,
    ) -> str:
        """Log one prediction and return its id. Never blocks, never raises; safe from any thread or event loop.

        Args:
            features: A mapping by name; or a sequence, array or one-row table, whose items get the baseline's names.
            output: What the model answered. Like `request_body` it is kept by reference until it is shipped.
            request_body: The request, as text, bytes or parsed JSON.
            prediction_id: An id of your own; by default a new one in the form of a UUID.
            timestamp: When it was made: an aware datetime, seconds as a float, or nanoseconds as an int; by default
                now.
            segments: Labels to compare groups of traffic by.
        """
        if prediction_id is None:
            prediction_id = self._next_id()
        drain = self._drain
        queue = drain.queue
        if len(queue) >= drain.soft_limit and not drain.admit():
            return prediction_id
        if self._copy_features:
            kind = type(features)
            if kind is dict or kind is list:
                # Not typing.cast: a call here costs as much as the copy.
                container: Any = features
                features = container.copy()
            elif kind is not tuple:
                features = _copied(features)
        if timestamp is None:
            timestamp = time_ns()
        queue.append((prediction_id, timestamp, features, output, request_body, segments))
        return prediction_id

    def log_many(self, features: Iterable[object], outputs: Iterable[object]) -> list[str]:
        """Log one prediction per row of a batch and return their ids; otherwise as `log`.

        Args:
            features: Rows, or an array of shape (rows, features).
            outputs: One output per row. Surplus rows or outputs are dropped and counted as ``encode_error``.
        """
        rows, answers = list(features), list(outputs)
        surplus = abs(len(rows) - len(answers))
        if surplus:
            error = ValueError(f"{len(rows)} rows and {len(answers)} outputs")
            self._drain.drops.add("encode_error", surplus, error)
        return list(map(self.log, rows, answers))

    def count_dropped(self, reason: str, *, error: BaseException | None = None) -> None:
        """Count a prediction that could not be logged, as middlewares have to; it shows in `dropped` and the metrics.

        Args:
            reason: One word for it.
            error: What went wrong, for the log line.
        """
        self._drain.drops.add(reason, error=error)

    @property
    def dropped(self) -> dict[str, int]:
        """Lost predictions by reason.

        ``queue_full`` (logged faster than shipped), ``encode_error`` (no JSON form), ``sink_error`` (a sink's buffer
        was full, or it refused the record; counted per sink) and ``closed`` (logged after `close`).
        """
        lost = self._drain.drops.counts()
        lost["sink_error"] = sum(worker.dropped for worker in self._workers)
        return lost

    @property
    def counts(self) -> CountsSnapshot | None:
        """What has been counted since the start (or the fork); None without a baseline."""
        return None if self._live is None else self._live.snapshot()

    def drift_report(self, snapshot: CountsSnapshot | None = None) -> DriftReport | None:
        """Serving against training over the drift window; None without a baseline.

        Args:
            snapshot: The end of the window, from `counts`; by default this moment's.
        """
        if self._baseline is None or self._live is None or self._window is None:
            return None
        # Here, because drift is only there with a baseline.
        from modelport.drift import drift_report

        now = time.monotonic()
        seen = self._live.snapshot() if snapshot is None else snapshot
        self._window.observe(now, lambda: seen)
        return drift_report(self._baseline, self._window.recent(now, seen))

    def flush(self, timeout: float = _DEFAULT_TIMEOUT_SECONDS) -> bool:
        """Wait until everything logged so far is counted, and delivered or dropped by every sink.

        Returns:
            False if `timeout` seconds were not enough.
        """
        deadline = time.monotonic() + timeout
        drained = self._drain.flush(deadline)
        shipped = [worker.flush(deadline) for worker in self._workers]
        return all(shipped) and drained

    def close(self, timeout: float = _DEFAULT_TIMEOUT_SECONDS) -> bool:
        """Flush, stop the threads and close the sinks. What sinks have not taken by then is dropped and counted.

        Returns:
            False if something was left behind. A second call does nothing and returns True.
        """
        if self._drain.closed:
            return True
        deadline = time.monotonic() + timeout
        drained = self._drain.close(deadline)
        delivered = [worker.close(deadline) for worker in self._workers]
        release(self)
        if self._shared_registry and self._registry is not None:
            self._leave(self._registry)
        return all(delivered) and drained

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def install_signal_handlers(self, *signals: signal.Signals, timeout: float = _DEFAULT_TIMEOUT_SECONDS) -> None:
        """Ship what is queued when the process is told to end, then do what would have happened without this.

        A handler that was installed before is called after a flush. Where there was none, the monitor is closed and
        the process ends by the signal, as its parent expects. Call it from the main thread, after any server has
        installed its handlers; a handler installed later replaces this one. Not for asyncio's
        ``loop.add_signal_handler``: there call `close` in your own handler.

        Args:
            *signals: By default SIGTERM.
            timeout: Seconds to spend on shipping.

        Raises:
            ValueError: Not called from the main thread.
        """
        for number in signals or (signal.SIGTERM,):
            previous = signal.getsignal(number)

            def handle(received: int, frame: FrameType | None, *, previous: Any = previous) -> None:
                if callable(previous):
                    self.flush(timeout)
                    previous(received, frame)
                elif previous == signal.SIG_DFL:
                    self.close(timeout)
                    signal.signal(received, signal.SIG_DFL)
                    os.kill(os.getpid(), received)
                else:
                    self.flush(timeout)

            signal.signal(number, handle)

    def metrics_text(self) -> str:
        """All metrics in the Prometheus text format.

        Raises:
            MissingExtraError: prometheus-client is not installed.
        """
        return self.export_http()[0].decode()

    def export_http(
        self, headers: Mapping[str, str] | None = None, params: Mapping[str, object] | None = None
    ) -> tuple[bytes, str]:
        """Body and content type of an answer to a scrape.

        Args:
            headers: Of the request, names in any case; ``Accept`` chooses the text format or OpenMetrics.
            params: Of the query; ``name[]`` limits the answer to samples or families of that name.

        Raises:
            MissingExtraError: prometheus-client is not installed.
        """
        require("prometheus_client", "drift")
        # Here, because prometheus-client is an extra.
        from prometheus_client.registry import CollectorRegistry

        from modelport.monitor._metrics import render

        if self._registry is None:
            registry = CollectorRegistry()
            self._join(registry)
            self._registry = registry
        return render(self._registry, headers, params)

    def metrics_view(self) -> MonitorView:
        """The figures behind the metrics, from one snapshot."""
        from modelport.monitor._metrics import MonitorView, SinkView

        counts = self.counts
        dropped = {(reason, ""): count for reason, count in self._drain.drops.counts().items()}
        dropped.update({("sink_error", worker.sink.name): worker.dropped for worker in self._workers})
        return MonitorView(
            endpoint=self.endpoint,
            model_version=self.model_version or "",
            process=self._process_label,
            started_seconds=self._started_ns / 1e9,
            predictions=self._drain.drained,
            queued=len(self._drain.queue),
            dropped=dropped,
            sinks=[
                SinkView(worker.sink.name, worker.delivered, worker.pending, worker.failures)
                for worker in self._workers
            ],
            baseline=self._baseline,
            counts=counts,
            drift=self.drift_report(counts),
        )

    def after_fork_in_child(self) -> None:
        """Called in a forked child: queue, counts and connections are the parent's, threads did not come along."""
        closed = self._drain.closed
        self._drain.reset()
        if self._live is not None:
            self._live.reset()
        if self._window is not None:
            self._window.reset()
        for worker in self._workers:
            worker.after_fork()
        self._begin()
        self._drain.closed = closed

    def _begin(self) -> None:
        self._next_id = prediction_ids()
        self._started_ns = time_ns()
        self._process_label = f"{os.getpid()}-{self._started_ns // 1_000_000}"

    def _join(self, registry: CollectorRegistry) -> None:
        require("prometheus_client", "drift")
        from modelport.monitor._metrics import collector_of

        collector_of(registry).add(self)

    def _leave(self, registry: CollectorRegistry) -> None:
        from modelport.monitor._metrics import collector_of

        collector_of(registry).remove(self)

    def _process(self, batch: list[QueuedPrediction]) -> None:
        """One step of the drain thread."""
        if self._live is not None and self._window is not None:
            self._window.observe(time.monotonic(), self._live.snapshot)
            self._live.update([queued[2] for queued in batch], [queued[3] for queued in batch])
        if self._workers:
            records = self._records(batch)
            for worker in self._workers:
                worker.offer(records)

    def _records(self, batch: Sequence[QueuedPrediction]) -> list[Prediction]:
        records: list[Prediction] = []
        for queued in batch:
            try:
                records.append(
                    make_prediction(
                        *queued, endpoint=self.endpoint, model_version=self.model_version, names=self._names
                    )
                )
            except Exception as error:  # noqa: BLE001 - any value may refuse in any way, and the thread must go on
                self._drain.drops.add("encode_error", error=error)
        return records


def _copied(features: object) -> object:
    try:
        copy: Callable[[], object] | None = getattr(features, "copy", None)
        return features if copy is None else copy()
    except Exception:  # noqa: BLE001 - the request path never raises; then the reference has to do
        return features


def _drift_parts(baseline: str | os.PathLike[str] | Baseline | None, seconds: float) -> Any:
    if baseline is None:
        return None, None, None
    # Here, so that logging alone loads nothing of drift.
    from modelport.drift import Baseline, LiveCounts
    from modelport.drift._window import DriftWindow

    loaded = baseline if isinstance(baseline, Baseline) else Baseline.load(baseline)
    return loaded, LiveCounts(loaded), DriftWindow(seconds)
