"""Prediction ids for whoever needs one before the prediction is logged."""

from __future__ import annotations

from contextvars import ContextVar

from modelport.monitor._lifecycle import renew_after_fork
from modelport.monitor._prediction_ids import prediction_ids

__all__ = ["IdSource", "current", "current_prediction_id"]

current: ContextVar[str | None] = ContextVar("modelport_prediction_id", default=None)


def current_prediction_id() -> str | None:
    """The id under which the call that is under way will be logged; None outside of one.

    For handlers behind a middleware and for functions under `monitored`, to put the id into their answer.
    """
    return current.get()


class IdSource:
    """A new id per call, in the form of a random UUID; a forked child draws its own. Safe from any thread."""

    def __init__(self) -> None:
        self.after_fork_in_child()
        renew_after_fork(self)

    def __call__(self) -> str:
        return self._next()

    def after_fork_in_child(self) -> None:
        """Draw anew: the parent goes on with the ids it has."""
        self._next = prediction_ids().__next__
