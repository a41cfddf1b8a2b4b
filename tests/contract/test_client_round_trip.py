"""Every Codex operation through the generated client, sync and async, against the sandbox.

Arguments come from the document: its examples, aimed at what exists, and then values drawn from the schemas. Each call
ends in a typed success or in a typed error of a status that the document names; and what arrived is what was meant.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from modelport.sandbox import Limits, SandboxSettings, create_app
from modelport_api._runtime.decode import decoder_for
from modelport_api._runtime.errors import APIStatusError
from modelport_api._runtime.types import UNSET
from modelport_api._runtime.wire import to_builtins, wire_items
from modelport_api.codex.v1 import AsyncClient, Client, File, models
from tests.contract.in_process import InProcess
from tests.contract.test_codex_schemathesis import seeded, target

LEAST_SHARE_OF_SUCCESS = 0.9
SEED = 20260101
DRAWS = 2
BASE = "http://127.0.0.1"
API = "/codex/api"

# What takes something away comes last, and what only looks comes after what makes.
ORDER = ("POST", "PATCH", "PUT", "GET", "DELETE")
LAST = ("start_execution", "start_preprocessing_host", "disable_model")

FILES: dict[str, tuple[str, bytes]] = {
    "source": (
        "app.py",
        b"def score(data, base_path):\n    return {'pred': 1}\n\ndef parse(a, b): pass\n\ndef get_shap(a, b): pass\n",
    ),
    "script": ("app.py", b"def score(data, base_path):\n    return {'pred': 1}\n"),
    "schema": ("schema.json", b'{"a": 1}'),
    "schema_file": ("schema.csv", b"a\n1\n"),
    "model": ("model.pkl", b"m"),
    "requirements": ("requirements.txt", b""),
    "env": (".env", b"A=1\n"),
    "input": ("input.csv", b"a\n1\n"),
    "dataset": ("dataset.csv", b"a\n1\n"),
    "configuration": (
        "configuration.json",
        json.dumps({"Period": "Week", "TrainData": {}, "InputCols": ["a"], "OutputCols": ["pred"]}).encode(),
    ),
    **{name: (f"{name}.json", b'{"auc": 1}') for name in ("conf_dict", "credentials", "metrics", "parameters")},
    **{name: (f"{name}.parquet", b"PAR1") for name in ("features", "target", "output", "train_data")},
}
FILES_OF = {"set_execution_input": {"input": ("input.parquet", b"PAR1")}}

# Where the example of a field does not go with what was seeded; a name alone asks for an optional file.
EXTERNAL = {
    "Group": "risk",
    "DataSourceName": "lake",
    "DataSourceUri": "s3://bucket/part.csv",
    "TrainingExecutionId": 1,
}
PROMOTED = {"model_reference": "score", "operation": "Async", "input_type": "csv", "source": None}
PARQUET = {"dataset_name": "d"}
VALUES: dict[str, dict[str, Any]] = {
    "create_group": {"name": "fresh"},
    "create_preprocessing": {"Operation": "Async"},
    "create_execution": {"TrainingType": "External"},
    "import_dataset": {"uri": "s3://bucket/part.csv", "name": "part2"},
    "list_datasources": {"group": "risk"},
    "login": {"user": "demo", "password": "demo", "tenant": "demo"},
    "promote_execution": PROMOTED,
    "promote_training_execution": PROMOTED,
    "refresh_group_token": {"force": True},
    "register_datasource": {"name": "pond"},
    "register_external_monitoring": EXTERNAL,
    "register_external_monitoring_in_group": EXTERNAL,
    "set_execution_features": {**PARQUET, "features": None},
    "set_execution_input": {**PARQUET, "input": None},
    "set_execution_output": {**PARQUET, "output": None},
    "set_execution_target": {**PARQUET, "target": None},
    "set_preprocessing_input": {**PARQUET, "input": None},
    "set_schema": {**PARQUET, "schema_file": None},
    "submit_prediction": {"input": None},
    "upload_model": {"model_reference": "score", "operation": "Sync", "input_type": "json", "schema": None},
    "upload_training_execution": {"training_type": "External", "features": None, "target": None, "model": None},
}


@dataclass
class Case:
    """One call: where it goes and with what."""

    operation: dict[str, Any]
    path: dict[str, Any]
    query: dict[str, Any]
    body: Any = None


class SyncASGI(httpx.BaseTransport):
    """The in-process application for a sync client."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def call() -> tuple[int, httpx.Headers, bytes]:
            copy = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
            response = await httpx.ASGITransport(app=self._app).handle_async_request(copy)
            return response.status_code, response.headers, await response.aread()

        status, headers, content = asyncio.run(call())
        return httpx.Response(status, headers=headers, content=content)


class Codex:
    """The seeded sandbox, its document, and one generated client of it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        limits = Limits(predict_seconds=10, run_seconds=20, upload_bytes=4 * 1024 * 1024)
        self.app = create_app(SandboxSettings(limits=limits, token_seconds=3600))
        lake = self.app.state.services.store.root / "imports" / "lake"
        lake.mkdir(parents=True)
        (lake / "part.csv").write_text("a,pred\n1,2\n")
        self.raw = InProcess(self.app)
        self.seed = seeded(self.raw)
        user = {"authorization": self.seed["user"]}
        training = f"/v2/training/{self.seed['training_hash']}/execution"
        draft = self.raw.post(training, user, json={"RunName": "draft", "TrainingType": "External"})
        self.draft_execution: int = draft["ExecutionId"]
        made = self.raw.post("/v2/preprocessing/risk", user, json={"Name": "draft", "Operation": "Async"})
        self.draft_script: str = made["PreprocessHash"]
        spec = self.app.state.platforms[0].spec
        self.document: dict[str, Any] = spec.document
        bearer = {"userToken": self.seed["user"], "groupToken": self.seed["group_token"]}
        settings: dict[str, Any] = {
            "credentials": {name: value.removeprefix("Bearer ") for name, value in bearer.items()},
            "max_retries": 0,
        }
        self.client: Any
        if kind == "sync":
            self.client = Client(BASE + API, http_client=httpx.Client(transport=SyncASGI(self.app)), **settings)
        else:
            transport = httpx.ASGITransport(app=self.app)
            self.client = AsyncClient(BASE + API, http_client=httpx.AsyncClient(transport=transport), **settings)

    def call(self, case: Case) -> Any:
        """The whole answer, parsed; or the error."""
        operation = case.operation
        arguments = {parameter["wire"]: parameter["name"] for parameter in operation["parameters"]}
        method = getattr(getattr(self.client, operation["tag"]).with_raw_response, operation["name"])
        positional = [case.path[one["wire"]] for one in operation["parameters"] if one["in"] == "path"]
        keywords = {arguments[wire]: value for wire, value in case.query.items()}
        if case.body is not None:
            keywords["body"] = case.body
        try:
            answer = method(*positional, **keywords)
            response = answer if self.kind == "sync" else asyncio.run(_awaited(answer))
        except APIStatusError as error:
            return error
        return response, response.parsed

    def last_request(self) -> dict[str, Any]:
        recorded = self.raw.request("GET", "/_sandbox/requests").json()["requests"]
        return next(one for one in reversed(recorded) if one["path"].startswith(API))

    def schema(self, value: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in value:
            value = self.document["components"]["schemas"][value["$ref"].rpartition("/")[2]]
        return value

    def cases(self, draw: Callable[[dict[str, Any]], Any] | None = None) -> Iterator[Case]:
        for operation in OPERATIONS:
            yield Case(operation, self.path(operation), *self.arguments(operation, draw))

    def path(self, operation: dict[str, Any]) -> dict[str, Any]:
        method, path = operation["method"].lower(), operation["path"]
        found = {
            one["wire"]: target(one["wire"], method, path, self.seed)
            for one in operation["parameters"]
            if one["in"] == "path"
        }
        if method == "patch":  # parts are set where nothing was started yet
            if path.startswith("/v2/training/execution/") and not path.endswith("promote"):
                found["execution_id"] = self.draft_execution
            elif path.startswith("/v2/preprocessing/") and "/execution/" not in path:
                found["script_hash"] = self.draft_script
        return found

    def arguments(
        self, operation: dict[str, Any], draw: Callable[[dict[str, Any]], Any] | None
    ) -> tuple[dict[str, Any], Any]:
        """Query and body: the examples of the document, or values that are drawn."""
        raw = self.document["paths"][operation["path"]][operation["method"].lower()]
        own = VALUES.get(operation["name"], {}) if draw is None else {}
        query: dict[str, Any] = {}
        for entry in raw.get("parameters", []):
            parameter = self.parameter(entry)
            if parameter["in"] != "query" or not (parameter.get("required") or parameter["name"] in own or draw):
                continue
            schema = self.schema(parameter["schema"])
            value = draw(schema) if draw else own.get(parameter["name"], example(parameter, schema))
            query[parameter["name"]] = value
        if not operation["body"]["type"]:
            return query, None
        content: dict[str, Any] = raw["requestBody"]["content"]
        schema = self.schema(next(iter(content.values()))["schema"])
        return query, self.body(operation, schema, own, draw)

    def parameter(self, entry: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in entry:
            return dict(self.document["components"]["parameters"][entry["$ref"].rpartition("/")[2]])
        return entry

    def body(
        self, operation: dict[str, Any], schema: dict[str, Any], own: dict[str, Any], draw: Callable[..., Any] | None
    ) -> Any:
        values: dict[str, Any] = {}
        known = {**FILES, **FILES_OF.get(operation["name"], {})}
        for name, entry in schema["properties"].items():
            found = self.schema(entry)
            if name not in schema.get("required", []) and name not in own and not draw:
                continue
            if found.get("format") == "binary":
                file_name, content = known.get(name, ("extra.txt", b"extra"))
                values[name] = File(content, file_name)
            elif found.get("type") == "array" and self.schema(found["items"]).get("format") == "binary":
                values[name] = [File(b"extra", "extra.txt")]
            else:
                values[name] = draw(found) if draw else own.get(name, example(entry, found))
        return decoder_for(operation["body"]["type"], lambda wanted: getattr(models, wanted))(values)

    def close(self) -> None:
        self.app.state.close()


async def _awaited(value: Any) -> Any:
    return await value


def example(*places: dict[str, Any]) -> Any:
    """The example that the document gives, in the first of the places that has one."""
    for place in places:
        if "example" in place:
            return place["example"]
        if place.get("enum"):
            return place["enum"][0]
        if place.get("type") == "array":
            return [example(place["items"])]
    raise AssertionError(f"no example in {places}")


MOMENTS = {"date": "2026-01-02", "date-time": "2026-01-02T03:04:05+00:00"}


class Draw:
    """Values that fit a schema, the same in every run."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - test data

    def __call__(self, schema: dict[str, Any]) -> Any:  # noqa: PLR0911 - one return a kind of value
        kind = schema.get("type")
        chosen = self._random.choice(kind) if isinstance(kind, list) else kind
        if schema.get("enum"):
            return self._random.choice(schema["enum"])
        if schema.get("format") in MOMENTS:
            return MOMENTS[schema["format"]]
        if chosen == "string":
            least = schema.get("minLength", 0)
            size = self._random.randint(least, min(schema.get("maxLength", 40), least + 40))
            return "".join(self._random.choice("abcXYZ019 -_.:/&=%+?#\"'\\<>éß€😀") for _ in range(size))
        if chosen == "integer":
            return self._random.randint(int(schema.get("minimum", -5)), int(schema.get("maximum", 2**53)))
        if chosen == "number":
            return self._random.uniform(-1e6, 1e6)
        if chosen == "boolean":
            return self._random.random() < 0.5
        if chosen == "array":
            items = schema.get("items", {"type": "string"})
            items = items if "$ref" not in items else {"type": "string"}
            return [self(items) for _ in range(self._random.randint(1, 3))]
        if chosen == "object":
            return {f"key {n}": self._random.choice([1, 0.5, "x", None, True, [1]]) for n in range(3)}
        return None if chosen == "null" else "anything"


@pytest.fixture(scope="module", params=["sync", "async"])
def codex(request: pytest.FixtureRequest) -> Iterator[Codex]:
    made = Codex(request.param)
    try:
        yield made
    finally:
        made.close()


def _operations() -> list[dict[str, Any]]:
    text = files("modelport_api.codex.v1").joinpath("operations.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)["operations"]
    return sorted(found, key=lambda one: (ORDER.index(one["method"]), one["name"] in LAST))


OPERATIONS = _operations()


def check(codex: Codex, case: Case) -> int:
    """The status, once what came back and what arrived are as they must be."""
    operation = case.operation
    outcome = codex.call(case)
    status: int = outcome.status if isinstance(outcome, APIStatusError) else outcome[0].status
    documented = codex.document["paths"][operation["path"]][operation["method"].lower()]["responses"]
    assert str(status) in documented, f"{operation['name']}: {status} is not documented: {outcome}"
    if isinstance(outcome, APIStatusError):
        assert not isinstance(outcome.body, dict | list | str), (
            f"{operation['name']}: an untyped error: {outcome.body!r}"
        )
        assert outcome.message, operation["name"]
    check_arrival(case, codex.last_request())
    return status


def check_arrival(case: Case, request: dict[str, Any]) -> None:
    """What the sandbox saw is what the arguments say."""
    operation = case.operation
    path = API + operation["path"]
    for wire, value in case.path.items():
        path = path.replace("{" + wire + "}", str(value))
    headers = {name.lower(): value for name, value in request["headers"].items()}

    assert (request["method"], unquote(request["path"])) == (operation["method"], path)
    assert request["operationId"] == operation["operation_id"]
    assert dict(request["query"]) == {name: _text(value) for name, value in case.query.items()}
    assert ("authorization" in headers) == bool(operation["security"])
    if case.body is None:
        assert not request["body"]
        return
    media_type = operation["body"]["media_types"][0]
    assert headers["content-type"].partition(";")[0] == media_type
    expected = {name: value for name, value in _fields(case.body).items() if value is not None}
    if media_type == "application/json":
        assert json.loads(request["body"]) == to_builtins(case.body)
    elif media_type == "application/x-www-form-urlencoded":
        # The record shows a form with its values as they are, and the secret ones not at all.
        hidden = {part.partition("=")[0] for part in request["body"].split("&") if part.endswith("=REDACTED")}
        shown = "&".join(f"{name}={'REDACTED' if name in hidden else _text(value)}" for name, value in expected.items())
        assert request["body"] == shown


def _fields(body: Any) -> dict[str, Any]:
    return {name: value for name, value in wire_items(body) if value is not UNSET}


def _text(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def test_every_operation_is_called_and_most_succeed(codex: Codex) -> None:
    statuses = {case.operation["name"]: check(codex, case) for case in codex.cases()}
    failed = {name: status for name, status in statuses.items() if status >= 400}

    assert len(statuses) == len(OPERATIONS)
    assert 1 - len(failed) / len(statuses) >= LEAST_SHARE_OF_SUCCESS, failed


@pytest.mark.parametrize("draw", range(DRAWS))
def test_drawn_arguments_end_in_what_the_document_says(codex: Codex, draw: int) -> None:
    statuses = [check(codex, case) for case in codex.cases(Draw(SEED + draw))]

    assert len(statuses) == len(OPERATIONS)


def test_a_query_arrives_as_it_was_given(codex: Codex) -> None:
    name = "a&b=c d+ü/%?#"
    case = Case(next(one for one in OPERATIONS if one["name"] == "search_models"), {}, {"name": name})
    check(codex, case)
    query = codex.last_request()["query"]

    assert query == [["name", name]]


def test_things_that_do_not_exist_are_not_found(codex: Codex) -> None:
    for operation in OPERATIONS:
        if operation["method"] == "GET" and "{model_hash}" in operation["path"]:
            path = {**codex.path(operation), "model_hash": "M" + "0" * 63}
            case = Case(operation, path, {})

            assert check(codex, case) >= 400, operation["name"]
