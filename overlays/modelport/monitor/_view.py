"""What a monitor has to show: its figures at one moment, from one snapshot of its counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from modelport.drift import Baseline, CountsSnapshot
    from modelport.drift._gauges import ColumnGauges

__all__ = ["MetricsSource", "MonitorView", "SinkView"]


class SinkView(msgspec.Struct, frozen=True):
    """One sink's figures."""

    name: str
    delivered: int
    pending: int
    failures: int


class MonitorView(msgspec.Struct, frozen=True, kw_only=True):
    """One monitor's figures at one moment.

    Attributes:
        endpoint: What serves the model.
        model_version: Its version; ``""`` if it has none.
        process: New with every start, or of a group of processes that count together.
        started_seconds: When counting began, in Unix time.
        predictions: Taken from the queue.
        incomplete: Of them, those without segments or attributions that had no form.
        spool_failures: Writes to the spool that the disk refused; 0 without a spool.
        queued: In the queue.
        dropped: Lost, by reason and sink (``""`` where no sink is to blame).
        sinks: In the monitor's order.
        baseline: None if nothing is counted.
        counts: Since the start.
        sharing: Whether they are those of all processes of the directory, up to now; None without one.
        drift: How far those of the drift window are from training.
    """

    endpoint: str
    model_version: str
    process: str
    started_seconds: float
    predictions: int
    queued: int
    dropped: Mapping[tuple[str, str], int]
    sinks: Sequence[SinkView]
    incomplete: int = 0
    spool_failures: int = 0
    baseline: Baseline | None = None
    counts: CountsSnapshot | None = None
    sharing: bool | None = None
    drift: ColumnGauges | None = None


class MetricsSource(Protocol):
    """What has figures to show."""

    def metrics_view(self) -> MonitorView:
        """The figures of this moment."""
        ...
