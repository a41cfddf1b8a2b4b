"""`PredictionStore`: predictions logged as Basis AI's Bedrock logs them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from modelport.monitor._serving_log import ServingLog

if TYPE_CHECKING:
    from typing import Unpack

    from modelport.monitor._serving_log import MonitorOptions
    from modelport.predictions import Sink

__all__ = ["PredictionStore"]


class PredictionStore(ServingLog):
    """Log predictions at serving time for offline analysis.

    Example::

        store = PredictionStore()
        store.log_prediction(request_body='{"event_id": "123"}', features=[0, 2, 1], output=0.921)

    Records go to the collector of ``BEDROCK_FLUENTD_ADDR`` with the tag and the fields of Bedrock's own client, from a
    bounded queue, off the request path. Without a collector records wait in memory, up to a limit, and are counted as
    dropped beyond it.
    """

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        server_id: str | None = None,
        model_version: str | None = None,
        sinks: Iterable[Sink] | None = None,
        **options: Unpack[MonitorOptions],
    ) -> None:
        """Prepare a store; threads and connections begin with the first prediction.

        Args:
            endpoint: By default ``BEDROCK_ENDPOINT_ID``, else ``unknown-endpoint``.
            server_id: By default ``BEDROCK_SERVER_ID``, else ``unknown-server``.
            model_version: On every record, if given.
            sinks: Where predictions go instead of to the collector.
            **options: As `ModelMonitor` has them: ``redact``, ``max_queue`` and others.

        Raises:
            MissingExtraError: The extra ``predictions`` is not installed, and no `sinks` are given.
            ValueError: ``BEDROCK_FLUENTD_ADDR`` is not host or host:port.
        """
        super().__init__(sinks, endpoint=endpoint, server=server_id, model_version=model_version, **options)
