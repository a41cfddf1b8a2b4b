"""Which operations tell of work on the server, and which ones start it: by extension and by links."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_array
from modelport_tools.errors import SpecError
from modelport_tools.runtime.expressions import json_text, parse_expression, pointer_steps

from .links import pointer_of
from .places import Places, extension
from .plan import FollowPlan, OperationPlan, PollingPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .links import LinkPlan, Links

KEY = "x-modelport-polling"
ARGUMENTS = ("poll_interval", "wait_timeout", "on_progress")
"""What the methods that wait take beside the parameters of their operation."""

POLLING_KEYS = ("state", "success", "failure", "pending", "error", "message", "interval")


def with_waits(plan: OperationPlan, operation: Document, links: Links) -> OperationPlan:
    """The operation with what the document says of the work that it tells of.

    Raises:
        SpecError: If that cannot be.
    """
    pointer = f"{pointer_of(plan)}/{KEY}"
    values = extension(operation, KEY, POLLING_KEYS, pointer)
    if values is None:
        return plan
    for name in sorted({"state", "success"} - values.keys()):
        raise SpecError(f"needs {name}", pointer=pointer)
    _check_arguments(plan, pointer)
    places = Places(plan, links.types)
    state = places.in_answer(values["state"], f"{pointer}/state")
    known = _known_states(state, places, links)
    listed = {name: _states(values.get(name), known, f"{pointer}/{name}") for name in ("success", "failure", "pending")}
    _check_distinct(listed, pointer)
    if not listed["success"]:
        raise SpecError("must hold a state", pointer=f"{pointer}/success")
    polling = PollingPlan(
        state=state,
        success=listed["success"],
        failure=listed["failure"],
        pending=listed["pending"],
        error=places.in_answer(values["error"], f"{pointer}/error") if "error" in values else "",
        message=places.in_answer(values["message"], f"{pointer}/message") if "message" in values else "",
        interval=_seconds(values.get("interval", 1), f"{pointer}/interval"),
    )
    return replace(plan, polling=polling)


def _known_states(state: str, places: Places, links: Links) -> set[str] | None:
    place = parse_expression(state)
    if place.part != "body":
        return None
    return links.types.values(places.annotation_in_answer(pointer_steps(place.name), state, ""))


def _states(value: Any, known: set[str] | None, pointer: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not is_array(value) or not all(isinstance(one, str | int) for one in value):
        raise SpecError("must be a list of texts, numbers or booleans", pointer=pointer)
    states = tuple(dict.fromkeys(json_text(one) for one in value))
    for index, one in enumerate(states):
        if known is not None and one not in known:
            raise SpecError(f"{one!r} is no state that the document knows", pointer=f"{pointer}/{index}")
    return states


def _check_distinct(listed: Mapping[str, tuple[str, ...]], pointer: str) -> None:
    seen: dict[str, str] = {}
    for name, states in listed.items():
        for state in states:
            if seen.setdefault(state, name) != name:
                raise SpecError(f"{state!r} is in {seen[state]} too", pointer=f"{pointer}/{name}")


def _seconds(value: Any, pointer: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise SpecError("must be a number of seconds above 0", pointer=pointer)
    return float(value)


def _check_arguments(plan: OperationPlan, pointer: str) -> None:
    for parameter in plan.parameters:
        if parameter.name in ARGUMENTS:
            raise SpecError(
                f"the parameter {parameter.name} means something else where work is waited for: "
                "name it with x-modelport-argument",
                pointer=pointer,
            )


def with_follow(plan: OperationPlan, operation: Document, links: Links) -> OperationPlan:
    """The operation with the one that tells of the work that it starts, if exactly one link leads to such a one.

    Raises:
        SpecError: If the link names what is not there.
    """
    found: dict[str, FollowPlan] = {}
    for link in links.of(plan, operation) if _starts_something(plan) else ():
        if link.target.polling is None or not link.is_to_work:
            continue
        follow = _follow(plan, link, links)
        if follow is not None:
            found.setdefault(f"{link.target.operation_id} {follow.arguments!r}", follow)
    if len(found) != 1:
        return plan
    (follow,) = found.values()
    _check_arguments(plan, pointer_of(plan))
    imports = {*plan.imports, *links.types.imports(follow.operation.returns)}
    return replace(plan, follow=follow, imports=tuple(sorted(imports)))


def _starts_something(plan: OperationPlan) -> bool:
    """Whether an operation is more than a question; one that mutates is not idempotent, whatever its method."""
    return plan.method not in {"GET", "HEAD", "OPTIONS", "TRACE"} or not plan.idempotent


def _follow(plan: OperationPlan, link: LinkPlan, links: Links) -> FollowPlan | None:
    """Where a link leads; None if it leaves out what the operation there needs."""
    given = {parameter.name for parameter, _, _ in link.arguments}
    if link.target.body_required or any(one.required and one.name not in given for one in link.target.parameters):
        return None
    for _, value, pointer in link.arguments:
        links.check_value(plan, link.status, value, pointer)
    return FollowPlan(link.target, tuple((parameter.name, value) for parameter, value, _ in link.arguments))
