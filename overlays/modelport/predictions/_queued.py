"""What waits in the queue: as little as the request path can get away with."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

__all__ = ["Batch", "Full", "Kept", "Queued", "Single", "Truth", "Usual"]

Usual: TypeAlias = tuple[object, object, str, int]
"""Features, output, id, time. Features that are `bytes` are msgpack already: the caller's list at that moment."""


class Full(NamedTuple):
    """A prediction with more to it; its first four fields are where those of a usual one are."""

    features: object
    output: object
    prediction_id: object
    time: object
    request_body: object
    segments: object
    attributions: object


class Kept(NamedTuple):
    """A prediction that is in the spool already and has only to be counted."""

    features: object
    output: object
    attributions: object


class Truth(NamedTuple):
    """A ground truth."""

    label: object
    prediction_id: object
    time: object


class Batch(NamedTuple):
    """Up to 1000 predictions that were logged together.

    `features` and `outputs` are msgpack arrays (`bytes`), arrays, or lists; as many as `ids`.
    """

    features: Any
    outputs: Any
    ids: list[str]
    time: int


Single: TypeAlias = Usual | Full | Kept | Truth
Queued: TypeAlias = Single | Batch
