"""JSON pointers (RFC 6901) and the runtime expressions of OpenAPI: places in a request or its answer. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from .types import UNSET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .exchange import RawResponse
    from .operation import Follow, Operation

_HEADER = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_POINTER = r"(?:/(?:[^/~]|~[01])*)*"
_SYNTAX = (
    r"\$(?:(?P<whole>url|method|statusCode)"
    rf"|(?P<message>request|response)\.(?:header\.(?P<header>{_HEADER})|query\.(?P<query>.+)|path\.(?P<path>.+)"
    rf"|(?P<body>body)(?:#(?P<pointer>{_POINTER}))?))"
)
"""Runtime expressions, section 4.8.20.4 of the OpenAPI Specification 3.1.1."""
_EMBEDDED = r"\{(\$[^{}]+)\}"
_INDEX = r"0|[1-9][0-9]*"


class Expression(NamedTuple):
    """A place in a request or its answer.

    Attributes:
        message: ``request`` or ``response``; empty for what is said of the exchange as a whole.
        part: ``body``, ``header``, ``query``, ``path``, or ``url``, ``method``, ``statusCode``.
        name: The name of a header or parameter, or the JSON pointer into a body.
    """

    message: str
    part: str
    name: str = ""


class Exchange(NamedTuple):
    """A request and its answer, as expressions see them.

    Attributes:
        arguments: Those of the request, by place and name on the wire: ``("path", "id")``.
        request_body: As it was given.
        headers: Those of the answer, by lower-case name.
        body: That of the answer, as plain JSON values.
    """

    method: str
    url: str
    arguments: Mapping[tuple[str, str], Any]
    request_body: Any
    status: int
    headers: Mapping[str, str]
    body: Any


@lru_cache(maxsize=256)
def pointer_steps(pointer: str) -> tuple[str, ...]:
    """The steps of a JSON pointer.

    Raises:
        ValueError: If it is none.
    """
    if not re.fullmatch(_POINTER, pointer, re.DOTALL):
        raise ValueError(f"{pointer!r} is no JSON pointer")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


@lru_cache(maxsize=256)
def parse_expression(text: str) -> Expression:
    """A runtime expression, such as ``$response.body#/next``.

    Raises:
        ValueError: If it is none.
    """
    found = re.fullmatch(_SYNTAX, text, re.DOTALL)
    if found is None:
        raise ValueError(f"{text!r} is no runtime expression of OpenAPI")
    groups = found.groupdict()
    if groups["whole"]:
        return Expression("", groups["whole"])
    if groups["body"]:
        return Expression(groups["message"], "body", groups["pointer"] or "")
    part = next(name for name in ("header", "query", "path") if groups[name])
    return Expression(groups["message"], part, groups[part])


def expressions_in(value: Any) -> tuple[str, ...]:
    """The expressions of a link's parameter: the value itself, or those in braces within a text; none in a constant."""
    if not isinstance(value, str):
        return ()
    return (value,) if value.startswith("$") else tuple(re.findall(_EMBEDDED, value))


def evaluate(value: Any, exchange: Exchange) -> Any:
    """What the value of a link's parameter is in an exchange; `UNSET` if it names a place that is not there.

    Raises:
        ValueError: If it holds what is no expression.
    """
    if not isinstance(value, str):
        return value
    if value.startswith("$"):
        return _evaluate(parse_expression(value), exchange)
    written = value
    for text in expressions_in(value):
        found = _evaluate(parse_expression(text), exchange)
        if found is UNSET or _is_compound(found):
            return UNSET
        written = written.replace(f"{{{text}}}", json_text(found))
    return written


def _evaluate(expression: Expression, exchange: Exchange) -> Any:
    if expression.part == "body":
        body = exchange.body if expression.message == "response" else exchange.request_body
        return value_at(body, pointer_steps(expression.name))
    if expression.part == "header" and expression.message == "response":
        return exchange.headers.get(expression.name.lower(), UNSET)
    if expression.message:
        name = expression.name.lower() if expression.part == "header" else expression.name
        return exchange.arguments.get((expression.part, name), UNSET)
    return {"url": exchange.url, "method": exchange.method}.get(expression.part, exchange.status)


def linked_arguments(
    operation: Operation[Any],
    arguments: Mapping[str, Any],
    body: object,
    response: RawResponse[Any],
    follow: Follow[Any],
) -> dict[str, Any]:
    """The arguments of an operation that a link leads to from the answer of another.

    What the request was not given is not given on, unless it is a part of the path.

    Args:
        operation: The one that was sent, with its `arguments` and `body`.
        follow: The link.

    Raises:
        APIProtocolError: If the answer lacks one of them.
    """
    from .errors import APIProtocolError
    from .json_bytes import parse_json
    from .operation import Chosen

    named = {
        (one.location, one.wire_name.lower() if one.location == "header" else one.wire_name): arguments[one.python_name]
        for one in operation.parameters
        if one.python_name in arguments
    }
    try:
        values = parse_json(response.content)
    except ValueError:  # a body that is no JSON
        values = response.parsed or UNSET
    url, method = response.full_url, operation.method
    if isinstance(body, Chosen):
        body = body.body
    exchange = Exchange(method, url, named, body, response.status, response.headers, values)
    in_path = {one.python_name for one in follow.operation.parameters if one.location == "path"}
    found: dict[str, Any] = {}
    for name, value in follow.arguments:
        found[name] = evaluate(value, exchange)
        if found[name] is not UNSET and found[name] is not None:
            continue
        if name in in_path or "$request." not in str(value):
            raise APIProtocolError(
                f"{operation.name} was done, but its answer has nothing at {value} to follow it by",
                method=method,
                url=response.url,
                attempts=response.attempts,
            )
        del found[name]
    return found


def value_at(value: Any, steps: tuple[str, ...]) -> Any:
    """What is at a place in JSON values or generated models, under its name on the wire; `UNSET` if nothing is."""
    for step in steps:
        if _is_object(value):
            value = value.get(step, UNSET)
        elif _is_array(value):
            value = value[int(step)] if re.fullmatch(_INDEX, step) and int(step) < len(value) else UNSET
        elif hasattr(value, "__attrs_attrs__"):
            from .wire import wire_items

            value = dict(wire_items(value)).get(step, UNSET)
        else:
            return UNSET
    return value


def with_value_at(value: Any, steps: tuple[str, ...], new: Any) -> Any:
    """Plain JSON values with another value at a place; objects on the way are made, the original is left alone."""
    if not steps:
        return new
    entries: dict[str, Any] = dict(value) if _is_object(value) else {}
    entries[steps[0]] = with_value_at(entries.get(steps[0]), steps[1:], new)
    return entries


def json_text(value: Any) -> str:
    """A simple JSON value as text: one without its quotes, others as JSON has them."""
    if isinstance(value, str):
        return str.__str__(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _is_compound(value: Any) -> bool:
    return isinstance(value, dict | list)


def _is_object(value: object) -> TypeGuard[dict[Any, Any]]:
    return isinstance(value, dict)


def _is_array(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
