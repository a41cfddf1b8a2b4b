"""The record that Bedrock's prediction store and Boxkite put on the wire, and that their consumers read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from modelport.predictions._record import GroundTruth, strict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelport._plain import JsonValue
    from modelport.predictions._record import Prediction, Record

__all__ = ["EntityRecord", "entity_id", "vector"]

_NANOSECONDS = 1_000_000_000
_OPTIONAL = ("model_version", "segments", "attributions")


class EntityRecord:
    """Makes the mapping that is sent of a record, as `FluentSink` takes one in ``record=``.

    The six fields that the platform's own clients send come first: ``entity_id``, ``features``, ``request_body``,
    ``server_id``, ``output``, ``created_at`` (whole seconds). With them go ``prediction_id``, ``timestamp_ns``,
    ``endpoint`` and, where set, ``model_version``, ``segments`` and ``attributions``; so the lines that a collector
    writes of them are read by `read_predictions` too, and the order within a second is kept.

    Values are those of strict JSON, as in lines of our own, so that whatever a collector writes has a form for them.
    Integers of more than 64 bits, for which the wire has none, are text.
    """

    def __init__(self, server_id: str, names: Sequence[str] | None = None) -> None:
        """Prepare for one server.

        Args:
            server_id: Goes into each record.
            names: The features' names in the order of the model's vector, to send features in that order.
        """
        self._server_id = server_id
        self._names = None if names is None else tuple(names)

    def __call__(self, record: Record) -> Mapping[str, object]:
        """The fields of `record`, in the order in which they are sent."""
        sent: dict[str, object] = {"entity_id": entity_id(record.prediction_id)}
        if isinstance(record, GroundTruth):
            sent |= {"label": strict(record.label, wide=False), "server_id": self._server_id}
        else:
            sent |= self._prediction(record)
        sent |= {
            "created_at": record.timestamp_ns // _NANOSECONDS,
            "prediction_id": record.prediction_id,
            "timestamp_ns": record.timestamp_ns,
            "endpoint": record.endpoint,
        }
        if not isinstance(record, GroundTruth):
            sent |= {name: strict(value) for name in _OPTIONAL if (value := getattr(record, name)) is not None}
        return sent

    def _prediction(self, record: Prediction) -> dict[str, object]:
        return {
            "features": strict(vector(record.features, self._names), wide=False),
            "request_body": strict(record.request_body, wide=False),
            "server_id": self._server_id,
            "output": strict(record.output, wide=False),
        }


def entity_id(prediction_id: str) -> str:
    """The last part of an id of the form ``server/time/uuid``; all of another."""
    return prediction_id.rpartition("/")[2] or prediction_id


def vector(features: JsonValue, names: tuple[str, ...] | None) -> JsonValue:
    """Features in the order of the model's vector, where they are exactly those; else as they are."""
    if names is None or not isinstance(features, dict) or len(features) != len(names):
        return features
    try:
        return [features[name] for name in names]
    except KeyError:
        return cast("JsonValue", features)
