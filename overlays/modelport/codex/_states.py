"""What ends a wait on this platform, and how a status answer is read. Every state not named here means: go on."""

from __future__ import annotations

from typing import Any

from modelport._waiting import States, Status
from modelport.errors import GoneError, NotReadyError, OperationFailedError

__all__ = ["DATASET", "EXECUTION", "HOST", "MONITORING", "gone_status", "no_result", "status_of"]

HOST = States(
    done=frozenset({"Deployed"}),
    # A disabled or deleted model is not going to be deployed by waiting. Recovering is on its way.
    failed=frozenset({"Failed", "FailedRecovery", "Disabled", "DisabledRecovery", "DisabledFailed", "Deleted"}),
)
EXECUTION = States(done=frozenset({"Succeeded"}), failed=frozenset({"Failed"}))
MONITORING = States(done=frozenset({"Validated"}), failed=frozenset({"Invalidated"}))
DATASET = States(done=frozenset({"Succeeded"}), failed=frozenset({"Failed"}))


def status_of(record: Any) -> Status:
    """The status in any of the platform's status answers."""
    message: object = getattr(record, "message", None) or getattr(record, "log", None)
    return Status(str(record.status), message if isinstance(message, str) else None)


def gone_status(error: GoneError) -> Status:
    """The status in an answer of 410, which the platform gives for some executions and means no error by.

    Raises:
        GoneError: The same one, if there is no status in it.
    """
    if not hasattr(error.body, "status"):
        raise error
    return status_of(error.body)


def no_result(error: GoneError, states: States, subject: str, operation_id: str) -> Exception:
    """The error for a result that was answered with 410: the work failed, or has not ended."""
    if not hasattr(error.body, "status"):
        return error
    status = status_of(error.body)
    if status.state in states.failed:
        return OperationFailedError(
            subject=subject, operation_id=operation_id, state=status.state, server_message=status.message
        )
    if status.state in states.done:
        return error
    return NotReadyError(subject=subject, operation_id=operation_id, state=status.state)
