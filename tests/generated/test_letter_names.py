"""Names that Python, a client or another name has taken already; text that tries to be code."""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import keyword
import re
import typing
from pathlib import Path
from typing import Any

import pytest

from tests.generated.letters import OK, Letters, Probe, described, ref, returning

TEXT: dict[str, Any] = {"type": "string"}
NUMBER = {"type": "integer"}


def model(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


WORDS = sorted(
    {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *(name for name in typing.__all__ if name[0].islower())}
    - {"__build_class__"}
)
FIELDS = [
    *WORDS,
    "d",
    "self",
    "cls",
    "additional_properties",
    "UNSET",
    "Unset",
    "field",
    "define",
    "datetime",
    "date",
    "UUID",
    "uuid",
    "File",
    "Any",
    "Literal",
    "ClassVar",
    "__tags__",
    "__init__",
    "__class__",
    "_private",
    "1st",
    "a.b",
    "a-b",
    "größe",
    "模型",
    "$ref",
    "@id",
    "",
    " ",
    "fooBar",
    "foo_bar",
    "FooBar",
    "foo-bar",
    "wire",
    "model",
    "source",
    "new",
    "__attrs_attrs__",
    "__slots__",
    "mro",
    "value_0",
    "annotations",
    "TYPE_CHECKING",
    "self_",
    "class_",
    "has space",
]
CLASSES = [
    "Response",
    "Client",
    "AsyncClient",
    "File",
    "Any",
    "Resource",
    "Operation",
    "Parameter",
    "Unset",
    "UNSET",
    "list",
    "dict",
    "str",
    "int",
    "type",
    "datetime",
    "date",
    "UUID",
    "None",
    "True",
    "Exception",
    "object",
    "Literal",
    "Union",
    "DefaultOperations",
    "AsyncDefaultOperations",
    "HTTPError",
    "HttpError",
    "http_error",
    "Foo.Bar",
    "FooBar",
    "foo-bar",
    "1st",
    "Webhook",
    "Server",
    "Chosen",
    "Encoding",
    "models",
    "errors",
    "Thing",
    "ThingPart",
    "RawResponse",
    "Timeout",
]
OPERATIONS = [
    *keyword.kwlist,
    "list",
    "str",
    "dict",
    "type",
    "datetime",
    "date",
    "int",
    "bool",
    "getThing",
    "get_thing",
    "GetThing",
    "with_raw_response",
    "with_streaming_response",
    "_transport",
    "close",
    "base_url",
    "1st",
    "größe",
    "a.b",
    "a b",
    "self",
    "__init__",
    "Any",
    "Literal",
    "options",
    "models",
    "UNSET",
    "Operation",
    "mro",
    "Unpack",
    "x" * 200,
]
TAGS = [
    "close",
    "base_url",
    "with_options",
    "server_url",
    "class",
    "1st",
    "größe",
    "__class__",
    "",
    "a b",
    "a-b",
    "A B",
    "models",
    "errors",
    "client",
    "Thing",
    "cached_property",
    "with_raw_response",
    "x.y",
    "default",
]


def _paths() -> dict[str, Any]:
    return {
        **{
            f"/op/{index}": {"get": {"operationId": name, "responses": returning(ref("Thing"))}}
            for index, name in enumerate(OPERATIONS)
        },
        **{
            f"/tag/{index}": {"get": {"operationId": f"tagged{index}", "tags": [tag], "responses": OK}}
            for index, tag in enumerate(TAGS)
        },
        **{
            f"/class/{index}": {
                "post": {
                    "operationId": f"class{index}",
                    "responses": returning(ref(name)),
                    "requestBody": {"content": {"application/json": {"schema": ref(name)}}},
                }
            }
            for index, name in enumerate(CLASSES)
        },
        "/same": {
            "get": {"operationId": "same", "responses": OK},
            "put": {"operationId": "same", "responses": OK},
            "post": {"responses": OK},
        },
        "/titles": {
            "get": {
                "operationId": "titles",
                "responses": returning(
                    {"type": "object", "title": "Page", "properties": {"a": {**model(x=TEXT), "title": "Item"}}}
                ),
            },
            "put": {
                "operationId": "otherTitles",
                "responses": returning(
                    {
                        "type": "object",
                        "title": "Page",
                        "properties": {
                            "a": {**model(y=TEXT), "title": "Item"},
                            "b": {**model(z=TEXT), "title": "Same"},
                            "c": {**model(z=TEXT), "title": "Same"},
                        },
                    }
                ),
            },
        },
    }


DOCUMENT = described(
    _paths(),
    components={
        "schemas": {
            **{name: model(x=TEXT) for name in CLASSES},
            "Thing": {
                **model(**dict.fromkeys(FIELDS, TEXT)),
                "properties": {
                    **dict.fromkeys(FIELDS, TEXT),
                    "part": model(p=NUMBER),
                    "date": {"type": "string", "format": "date"},
                },
            },
            "Pet-Input": {**model(a=TEXT), "title": "Pet"},
            "Pet-Output": {**model(b=TEXT), "title": "Pet"},
            "Solo": {**model(a=TEXT), "title": "A Title"},
        }
    },
)


def test_every_field_keeps_its_value_under_a_name_of_its_own(probe: Probe) -> None:
    wire = {name: f"v{index}" for index, name in enumerate(FIELDS)} | {"date": "2026-01-02", "part": {"p": 1}}
    probe.answered(wire)
    thing = probe.call("list_")
    probe.answered(wire)
    again = probe.call(f"class{CLASSES.index('Thing')}", body=thing)

    assert again == thing
    assert thing.additional_properties == {}
    assert json.loads(probe.sent.body) == wire


def test_every_operation_of_every_tag_is_a_method(probe: Probe, letters: Letters) -> None:
    described_operations = json.loads(Path(letters.folder, "letter_names/operations.json").read_text())
    for entry in described_operations["operations"]:
        tag = next(
            attribute
            for attribute in (entry["tag"], f"{entry['tag']}_")
            if hasattr(getattr(probe.client, attribute, None), "with_raw_response")
        )
        if "class" not in entry["operation_id"]:
            method = getattr(getattr(probe.client, tag).with_raw_response, entry["name"], None)
            method = method or getattr(getattr(probe.client, tag).with_raw_response, f"{entry['name']}_")
            probe.answered({})
            assert probe.world.run(method()).status == 200
            assert (probe.sent.method, probe.sent.target) == (entry["method"], entry["path"])


def test_every_component_has_a_class_of_its_own(probe: Probe) -> None:
    for index, name in enumerate(CLASSES):
        probe.answered({"x": name})
        found = probe.call(f"class{index}")
        assert type(found).__module__.startswith("letter_names.models.")
    classes = {type_name: getattr(probe.models, type_name) for type_name in dir(probe.models)}
    assert len({kind.__module__.lower() for kind in classes.values()}) == len(classes)


def test_titles_that_stand_twice_give_way_to_names_of_their_own(probe: Probe) -> None:
    names = {*dir(probe.models)}

    assert {"PetInput", "PetOutput", "ATitle", "Same"} <= names
    assert {"TitlesResponse200", "OtherTitlesResponse200"} <= names
    assert {"TitlesResponse200A", "OtherTitlesResponse200A"} <= names
    assert "ThingPartInline" in names
    assert names.isdisjoint({"Pet", "Page", "Item"})


HOSTILE = [
    '"""\nimport os; os.abort()\n"""',
    "'''",
    '"',
    "'",
    "\\",
    "\\\n",
    "\r\nraise SystemExit(1)",
    "{{ 7*7 }}{% raw %}",
    "{#",
    "\u2028raise SystemExit(1)",
    "\x85x",
    "\x0craise SystemExit(1)",
    "\u202egnp.",
    "#: type: ignore",
    "*/",
    "\x00",
    '"]; raise SystemExit(1); x = ["',
    "${}",
    "%s{0}",
    "\\N{BULLET}\\u0041\\x",
    "\N{LINE SEPARATOR}",
    "`",
    "<script>",
]


def hostile(text: str) -> dict[str, Any]:
    described_text = {"description": text, "title": text}
    return {
        "openapi": "3.1.0",
        "info": {"title": text, "version": text, "description": text},
        "servers": [
            {"url": f"https://x.example/{text}", "description": text},
            {"url": "https://{v}.example", "variables": {"v": {"default": text, "enum": [text, "b"]}}},
        ],
        "tags": [{"name": text, "description": text}],
        "webhooks": {
            text: {
                "post": {
                    "description": text,
                    "requestBody": {"content": {"application/json": {"schema": {"const": text}}}},
                }
            }
        },
        "paths": {
            f"/{text.replace('{', '').replace('}', '').replace('?', '')}": {
                "post": {
                    "operationId": text,
                    "tags": [text],
                    "summary": text,
                    "description": text,
                    "parameters": [
                        {
                            "name": text,
                            "in": "query",
                            "description": text,
                            "schema": {"type": "string", "default": text},
                        },
                        {"name": text + "e", "in": "query", "schema": {"type": "string", "enum": [text, text + "2"]}},
                    ],
                    "requestBody": {
                        "description": text,
                        "content": {
                            "application/json": {
                                "schema": {
                                    **described_text,
                                    "type": "object",
                                    "required": [text],
                                    "properties": {
                                        text: {**described_text, "type": "string", "enum": [text]},
                                        "c": {"const": text},
                                        "d": {"type": "string", "pattern": re.escape(text)},
                                    },
                                    "discriminator": {"propertyName": text},
                                }
                            },
                            f"text/{text}": {"schema": {}},
                            "multipart/form-data": {
                                "schema": {"type": "object", "properties": {text: {"type": "string"}}},
                                "encoding": {text: {"contentType": text}},
                            },
                        },
                    },
                    "responses": {
                        "200": {
                            "description": text,
                            "content": {
                                "application/json": {
                                    "schema": {
                                        "oneOf": [
                                            {"$ref": "#/components/schemas/A"},
                                            {"$ref": "#/components/schemas/B"},
                                        ],
                                        "discriminator": {
                                            "propertyName": text,
                                            "mapping": {text: "A", text + "2": "B"},
                                        },
                                    }
                                },
                                f"x/{text}": {},
                            },
                        }
                    },
                    "security": [{"s": []}],
                }
            }
        },
        "components": {
            "securitySchemes": {"s": {"type": "apiKey", "in": "header", "name": text, "description": text}},
            "schemas": {
                name: {**described_text, "type": "object", "properties": {text: {"type": "string"}}} for name in "AB"
            },
        },
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_document_stays_text(letters: Letters, text: str) -> None:
    name = f"letter_hostile_{HOSTILE.index(text)}"
    package = letters.package(name, hostile(text))
    for path in Path(letters.folder, name).rglob("*.py"):
        if "_runtime" not in path.parts:
            source = path.read_text(encoding="utf-8")
            importlib.import_module(
                ".".join(path.relative_to(letters.folder).with_suffix("").parts).removesuffix(".__init__")
            )
            calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Raise)]
            assert all("has no attribute" in ast.unparse(node) for node in calls)
            assert not any(ord(mark) in range(0x202A, 0x202F) for mark in source)

    assert package.models.A()
