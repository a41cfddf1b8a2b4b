"""Labels by prediction id, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from types import TracebackType

    from modelport._plain import JsonValue
    from modelport.predictions._record import GroundTruth, Prediction

__all__ = ["LabelTable"]

MAX_IN_MEMORY = 200_000
"""Labels kept in memory (some 50 MB); beyond it all lie in a temporary file."""

_INSERT = (
    "INSERT INTO labels VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET time = excluded.time, label = excluded.label "
    "WHERE excluded.time >= time"
)


class LabelTable:
    """The latest label of each prediction. A label that is known later replaces an earlier one."""

    def __init__(self, max_in_memory: int = MAX_IN_MEMORY) -> None:
        self._max_in_memory = max_in_memory
        self._recent: dict[str, tuple[int, JsonValue]] = {}
        self._file: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, truth: GroundTruth) -> None:
        """Take note of a label."""
        known = self._recent.get(truth.prediction_id)
        if known is None or truth.timestamp_ns >= known[0]:
            self._recent[truth.prediction_id] = (truth.timestamp_ns, truth.label)
            if len(self._recent) > self._max_in_memory:
                self._spill()

    def joined(self, predictions: Sequence[Prediction]) -> list[Prediction]:
        """`predictions`, each with its label if there is one."""
        labels = self._of([prediction.prediction_id for prediction in predictions])
        return [
            prediction
            if prediction.prediction_id not in labels
            else msgspec.structs.replace(prediction, label=labels[prediction.prediction_id])
            for prediction in predictions
        ]

    def _of(self, ids: Sequence[str]) -> dict[str, JsonValue]:
        if self._file is None:
            return {id_: self._recent[id_][1] for id_ in ids if id_ in self._recent}
        self._spill()
        found: dict[str, JsonValue] = {}
        for id_ in ids:
            for (label,) in self._file.execute("SELECT label FROM labels WHERE id = ?", (id_,)):
                found[id_] = msgspec.json.decode(label)
        return found

    def _spill(self) -> None:
        if self._file is None:
            import sqlite3

            # The empty name is a private temporary file, which SQLite deletes by itself.
            self._file = sqlite3.connect("", check_same_thread=False)
            self._file.execute("CREATE TABLE labels (id TEXT PRIMARY KEY, time INTEGER, label BLOB) WITHOUT ROWID")
        rows = ((id_, min(time, 2**63 - 1), msgspec.json.encode(label)) for id_, (time, label) in self._recent.items())
        with self._file:
            self._file.executemany(_INSERT, rows)
        self._recent.clear()
