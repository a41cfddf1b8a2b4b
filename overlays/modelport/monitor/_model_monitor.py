"""`ModelMonitor`: logging predictions and watching for drift, off the request path."""

from __future__ import annotations

import logging
import signal
import time
from collections import Counter
from time import time_ns
from typing import TYPE_CHECKING

from modelport._extras import require
from modelport._importing import importing
from modelport.monitor._batch_path import log_rows
from modelport.monitor._checks import check_count, check_seconds, check_text, sinks_of
from modelport.monitor._figures import Figures
from modelport.monitor._lifecycle import manage, release
from modelport.monitor._misfits import Misfits
from modelport.monitor._pipeline import Pipeline
from modelport.monitor._record_path import record_path
from modelport.monitor._request_path import frozen, request_path
from modelport.monitor._signals import install_handlers
from modelport.predictions._queued import Truth
from modelport.predictions._redaction import Redaction
from modelport.predictions._spool import Spool

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from prometheus_client.registry import CollectorRegistry

    from modelport.drift import Baseline, CountsSnapshot, DriftReport
    from modelport.monitor._metrics import MetricsPage
    from modelport.monitor._view import MonitorView
    from modelport.predictions import Sink

__all__ = ["ModelMonitor", "monitor_of"]

_logger = logging.getLogger("modelport.monitor")

_DEFAULT_MAX_QUEUE = 100_000
_DEFAULT_INTERVAL_SECONDS = 0.1
_DEFAULT_WINDOW_SECONDS = 3600.0
_DEFAULT_TIMEOUT_SECONDS = 5.0
_FOREVER_SECONDS = 1e7


class ModelMonitor:
    """Log every prediction of an endpoint, ship it to sinks, count it against a baseline, show it to Prometheus.

    `log` costs the request one append to a bounded queue: it never blocks and never raises. One thread empties the
    queue in steps of at most 1000 records; each sink has a thread of its own behind it. What cannot be kept is
    counted, by reason, in `dropped` and in the metrics.

    Ends of a process: at a normal end, `close` runs by itself and loses nothing that sinks take within 5 seconds
    (those of all monitors together; each has at least one second). Python's default for SIGTERM ends a process
    without any of that: call `install_signal_handlers`, unless the server around it (gunicorn, uvicorn) already
    turns SIGTERM into a normal end. SIGKILL loses what has not been shipped, usually one `interval`. A forked child
    starts with an empty queue, zero counts and its own threads.
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
        spool: str | os.PathLike[str] | Spool | None = None,
        redact: Iterable[str] = (),
        registry: CollectorRegistry | None = None,
        multiprocess_dir: str | os.PathLike[str] | None = None,
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
            copy_features: Freeze the features in `log`, so that the caller may reuse or change them: a list as a
                whole, a mapping or an array one level deep. Without it `log` costs about half, and features must
                not change before they are shipped.
            spool: Keep records on disk until every sink has them: a `Spool`, or its directory. What a process has left
                there when it ended, or died, is shipped by the next one, from its first prediction or `flush` on.
            redact: Names of fields whose values are replaced by ``"REDACTED"`` before any record is encoded, at any
                depth and whatever their case: ``"ssn"``, or ``"card.number"`` for a field in a field. In features
                (those given by position too, where a baseline names them; a row that its names do not fit is replaced
                as a whole), outputs, segments, labels and request bodies, where lists of bare values are replaced too.
                A body that is text and not JSON is left out, and so are attributions of such features. The counts
                still see the values.
            registry: A prometheus-client registry to appear in; by default one that holds nothing else.
            multiprocess_dir: A local directory where processes that serve this model behind one port (gunicorn's
                workers) share their figures, so that a scrape of any of them shows all; it needs no cleaning.

        Raises:
            BaselineError: The baseline cannot be read.
            MissingExtraError: A baseline or a registry is given and the extra ``drift`` is not installed.
            OSError: The directory of the spool or `multiprocess_dir` cannot be made or written.
            TypeError: An argument of another kind, such as a text as `sinks`.
            ValueError: Two sinks of one name, a limit below 1, an empty endpoint or name to redact, or a spool without
                a sink; `multiprocess_dir` where there is no ``flock``.
        """
        self.endpoint = check_text("endpoint", endpoint)
        loaded = _loaded(baseline)
        self.model_version = _version(model_version, loaded)
        self._baseline = loaded
        self._pipeline = Pipeline(
            endpoint,
            self.model_version,
            loaded,
            sinks_of(sinks),
            max_queue=check_count("max_queue", max_queue),
            interval=check_seconds("interval", interval),
            drift_window=check_seconds("drift_window", drift_window),
            redaction=Redaction(redact) if redact else None,
            spool=None if spool is None else Spool.of(spool),
        )
        self._drain = self._pipeline.drain
        if self._pipeline.live is not None:
            self._pipeline.on_step.append(Misfits(self._pipeline.live))
        self._expected: tuple[str, ...] = ()
        by_record = self._pipeline.spooler is not None and self._pipeline.spooler.settings.mode == "record"
        gate = self._drain.gate
        self._log = record_path(gate, self._pipeline.keep) if by_record else request_path(gate, copy=copy_features)
        self._by_record = by_record
        if type(self).log is ModelMonitor.log:
            # The method below is what readers, checkers and subclasses see; this saves each request its call.
            self._log.__wrapped__ = self.log  # type: ignore[attr-defined]
            self._log.__doc__ = ModelMonitor.log.__doc__
            self.__dict__["log"] = self._log
        self._figures = Figures(endpoint, self.model_version, loaded, self._pipeline, multiprocess_dir)
        self._registry = registry
        self._page: MetricsPage | None = None
        self._closed = False
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
        attributions: Mapping[str, float] | Sequence[float] | None = None,
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
            attributions: What each feature added to the output (SHAP values), by feature name or in feature order.
        """
        return self._log(features, output, request_body, prediction_id, timestamp, segments, attributions)

    def log_many(self, features: Iterable[object], outputs: Iterable[object]) -> list[str]:
        """Log one prediction per row of a batch and return their ids; otherwise as `log`.

        A thousand rows cost one append, and are frozen in one call.

        Args:
            features: Rows, or an array of shape (rows, features), or a frame.
            outputs: One output per row. Surplus rows or outputs are dropped and counted as ``encode_error``.
        """
        return log_rows(self._drain, features, outputs, self._log if self._by_record else None)

    def log_ground_truth(self, prediction_id: str, label: object, *, timestamp: object = None) -> None:
        """Log what turned out to be true of an earlier prediction. Never blocks, never raises, as `log`.

        It goes through the same queue to the same sinks, as a record of its own; readers join it by id.

        Args:
            prediction_id: What `log` returned for the prediction.
            label: The true value.
            timestamp: When it became known: as for `log`.
        """
        gate = self._drain.gate
        try:
            gate.take()
        except StopIteration:
            _, admitted = gate.more()
            if not admitted:
                return
        truth = Truth(frozen(label), prediction_id, time_ns() if timestamp is None else timestamp)
        if not self._by_record or not self._pipeline.keep(truth):
            gate.queue.append(truth)

    def expect_dropped(self, *reasons: str) -> None:
        """Show these reasons from the start, at zero: what first appears at one has not grown, for Prometheus."""
        self._expected += reasons
        self._drain.drops.expect(*reasons)

    def count_dropped(self, reason: str, *, error: BaseException | None = None) -> None:
        """Count a prediction that could not be logged, as middlewares have to; it shows in `dropped` and the metrics.

        Args:
            reason: One word for it, best one that `expect_dropped` has announced.
            error: What went wrong, for the log line.
        """
        self._drain.drops.add(reason, error=error)

    @property
    def dropped(self) -> dict[str, int]:
        """Lost predictions by reason.

        ``queue_full`` (logged faster than shipped), ``encode_error`` (no JSON form), ``sink_error`` (a sink's buffer
        was full, or it refused the record; counted per sink) and ``closed`` (logged after `close`).
        """
        lost: Counter[str] = Counter({"sink_error": 0})
        for (reason, _), count in self._pipeline.dropped().items():
            lost[reason] += count
        return dict(lost)

    @property
    def counts(self) -> CountsSnapshot | None:
        """What has been counted since the start (or the fork); None without a baseline."""
        return None if self._pipeline.live is None else self._pipeline.live.snapshot()

    def drift_report(self, snapshot: CountsSnapshot | None = None) -> DriftReport | None:
        """Serving against training over the drift window; None without a baseline.

        Args:
            snapshot: The end of the window, from `counts`; by default this moment's, and that of the whole group with
                `multiprocess_dir`.

        Raises:
            ValueError: The snapshot was taken before the window began.
        """
        recent = self._figures.recent(snapshot)
        if self._baseline is None or recent is None:
            return None
        # Here, because drift is only there with a baseline.
        with importing:
            from modelport.drift import drift_report

        return drift_report(self._baseline, recent)

    def flush(self, timeout: float = _DEFAULT_TIMEOUT_SECONDS) -> bool:
        """Wait until everything logged so far is counted, and delivered or dropped by every sink.

        Returns:
            False if `timeout` seconds were not enough.
        """
        return self._pipeline.flush(time.monotonic() + min(timeout, _FOREVER_SECONDS))

    def close(self, timeout: float = _DEFAULT_TIMEOUT_SECONDS) -> bool:
        """Flush, stop the threads and close the sinks. What sinks have not taken by then is dropped and counted.

        Returns:
            False if something was left behind. Once closed, a second call does nothing and returns True; while
            another thread is closing (or this one, interrupted by a signal handler), it ships and waits as that does.
        """
        if self._closed:
            return True
        clean = self._pipeline.close(time.monotonic() + min(timeout, _FOREVER_SECONDS))
        self._figures.close()
        release(self)
        if self._registry is not None:
            self._leave(self._registry)
        self._closed = True
        return clean

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def install_signal_handlers(self, *signals: signal.Signals, timeout: float = _DEFAULT_TIMEOUT_SECONDS) -> None:
        """Ship what is queued when the process is told to end, then do what would have happened without this.

        It does so for all monitors of the process. A handler that was installed before is called after a flush. Where
        there was none, the monitors are closed and the process ends by the signal, as its parent expects. Call it from
        the main thread, after any server has installed its handlers; a handler installed later replaces this one. Not
        for asyncio's ``loop.add_signal_handler``: there call `close` in your own handler.

        Args:
            *signals: By default SIGTERM.
            timeout: Seconds to spend on shipping, all monitors together.

        Raises:
            ValueError: Not called from the main thread.
        """
        install_handlers(signals or (signal.SIGTERM,), timeout)

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
        with importing:
            from modelport.monitor._metrics import MetricsPage, render

        if self._registry is not None:
            return render(self._registry, headers, params)
        if self._page is None:
            self._page = MetricsPage()
        return self._page.render(self.metrics_view(), headers, params)

    def metrics_view(self) -> MonitorView:
        """The figures behind the metrics, from one snapshot.

        Raises:
            OSError: `multiprocess_dir` cannot be read or written.
        """
        return self._figures.view()

    def after_fork_in_child(self) -> None:
        """Called in a forked child: queue, counts and connections are the parent's, threads did not come along."""
        self._pipeline.after_fork()
        self._drain.drops.expect(*self._expected)
        self._figures.after_fork()

    def _join(self, registry: CollectorRegistry) -> None:
        require("prometheus_client", "drift")
        from modelport.monitor._metrics import collector_of

        collector_of(registry).add(self)

    def _leave(self, registry: CollectorRegistry) -> None:
        from modelport.monitor._metrics import collector_of

        collector_of(registry).remove(self)


def _loaded(baseline: str | os.PathLike[str] | Baseline | None) -> Baseline | None:
    if baseline is None:
        return None
    # Here, so that logging alone loads nothing of drift.
    from modelport.drift import Baseline

    return Baseline.of(baseline)


def _version(given: str | None, baseline: Baseline | None) -> str | None:
    of_baseline = None if baseline is None else baseline.model_version
    if given is None:
        return of_baseline
    version = check_text("model_version", given)
    if of_baseline is not None and of_baseline != version:
        _logger.warning("model version %s is compared with a baseline of version %s", version, of_baseline)
    return version


def monitor_of(given: object) -> ModelMonitor:
    """`given`, which is a monitor.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(given, ModelMonitor):
        return given
    hint = ": give its .monitor" if isinstance(getattr(given, "monitor", None), ModelMonitor) else ""
    message = f"monitor is a ModelMonitor, not {type(given).__name__}{hint}"
    raise TypeError(message)
