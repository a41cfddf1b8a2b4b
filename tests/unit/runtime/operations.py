"""Operations as the generator would write them, for what the Codex document has none of."""

from __future__ import annotations

from typing import Any

from modelport_api._runtime.operation import Operation, Parameter
from modelport_api._runtime.types import UNSET


def no_names(name: str) -> Any:
    raise AttributeError(name)


def operation(
    *parameters: Parameter,
    method: str = "GET",
    path: str = "/thing",
    body: str | None = None,
    response: str = "Any",
    **rest: Any,
) -> Operation[Any]:
    return Operation(
        name="things.do",
        method=method,
        path=path,
        names=rest.pop("names", no_names),
        parameters=parameters,
        body=(body,) if body else (),
        responses=rest.pop("responses", {"200": {"application/json": response}}),
        **rest,
    )


def query(style: str = "form", *, explode: bool = True, name: str = "value") -> Operation[Any]:
    return operation(Parameter("value", name, "query", style, explode=explode))


def path(style: str = "simple", *, explode: bool = False, name: str = "value") -> Operation[Any]:
    return operation(
        Parameter("value", name, "path", style, explode=explode), path="/before/{" + name + "}/after", response="Any"
    )


def header(*, explode: bool = False, location: str = "header", name: str = "X-Value") -> Operation[Any]:
    style = "simple" if location == "header" else "form"
    return operation(Parameter("value", name, location, style, explode=explode))


SCHEMES = {
    "bearer": ("http", "bearer", ""),
    "basic": ("http", "basic", ""),
    "header": ("apiKey", "header", "X-Api-Key"),
    "query": ("apiKey", "query", "api_key"),
    "cookie": ("apiKey", "cookie", "session"),
    "other": ("apiKey", "cookie", "tenant"),
}


def secured(*alternatives: tuple[str, ...], parameters: tuple[Parameter, ...] = (), **rest: Any) -> Operation[Any]:
    return operation(*parameters, security=alternatives, schemes=SCHEMES, **rest)


__all__ = ["SCHEMES", "UNSET", "header", "no_names", "operation", "path", "query", "secured"]
