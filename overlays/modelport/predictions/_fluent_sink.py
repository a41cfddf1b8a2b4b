"""Predictions shipped to a collector (Fluentd, Fluent Bit, Vector) over the forward protocol."""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING, cast

from modelport._extras import require
from modelport.predictions._address import DEFAULT_PORT, checked_host, checked_port, fluent_address
from modelport.predictions._paths import default_replica_id
from modelport.predictions._progress import Progress
from modelport.predictions._record import GroundTruth, strict
from modelport.predictions._sink import DEFAULT_MAX_BUFFER, Sink
from modelport.predictions._sink_config import SinkConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from modelport._plain import JsonValue
    from modelport.predictions._fluent_link import FluentLink
    from modelport.predictions._record import Record

__all__ = ["FluentSink", "RecordTooLargeError"]

# Collectors take no message of any size: Fluent Bit hangs up beyond 6 MB, unless told otherwise.
_MAX_MESSAGE_BYTES = 2**20
_MIN_MESSAGE_BYTES = 2**13
# At one record alone, after which it is the record and not the collector.
_MAX_HANG_UPS = 20

# The guides' collector inside their cluster.
_DEFAULT_HOST = "fluentd-logging.core.svc.cluster.local"
_DEFAULT_TAG_PREFIX = "models.predictions"


class RecordTooLargeError(ValueError):
    """The collector hangs up at a record again and again. Final: the record is dropped and counted."""


def _wire_record(record: Record) -> Mapping[str, object]:
    fields: dict[str, JsonValue] = {name: value for name, value in record.as_dict().items() if value is not None}
    if isinstance(record, GroundTruth):
        # What tells it from a prediction, also where nothing turned out to be true.
        fields["label"] = record.label
    # So that whatever a collector writes has a form for each value.
    return cast("dict[str, object]", strict(fields, wide=False))


class FluentSink(Sink):
    """Ship predictions with fluent-logger, behind modelport's own bounded buffer.

    With `require_ack` (the default) records go in "forward" messages of up to 1 MiB that the collector acknowledges, so
    that neither a restart nor a stall of the collector loses records; a message whose acknowledgement got lost is sent
    again, so a record may arrive twice, with the same ``prediction_id``. After each failure messages are half as
    large, after each success a little larger. A record of more than 1 MiB at which the collector hangs up 20 times in
    a row is dropped and counted. Without `require_ack` each record is one "message", sent and forgotten: what lies in
    socket buffers when a collector dies is lost, uncounted.
    """

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        tag: str | None = None,
        require_ack: bool = True,
        timeout: float = 3.0,
        max_buffer: int = DEFAULT_MAX_BUFFER,
        name: str = "fluent",
        record: Callable[[Record], Mapping[str, object]] = _wire_record,
    ) -> None:
        """Prepare a sink; the connection is made with the first prediction.

        Args:
            host: Name or address, IPv4 or IPv6, or ``unix://path``; by default the host of ``BEDROCK_FLUENTD_ADDR``
                (``host``, ``host:port``, ``[IPv6]:port``), else the guides' collector,
                ``fluentd-logging.core.svc.cluster.local``.
            port: By default the port of that variable, else 24224.
            tag: By default ``{prefix}.{endpoint}.{pod}``, with ``BEDROCK_FLUENTD_PREFIX`` (``models.predictions``)
                and ``BEDROCK_POD_NAME`` or ``POD_NAME``; dots inside endpoint and pod become ``-``.
            require_ack: Wait for the collector to acknowledge each message. Switch it off for one that never does.
            timeout: Seconds for connecting, for each send and for the acknowledgement.
            max_buffer: Records kept while the collector is down.
            name: How metrics call this sink.
            record: Makes the mapping that is sent; by default the fields of `Prediction` that are set.

        Raises:
            MissingExtraError: fluent-logger or msgpack is not installed.
            ValueError: `host` is no host, or `port` no port.
            SinkConfigError: ``BEDROCK_FLUENTD_ADDR`` is no address; a kind of ValueError.
        """
        require("msgpack", "predictions")
        require("fluent.sender", "predictions")
        # A host that is given is not mixed with the port of another.
        self.host, default_port = _address() if host is None else (checked_host(host), DEFAULT_PORT)
        self.port = default_port if port is None else checked_port(port)
        self.name = name
        self.max_buffer = max_buffer
        self._tag = tag
        self._timeout = timeout
        self._require_ack = require_ack
        self._record = record
        self._link = self._new_link()
        self._progress = Progress()
        self._message_bytes = _MAX_MESSAGE_BYTES
        self._hang_ups = 0

    def write(self, records: Sequence[Record]) -> None:
        """Send `records`.

        Raises:
            OSError: The collector is out of reach, or did not acknowledge in time. What it has acknowledged by then is
                not sent again with these records.
            RecordTooLargeError: It hangs up at one of them.
        """
        # Here, because fluent-logger is an extra.
        from modelport.predictions._fluent_link import pack_event

        events = [pack_event(record.timestamp_ns, self._record(record)) for record in records]
        done = self._progress.passed(events)
        try:
            for tag, message in self._messages(records[done:], events[done:]):
                self._deliver(tag, message)
                done += len(message)
        except (OSError, RecordTooLargeError):
            self._progress.keep(events[:done])
            raise

    def _messages(self, records: Sequence[Record], events: Sequence[bytes]) -> Iterator[tuple[str, list[bytes]]]:
        """Tag and events of one message after the other, none larger than it may be when its turn comes."""
        for endpoint, group in groupby(zip(records, events, strict=True), lambda pair: pair[0].endpoint):
            tag = self._tag or default_tag(endpoint)
            message: list[bytes] = []
            size = 0
            for _, event in group:
                if message and size + len(event) > self._message_bytes:
                    yield tag, message
                    message, size = [], 0
                message.append(event)
                size += len(event)
            yield tag, message

    def _deliver(self, tag: str, message: list[bytes]) -> None:
        try:
            self._link.deliver(tag, message)
        except OSError as error:
            self._message_bytes = max(_MIN_MESSAGE_BYTES, self._message_bytes // 2)
            hung_up = isinstance(error, (BrokenPipeError, ConnectionResetError))
            large = len(message) == 1 and len(message[0]) > _MAX_MESSAGE_BYTES
            self._hang_ups = self._hang_ups + 1 if hung_up and large else 0
            if self._hang_ups >= _MAX_HANG_UPS:
                text = f"the collector hangs up at a record of {len(message[0])} bytes"
                raise RecordTooLargeError(text) from error
            raise
        self._hang_ups = 0
        self._message_bytes = min(_MAX_MESSAGE_BYTES, self._message_bytes + self._message_bytes // 8)

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def after_fork(self) -> None:
        """Leave the connection to the parent and make one of our own with the next record."""
        self._link.forget()
        self._link = self._new_link()
        self._progress = Progress()

    def _new_link(self) -> FluentLink:
        # As in `write`.
        from modelport.predictions._fluent_link import FluentLink

        return FluentLink(self.host, self.port, timeout=self._timeout, require_ack=self._require_ack)


def default_tag(endpoint: str) -> str:
    """The tag collectors of the guides route by: ``{prefix}.{endpoint}.{pod}``."""
    prefix = os.environ.get("BEDROCK_FLUENTD_PREFIX") or _DEFAULT_TAG_PREFIX
    return ".".join((prefix, endpoint.replace(".", "-"), default_replica_id().replace(".", "-")))


def _address() -> tuple[str, int]:
    try:
        return fluent_address(os.environ.get("BEDROCK_FLUENTD_ADDR") or _DEFAULT_HOST)
    except ValueError as error:
        raise SinkConfigError("BEDROCK_FLUENTD_ADDR", str(error)) from None
