"""What Bedrock's prediction store and Boxkite's service have in common: their call, their ids, their environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from time import gmtime, strftime, time_ns
from typing import TYPE_CHECKING, TypedDict

from modelport.monitor._id_source import IdSource
from modelport.monitor._model_monitor import ModelMonitor
from modelport.predictions import FluentSink
from modelport.predictions._entity_record import EntityRecord
from modelport.predictions._record import to_nanoseconds

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, Unpack

    from modelport.drift import Baseline
    from modelport.predictions import Sink, Spool

__all__ = ["MonitorOptions", "ServerIds", "ServingLog", "collector_sink", "endpoint_id", "server_id"]

_NANOSECONDS = 1_000_000_000
_DEFAULT_TIMEOUT_SECONDS = 5.0


class MonitorOptions(TypedDict, total=False):
    """Arguments of `ModelMonitor` that its faces hand on; they are explained there."""

    max_queue: int
    interval: float
    drift_window: float
    copy_features: bool
    redact: Iterable[str]
    spool: str | os.PathLike[str] | Spool | None
    multiprocess_dir: str | os.PathLike[str] | None


def endpoint_id() -> str:
    """``BEDROCK_ENDPOINT_ID``, or what the platform's own clients call an endpoint without it."""
    return os.environ.get("BEDROCK_ENDPOINT_ID") or "unknown-endpoint"


def server_id() -> str:
    """``BEDROCK_SERVER_ID``, or what the platform's own clients call a server without it."""
    return os.environ.get("BEDROCK_SERVER_ID") or "unknown-server"


def collector_sink(server: str, names: tuple[str, ...] | None = None) -> FluentSink:
    """The collector of ``BEDROCK_FLUENTD_ADDR``, to which records go as the platform's own clients send them.

    Raises:
        MissingExtraError: fluent-logger or msgpack is not installed.
        ValueError: The variable is not host or host:port.
    """
    return FluentSink(record=EntityRecord(server, names))


class ServerIds:
    """Prediction ids of the form ``server_id/YYYY-MM-DDTHH:MM:SS/uuid``, the time in UTC. Safe from any thread."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._next = IdSource()
        # Replaced as a whole, so that no thread sees the one without the other.
        self._second: tuple[int, str] = (-1, "")

    def __call__(self, timestamp_ns: int) -> str:
        """A new id of that time."""
        second = timestamp_ns // _NANOSECONDS
        known = self._second
        if known[0] != second:
            try:
                moment = gmtime(second)
            except (OverflowError, OSError, ValueError):
                # No calendar goes so far. The monitor counts such a record as lost; here only the id needs some time.
                second = time_ns() // _NANOSECONDS
                moment = gmtime(second)
            known = self._second = second, f"{self._server}/{strftime('%Y-%m-%dT%H:%M:%S', moment)}/"
        return known[1] + self._next()


class ServingLog:
    """Predictions logged by ``log_prediction``; everything else is the `ModelMonitor` that it holds.

    Attributes:
        monitor: The monitor, for all that these faces lack: batches, metrics views, drift reports, signals.
        server_id: The server that ids and records name.
    """

    def __init__(
        self,
        sinks: Iterable[Sink] | None,
        *,
        endpoint: str | None,
        server: str | None,
        model_version: str | None = None,
        baseline: Baseline | None = None,
        **options: Unpack[MonitorOptions],
    ) -> None:
        self.server_id = server or server_id()
        self._ids = ServerIds(self.server_id)
        names = None if baseline is None else baseline.names
        where = [collector_sink(self.server_id, names)] if sinks is None else sinks
        self.monitor = ModelMonitor(
            endpoint or endpoint_id(), model_version=model_version, baseline=baseline, sinks=where, **options
        )

    def log_prediction(
        self,
        request_body: object,
        features: object,
        output: object,
        *,
        prediction_id: str | None = None,
        timestamp: object = None,
        segments: Mapping[str, str] | None = None,
    ) -> str:
        """Log one prediction and return its id. Never blocks, never raises; safe from any thread or event loop.

        Args:
            request_body: The request, as text, bytes or parsed JSON.
            features: The model's input: a list in the order of its vector, an array, a mapping by name or a one-row
                table; or the rows of a batch, which are counted one by one and logged as one record.
            output: What the model answered, in any shape; for a batch, one output per row.
            prediction_id: An id of your own; by default ``server_id/YYYY-MM-DDTHH:MM:SS/uuid``.
            timestamp: When it was made: an aware datetime, seconds as a float, or nanoseconds as an int; by default
                now.
            segments: Labels to compare groups of traffic by.
        """
        if timestamp is None:
            timestamp = time_ns()
        if prediction_id is None:
            prediction_id = self._ids(timestamp if type(timestamp) is int else _nanoseconds(timestamp))
        return self.monitor.log(
            features,
            output,
            request_body=request_body,
            prediction_id=prediction_id,
            timestamp=timestamp,
            segments=segments,
        )

    @property
    def dropped(self) -> dict[str, int]:
        """Lost predictions by reason, as `ModelMonitor.dropped`."""
        return self.monitor.dropped

    def flush(self, timeout: float = _DEFAULT_TIMEOUT_SECONDS) -> bool:
        """Wait until everything logged so far is counted, and delivered or dropped; False if time ran out."""
        return self.monitor.flush(timeout)

    def close(self, timeout: float = _DEFAULT_TIMEOUT_SECONDS) -> bool:
        """Flush and stop; False if something was left behind. Happens by itself at a normal end of the process."""
        return self.monitor.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _nanoseconds(timestamp: object) -> int:
    try:
        return to_nanoseconds(timestamp)
    except Exception:  # noqa: BLE001 - a time zone may be foreign code; the monitor counts such a record as lost
        return time_ns()
