"""`ModelMonitoringService`: Boxkite's one class, with the same members."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from modelport._extras import require
from modelport._importing import importing
from modelport.boxkite._baseline_collector import BaselineMetricCollector, baseline_of, default_path
from modelport.boxkite._exporter import ExporterSink
from modelport.monitor._checks import sinks_of
from modelport.monitor._group import shared_directory
from modelport.monitor._serving_log import ServingLog
from modelport.monitor._serving_log import server_id as default_server_id

if TYPE_CHECKING:
    from typing import Unpack

    from modelport.boxkite._exporter import LogExporter
    from modelport.boxkite._metrics import BoxkitePage
    from modelport.drift import Baseline
    from modelport.drift._baseline import Kind
    from modelport.monitor._serving_log import MonitorOptions
    from modelport.predictions import Sink

__all__ = ["ModelMonitoringService"]

_OUTPUT = "output"
_INFERENCE = "inference"


class _Headers(Protocol):
    """Headers as frameworks have them: those of Flask are no mapping."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Name and value of each."""
        ...


class ModelMonitoringService(ServingLog):
    """Monitor a model in production: log predictions, count features and outputs against training, answer scrapes.

    The class of guide and dashboards that Boxkite users know; only its import changes::

        from modelport import ModelMonitoringService

    Underneath is a `ModelMonitor` (attribute `monitor`): logging costs the request one append to a bounded queue, and
    what cannot be kept is counted, in `dropped` and in the metrics.

    Attributes:
        baseline: What training looked like; None where there is no baseline.
    """

    def __init__(
        self,
        log_exporter: LogExporter | None = None,
        baseline_collector: BaselineMetricCollector | None = None,
        *,
        endpoint: str | None = None,
        server_id: str | None = None,
        model_version: str | None = None,
        baseline: Baseline | str | os.PathLike[str] | None = None,
        sinks: Iterable[Sink] | None = None,
        **options: Unpack[MonitorOptions],
    ) -> None:
        """Read the baseline and prepare to log; threads and connections begin with the first prediction.

        Args:
            log_exporter: Where predictions go, one at a time, on a thread of its own.
            baseline_collector: Where the baseline comes from; by default ``MODELPORT_HISTOGRAM_PATH``, else
                ``/artefact/histogram.prom``. Without a file there, predictions are logged and drift is not watched.
            endpoint: By default ``BEDROCK_ENDPOINT_ID``, else ``unknown-endpoint``.
            server_id: By default ``BEDROCK_SERVER_ID``, else ``unknown-server``.
            model_version: On every record and metric; by default the baseline's.
            baseline: A baseline, or the path of one that has to be there, instead of a collector.
            sinks: Where predictions go, beside `log_exporter` if there is one. By default, without either, to the
                collector of ``BEDROCK_FLUENTD_ADDR``.
            **options: As `ModelMonitor` has them: ``redact``, ``max_queue`` and others. ``multiprocess_dir`` is the
                folder ``modelport`` in ``PROMETHEUS_MULTIPROC_DIR``, if that is set; it is made if it is not there.

        Raises:
            BaselineError: The baseline is damaged, or is not at the path given as `baseline`.
            MissingExtraError: An extra that this needs is not installed: ``predictions`` for the collector, ``drift``
                for a baseline.
            OSError: The directory of ``PROMETHEUS_MULTIPROC_DIR`` cannot be made or written.
            ValueError: ``BEDROCK_FLUENTD_ADDR`` is not host or host:port; or both a baseline and its collector.
        """
        server = server_id or default_server_id()
        known = _known(baseline, baseline_collector)
        if log_exporter is not None:
            names = None if known is None else known.names
            sinks = [*sinks_of(sinks or ()), ExporterSink(log_exporter, server, names)]
        shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if shared and "multiprocess_dir" not in options:
            options["multiprocess_dir"] = shared_directory(Path(shared) / "modelport", "PROMETHEUS_MULTIPROC_DIR")
        super().__init__(
            sinks, endpoint=endpoint, server=server, model_version=model_version, baseline=known, **options
        )
        self.baseline = known
        self._page: BoxkitePage | None = None

    def export_http(
        self, params: Mapping[str, object] | None = None, headers: _Headers | None = None
    ) -> tuple[bytes, str]:
        """Body and content type of an answer to a scrape: Boxkite's metrics and modelport's, of one moment.

        Args:
            params: Of the query; ``name[]`` limits the answer to samples or families of that name, text or list.
            headers: Of the request, names in any case; ``Accept`` chooses the text format or OpenMetrics.

        Raises:
            MissingExtraError: prometheus-client is not installed.
        """
        require("prometheus_client", "drift")
        # Here, because prometheus-client is an extra.
        with importing:
            from modelport.boxkite._metrics import BoxkitePage

        if self._page is None:
            self._page = BoxkitePage()
        given = None if headers is None else dict(headers.items())
        return self._page.render(self.monitor.metrics_view(), given, params)

    @classmethod
    def export_text(
        cls,
        features: object,
        inference: object = None,
        path: str | os.PathLike[str] | None = None,
        *,
        kinds: Mapping[str, Kind] | None = None,
        model_version: str | None = None,
    ) -> None:
        """Summarise training data and write the baseline, whole or not at all. All of it is counted.

        Args:
            features: Pairs of name and column in the order of the model's vector, such as ``frame.items()``; or
                whatever `Baseline.from_data` takes.
            inference: The model's outputs on training or test data, one value each; as many as there are.
            path: By default ``MODELPORT_HISTOGRAM_PATH``, else ``/artefact/histogram.prom``. A path that ends in
                ``.json`` gets a JSON baseline.
            kinds: ``"numeric"`` or ``"categorical"`` by name (``"output"`` for the inference).
            model_version: Stored with the baseline.

        Raises:
            BaselineError: Nothing to summarise, or columns of different length.
            MissingExtraError: The extra ``drift`` is not installed.
            OSError: The file cannot be written; what was there is still there.
        """
        target = Path(path if path is not None else default_path())
        if not target.parent.is_dir():
            reason = "no such directory; make it, give path=, or set MODELPORT_HISTOGRAM_PATH"
            raise FileNotFoundError(errno.ENOENT, reason, str(target.parent))
        baseline = _summary(features, inference, kinds or {}, model_version)
        if target.suffix == ".json":
            baseline.save(target)
        else:
            baseline.save_prometheus(target)


def _known(
    baseline: Baseline | str | os.PathLike[str] | None, collector: BaselineMetricCollector | None
) -> Baseline | None:
    if baseline is None:
        return baseline_of(collector or BaselineMetricCollector())
    if collector is not None:
        raise ValueError("give a baseline or a baseline_collector, not both")
    from modelport.drift import Baseline

    return Baseline.of(baseline)


def _summary(features: object, inference: object, kinds: Mapping[str, Kind], model_version: str | None) -> Baseline:
    from modelport.drift import Baseline

    of_features: dict[str, Kind] = {name: kind for name, kind in kinds.items() if name != _OUTPUT}
    baseline = Baseline.from_data(features, kinds=of_features, model_version=model_version)
    if inference is None:
        return baseline
    # On its own, because it may come from a test set of another length.
    of_output: dict[str, Kind] = {_INFERENCE: kinds[_OUTPUT]} if _OUTPUT in kinds else {}
    column = Baseline.from_data({_INFERENCE: inference}, kinds=of_output).features[0]
    return msgspec.structs.replace(baseline, output=msgspec.structs.replace(column, name=_OUTPUT, role="output"))
