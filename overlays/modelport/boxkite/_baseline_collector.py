"""Where a service finds its baseline: Boxkite's `BaselineMetricCollector`."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from modelport._extras import require

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import Metric

    from modelport.drift import Baseline

__all__ = ["BaselineMetricCollector", "baseline_of", "default_path"]

_logger = logging.getLogger("modelport.boxkite")


def default_path() -> str:
    """``MODELPORT_HISTOGRAM_PATH``, or where Boxkite keeps the file."""
    return os.environ.get("MODELPORT_HISTOGRAM_PATH") or BaselineMetricCollector.DEFAULT_HISTOGRAM_PATH


class BaselineMetricCollector:
    """Reads the baseline of a local file. Subclass it to fetch one from elsewhere.

    A subclass overrides `load`; or, as with Boxkite, `collect`, with families in the form of ``histogram.prom``.
    """

    DEFAULT_HISTOGRAM_PATH = "/artefact/histogram.prom"

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Point to a file; it is read once, by the service.

        Args:
            path: ``histogram.prom`` or a JSON baseline; by default ``MODELPORT_HISTOGRAM_PATH``, else
                `DEFAULT_HISTOGRAM_PATH`.
        """
        self.path = os.fspath(path) if path is not None else default_path()

    def load(self) -> Baseline | None:
        """The baseline; None, with a warning, where there is no file or an empty one.

        Raises:
            BaselineError: The file cannot be read, or is damaged.
            MissingExtraError: The extra ``drift`` is not installed.
        """
        from modelport.drift import Baseline

        file = Path(self.path)
        # Empty is what an export of Boxkite's own leaves behind when it fails.
        if not file.exists() or (file.is_file() and file.stat().st_size == 0):
            _logger.warning("no baseline at %s: predictions are logged, drift is not watched", self.path)
            return None
        return Baseline.load(file)

    def collect(self) -> Iterable[Metric]:
        """The baseline's metric families, under Boxkite's names."""
        require("prometheus_client", "drift")
        from modelport.boxkite._metrics import baseline_families

        baseline = self.load()
        return [] if baseline is None else list(baseline_families(baseline))

    @staticmethod
    def describe() -> Iterable[Metric]:
        """Empty: a registry need not collect to learn the names."""
        return ()


def baseline_of(collector: BaselineMetricCollector) -> Baseline | None:
    """What `collector` finds, in whichever of the two ways it was made.

    Raises:
        BaselineError: What it collects is no baseline.
    """
    if type(collector).collect is BaselineMetricCollector.collect:
        return collector.load()
    require("prometheus_client", "drift")
    from prometheus_client import generate_latest

    from modelport.drift import BaselineError
    from modelport.drift.training._saved import read

    text = generate_latest(collector)
    if not text.strip():
        _logger.warning("no baseline from %s: predictions are logged, drift is not watched", type(collector).__name__)
        return None
    try:
        return read(text)
    except BaselineError as error:
        message = f"{type(collector).__name__}.collect: {error}"
        raise BaselineError(message) from error
