"""Schemathesis against the sandbox, in this process: every Codex operation, all phases, a floor on success."""

from __future__ import annotations

import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from modelport.sandbox import Limits, SandboxSettings, create_app
from modelport.sandbox.spec import load_spec
from tests.contract.in_process import InProcess

SEED = 20260101
# A mock that answers 404 to everything passes most checks; this one must succeed at its work.
LEAST_SHARE_OF_SUCCESS = 0.2
# Operations that neither a generated call nor the seeding brought to a success.
MOST_WITHOUT_SUCCESS = 4

# In a URL every value is text: a number there breaks no string schema. And the lists of path values are the test's own.
NOT_FAULTS = ("in path - incorrect type", "in path - violates `enum`")

SCORE = b"def score(data, base_path):\n    return {'pred': 1}\n"
BUILD = b"def build_df(df, data_path):\n    return df\n"
WATCH = b"def parse(a, b): pass\ndef get_shap(a, b): pass\n"
MOVE = b"def score(data_path, model_path):\n    import os\n    return data_path + os.environ['inputFileName']\n"
ALL_CHECKS = {
    # The document cannot say every rule that joins two fields; a 400 that names them is right.
    "positive_data_acceptance": {"enabled": False},
}
CONFIGURATION: dict[str, Any] = {
    "seed": SEED,
    "workers": 1,
    "continue-on-failure": True,
    "generation": {"deterministic": True, "max-examples": 4, "no-shrink": True, "database": "none"},
    "phases": {
        "fuzzing": {"generation": {"max-examples": 25}},
        "stateful": {"max-steps": 4, "generation": {"max-examples": 25}},
    },
    "checks": ALL_CHECKS,
    "suppress-health-check": ["all"],
}


def seeded(client: InProcess) -> dict[str, Any]:
    """One of everything, so that the happy paths can be reached; values for path parameters by name."""
    user = client.login()
    group = client.post("/groups", user, data={"name": "risk", "description": "d"})["Token"]
    thash = client.post("/training/register/risk", user, data={"experiment_name": "exp", "model_type": "Regression"})
    training = thash["TrainingHash"]
    parquet = ("f.parquet", b"PAR1")
    client.post(
        f"/training/upload/risk/{training}",
        user,
        data={"run_name": "r", "training_type": "External", "python_version": "Python310"},
        files={"features": parquet, "target": parquet, "model": ("model.pkl", b"m")},
    )
    client.get(f"/training/execute/risk/{training}/1", user)
    models = {kind: upload(client, user, kind) for kind in ("Sync", "Async")}
    spare = upload(client, user, "Sync")
    script = client.post(
        "/preprocessing/register/risk",
        user,
        data={"name": "p", "script_reference": "score", "operation": "Sync", "python_version": "Python310"},
        files={"source": ("app.py", SCORE), "requirements": ("r.txt", b""), "schema": ("s.json", b"{}")},
    )["Hash"]
    second = client.post("/v2/preprocessing/risk", user, json={"Name": "v2", "Operation": "Async"})["PreprocessHash"]
    dataset = client.patch(
        f"/v2/preprocessing/{second}/schema",
        user,
        data={"dataset_name": "d"},
        files={"schema_file": ("s.csv", b"a\n1\n")},
    )["DatasetHash"]
    for kind, digest in (*models.items(), ("Sync", spare)):
        client.get(f"/model/{kind.lower()}/host/risk/{digest}", user)
        client.wait(f"/model/status/risk/{digest}", user)
    client.get(f"/model/restart/risk/{spare}", user)
    client.wait(f"/model/status/risk/{spare}", user)
    client.post(f"/model/disable/risk/{spare}", user)
    prepare_second(client, user, second)
    batch = batch_script(client, user, {"authorization": f"Bearer {group}"})
    client.get(f"/preprocessing/sync/host/risk/{script}", user)
    client.wait(f"/preprocessing/status/risk/{script}", user)
    run = client.post(
        f"/model/async/run/risk/{models['Async']}",
        {"authorization": f"Bearer {group}"},
        files={"input": ("i.csv", b"a\n")},
    )["ExecutionId"]
    client.wait(f"/model/async/status/risk/{run}", {"authorization": f"Bearer {group}"})
    client.wait("/training/status/risk/1", user)
    configuration = {"Period": "Week", "TrainData": {}, "InputCols": ["a"], "OutputCols": ["pred"]}
    client.post(
        f"/monitoring/register/risk/{models['Sync']}",
        user,
        data={"preprocess_reference": "parse", "shap_reference": "get_shap"},
        files={"configuration": ("c.json", json.dumps(configuration).encode()), "source": ("watch.py", WATCH)},
    )
    client.post("/groups", user, data={"name": "other", "description": "its token may change"})
    client.post(
        f"/training/promote/risk/{training}/1",
        user,
        data={"name": "promoted", "operation": "Async", "input_type": "csv", "model_reference": "score"},
        files={"source": ("app.py", MOVE)},
    )
    patch_parts(client, user, training)
    source = {"name": "lake", "provider": "AWS"}
    client.post("/datasource/register/risk", user, data=source, files={"credentials": ("c.json", b"{}")})
    client.post("/datasource/import/risk/lake", user, data={"uri": "s3://bucket/part.csv", "name": "part"})
    client.post("/external-monitoring/risk", user, json=external_body())
    external = client.post("/external-monitoring", user, json=external_body())["ExternalMonitoringHash"]
    client.patch(
        f"/external-monitoring/{external}/script-file",
        user,
        data={"preprocess_reference": "parse", "shap_reference": "get_shap", "python_version": "Python310"},
        files={"script": ("watch.py", WATCH)},
    )
    return {
        "user": user["authorization"],
        "group_token": f"Bearer {group}",
        "group": "risk",
        "training_hash": training,
        "Sync": models["Sync"],
        "Async": models["Async"],
        "spare": spare,
        "script_hash": script,
        "second": second,
        "batch": batch,
        "dataset_hash": dataset,
        "external_monitoring_hash": external,
    }


def prepare_second(client: InProcess, user: dict[str, str], second: str) -> None:
    """Host the script of the second generation and give it an execution with an input."""
    fields = {"preprocess_reference": "score", "python_version": "Python310"}
    base = f"/v2/preprocessing/{second}"
    client.patch(f"{base}/script-file", user, data=fields, files={"script": ("app.py", SCORE)})
    client.patch(f"{base}/env-file", user, files={"env": (".env", b"A=1")})
    client.patch(f"{base}/requirements-file", user, files={"requirements": ("requirements.txt", b"")})
    extra = {"extra_file": ("bins.json", b"{}")}
    client.patch(f"{base}/extra-file", user, data={"extra_file_name": "bins.json"}, files=extra)
    client.patch(f"/v2/preprocessing/{second}/status", user)
    client.wait(f"/v2/preprocessing/{second}/status", user)
    client.post(f"/v2/preprocessing/{second}/execution", user)
    table = {"input": ("i.csv", b"a\n1\n")}
    client.patch(f"/v2/preprocessing/{second}/execution/1/input", user, data={"dataset_name": "d"}, files=table)


def batch_script(client: InProcess, user: dict[str, str], group: dict[str, str]) -> str:
    """An async script of the first generation, with an execution."""
    digest = client.post(
        "/preprocessing/register/risk",
        user,
        data={"name": "b", "script_reference": "build_df", "operation": "Async", "python_version": "Python310"},
        files={"source": ("app.py", BUILD), "requirements": ("r.txt", b""), "schema": ("s.csv", b"a\n1\n")},
    )["Hash"]
    client.get(f"/preprocessing/async/host/risk/{digest}", user)
    client.wait(f"/preprocessing/status/risk/{digest}", user)
    files = {"dataset": ("d.csv", b"a\n1\n")}
    run = client.post(f"/preprocessing/async/run/risk/{digest}", group, files=files)["ExecutionId"]
    status = client.wait(f"/preprocessing/async/status/risk/{run}", group)
    assert status["Status"] == "Succeeded", status
    return str(digest)


def patch_parts(client: InProcess, user: dict[str, str], training: str) -> None:
    """The second generation of training: one call per part, and a start."""
    run = client.post(f"/v2/training/{training}/execution", user, json={"RunName": "v2", "TrainingType": "External"})
    base = f"/v2/training/execution/{run['ExecutionId']}"
    client.patch(
        f"{base}/script-file",
        user,
        data={"training_reference": "train", "python_version": "Python310"},
        files={"script": ("app.py", SCORE)},
    )
    client.patch(f"{base}/env/file", user, files={"env": (".env", b"A=1")})
    client.patch(f"{base}/requirements-file", user, files={"requirements": ("requirements.txt", b"")})
    extra = {"extra": ("bins.json", b"{}")}
    client.patch(f"{base}/extra-file", user, data={"file_name": "bins.json"}, files=extra)
    client.patch(f"{base}/model/file", user, files={"model": ("model.pkl", b"m")})
    client.patch(f"{base}/python-version", user, json={"PythonVersion": "Python310"})
    client.patch(f"{base}/conf-dict/file", user, files={"conf_dict": ("conf.json", b"{}")})
    for name in ("metrics", "parameters"):
        client.patch(f"{base}/{name}/file", user, files={name: (f"{name}.json", b'{"auc": 1}')})
    for name in ("input", "features", "target", "output"):
        client.patch(f"{base}/{name}/file", user, data={"dataset_name": name}, files={name: ("f.parquet", b"PAR1")})
    client.patch(base, user)
    status = client.wait(f"{base}/status", user)
    assert status["Status"] == "Succeeded", status
    client.patch(
        f"{base}/promote",
        user,
        data={"name": "again", "operation": "Async", "model_reference": "score"},
        files={"source": ("app.py", MOVE)},
    )


def external_body() -> dict[str, Any]:
    return {
        "Name": "outside",
        "Group": "risk",
        "TrainingExecutionId": 1,
        "Period": "Day",
        "InputCols": ["a"],
        "OutputCols": ["pred"],
        "DataSourceName": "lake",
        "ExtractionType": "Full",
        "DataSourceUri": "s3://bucket/part.csv",
    }


def upload(client: InProcess, user: dict[str, str], kind: str) -> str:
    fields = {"model_reference": "score", "python_version": "Python310"}
    answer = client.post(
        "/model/upload/risk",
        user,
        data={"name": kind, "operation": kind, "input_type": "json" if kind == "Sync" else "csv", **fields},
        files={
            "source": ("app.py", SCORE if kind == "Sync" else MOVE),
            "model": ("model.pkl", b"m"),
            "requirements": ("requirements.txt", b""),
            "schema": ("schema.json", b'{"a": 1}'),
        },
    )
    return str(answer["ModelHash"])


def aimed(document: dict[str, Any], seed: dict[str, Any]) -> dict[str, Any]:
    """The document with path parameters narrowed to what exists, so that generated calls meet it."""
    document = deepcopy(document)
    document["servers"] = [{"url": "/codex/api"}]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"get", "post", "patch", "delete"}:
                operation["parameters"] = [
                    aim(document, parameter, method, path, seed) for parameter in operation.get("parameters", [])
                ]
    return document


def aim(
    document: dict[str, Any], parameter: dict[str, Any], method: str, path: str, seed: dict[str, Any]
) -> dict[str, Any]:
    if "$ref" in parameter:
        parameter = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    if parameter["in"] != "path":
        return parameter
    value = target(parameter["name"], method, path, seed)
    return parameter if value is None else {**parameter, "schema": {**typed(value), "enum": [value]}}


def typed(value: object) -> dict[str, str]:
    return {"type": "integer" if isinstance(value, int) else "string"}


def target(name: str, method: str, path: str, seed: dict[str, Any]) -> object:
    """What exists for a path parameter: the first line that fits."""
    table: list[tuple[str, bool, object]] = [
        ("execution_id", path.startswith("/preprocessing/async"), 2),
        ("execution_id", True, 1),
        ("name", "groups" in path, "other"),
        ("name", True, "lake"),
        ("model_hash", any(word in path for word in ("delete", "disable", "restart")), seed["spare"]),
        ("model_hash", "async" in path or path.endswith("{model_hash}/{execution_id}"), seed["Async"]),
        ("model_hash", True, seed["Sync"]),
        ("monitored_hash", True, seed["external_monitoring_hash"]),
        ("script_hash", "async" in path, seed["batch"]),
        ("script_hash", path.startswith("/v2"), seed["second"]),
        ("operation", True, "sync"),
        ("group_or_hash", method == "get", seed["second"]),
        ("group_or_hash", True, seed["group"]),
        ("period", True, "Week"),
    ]
    return next((value for known, fits, value in table if known == name and fits), seed.get(name))


@pytest.fixture(scope="module")
def app() -> Iterator[Starlette]:
    limits = Limits(predict_seconds=10, run_seconds=20, upload_bytes=4 * 1024 * 1024)
    application = create_app(
        SandboxSettings(allowed_hosts=frozenset({"testserver"}), limits=limits, token_seconds=3600)
    )
    yield application
    application.state.close()


@pytest.fixture(scope="module")
def client(app: Starlette) -> InProcess:
    lake = app.state.services.store.root / "imports" / "lake"
    lake.mkdir(parents=True)
    (lake / "part.csv").write_text("a,pred\n1,2\n")
    return InProcess(app)


@pytest.fixture(scope="module")
def seed(client: InProcess) -> dict[str, Any]:
    return seeded(client)


def past_the_front(app: Starlette) -> ASGIApp:
    """The application without the two headers that its front judges before any platform sees the call.

    Schemathesis draws any name for a header. A foreign Host or Origin is refused for all platforms alike, in words that
    stand in no platform's document; `tests/unit/sandbox/test_app.py` tests that.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            others = [(name, value) for name, value in scope["headers"] if name not in {b"host", b"origin"}]
            scope = {**scope, "headers": [(b"host", b"testserver"), *others]}
        await app(scope, receive, send)

    return call


class Tally:
    """What the run answered."""

    def __init__(self) -> None:
        self.statuses: dict[str, Counter[int]] = defaultdict(Counter)
        self.failures: dict[str, str] = {}
        self.errors: list[str] = []
        self.phases: dict[str, float] = defaultdict(float)

    def take(self, event: object) -> None:
        if isinstance(event, NonFatalError | FatalError):
            self.errors.append(str(getattr(event, "value", None) or getattr(event, "exception", event)))
        if not isinstance(event, ScenarioFinished):
            return
        self.phases[event.phase.value] += event.elapsed_time
        for key, interaction in event.recorder.interactions.items():
            if interaction.response is not None:
                label = event.recorder.cases[key].value.operation.label
                self.statuses[label][interaction.response.status_code] += 1
        for key, nodes in event.recorder.checks.items():
            for node in nodes:
                if node.status is Status.FAILURE and node.failure_info is not None:
                    label = event.recorder.cases[key].value.operation.label
                    failure = node.failure_info.failure
                    if any(harmless in failure.message for harmless in NOT_FAULTS):
                        continue
                    curl = node.failure_info.code_sample[:700]
                    self.failures.setdefault(f"{label} {node.name} {failure.title}", f"{failure.message[:500]}\n{curl}")

    @property
    def never(self) -> dict[str, dict[int, int]]:
        """Operations that never succeeded, with what they answered."""
        return {k: dict(v) for k, v in self.statuses.items() if not any(200 <= status < 300 for status in v)}

    @property
    def share(self) -> float:
        total = sum(sum(counts.values()) for counts in self.statuses.values())
        good = sum(
            count for counts in self.statuses.values() for status, count in counts.items() if 200 <= status < 300
        )
        return good / max(1, total)


def run(app: Starlette, seed: dict[str, Any]) -> Tally:
    document = aimed(load_spec("codex", "v1"), seed)
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(CONFIGURATION))
    schema.app = past_the_front(app)

    @schema.auth(refresh_interval=None)
    class Tokens:  # pyright: ignore[reportUnusedClass]
        def get(self, case: Any, context: Any) -> str:
            schemes = [name for entry in case.operation.definition.raw.get("security", []) for name in entry]
            return str(seed["group_token" if "groupToken" in schemes else "user"])

        def set(self, case: Any, data: str, context: Any) -> None:
            if case.operation.definition.raw.get("security"):
                case.headers = {**(case.headers or {}), "Authorization": data}

    tally = Tally()
    for event in from_schema(schema).execute():
        tally.take(event)
    return tally


@pytest.mark.timeout(300)
def test_every_codex_operation_keeps_its_contract(app: Starlette, client: InProcess, seed: dict[str, Any]) -> None:
    tally = run(app, seed)
    text = io.StringIO()
    for name, message in tally.failures.items():
        text.write(f"\n--- {name}\n{message}\n")

    assert not tally.failures, f"{len(tally.failures)} broken promises{text.getvalue()}"
    assert not tally.errors, tally.errors[:3]
    assert len(tally.phases) >= 4, f"phases that ran: {dict(tally.phases)}"
    operations = {operation.id for operation in app.state.platforms[0].spec.operations}
    assert len(tally.statuses) == len(operations), "not every operation was called"
    assert tally.share >= LEAST_SHARE_OF_SUCCESS, json.dumps({k: dict(v) for k, v in tally.statuses.items()}, indent=1)
    never = sorted(set(tally.never) - client.succeeded)
    assert len(never) <= MOST_WITHOUT_SUCCESS, {name: tally.never[name] for name in never}
