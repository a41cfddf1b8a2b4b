"""Predictions shipped to a collector (Fluentd, Fluent Bit, Vector) over the forward protocol."""

from __future__ import annotations

import os
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from modelport._extras import require
from modelport.predictions._address import DEFAULT_PORT, fluent_address
from modelport.predictions._file_sink import default_replica_id
from modelport.predictions._record import GroundTruth
from modelport.predictions._sink import DEFAULT_MAX_BUFFER, Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelport.predictions._fluent_link import FluentLink
    from modelport.predictions._record import Record

__all__ = ["FluentSink"]

# The guides' collector inside their cluster.
_DEFAULT_HOST = "fluentd-logging.core.svc.cluster.local"
_DEFAULT_TAG_PREFIX = "models.predictions"


def _wire_record(record: Record) -> Mapping[str, object]:
    fields: dict[str, object] = {name: value for name, value in record.as_dict().items() if value is not None}
    if isinstance(record, GroundTruth):
        # What tells it from a prediction, also where nothing turned out to be true.
        fields["label"] = record.label
    return fields


class FluentSink(Sink):
    """Ship predictions with fluent-logger, behind modelport's own bounded buffer.

    With `require_ack` (the default) each batch is one "forward" message that the collector acknowledges, so that
    neither a restart nor a stall of the collector loses records; a batch whose acknowledgement got lost is sent
    again, so a record may arrive twice, with the same ``prediction_id``. Without it each record is one "message",
    sent and forgotten: what lies in socket buffers when a collector dies is lost, uncounted.
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
            require_ack: Wait for the collector to acknowledge each batch. Switch it off for one that never does.
            timeout: Seconds for connecting, for each send and for the acknowledgement.
            max_buffer: Records kept while the collector is down.
            name: How metrics call this sink.
            record: Makes the mapping that is sent; by default the fields of `Prediction` that are set.

        Raises:
            MissingExtraError: fluent-logger or msgpack is not installed.
            ValueError: ``BEDROCK_FLUENTD_ADDR`` is no address.
        """
        require("msgpack", "predictions")
        require("fluent.sender", "predictions")
        # A host that is given is not mixed with the port of another.
        default_host, default_port = _address() if host is None else (host, DEFAULT_PORT)
        self.host = host.removeprefix("[").removesuffix("]") if host else default_host
        self.port = port if port is not None else default_port
        self.name = name
        self.max_buffer = max_buffer
        self._tag = tag
        self._timeout = timeout
        self._require_ack = require_ack
        self._record = record
        self._link = self._new_link()

    def write(self, records: Sequence[Record]) -> None:
        """Send `records`.

        Raises:
            OSError: The collector is out of reach, or did not acknowledge in time.
        """
        for endpoint, group in groupby(records, attrgetter("endpoint")):
            events = [(record.timestamp_ns, self._record(record)) for record in group]
            self._link.deliver(self._tag or default_tag(endpoint), events)

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def after_fork(self) -> None:
        """Leave the connection to the parent and make one of our own with the next record."""
        self._link.forget()
        self._link = self._new_link()

    def _new_link(self) -> FluentLink:
        # Here, because fluent-logger is an extra.
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
        message = f"BEDROCK_FLUENTD_ADDR is {error}"
        raise ValueError(message) from None
