"""The function behind `ModelMonitor.log`, with everything it needs in its own cells: all that a request pays for."""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, Any

import msgspec

from modelport._plain import plain
from modelport.predictions._queued import Full

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport.predictions._gate import Gate

__all__ = ["frozen", "packed", "request_path"]

# Decimals as numbers, as `plain` has them.
_encode = msgspec.msgpack.Encoder(decimal_format="number").encode


def request_path(gate: Gate, *, copy: bool) -> Callable[..., str]:  # noqa: C901 - one function, so one call
    """A function with the arguments of `ModelMonitor.log`, for a monitor that has `gate`.

    Arguments that are rare come by position here: a keyword-only argument that is left out costs 10 ns, and no
    caller sees this signature. A list is frozen by encoding it, which is what the drain would do with it anyway and
    costs no more than a copy.
    """
    pack = _encode
    append = gate.queue.append
    more = gate.more
    take = gate.take

    def renewed(now: Callable[[], str]) -> None:
        nonlocal take
        take = now

    def log(  # noqa: C901, PLR0917 - as above, and as the docstring says
        features: object,
        output: object,
        request_body: object = None,
        prediction_id: str | None = None,
        timestamp: object = None,
        segments: object = None,
        attributions: object = None,
    ) -> str:
        try:
            taken = take()
        except StopIteration:
            taken, admitted = more()
            if not admitted:
                return taken if prediction_id is None else prediction_id
        if copy:
            kind = type(features)
            if kind is list:
                try:
                    features = pack(features)
                except Exception:  # noqa: BLE001 - numbers of numpy among them, or anything else; never raises
                    features = frozen(features)
            elif kind is dict:
                # Not typing.cast: a call here costs as much as the copy.
                mapping: Any = features
                features = mapping.copy()
            elif kind is not tuple:
                features = frozen(features)
        elif type(features) is bytes:
            features = plain(features)
        if request_body is prediction_id is timestamp is segments is attributions is None:
            append((features, output, taken, time_ns()))
            return taken
        if prediction_id is not None:
            taken = prediction_id
        if timestamp is None:
            timestamp = time_ns()
        append(Full(features, output, taken, timestamp, request_body, segments, attributions))
        return taken

    gate.on_grant(renewed)
    return log


def packed(features: Any) -> object:
    """Features as they are at this moment: a list encoded, others copied one level deep."""
    if type(features) is list:
        try:
            return _encode(features)
        except Exception:  # noqa: BLE001, S110 - numbers of numpy among them, or anything else
            pass
    return features if isinstance(features, tuple) else frozen(features)  # pyright: ignore[reportUnknownVariableType]


def frozen(features: Any) -> object:
    """A copy of `features`, one level deep, or the same object where it offers none."""
    try:
        # In this order: pydantic has deprecated the other name.
        copy: Callable[[], object] | None = getattr(features, "__copy__", None) or getattr(features, "copy", None)
        if copy is not None:
            return copy()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - the request path never raises, nor panics; then the reference has to do
        return features
    # In the queue, bytes are what has been encoded already.
    return plain(features) if type(features) is bytes else features
