"""``[tool.modelport]`` of a pyproject.toml: which clients a project of your own generates, from which specs.

::

    [tool.modelport.clients.acme_api]         # the import package
    spec = "openapi/acme.yaml"
    output = "src"                            # the folder that gets the package; "." without
    patches = ["openapi/acme-fixes.yaml"]     # OpenAPI Overlays, in order; none without
    http-client = "httpx2"                    # or "httpx", as without
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .document import is_array, is_object
from .errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = "pyproject.toml"
_KEYS = ("spec", "output", "patches", "http-client")
_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


@dataclass(frozen=True)
class Client:
    """One client of a project."""

    package: str
    spec: Path
    output: Path
    patches: tuple[Path, ...] = ()
    http_client: str | None = None
    """What the package speaks through; by default what it was generated for before."""


@dataclass(frozen=True)
class Project:
    """A folder with a pyproject.toml that names clients."""

    root: Path
    clients: tuple[Client, ...]


def load(root: Path) -> Project | None:
    """The clients of the project in a folder, in the order of the file; None if it names none.

    Raises:
        SpecError: If the file cannot be read, or its table ``[tool.modelport]`` is malformed.
    """
    path = root / PROJECT
    if not path.is_file():
        return None
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        line = _LINE.search(str(error))
        reason = _LINE.sub("", str(error))
        raise SpecError(f"cannot be read: {reason}", source=path, line=int(line[1]) if line else None) from error
    tools = values.get("tool", {})
    if is_object(tools) and "modelport" not in tools:
        return None
    table: Any = tools.get("modelport") if is_object(tools) else None
    clients = table.get("clients") if is_object(table) and list(table) == ["clients"] else None
    if not is_object(clients) or not clients:
        raise _malformed(path, "", "needs a table [tool.modelport.clients.PACKAGE] for each client, and nothing else")
    return Project(root, tuple(_client(root, package, entry) for package, entry in clients.items()))


def _client(root: Path, package: str, entry: Any) -> Client:
    path = root / PROJECT
    if not is_object(entry) or "spec" not in entry:
        raise _malformed(path, f"/{package}", "needs spec, the path of the document")
    unknown = sorted(entry.keys() - set(_KEYS))
    if unknown:
        raise _malformed(path, f"/{package}/{unknown[0]}", f"is not known: there is {', '.join(_KEYS)}")
    patches = entry.get("patches", [])
    texts: list[Any] = [entry["spec"], entry.get("output", "."), *(patches if is_array(patches) else [None])]
    http_client = entry.get("http-client")
    if not all(isinstance(text, str) for text in [*texts, http_client or ""]):
        raise _malformed(path, f"/{package}", "spec, output and http-client must be texts, patches a list of texts")
    spec, output, *others = [root / str(text) for text in texts]
    return Client(package, spec, output, tuple(others), http_client)


def _malformed(path: Path, below: str, reason: str) -> SpecError:
    return SpecError(reason, source=path, pointer=f"/tool/modelport/clients{below}")
