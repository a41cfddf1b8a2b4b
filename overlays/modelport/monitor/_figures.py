"""A monitor's figures, of its own process or of the group it belongs to."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from typing import TYPE_CHECKING

import msgspec

from modelport._importing import importing
from modelport.monitor._group import Group, ProcessGroup
from modelport.monitor._group_totals import Totals
from modelport.monitor._view import MonitorView, SinkView

if TYPE_CHECKING:
    from modelport.drift import Baseline, CountsSnapshot
    from modelport.drift._gauges import ColumnGauges, DriftGauges
    from modelport.drift.serving._state import CountsState
    from modelport.monitor._pipeline import Pipeline

__all__ = ["Figures"]

# Between the parts of a counter's name; in no sink's name.
_BETWEEN = "\x1f"


class Figures:
    """What a monitor shows to Prometheus, and what it compares with its baseline."""

    def __init__(
        self,
        endpoint: str,
        model_version: str | None,
        baseline: Baseline | None,
        pipeline: Pipeline,
        directory: str | os.PathLike[str] | None,
    ) -> None:
        """Prepare.

        Args:
            endpoint: As of the monitor.
            model_version: As of the monitor.
            baseline: As of the monitor.
            pipeline: Whose figures they are.
            directory: Where processes share their figures; None if this one is alone.

        Raises:
            OSError: The directory cannot be made or written.
            ValueError: The platform has no file locks.
        """
        self._endpoint, self._version = endpoint, model_version or ""
        self._baseline = baseline
        self._pipeline = pipeline
        self._gauges: DriftGauges | None = None
        self._group: ProcessGroup | None = None
        self._alone = directory is None
        self._window = pipeline.window
        if directory is not None:
            self._group = ProcessGroup(directory, _key(endpoint, self._version, baseline), self._own)
            pipeline.on_step.append(self._group.publish_quietly)
            if baseline is not None and pipeline.window is not None:
                self._window = pipeline.window.copy()
        self.begin()

    def begin(self) -> None:
        """Count from now on as a process of its own."""
        self._started_ns = self._since_ns = time.time_ns()
        # Two monitors may begin in one millisecond.
        self._label = f"{os.getpid()}-{self._started_ns // 1_000_000}-{secrets.token_hex(4)}"

    def after_fork(self) -> None:
        """Forget, in a forked child, what is the parent's."""
        if self._group is not None:
            self._group.after_fork()
        if self._window is not None:
            self._window.reset()
        self.begin()

    def close(self) -> None:
        """Leave the group; what was counted stays with it."""
        if self._group is not None:
            self._group.close()

    def view(self) -> MonitorView:
        """The figures of this moment."""
        label, started_ns, totals, counts = self._moment()
        sharing = None if self._group is None else self._group.sharing and not self._alone
        named = {tuple(name.split(_BETWEEN)): count for name, count in totals.counters.items()}
        return MonitorView(
            endpoint=self._endpoint,
            model_version=self._version,
            process=label,
            started_seconds=started_ns / 1e9,
            predictions=named["predictions",],
            incomplete=named.get(("incomplete",), 0),
            spool_failures=named.get(("spool_failures",), 0),
            queued=totals.gauges.get("queued", 0),
            dropped={(name[1], name[2]): count for name, count in named.items() if name[0] == "dropped"},
            sinks=[
                SinkView(
                    name[1], count, totals.gauges.get(f"pending{_BETWEEN}{name[1]}", 0), named["failures", name[1]]
                )
                for name, count in named.items()
                if name[0] == "delivered"
            ],
            baseline=self._baseline,
            counts=counts,
            sharing=sharing,
            drift=self._drift(counts),
        )

    def recent(self, snapshot: CountsSnapshot | None) -> CountsSnapshot | None:
        """What was counted in the drift window that ends with `snapshot`, or now; None without a baseline.

        Raises:
            ValueError: The snapshot was taken before the window began.
        """
        if snapshot is not None:
            now = time.monotonic()
            # A snapshot is one of this process, whatever group it is in, and nobody knows of which moment.
            window, live = self._pipeline.window, self._pipeline.live
            if window is None or live is None:
                return None
            window.observe(now, live.snapshot)
            return window.recent(now, snapshot)
        seen = self._moment()[3]
        return None if seen is None else self._recent(seen)

    def _moment(self) -> tuple[str, int, Totals, CountsSnapshot | None]:
        live, baseline = self._pipeline.live, self._baseline
        shared = self._shared()
        self._alone = shared is None
        if shared is None:
            return self._label, self._started_ns, self._own_pipeline(), None if live is None else live.snapshot()
        group, totals = shared
        self._since_ns = group.started_ns
        counts = None
        if live is not None and baseline is not None:
            counts = live.snapshot(_unflattened(totals, live.state()))
        return group.label, group.started_ns, totals, counts

    def _shared(self) -> tuple[Group, Totals] | None:
        """What the group has counted; None without one, and where its directory has refused from the start."""
        if self._group is None:
            return None
        try:
            group, totals = self._group.total()
        except OSError:
            return None
        return (group, totals) if totals.counters else None

    def _recent(self, seen: CountsSnapshot) -> CountsSnapshot | None:
        """What was counted in the window that ends now, with `seen`."""
        window = self._pipeline.window if self._alone else self._window
        if window is None:
            return None
        now = time.monotonic()
        window.observe(now, lambda: seen)
        # A new process of an old group has not seen how the window began.
        whole = self._alone or window.covers((time.time_ns() - self._since_ns) / 1e9)
        return window.recent(now, seen, whole=whole)

    def _own_pipeline(self) -> Totals:
        pipeline = self._pipeline
        spooler = pipeline.spooler
        counters = {
            "predictions": pipeline.drain.drained,
            "incomplete": sum(pipeline.incomplete.counts().values()),
            "spool_failures": 0 if spooler is None else spooler.failures,
        }
        counters |= {_BETWEEN.join(("dropped", *key)): count for key, count in pipeline.dropped().items()}
        gauges = {"queued": pipeline.drain.gate.waiting}
        for worker in pipeline.workers:
            name = worker.sink.name
            counters[f"delivered{_BETWEEN}{name}"] = worker.delivered
            counters[f"failures{_BETWEEN}{name}"] = worker.failures
            gauges[f"pending{_BETWEEN}{name}"] = worker.pending
        return Totals(counters, gauges=gauges)

    def _own(self) -> Totals:
        totals = self._own_pipeline()
        if self._pipeline.live is not None:
            totals.counts, totals.sums = _flattened(self._pipeline.live.state())
        return totals

    def _drift(self, counts: CountsSnapshot | None) -> ColumnGauges | None:
        recent = None if counts is None else self._recent(counts)
        if self._baseline is None or recent is None:
            return None
        if self._gauges is None:
            # Here, because drift is only there with a baseline.
            with importing:
                from modelport.drift._gauges import DriftGauges

            self._gauges = DriftGauges(self._baseline)
        return self._gauges(recent)


def _key(endpoint: str, version: str, baseline: Baseline | None) -> str:
    """Of processes whose counts can be added up: one model, and one set of bins."""
    columns = () if baseline is None else baseline.columns
    bins = [column.bins for column in columns]
    return hashlib.sha256(msgspec.json.encode((endpoint, version, bins))).hexdigest()[:16]


def _flattened(state: CountsState) -> tuple[list[int], list[float]]:
    counts = [state.records, state.uncounted]
    for array in (state.missing, state.unseen, state.bins.ravel()):
        counts += array.tolist()
    return counts, state.sums.tolist()


def _unflattened(totals: Totals, like: CountsState) -> CountsState:
    # Here, because numpy is an extra.
    import numpy as np

    counts = np.array(totals.counts[2:], np.int64)
    many = len(like.missing)
    return like._replace(
        records=totals.counts[0],
        uncounted=totals.counts[1],
        missing=counts[:many],
        unseen=counts[many : 2 * many],
        bins=counts[2 * many :].reshape(like.bins.shape),
        sums=np.array(totals.sums),
    )
