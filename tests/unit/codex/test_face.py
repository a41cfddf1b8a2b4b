"""Every method of the face, in both worlds: which requests it sends, and what the caller gets."""

from __future__ import annotations

import importlib
import inspect
import io
import json
import pkgutil
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

import modelport.codex._sync
from tests.unit.codex.blocking import Blocking
from tests.unit.codex.conftest import API, CONFIGURATION, HASH, Face

D, E, M, S, T = (letter + HASH for letter in "DEMST")
Call = Callable[[Any], Any]
ACK = {"Message": "ok"}
PARQUET = b"PAR1....PAR1"


def zipped(name: str = "output.csv", content: str = "pred\n1\n") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    status: int = 200
    answer: Any = field(default_factory=lambda: ACK)
    sends: tuple[str, ...] = ()
    """Patterns that the body of the request must hold."""

    def response(self) -> httpx.Response:
        if isinstance(self.answer, bytes):
            return httpx.Response(self.status, content=self.answer)
        return httpx.Response(self.status, json=self.answer)


@dataclass(frozen=True)
class Case:
    call: Call
    routes: tuple[Route, ...] = ()
    check: Call = lambda result: True


def sync_model(codex: Any) -> Any:
    return codex.models.handle(M, group="clinic", operation="sync", name="scorer")


def async_model(codex: Any) -> Any:
    return codex.models.handle(M, group="clinic", operation="async", name="scorer")


def run_of(codex: Any) -> Any:
    return codex.trainings.execution(T, 7, group="clinic")


def training(codex: Any) -> Any:
    return codex.trainings.get(T, group="clinic")


def script(codex: Any) -> Any:
    return codex.preprocessing.get(S, group="clinic")


def multi(codex: Any) -> Any:
    return codex.preprocessing.get_multi(S, group="clinic")


def monitoring(codex: Any) -> Any:
    return codex.monitoring.get(M, group="clinic", period="week")


def external(codex: Any) -> Any:
    return codex.monitoring.get_external(E, group="clinic")


def status(path: str, state: str, **more: Any) -> Route:
    return Route("GET", path, 200, {"Status": state, **more})


def part(name: str, value: str | None = None) -> str:
    """A pattern for one part of a multipart body."""
    return rf'name="{name}"' + ("" if value is None else rf"[^\r]*(?:\r\n[^\r]+)*\r\n\r\n{re.escape(value)}\r\n")


def file(name: str, filename: str) -> str:
    return rf'name="{name}"; filename="{re.escape(filename)}"'


UPLOAD_MODEL: dict[str, Any] = {
    "group": "clinic",
    "source": "app.py",
    "model": "model.pkl",
    "requirements": "requirements.txt",
    "schema": {"x": 1.5},
}
MODEL_DETAIL = {"Description": {"ModelHash": M, "Name": "scorer", "Operation": "Sync", "Schema": '{"x": 2}'}}
EXECUTION = {
    "Description": {"TrainingHash": T, "ExecutionId": 7, "ExecutionState": "Succeeded", "RunData": {"metrics": []}}
}
MODEL_EXECUTION = {"Description": {"ExecutionId": 3, "ExecutionState": "Succeeded"}}
TRAINING = Route(
    "GET",
    f"/training/describe/clinic/{T}",
    200,
    {"Description": {"ExperimentName": "cancer", "ModelType": "Classification", "Executions": [{"Id": 7}]}},
)
SCRIPT = Route("GET", f"/preprocessing/describe/clinic/{S}", 200, {"Description": {"Operation": "Sync"}})
ASYNC_SCRIPT = Route("GET", f"/preprocessing/describe/clinic/{S}", 200, {"Description": {"Operation": "Async"}})
LOGS = {"Results": [{"OutputData": "hello", "OutputType": "Ok"}]}
UPLOADED_RUN = Route("POST", f"/training/upload/clinic/{T}", 201, {"ExecutionId": 7})
STARTED_RUN = Route("GET", f"/training/execute/clinic/{T}/7")
REGISTER_EXTERNAL: dict[str, Any] = {
    "group": "clinic",
    "training_execution": 11,
    "period": "week",
    "input_columns": ["x"],
    "output_columns": ["pred"],
    "datasource": "bucket",
    "datasource_uri": "gs://b/x.csv",
    "reference_date": "2025-03-04",
}
REGISTER_MONITORING = (
    Route(
        "POST", f"/monitoring/register/clinic/{M}", 201, {"ModelHash": M},
        (
            part("preprocess_reference", "parse"), part("shap_reference", "get_shap"),
            file("configuration", "configuration.json"), '"Period": ?"Week"', file("source", "watch.py"),
        ),
    ),
    Route("GET", f"/monitoring/host/clinic/{M}/Week"),
)  # fmt: skip

CASES: dict[str, Case] = {
    # --- the client
    "Codex.health": Case(
        lambda c: c.health(), (Route("GET", "/health", 200, {"Version": "1.0"}),), lambda r: r.version == "1.0"
    ),
    "Codex.login": Case(lambda c: c.login()),
    "Codex.close": Case(lambda c: c.close()),
    "Codex.run_pipeline": Case(
        lambda c: c.run_pipeline("pipeline.yml"),
        (
            Route("GET", "/groups", 200, {"Results": [{"Name": "clinic"}]}),
            Route("POST", "/model/upload/clinic", 201, {"ModelHash": M}, (file("model", "model.pkl"),)),
            Route("GET", f"/model/sync/host/clinic/{M}", 202),
            status(f"/model/status/clinic/{M}", "Deployed"),
        ),
        lambda r: r.model.hash == M and r.execution is None,
    ),
    # --- groups
    "Groups.list": Case(
        lambda c: c.groups.list(),
        (Route("GET", "/groups", 200, {"Results": [{"Name": "clinic"}]}),),
        lambda r: [group.name for group in r] == ["clinic"],
    ),
    "Groups.create": Case(
        lambda c: c.groups.create("clinic", description="of the clinic"),
        (Route("POST", "/groups", 201, {"Token": "abc"}, ("name=clinic", "description=of\\+the\\+clinic")),),
        lambda r: (r.group, r.token) == ("clinic", "abc"),
    ),
    "Groups.refresh_token": Case(
        lambda c: c.groups.refresh_token("clinic", force=True),
        (Route("GET", "/groups/refresh/clinic?force=true", 201, {"Token": "abc"}),),
        lambda r: r.token == "abc",
    ),
    "Groups.set_token": Case(lambda c: c.groups.set_token("clinic", "abc")),
    # --- trainings
    "Trainings.create": Case(
        lambda c: c.trainings.create("cancer", group="clinic", model_type="classification"),
        (
            Route(
                "POST", "/training/register/clinic", 201, {"TrainingHash": T},
                ("experiment_name=cancer", "model_type=Classification"),
            ),
        ),
        lambda r: (r.hash, r.name, r.model_type) == (T, "cancer", "Classification"),
    ),
    "Trainings.get": Case(training, (TRAINING,), lambda r: r.name == "cancer"),
    "Trainings.search": Case(
        lambda c: c.trainings.search(name="can", group="clinic", model_type="regression", start="2025-03-01"),
        (
            Route(
                "GET", "/training/search?name=can&group=clinic&model_type=Regression&start=01-03-2025", 200,
                {"Results": [
                    {"TrainingHash": T, "ExperimentName": "cancer", "GroupName": "clinic", "ModelType": "Regression"}
                ]},
            ),
        ),
        lambda r: r[0].training_hash == T,
    ),
    "Trainings.execution": Case(run_of, (), lambda r: (r.id, r.training_hash) == (7, T)),
    "Trainings.logger": Case(lambda c: c.trainings.logger("cancer", group="clinic", model_type="regression")),
    "Training.describe": Case(
        lambda c: training(c).describe(), (TRAINING, TRAINING), lambda r: r.executions[0].id == 7
    ),
    "Training.execution": Case(lambda c: training(c).execution(7), (TRAINING,), lambda r: r.id == 7),
    "Training.logger": Case(lambda c: training(c).logger("night"), (TRAINING,), lambda r: r.run_name == "night"),
    "Training.run_custom": Case(
        lambda c: training(c).run_custom(
            "night", data="data.csv", source="train.py", requirements="requirements.txt", env="my.env",
            extra=["utils.py"], description="first",
        ),
        (
            TRAINING,
            Route(
                "POST", f"/training/upload/clinic/{T}", 201, {"ExecutionId": 7},
                (
                    part("run_name", "night"), part("training_type", "Custom"), part("training_reference", "train"),
                    part("python_version", "Python310"), part("description", "first"), file("train_data", "data.csv"),
                    file("source", "train.py"), file("requirements", "requirements.txt"), file("env", ".env"),
                    file("extra", "utils.py"),
                ),
            ),
            STARTED_RUN,
        ),
        lambda r: r.id == 7,
    ),
    "Training.run_automl": Case(
        lambda c: training(c).run_automl("night", dataset=D, config={"target": "y"}),
        (
            TRAINING,
            Route(
                "POST", f"/training/upload/clinic/{T}", 201, {"ExecutionId": 7},
                (part("training_type", "AutoML"), part("dataset_hash", D), file("conf_dict", "conf.json"), '"target"'),
            ),
            STARTED_RUN,
        ),
    ),
    "Training.run_external": Case(
        lambda c: training(c).run_external(
            "night", features="features.parquet", target="target.parquet", output="output.parquet", model="model.pkl",
            parameters={"depth": 3}, metrics={"auc": 0.9}, start=False,
        ),
        (
            TRAINING,
            Route(
                "POST", f"/training/upload/clinic/{T}", 201, {"ExecutionId": 7},
                (
                    part("training_type", "External"), file("features", "features.parquet"),
                    file("target", "target.parquet"), file("output", "predictions.parquet"),
                    file("model", "model.pkl"), file("parameters", "parameters.json"), file("metrics", "metrics.json"),
                ),
            ),
        ),
    ),
    "TrainingLogger.save": Case(
        lambda c: c.trainings.logger("cancer", group="clinic", model_type="regression")
        .log_data("features.parquet", "target.parquet").log_model("model.pkl").log_metric("auc", 0.5).save(),
        (Route("POST", "/training/register/clinic", 201, {"TrainingHash": T}), UPLOADED_RUN, STARTED_RUN),
        lambda r: r.id == 7,
    ),
    "TrainingExecution.start": Case(lambda c: run_of(c).start(), (STARTED_RUN,)),
    "TrainingExecution.status": Case(
        lambda c: run_of(c).status(),
        (status("/training/status/clinic/7", "Running", ExecutionId="7", Message=None),),
        lambda r: (r.state, r.message) == ("Running", None),
    ),
    "TrainingExecution.wait": Case(
        lambda c: run_of(c).wait(), (status("/training/status/clinic/7", "Succeeded"),), lambda r: r.id == 7
    ),
    "TrainingExecution.describe": Case(
        lambda c: run_of(c).describe(),
        (Route("GET", f"/training/describe/clinic/{T}/7", 200, EXECUTION),),
        lambda r: str(r.execution_state) == "Succeeded",
    ),
    "TrainingExecution.download_result": Case(
        lambda c: run_of(c).download_result("."),
        (Route("GET", "/training/result/clinic/7", 200, zipped()),),
        lambda r: r == Path("training-7.zip") and zipfile.is_zipfile(r),
    ),
    "TrainingExecution.promote": Case(
        lambda c: run_of(c).promote("scorer", operation="sync", source="app.py", schema={"x": 1.5}),
        (
            Route(
                "POST", f"/training/promote/clinic/{T}/7", 201, {"ModelHash": M},
                (
                    part("name", "scorer"), part("operation", "Sync"), part("input_type", "json"),
                    part("model_reference", "score"), file("source", "app.py"), file("schema", "schema.json"),
                ),
            ),
            Route("GET", f"/model/sync/host/clinic/{M}", 202),
        ),
        lambda r: (r.hash, r.operation) == (M, "Sync"),
    ),
    # --- models
    "Models.create": Case(
        lambda c: c.models.create("scorer", operation="sync", **UPLOAD_MODEL),
        (
            Route(
                "POST", "/model/upload/clinic", 201, {"ModelHash": M},
                (
                    part("name", "scorer"), part("operation", "Sync"), part("input_type", "json"),
                    part("python_version", "Python310"), part("model_reference", "score"), file("source", "app.py"),
                    file("model", "model.pkl"), file("requirements", "requirements.txt"), file("schema", "schema.json"),
                ),
            ),
            Route("GET", f"/model/sync/host/clinic/{M}", 202),
        ),
        lambda r: (r.hash, r.operation, r.name, r.group) == (M, "Sync", "scorer", "clinic"),
    ),
    "Models.get": Case(
        lambda c: c.models.get(M, group="clinic"),
        (Route("GET", f"/model/describe/clinic/{M}", 200, MODEL_DETAIL),),
        lambda r: (r.name, r.operation) == ("scorer", "Sync"),
    ),
    "Models.handle": Case(sync_model, (), lambda r: r.hash == M),
    "Models.search": Case(
        lambda c: c.models.search(name="sco", state="deployed", group="clinic"),
        (
            Route(
                "GET", "/model/search?name=sco&state=Deployed&group=clinic", 200,
                {"Count": 1, "Results": [{"ModelHash": M, "Name": "scorer", "Group": "clinic", "Operation": "Sync"}]},
            ),
        ),
        lambda r: r[0].model_hash == M,
    ),
    "Model.host": Case(lambda c: async_model(c).host(), (Route("GET", f"/model/async/host/clinic/{M}", 202),)),
    "Model.restart": Case(lambda c: sync_model(c).restart(), (Route("GET", f"/model/restart/clinic/{M}"),)),
    "Model.disable": Case(lambda c: sync_model(c).disable(), (Route("POST", f"/model/disable/clinic/{M}"),)),
    "Model.delete": Case(lambda c: sync_model(c).delete(), (Route("DELETE", f"/model/delete/clinic/{M}"),)),
    "Model.status": Case(
        lambda c: sync_model(c).status(),
        (status(f"/model/status/clinic/{M}", "Failed", Message="no numpy"),),
        lambda r: (r.state, r.message) == ("Failed", "no numpy"),
    ),
    "Model.wait": Case(
        lambda c: sync_model(c).wait(), (status(f"/model/status/clinic/{M}", "Deployed"),), lambda r: r.hash == M
    ),
    "Model.describe": Case(
        lambda c: sync_model(c).describe(),
        (Route("GET", f"/model/describe/clinic/{M}", 200, MODEL_DETAIL),),
        lambda r: r.name == "scorer",
    ),
    "Model.health": Case(
        lambda c: sync_model(c).health(),
        (Route("GET", f"/model/sync/health/clinic/{M}", 200, {"Message": "OK"}),),
        lambda r: r.message == "OK",
    ),
    "Model.logs": Case(
        lambda c: sync_model(c).logs(start="2025-03-01", end="2025-03-02", routine="run", type="error"),
        (Route("GET", f"/model/logs/clinic/{M}?start=01-03-2025&end=02-03-2025&routine=Run&type=Error", 200, LOGS),),
        lambda r: r[0].output_data == "hello",
    ),
    "Model.docs": Case(
        lambda c: sync_model(c).docs, (), lambda r: r == f"{API}/model/sync/docs/clinic/{M}"
    ),
    "Model.set_token": Case(lambda c: sync_model(c).set_token("abc")),
    "Model.predict": Case(
        lambda c: sync_model(c).predict({"x": 2}, preprocessing=S),
        (
            Route(
                "POST", f"/model/sync/run/clinic/{M}", 200, {"pred": 0, "proba": 0.0058},
                ('"Input": ?{"x": ?2}', f'"ScriptHash": ?"{S}"'),
            ),
        ),
        lambda r: r == {"pred": 0, "proba": 0.0058},
    ),
    "Model.submit": Case(
        lambda c: async_model(c).submit("data.csv"),
        (Route("POST", f"/model/async/run/clinic/{M}", 202, {"ExecutionId": 3}, (file("input", "data.csv"),)),),
        lambda r: r.id == 3,
    ),
    "Model.predict_file": Case(
        lambda c: async_model(c).predict_file(dataset=D, folder="out"),
        (
            Route("POST", f"/model/async/run/clinic/{M}", 202, {"ExecutionId": 3}, (part("dataset_hash", D),)),
            status("/model/async/status/clinic/3", "Succeeded"),
            Route("GET", "/model/async/result/clinic/3", 200, zipped()),
        ),
        lambda r: r == [Path("out/output.csv")] and r[0].read_text() == "pred\n1\n",
    ),
    "Model.execution": Case(lambda c: async_model(c).execution(3), (), lambda r: r.id == 3),
    "Model.predict_code": Case(
        lambda c: sync_model(c).predict_code("curl"),
        (
            Route(
                "GET", "/model/search?name=scorer&group=clinic", 200,
                {"Count": 1, "Results": [
                    {"ModelHash": M, "Name": "s", "Group": "clinic", "Operation": "Sync", "Schema": '{"x": 1.50}'}
                ]},
            ),
        ),
        lambda r: f"/model/sync/run/clinic/{M}" in r and "1.50" in r and "MLOPS_GROUP_TOKEN" in r,
    ),
    "Model.register_monitoring": Case(
        lambda c: sync_model(c).register_monitoring("configuration.json", preprocess="watch.py"),
        REGISTER_MONITORING,
        lambda r: r.period == "Week",
    ),
    "PredictionExecution.status": Case(
        lambda c: async_model(c).execution(3).status(),
        (status("/model/async/status/clinic/3", "Requested", ExecutionId="3", Message=None),),
        lambda r: r.state == "Requested",
    ),
    "PredictionExecution.wait": Case(
        lambda c: async_model(c).execution(3).wait(), (status("/model/async/status/clinic/3", "Succeeded"),)
    ),
    "PredictionExecution.describe": Case(
        lambda c: async_model(c).execution(3).describe(),
        (Route("GET", f"/model/describe/clinic/{M}/3", 200, MODEL_EXECUTION),),
        lambda r: r.execution_id == 3,
    ),
    "PredictionExecution.download": Case(
        lambda c: async_model(c).execution(3).download("deep/result.zip"),
        (Route("GET", "/model/async/result/clinic/3", 200, zipped()),),
        lambda r: r == Path("deep/result.zip") and zipfile.is_zipfile(r),
    ),
    "PredictionExecution.download_files": Case(
        lambda c: async_model(c).execution(3).download_files("out"),
        (Route("GET", "/model/async/result/clinic/3", 200, zipped()),),
        lambda r: r == [Path("out/output.csv")],
    ),
    # --- preprocessing
    "Preprocessings.create": Case(
        lambda c: c.preprocessing.create(
            "clean", group="clinic", operation="async", source="prep.py", requirements=["a==1"], schema="data.csv"
        ),
        (
            Route(
                "POST", "/preprocessing/register/clinic", 201, {"Hash": S},
                (
                    part("name", "clean"), part("script_reference", "build_df"), part("operation", "Async"),
                    file("schema", "schema.csv"), file("requirements", "requirements.txt"), "a==1",
                ),
            ),
            Route("GET", f"/preprocessing/async/host/clinic/{S}", 202),
        ),
        lambda r: (r.hash, r.operation) == (S, "Async"),
    ),
    "Preprocessings.get": Case(script, (SCRIPT,), lambda r: r.operation == "Sync"),
    "Preprocessings.search": Case(
        lambda c: c.preprocessing.search(name="cle", state="Deployed", end="2025-03-01"),
        (
            Route(
                "GET", "/preprocessing/search?name=cle&state=Deployed&end=01-03-2025", 200,
                {"Results": [{"Hash": S, "Operation": "Sync", "Status": "Deployed", "Group": "clinic"}]},
            ),
        ),
        lambda r: r[0].hash_ == S,
    ),
    "Preprocessings.create_multi": Case(
        lambda c: c.preprocessing.create_multi(
            "clean", group="clinic", source="prep.py", requirements="requirements.txt", schemas={"base": "data.csv"},
            datasets=[D], env={"A": "1"}, extra=["utils.py"],
        ),
        (
            Route("POST", "/v2/preprocessing/clinic", 201, {"PreprocessHash": S}, ('"Operation": ?"Async"',)),
            Route("PATCH", f"/v2/preprocessing/{S}/schema", 201, {"DatasetHash": D}),
            Route("PATCH", f"/v2/preprocessing/{S}/schema", 201, {"DatasetHash": D}),
            Route(
                "PATCH", f"/v2/preprocessing/{S}/script-file", 201, ACK,
                (
                    part("preprocess_reference", "build_df"), part("python_version", "Python310"),
                    file("script", "prep.py"),
                ),
            ),
            Route("PATCH", f"/v2/preprocessing/{S}/requirements-file", 201),
            Route("PATCH", f"/v2/preprocessing/{S}/env-file", 201),
            Route("PATCH", f"/v2/preprocessing/{S}/extra-file", 201, ACK, (part("extra_file_name", "utils.py"),)),
            Route("PATCH", f"/v2/preprocessing/{S}/status", 202),
        ),
        lambda r: r.hash == S,
    ),
    "Preprocessings.get_multi": Case(multi, (), lambda r: r.hash == S),
    "Preprocessings.search_multi": Case(
        lambda c: c.preprocessing.search_multi(group="clinic"),
        (
            Route(
                "GET", "/v2/preprocessing?group=clinic", 200,
                {"Result": [{"ScriptHash": S, "ScriptGroupName": "clinic"}]},
            ),
        ),
        lambda r: r[0].script_hash == S,
    ),
    "Preprocessing.describe": Case(
        lambda c: script(c).describe(), (SCRIPT, SCRIPT), lambda r: str(r.operation) == "Sync"
    ),
    "Preprocessing.host": Case(
        lambda c: script(c).host(), (SCRIPT, Route("GET", f"/preprocessing/sync/host/clinic/{S}", 202))
    ),
    "Preprocessing.status": Case(
        lambda c: script(c).status(),
        (SCRIPT, status(f"/preprocessing/status/clinic/{S}", "Building")),
        lambda r: r.state == "Building",
    ),
    "Preprocessing.wait": Case(
        lambda c: script(c).wait(), (SCRIPT, status(f"/preprocessing/status/clinic/{S}", "Deployed"))
    ),
    "Preprocessing.logs": Case(
        lambda c: script(c).logs(end="2025-03-07"),
        (SCRIPT, Route("GET", f"/preprocessing/logs/clinic/{S}?start=01-03-2025&end=07-03-2025", 200, LOGS)),
        lambda r: r[0].output_data == "hello",
    ),
    "Preprocessing.set_token": Case(lambda c: script(c).set_token("abc"), (SCRIPT,)),
    "Preprocessing.run": Case(
        lambda c: script(c).run({"x": 2}),
        (SCRIPT, Route("POST", f"/preprocessing/sync/run/clinic/{S}", 200, {"x": 4}, ('"Input": ?{"x": ?2}',))),
        lambda r: r == {"x": 4},
    ),
    "Preprocessing.submit": Case(
        lambda c: script(c).submit("data.csv"),
        (
            ASYNC_SCRIPT,
            Route(
                "POST", f"/preprocessing/async/run/clinic/{S}", 202, {"ExecutionId": 5}, (file("dataset", "data.csv"),)
            ),
        ),
        lambda r: r.id == 5,
    ),
    "Preprocessing.execution": Case(lambda c: script(c).execution(5), (ASYNC_SCRIPT,), lambda r: r.id == 5),
    "PreprocessingRun.status": Case(
        lambda c: script(c).execution(5).status(),
        (ASYNC_SCRIPT, status("/preprocessing/async/status/clinic/5", "Running")),
        lambda r: r.state == "Running",
    ),
    "PreprocessingRun.wait": Case(
        lambda c: script(c).execution(5).wait(),
        (ASYNC_SCRIPT, status("/preprocessing/async/status/clinic/5", "Succeeded")),
    ),
    "PreprocessingRun.download": Case(
        lambda c: script(c).execution(5).download("."),
        (ASYNC_SCRIPT, Route("GET", "/preprocessing/async/result/clinic/5", 200, zipped())),
        lambda r: r == Path("preprocessing-5.zip"),
    ),
    "PreprocessingRun.download_files": Case(
        lambda c: script(c).execution(5).download_files("out"),
        (ASYNC_SCRIPT, Route("GET", "/preprocessing/async/result/clinic/5", 200, zipped())),
        lambda r: r == [Path("out/output.csv")],
    ),
    "MultiPreprocessing.describe": Case(
        lambda c: multi(c).describe(),
        (Route("GET", f"/v2/preprocessing/{S}", 200, {"State": "Deployed", "NumOfExecutions": 2}),),
        lambda r: r.num_of_executions == 2,
    ),
    "MultiPreprocessing.host": Case(
        lambda c: multi(c).host(), (Route("PATCH", f"/v2/preprocessing/{S}/status", 202),)
    ),
    "MultiPreprocessing.status": Case(
        lambda c: multi(c).status(),
        (status(f"/v2/preprocessing/{S}/status", "Building"),),
        lambda r: r.state == "Building",
    ),
    "MultiPreprocessing.wait": Case(
        lambda c: multi(c).wait(), (status(f"/v2/preprocessing/{S}/status", "Deployed", DatasetHash=D),)
    ),
    "MultiPreprocessing.submit": Case(
        lambda c: multi(c).submit({"base": "data.csv"}, datasets=[D]),
        (
            Route("POST", f"/v2/preprocessing/{S}/execution", 201, {"Message": "Execution '7' created. 2 inputs left"}),
            Route(
                "PATCH", f"/v2/preprocessing/{S}/execution/7/input", 201, {"DatasetHash": D},
                (part("dataset_name", "base"), file("input", "data.csv")),
            ),
            Route(
                "PATCH", f"/v2/preprocessing/{S}/execution/7/input", 201, {"DatasetHash": D}, (part("dataset_hash", D),)
            ),
            Route("PATCH", f"/v2/preprocessing/{S}/execution/7/run", 201),
        ),
        lambda r: r.id == 7,
    ),
    "MultiPreprocessing.execution": Case(lambda c: multi(c).execution(7), (), lambda r: r.id == 7),
    "MultiPreprocessingRun.status": Case(
        lambda c: multi(c).execution(7).status(),
        (status(f"/v2/preprocessing/{S}/execution/7/status", "Requested"),),
        lambda r: r.state == "Requested",
    ),
    "MultiPreprocessingRun.wait": Case(
        lambda c: multi(c).execution(7).wait(), (status(f"/v2/preprocessing/{S}/execution/7/status", "Succeeded"),)
    ),
    "MultiPreprocessingRun.describe": Case(
        lambda c: multi(c).execution(7).describe(),
        (Route("GET", f"/v2/preprocessing/{S}/execution/7", 200, {"ExecutionId": 7}),),
        lambda r: r.execution_id == 7,
    ),
    "MultiPreprocessingRun.output": Case(
        lambda c: multi(c).execution(7).output(),
        (status(f"/v2/preprocessing/{S}/execution/7/status", "Succeeded", OutputDatasetHash=D),),
        lambda r: r.hash == D,
    ),
    "MultiPreprocessingRun.download": Case(
        lambda c: multi(c).execution(7).download("."),
        (Route("GET", f"/v2/preprocessing/{S}/execution/7/result", 200, PARQUET),),
        lambda r: r == Path("preprocessed-7.parquet") and r.read_bytes() == PARQUET,
    ),
    # --- datasets and data sources
    "Datasets.list": Case(
        lambda c: c.datasets.list(group="clinic", origin="Datasource", origin_id=M, datasource="bucket"),
        (
            Route(
                "GET", f"/datasets/list?group=clinic&origin=Datasource&origin_id={M}&datasource=bucket", 200,
                {"Results": [{"DatasetHash": D, "Name": "base"}]},
            ),
        ),
        lambda r: r[0].dataset_hash == D,
    ),
    "Datasets.get": Case(lambda c: c.datasets.get(D, group="clinic"), (), lambda r: r.hash == D),
    "Dataset.status": Case(
        lambda c: c.datasets.get(D, group="clinic").status(),
        (status(f"/datasets/status/clinic/{D}", "Failed", Log="no such file"),),
        lambda r: (r.state, r.message) == ("Failed", "no such file"),
    ),
    "Dataset.wait": Case(
        lambda c: c.datasets.get(D, group="clinic").wait(), (status(f"/datasets/status/clinic/{D}", "Succeeded"),)
    ),
    "Dataset.download": Case(
        lambda c: c.datasets.get(D, group="clinic").download("."),
        (Route("GET", f"/datasets/result/clinic/{D}", 200, PARQUET),),
        lambda r: r == Path(f"{D}.parquet"),
    ),
    "Dataset.delete": Case(
        lambda c: c.datasets.get(D, group="clinic").delete(), (Route("DELETE", f"/datasets/clinic/{D}"),)
    ),
    "DataSources.create": Case(
        lambda c: c.datasources.create("bucket", group="clinic", provider="gcp", credentials={"ClientId": "1"}),
        (
            Route(
                "POST", "/datasource/register/clinic", 200, ACK,
                (part("name", "bucket"), part("provider", "GCP"), file("credentials", "credentials.json"), "ClientId"),
            ),
        ),
        lambda r: r.name == "bucket",
    ),
    "DataSources.list": Case(
        lambda c: c.datasources.list(group="clinic", provider="AWS"),
        (Route("GET", "/datasource/list?group=clinic&provider=AWS", 200, {"Results": [{"Name": "bucket"}]}),),
        lambda r: r[0].name == "bucket",
    ),
    "DataSources.get": Case(lambda c: c.datasources.get("bucket", group="clinic"), (), lambda r: r.name == "bucket"),
    "DataSource.import_dataset": Case(
        lambda c: c.datasources.get("bucket", group="clinic").import_dataset("gs://b/x.csv", "base", force=True),
        (
            Route(
                "POST", "/datasource/import/clinic/bucket?force=true", 200, {"Datasets": [D]},
                ("uri=gs%3A%2F%2Fb%2Fx.csv", "name=base"),
            ),
        ),
        lambda r: [dataset.hash for dataset in r] == [D],
    ),
    "DataSource.delete": Case(
        lambda c: c.datasources.get("bucket", group="clinic").delete(), (Route("DELETE", "/datasources/clinic/bucket"),)
    ),
    # --- monitoring
    "Monitorings.register": Case(
        lambda c: c.monitoring.register(M, CONFIGURATION, group="clinic", preprocess="watch.py"),
        REGISTER_MONITORING,
        lambda r: r.model_hash == M,
    ),
    "Monitorings.get": Case(monitoring, (), lambda r: r.period == "Week"),
    "Monitorings.records": Case(
        lambda c: c.monitoring.records(M, group="clinic", end="2025-03-07"),
        (
            Route(
                "GET", f"/monitoring/search/records/clinic/{M}?start=01-03-2025&end=07-03-2025", 200,
                {"Results": [{"Hash": M}]},
            ),
        ),
        lambda r: r[0].hash_ == M,
    ),
    "Monitorings.create_external": Case(
        lambda c: c.monitoring.create_external(
            "elsewhere", model="model.pkl", requirements="requirements.txt", source="watch.py", **REGISTER_EXTERNAL
        ),
        (
            Route(
                "POST", "/external-monitoring", 201, {"ExternalMonitoringHash": E},
                (
                    '"TrainingExecutionId": ?11', '"Period": ?"Week"', '"ReferenceDate": ?"2025-03-04"',
                    '"ExtractionType": ?"Full"', r'"InputCols": ?\["x"\]',
                ),
            ),
            Route("PATCH", f"/external-monitoring/{E}/model-file", 201, ACK, (file("model", "model.pkl"),)),
            Route("PATCH", f"/external-monitoring/{E}/requirements-file", 201),
            Route("PATCH", f"/external-monitoring/{E}/script-file", 201, ACK, (part("shap_reference", "get_shap"),)),
            Route("PATCH", f"/external-monitoring/{E}/status", 202),
        ),
        lambda r: r.hash == E,
    ),
    "Monitorings.list_external": Case(
        lambda c: c.monitoring.list_external(),
        (Route("GET", "/external-monitoring", 200, {"Result": [{"Hash": E, "Group": "clinic"}]}),),
        lambda r: r[0].hash_ == E,
    ),
    "Monitorings.get_external": Case(external, (), lambda r: r.hash == E),
    "Monitoring.host": Case(lambda c: monitoring(c).host(), (Route("GET", f"/monitoring/host/clinic/{M}/Week"),)),
    "Monitoring.status": Case(
        lambda c: monitoring(c).status(),
        (status(f"/monitoring/status/clinic/{M}/Week", "Validating"),),
        lambda r: r.state == "Validating",
    ),
    "Monitoring.wait": Case(
        lambda c: monitoring(c).wait(), (status(f"/monitoring/status/clinic/{M}/Week", "Validated"),)
    ),
    "Monitoring.records": Case(
        lambda c: monitoring(c).records(start="2025-03-01", end="2025-03-07"),
        (Route("GET", f"/monitoring/search/records/clinic/{M}?start=01-03-2025&end=07-03-2025", 200, {"Results": []}),),
        lambda r: r == [],
    ),
    "ExternalMonitoring.host": Case(
        lambda c: external(c).host(), (Route("PATCH", f"/external-monitoring/{E}/status", 202),)
    ),
    "ExternalMonitoring.status": Case(
        lambda c: external(c).status(),
        (status(f"/external-monitoring/{E}/status", "Unvalidated"),),
        lambda r: r.state == "Unvalidated",
    ),
    "ExternalMonitoring.wait": Case(
        lambda c: external(c).wait(), (status(f"/external-monitoring/{E}/status", "Validated"),)
    ),
    "ExternalMonitoring.set_model": Case(
        lambda c: external(c).set_model("model.pkl"), (Route("PATCH", f"/external-monitoring/{E}/model-file", 201),)
    ),
    "ExternalMonitoring.set_requirements": Case(
        lambda c: external(c).set_requirements(["a==1"]),
        (Route("PATCH", f"/external-monitoring/{E}/requirements-file", 201, ACK, ("a==1",)),),
    ),
    "ExternalMonitoring.set_script": Case(
        lambda c: external(c).set_script("watch.py"),
        (Route("PATCH", f"/external-monitoring/{E}/script-file", 201, ACK, (file("script", "watch.py"),)),),
    ),
}  # fmt: skip

PIPELINE = """
group: clinic
python_version: 3.10
deploy: {name: scorer, operation: Sync, directory: ., source: app.py, score_function: score, schema: sample.json,
  model: model.pkl, packages: requirements.txt}
"""


@pytest.mark.parametrize("name", CASES)
def test_a_method_sends_what_the_platform_reads(
    name: str, codex: Blocking, server: respx.MockRouter, files: Path
) -> None:
    (files / "pipeline.yml").write_text(PIPELINE)
    case = CASES[name]
    pending = list(case.routes)
    answered: list[Route] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        asked = request.url.raw_path.decode().removeprefix("/api")
        route = next((route for route in pending if (route.method, route.path) == (request.method, asked)), None)
        assert route is not None, f"unexpected: {request.method} {asked}"
        pending.remove(route)
        answered.append(route)
        text = request.content.decode("utf-8", "replace")
        for pattern in route.sends:
            assert re.search(pattern, text), f"{pattern!r} is not in {text}"
        return route.response()

    server.route().mock(side_effect=answer)
    result = case.call(codex)

    assert case.check(result), result
    assert pending == []
    assert answered == list(case.routes), "sent in another order"


def test_every_public_method_is_in_the_table() -> None:
    inherited = {"TrainingLogger"}
    public: set[str] = set()
    for entry in pkgutil.iter_modules(modelport.codex._sync.__path__):
        module = importlib.import_module(f"modelport.codex._sync.{entry.name}")
        for kind, value in inspect.getmembers(module, inspect.isclass):
            if value.__module__ != module.__name__ or kind in {"Session", "Login", "Work", "PipelineResult"}:
                continue
            for method, function in inspect.getmembers(value):
                logged = kind in inherited and method.startswith("log_")
                if not method.startswith("_") and inspect.isfunction(function) and not logged:
                    public.add(f"{kind}.{method}")

    assert public - set(CASES) == set()


def test_json_goes_out_as_json(codex: Blocking, server: respx.MockRouter) -> None:
    route = server.post(f"/model/sync/run/clinic/{M}").respond(200, json={"pred": 0})
    sync_model(codex).predict({"name": "Zoë", "x": 1.5})
    request = route.calls.last.request

    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"Input": {"name": "Zoë", "x": 1.5}}


def test_group_tokens_have_an_order(face: Face, server: respx.MockRouter) -> None:
    route = server.post(f"/model/sync/run/clinic/{M}").respond(200, json={})
    server.post("/groups").respond(201, json={"Token": "created"})

    def sent(model: Any, **options: Any) -> str:
        model.predict({"x": 1}, **options)
        return str(route.calls.last.request.headers["authorization"])

    codex = face(group_token="of-the-client")
    model = sync_model(codex)

    assert sent(model) == "Bearer of-the-client"
    codex.groups.create("clinic")
    assert sent(model) == "Bearer created"
    model.set_token("of-the-handle")
    assert sent(model) == "Bearer of-the-handle"
    assert sent(model, group_token="of-the-call") == "Bearer of-the-call"
    model.set_token(None)
    codex.groups.set_token("clinic", None)
    assert sent(model) == "Bearer of-the-client"
