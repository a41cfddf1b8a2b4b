"""How an operation tells of work on the server, as the document declares it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .exchange import RawResponse
    from .operation import Operation
    from .waiting import Status


class PollingRules(NamedTuple):
    """How an operation tells of work on the server, as the document declares it. Places are runtime expressions.

    Attributes:
        state: The place of the state.
        success: States in which the work has ended well, as text.
        failure: States in which it has ended badly.
        pending: If not empty, all the others that there are.
        error: The place of what is there only if the work has ended badly.
        message: The place of the server's message.
        interval_seconds: The first pause.
    """

    state: str
    success: tuple[str, ...]
    failure: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    error: str = ""
    message: str = ""
    interval_seconds: float = 1.0

    def status(self, response: RawResponse[Any]) -> Status:
        """What an answer says.

        Raises:
            DecodeError: If the state is none of those that there are.
        """
        from .expressions import Exchange, evaluate, json_text
        from .json_bytes import parse_json
        from .retry import retry_after_seconds
        from .types import UNSET
        from .waiting import Status
        from .wire import is_structured

        body = response.parsed
        try:
            values = parse_json(response.content)
        except ValueError:  # a body that is no JSON
            values = None
        exchange = Exchange("", "", {}, None, response.status, response.headers, values)
        found = evaluate(self.state, exchange)
        state = "" if found is UNSET or is_structured(found) else json_text(found)
        if self.pending and state not in {*self.pending, *self.success, *self.failure}:
            raise response.decode_error(f"the state {state!r} is none that the document knows")
        failure = evaluate(self.error, exchange) if self.error else None
        message = evaluate(self.message, exchange) if self.message else None
        return Status(
            state,
            message if isinstance(message, str) else None,
            has_failed=failure is not None and failure is not UNSET,
            body=body,
            retry_after_seconds=retry_after_seconds(response.headers) or 0.0,
        )


def rules_of(operation: Operation[Any]) -> PollingRules:
    """How an operation tells of work on the server.

    Raises:
        TypeError: If it does not.
    """
    if operation.polling is None:
        raise TypeError(f"{operation.name} tells of no work that could be waited for")
    return operation.polling
