"""What the further methods of operations say of themselves: in docstrings, and in ``operations.json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .planning import OperationPlan
    from .planning.plan import PaginationPlan, PollingPlan

_STYLES = {
    "token": "a token out of the page before",
    "cursor": "the last item of the page before",
    "page": "its number",
    "offset": "how many items come before it",
    "link": "a link out of the page before",
}
_WAITING = (
    "    poll_interval: Seconds between looks; by default they grow from {interval:g}, and Retry-After is heeded.",
    "    wait_timeout: Seconds in all; None waits for ever.",
    "    on_progress: Called with a `Progress` after each look.",
    "",
    "Raises:",
    "    OperationFailedError: It ended badly; holds the last answer.",
    "    WaitTimeoutError: The time is over; the work goes on at the server.",
)


def pages_doc(plan: OperationPlan, pages: PaginationPlan) -> str:
    """The docstring of the method that gives the items of all pages."""
    lines = [f"The items of `{plan.name}`, over all pages.", "", f"``{plan.method} {plan.path}``", ""]
    lines += [f"Each page is asked for by {_STYLES[pages.style]}, and only when its items are needed."]
    said = {
        pages.parameter: "Where to begin; the pages after that are found by themselves.",
        pages.size: "How many items a page has, not how many come in all.",
    }
    described = [(one.name, said.get(one.name) or " ".join(one.description.split())) for one in plan.parameters]
    if any(text for _, text in described):
        lines += ["", "Args:", *(f"    {name}: {text}" for name, text in described if text)]
    lines += ["", "Raises:", "    PaginationError: The next page cannot be asked for; the items before it were given."]
    return "\n".join(lines)


def wait_doc(plan: OperationPlan) -> str:
    """The docstring of the method that waits."""
    first = f"What `{plan.name}` answers once the work that it tells of has ended well."
    return _waiting_doc(plan, first, plan.polling)


def follow_doc(plan: OperationPlan, read: OperationPlan) -> str:
    """The docstring of the method that starts work and waits for it by another operation."""
    first = f"`{plan.name}`, then what `{read.tag}.{read.name}` answers once the work has ended well."
    return _waiting_doc(plan, first, read.polling)


def _waiting_doc(plan: OperationPlan, first: str, polling: PollingPlan | None) -> str:
    interval = polling.interval if polling else 1.0
    described = [one for one in plan.parameters if one.description]
    lines = [first, "", f"``{plan.method} {plan.path}``", "", "Args:"]
    lines += [f"    {one.name}: {' '.join(one.description.split())}" for one in described]
    lines += [line.format(interval=interval) for line in _WAITING]
    return "\n".join(lines)


def extras_json(plan: OperationPlan) -> dict[str, Any]:
    """What ``operations.json`` tells of an operation's further methods, of each that it has."""
    told: dict[str, Any] = {}
    if plan.pagination:
        told["pagination"] = asdict(plan.pagination)
    if plan.polling:
        told["polling"] = asdict(plan.polling)
    if plan.follow:
        told["follow"] = {
            "method": plan.follow.method,
            "operation_id": plan.follow.operation.operation_id,
            "arguments": dict(plan.follow.arguments),
        }
    return told
