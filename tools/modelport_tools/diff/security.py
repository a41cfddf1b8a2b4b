"""Rules for credentials and servers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_array, is_object, resolve
from modelport_tools.errors import SpecError

from .book import Finding
from .shapes import text_of

if TYPE_CHECKING:
    from .book import Root
    from .operations import Endpoint

Demand = dict[str, frozenset[str]]
"""The scopes that are asked for of each scheme."""


def compare(root: Root, old: Endpoint, new: Endpoint) -> None:
    """Note what changed in the credentials that an operation asks for, and in servers of its own."""
    before, after = _demands(old), _demands(new)
    gone = [demand for demand in before if not any(_suffices(demand, other) for other in after)]
    come = [demand for demand in after if not any(_suffices(demand, other) for other in before)]
    shown = _shown(old), _shown(new)
    message = f"asks for {shown[1]}, asked for {shown[0]}"
    if gone or come:
        kind = "credentials-narrowed" if gone else "credentials-widened"
        root.page.findings.append(Finding(kind, "", "", message, *shown))
    own = tuple(
        side.operation.get("servers", side.item.get("servers")) if is_object(side.item) else None for side in (old, new)
    )
    if own != (None, None):
        defaults = (old.document.get("servers"), new.document.get("servers"))
        servers(root, own[0] if own[0] is not None else defaults[0], own[1] if own[1] is not None else defaults[1])


def _suffices(has: Demand, asked: Demand) -> bool:
    """Whether credentials for one demand fulfil another."""
    return all(name in has and scopes <= has[name] for name, scopes in asked.items())


def _alternatives(endpoint: Endpoint) -> list[Document]:
    said = endpoint.operation.get("security", endpoint.document.get("security"))
    if said is None or said == []:
        return [{}]
    if not is_array(said) or not all(is_object(entry) for entry in said):
        raise SpecError("the security must be a list of objects", pointer=endpoint.where)
    return said


def _demands(endpoint: Endpoint) -> list[Demand]:
    """Each alternative by what its schemes are, whatever they are called."""
    declared = schemes(endpoint.document)
    return [
        {declared.get(name, f"undeclared {name}"): frozenset(map(str, scopes or ())) for name, scopes in entry.items()}
        for entry in _alternatives(endpoint)
    ]


def _shown(endpoint: Endpoint) -> str:
    """The alternatives in words."""
    declared = schemes(endpoint.document)
    words = [
        " and ".join(
            f"{name} ({', '.join([_plain(declared.get(name, '{}')), *map(str, scopes or ())])})"
            for name, scopes in sorted(entry.items())
        )
        or "nothing"
        for entry in _alternatives(endpoint)
    ]
    return " or ".join(words)


def _plain(signature: str) -> str:
    import json

    said: Document = json.loads(signature)
    keys = ("type", "scheme", "in", "name", "openIdConnectUrl")
    return " ".join(str(said[key]) for key in keys if key in said) or "undeclared"


def schemes(document: Document) -> dict[str, str]:
    """The canonical text of each security scheme, without what is written for people."""
    components = document.get("components")
    declared = components.get("securitySchemes") if is_object(components) else None
    found: dict[str, str] = {}
    for name, entry in declared.items() if is_object(declared) else ():
        scheme = resolve(document, entry)
        if is_object(scheme):
            told = {key: value for key, value in scheme.items() if key != "description" and not key.startswith("x-")}
            if "scheme" in told:
                told["scheme"] = str(told["scheme"]).lower()
            if told.get("in") == "header":
                told["name"] = str(told.get("name")).lower()
            found[name] = text_of(_without_scopes(told))
    return found


def _without_scopes(scheme: Document) -> Document:
    """The scopes that exist are no demand; those that an operation asks for are."""
    flows = scheme.get("flows")
    if not is_object(flows):
        return scheme
    bare = {
        name: {key: value for key, value in flow.items() if key != "scopes"} if is_object(flow) else flow
        for name, flow in flows.items()
    }
    return {**scheme, "flows": bare}


def scheme_names(root: Root, old: Document, new: Document) -> None:
    """Note schemes that bear another name: programs give credentials by that name."""
    before, after = schemes(old), schemes(new)
    for name in sorted(before.keys() - after.keys()):
        others = sorted(other for other in after.keys() - before.keys() if after[other] == before[name])
        if others:
            message = f"the security scheme {name} is now {others[0]}"
            root.page.findings.append(Finding("scheme-renamed", "", "", message, name, others[0]))


def servers(root: Root, old: Any, new: Any) -> None:
    """Note servers that came and went."""
    before, after = _urls(old), _urls(new)
    for url in before:
        if url not in after:
            root.page.findings.append(Finding("server-removed", "", "", f"the server {url} is gone", url))
    for url in after:
        if url not in before:
            root.page.findings.append(Finding("server-added", "", "", f"the server {url} is new", None, url))
    if before[0] in after and before[0] != after[0]:
        message = f"the first server is now {after[0]}"
        root.page.findings.append(Finding("server-order-changed", "", "", message, before[0], after[0]))


def _urls(said: Any) -> list[str]:
    """Every address that the servers stand for, the first with the defaults of its variables."""
    urls: list[str] = []
    for server in said if is_array(said) else ():
        if is_object(server) and isinstance(server.get("url"), str):
            variables = server.get("variables")
            urls.extend(_expanded(str(server["url"]), variables if is_object(variables) else {}))
    return list(dict.fromkeys(url.rstrip("/") or "/" for url in urls)) or ["/"]


def _expanded(url: str, variables: Document) -> list[str]:
    """The address with every variable at its default, then with one of its other values."""
    said = {name: entry for name, entry in variables.items() if is_object(entry)}
    defaults = {name: str(entry.get("default", "")) for name, entry in said.items()}
    choices = [defaults]
    for name, entry in said.items():
        values: Any = entry.get("enum")
        choices.extend({**defaults, name: str(value)} for value in (values if is_array(values) else ()))
    return [_filled(url, chosen) for chosen in choices]


def _filled(url: str, chosen: dict[str, str]) -> str:
    return re.sub(r"\{([^}]*)\}", lambda found: chosen.get(found[1], found[0]), url)
