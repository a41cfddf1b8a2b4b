"""Small documents against their clients: each module of ``test_letter_*`` holds one, and calls what comes of it.

What is expected stands in the OpenAPI text, JSON Schema or an RFC; never in the output.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from modelport_tools.generate import generate_one
from tests.unit.runtime.server import Received, ScriptedServer, Step, answer
from tests.unit.runtime.worlds import FAST, World
from tests.unit.tools.specs import write

OK = {"200": {"description": "ok"}}


def returning(schema: Any, kind: str = "application/json", status: str = "200") -> dict[str, Any]:
    return {status: {"description": "ok", "content": {kind: {"schema": schema}}}}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def echoing(schemas: dict[str, Any], components: dict[str, Any], version: str = "3.1.0") -> dict[str, Any]:
    """A document with an operation for each schema, that takes a value of it and answers with one."""
    paths = {
        f"/{name}": {
            "post": {
                "operationId": name,
                "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                "responses": returning(schema),
            }
        }
        for name, schema in schemas.items()
    }
    return described(paths, version, components={"schemas": components})


def described(paths: dict[str, Any], version: str = "3.1.0", **rest: Any) -> dict[str, Any]:
    return {"openapi": version, "info": {"title": "Letters", "version": "1"}, "paths": paths, **rest}


class Letters:
    """Generated packages, each made once.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, ModuleType] = {}

    def write(self, name: str, document: dict[str, Any]) -> None:
        generate_one(write(self.folder, document, f"{name}.json"), output=self.folder, package=name)

    def package(self, name: str, document: dict[str, Any]) -> ModuleType:
        if name not in self._made:
            self.write(name, document)
            sys.path.insert(0, str(self.folder))
            try:
                self._made[name] = importlib.import_module(name)
            finally:
                sys.path.remove(str(self.folder))
        return self._made[name]


class Probe:
    """A client of a generated package that talks to a server.

    Args:
        package: The package.
        world: The sync or async one.
        server: The server.
    """

    def __init__(self, package: ModuleType, world: World, server: ScriptedServer) -> None:
        self.package: Any = package
        self.models: Any = package.models
        self.errors: Any = package.errors
        self.world = world
        self.server = server
        self.client = self.made()

    def made(self, base_url: str | None = None, **settings: Any) -> Any:
        kind = self.package.AsyncClient if self.world.is_async else self.package.Client
        return self.world.opened(kind(base_url or self.server.url, **{**FAST, **settings}))

    def call(self, name: str, *arguments: Any, tag: str = "default", **keywords: Any) -> Any:
        return self.world.run(getattr(getattr(self.client, tag), name)(*arguments, **keywords))

    def answered(self, value: Any, status: int = 200, content_type: str | None = "application/json") -> None:
        body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        self.server.script.append(answer(status, body, content_type=content_type))

    def step(self, step: Step) -> None:
        self.server.script.append(step)

    @property
    def sent(self) -> Received:
        """The last request."""
        return self.server.requests[-1]

    @property
    def query(self) -> str:
        return self.sent.target.partition("?")[2]
