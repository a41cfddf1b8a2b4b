"""Boxkite's way to send predictions elsewhere: a `LogExporter` that is handed one `PredictionContext` at a time."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from modelport.predictions import GroundTruth, Sink
from modelport.predictions._entity_record import entity_id, vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport._plain import JsonValue
    from modelport.predictions import Prediction, Record

__all__ = ["ExporterSink", "LogExporter", "PredictionContext"]


@dataclass(frozen=True)
class PredictionContext:
    """One prediction as exporters get it.

    Attributes:
        entity_id: The last part of the prediction's id; text where the caller's own id ends in no UUID.
        features: The model's input, of plain values: a list in the order of its vector where the baseline's features
            are all there, else as it was logged.
        request_body: The request.
        server_id: The server that answered.
        output: What the model answered.
        created_at: When, with time zone.
    """

    entity_id: UUID | str
    features: JsonValue
    request_body: JsonValue
    server_id: str
    output: JsonValue
    created_at: dt.datetime

    @property
    def prediction_id(self) -> str:
        """``server_id/YYYY-MM-DDTHH:MM:SS/entity_id``, the time in UTC."""
        moment = self.created_at.astimezone(dt.UTC)
        return f"{self.server_id}/{moment:%Y-%m-%dT%H:%M:%S}/{self.entity_id}"


class LogExporter(ABC):
    """Subclass it to send predictions elsewhere, one at a time; `modelport.predictions.Sink` does so in batches."""

    @abstractmethod
    def emit(self, prediction: PredictionContext) -> None:
        """Save one prediction. Called from a thread of the exporter's own, so it may block.

        Raises:
            OSError: Out of reach for now; the same prediction is offered again after a pause.
            Exception: Anything else is final: the prediction is dropped and counted.
        """


class ExporterSink(Sink):
    """A `LogExporter` in the place of a sink. Ground truth passes it by: exporters know none."""

    name = "exporter"

    def __init__(self, exporter: LogExporter, server_id: str, names: tuple[str, ...] | None) -> None:
        self._exporter = exporter
        self._server_id = server_id
        self._names = names
        self._begin()

    def _begin(self) -> None:
        # Of a batch that broke off and will be offered again: how many have been emitted, and why the next was refused.
        self._ahead = 0
        self._refused: Exception | None = None

    def write(self, records: Sequence[Record]) -> None:
        """Emit each prediction once.

        Raises:
            Exception: What the exporter raised; the predictions before it are not emitted again.
        """
        ahead = self._ahead
        for record in records[ahead:]:
            try:
                self._emit(record)
            except Exception as error:
                self._ahead = ahead
                self._refused = None if isinstance(error, OSError) or len(records) == 1 else error
                raise
            ahead += 1
        self._ahead = ahead - len(records)

    def _emit(self, record: Record) -> None:
        if self._refused is not None:
            raise self._refused
        if not isinstance(record, GroundTruth):
            self._exporter.emit(self._context(record))

    def close(self) -> None:
        """Close the exporter, if it can be."""
        close = getattr(self._exporter, "close", None)
        if callable(close):
            close()

    def after_fork(self) -> None:
        """Begin with the first record: the batch that broke off is the parent's."""
        self._begin()

    def _context(self, record: Prediction) -> PredictionContext:
        return PredictionContext(
            entity_id=_uuid(entity_id(record.prediction_id)),
            features=vector(record.features, self._names),
            request_body=record.request_body,
            server_id=self._server_id,
            output=record.output,
            created_at=record.timestamp,
        )


def _uuid(text: str) -> UUID | str:
    try:
        return UUID(text)
    except ValueError:
        return text
