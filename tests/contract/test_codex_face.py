"""The face against the real sandbox, in both worlds: everything a data scientist does, with scripts that run."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelport import AsyncCodex, Codex, predict_code
from modelport.codex import Backoff, Polling
from modelport.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ModelportError,
    NotFoundError,
    OperationFailedError,
    WaitTimeoutError,
)
from modelport.sandbox import Sandbox
from modelport_api.codex.v1 import models
from tests.unit.codex.blocking import Blocking

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

FAST = Polling(Backoff(0.05, 1.3, 1.0), timeout_seconds=60)
SCRIPTS = {
    "app.py": """
import json, os

def score(data, base_path):
    values = json.loads(data)
    with open(os.path.join(base_path, os.environ["modelFileName"])) as file:
        threshold = json.load(file)["threshold"]
    return {"pred": int(values["x"] > threshold), "secret": os.environ.get("MY_VAR", "")}
""",
    "promoted.py": """
import json

def score(data, base_path):
    return {"pred": int(json.loads(data)["x"] > 1)}
""",
    "raises.py": "def score(data, base_path):\n    raise ValueError('cannot score this')\n",
    "batch.py": """
import csv, os

def score(data_path, model_path):
    with open(os.path.join(data_path, os.environ["inputFileName"])) as file:
        rows = list(csv.DictReader(file))
    output = os.path.join(data_path, "output.csv")
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["pred"])
        writer.writerows([int(float(row["x"]) > 1)] for row in rows)
    return output
""",
    "batch_parquet.py": """
import os
import pandas

def score(data_path, model_path):
    frame = pandas.read_parquet(os.path.join(data_path, os.environ["inputFileName"]))
    output = os.path.join(data_path, "output.csv")
    frame.to_csv(output, index=False)
    return output
""",
    "train.py": """
def train(df, base_path):
    return {
        "X_train": df[["x"]], "y_train": df["y"], "model_output": df[["y"]].rename(columns={"y": "pred"}),
        "pipeline": {"threshold": 1}, "metrics": {"auc": 0.9},
    }
""",
    "fails.py": "def train(df, base_path):\n    raise RuntimeError('no signal in this data')\n",
    "prep.py": """
import json

def process(data, base_path):
    values = json.loads(data)
    return {"x": values["x"] * 10}

def build_df(df, data_path, extra_path=None):
    if isinstance(df, dict):
        df = list(df.values())[0]
    return df.assign(x=df["x"] * 10)
""",
    "watch.py": """
import json
import pandas

def parse(input_json, output_json):
    return pandas.DataFrame([json.loads(input_json)]), pandas.DataFrame([json.loads(output_json)])

def get_shap(data, model_path):
    return data * 0.1
""",
    "model.json": '{"threshold": 1}',
    "data.csv": "x,y\n" + "".join(f"{index / 10},{index % 2}\n" for index in range(40)),
    "sample.json": '{"x": 1.5}',
    "requirements.txt": "pandas\n",
    "my.env": "MY_VAR=from the file\n",
}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture(params=["sync", "async"])
def codex(request: pytest.FixtureRequest, box: Sandbox) -> Iterator[Blocking]:
    with asyncio.Runner() as runner:
        kind = Codex if request.param == "sync" else AsyncCodex
        inner = kind(box.codex_url, user="demo", password="demo", tenant="demo", polling=FAST)
        with Blocking(inner, runner, set()) as codex:
            yield codex


@pytest.fixture
def group(codex: Blocking, request: pytest.FixtureRequest) -> str:
    """A group for this test alone; the client knows its token."""
    number = len(codex.groups.list())
    return str(codex.groups.create(f"group_{number}").group)


def create(codex: Blocking, group: str, **changes: Any) -> Any:
    good: dict[str, Any] = {
        "name": "scorer", "group": group, "operation": "sync", "source": "app.py", "model": "model.json",
        "requirements": [], "schema": "sample.json",
    }  # fmt: skip
    return codex.models.create(**{**good, **changes})


@pytest.fixture
def sync_model(codex: Blocking, group: str, files: Path) -> Any:
    return create(codex, group, env="my.env").wait()


@pytest.fixture
def async_model(codex: Blocking, group: str, files: Path) -> Any:
    return create(codex, group, operation="async", source="batch.py", schema="data.csv").wait()


# --- connecting


def test_health_and_login(codex: Blocking) -> None:
    assert codex.health().version
    codex.login()


def test_a_wrong_password_is_refused(box: Sandbox) -> None:
    with (
        Codex(box.codex_url, user="demo", password="wrong", tenant="demo") as codex,
        pytest.raises(AuthenticationError, match="login failed"),
    ):
        codex.groups.list()


def test_a_group_can_be_made_once_and_its_token_renewed(codex: Blocking, group: str) -> None:
    assert group in [entry.name for entry in codex.groups.list()]
    with pytest.raises((ConflictError, BadRequestError)):
        codex.groups.create(group)
    assert codex.groups.refresh_token(group, force=True).token


def test_an_unknown_group_is_the_servers_word(codex: Blocking, files: Path) -> None:
    with pytest.raises((NotFoundError, BadRequestError)) as caught:
        create(codex, "nowhere")
    assert caught.value.message
    assert "nowhere" in str(caught.value)


# --- models


def test_a_sync_model_lives_its_life(codex: Blocking, group: str, sync_model: Any) -> None:
    assert sync_model.predict({"x": 2}) == {"pred": 1, "secret": "from the file"}
    assert sync_model.status().state == "Deployed"
    assert sync_model.describe().name == "scorer"
    assert sync_model.health().message == "OK"
    assert sync_model.logs()
    assert codex.models.get(sync_model.hash, group=group).predict({"x": 0})["pred"] == 0
    assert [found.model_hash for found in codex.models.search(group=group, state="deployed")] == [sync_model.hash]
    sync_model.disable()
    assert sync_model.status().state == "Disabled"
    with pytest.raises(OperationFailedError):
        sync_model.wait()
    with pytest.raises(ModelportError):
        sync_model.predict({"x": 2})
    sync_model.restart()
    sync_model.wait()
    assert sync_model.predict({"x": 2})["pred"] == 1
    sync_model.delete()
    with pytest.raises((OperationFailedError, NotFoundError)):
        sync_model.wait()


def test_an_async_model_scores_files_frames_and_resumes(
    codex: Blocking, group: str, async_model: Any, files: Path
) -> None:
    import pandas as pd

    execution = async_model.submit("data.csv").wait()
    assert execution.describe().execution_id == execution.id
    [path] = execution.download_files("out")
    assert path.read_text().splitlines()[:2] == ["pred", "0"]
    assert execution.download("out/") == Path(f"out/prediction-{execution.id}.zip")

    again = codex.models.get(async_model.hash, group=group).execution(execution.id)
    assert again.wait().status().state == "Succeeded"

    [path] = async_model.predict_file(pd.DataFrame({"x": [0.0, 2.0]}), "frame")
    assert path.read_text().split() == ["pred", "0", "1"]


def test_a_model_that_fails_its_test_says_why(codex: Blocking, group: str, files: Path) -> None:
    model = create(codex, group, source="raises.py")

    with pytest.raises(OperationFailedError, match="cannot score this") as caught:
        model.wait()
    assert caught.value.operation_id == model.hash


def test_a_wrong_group_token_is_refused(sync_model: Any) -> None:
    with pytest.raises(AuthenticationError):
        sync_model.predict({"x": 1}, group_token="0" * 32)


def test_the_docs_link_leads_to_a_page(box: Sandbox, codex: Blocking, group: str, sync_model: Any) -> None:
    with Codex(box.codex_url, user="demo", password="demo", tenant="demo") as other:
        page = other.raw.models.with_raw_response.get_model_docs(
            models.OperationPath("sync"), group, sync_model.hash, headers={"Accept": "text/html"}
        )

    assert f"/model/sync/docs/{group}/{sync_model.hash}" in sync_model.docs
    assert "html" in page.headers["content-type"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_predict_code_runs(codex: Blocking, group: str, sync_model: Any, async_model: Any, files: Path) -> None:
    token = codex._inner._session.group_token(group)
    for model, arguments in ((sync_model, []), (async_model, ["data.csv"])):
        for language in ("curl", "python"):
            program = files / f"predict.{'sh' if language == 'curl' else 'py'}"
            program.write_text(model.predict_code(language))
            command = ["bash" if language == "curl" else sys.executable, str(program), *arguments]
            environment = {"PATH": "/usr/bin:/bin", "MLOPS_GROUP_TOKEN": token}
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)
            assert done.returncode == 0, done.stderr
            assert token not in program.read_text()
    assert "curl" in predict_code.languages()


# --- trainings


def test_a_custom_training_is_promoted(codex: Blocking, group: str, files: Path) -> None:
    training = codex.trainings.create("default risk", group=group, model_type="classification")
    run = training.run_custom("nightly", data="data.csv", source="train.py", requirements="requirements.txt").wait()
    detail = run.describe()

    assert str(detail.execution_state) == "Succeeded"
    assert {metric.key: metric.value for metric in detail.run_data.metrics}["auc"] == 0.9
    assert run.download_result("out/").stat().st_size > 0
    assert [entry.id for entry in training.describe().executions] == [run.id]
    assert codex.trainings.get(training.hash, group=group).name == "default risk"
    assert training.hash in [found.training_hash for found in codex.trainings.search(group=group)]
    assert codex.trainings.execution(training.hash, run.id, group=group).status().state == "Succeeded"

    model = run.promote("promoted", operation="sync", source="promoted.py", schema={"x": 1.5}).wait()
    assert model.predict({"x": 2}) == {"pred": 1}


def test_a_training_that_raises_says_why(codex: Blocking, group: str, files: Path) -> None:
    training = codex.trainings.create("default risk", group=group, model_type="classification")
    run = training.run_custom("night", data="data.csv", source="fails.py", requirements="requirements.txt")

    with pytest.raises(OperationFailedError, match="no signal in this data"):
        run.wait()
    with pytest.raises(ModelportError):
        run.promote("promoted", operation="sync", source="promoted.py", schema={"x": 1.5})


def test_a_local_training_is_registered(codex: Blocking, group: str, files: Path) -> None:
    import pandas as pd

    logger = codex.trainings.logger("default risk", group=group, model_type="classification", run_name="local")
    logger.log_data(pd.DataFrame({"x": [1.0, 2.0]}), pd.Series([0, 1], name="y"))
    logger.log_output([0, 1]).log_model({"threshold": 1}).log_metric("auc", 0.75).log_parameter("depth", 3)
    run = logger.log_plot(b"png", "roc.png").save().wait()
    detail = run.describe()

    assert str(detail.training_type) == "External"
    assert {metric.key: metric.value for metric in detail.run_data.metrics}["auc"] == 0.75


# --- preprocessing


def test_sync_preprocessing_runs_alone_and_before_a_model(
    codex: Blocking, group: str, sync_model: Any, files: Path
) -> None:
    script = codex.preprocessing.create(
        "times ten", group=group, operation="sync", source="prep.py", requirements=[], schema="sample.json"
    ).wait()

    assert script.run({"x": 0.5}) == {"x": 5.0}
    assert sync_model.predict({"x": 0.5})["pred"] == 0
    assert sync_model.predict({"x": 0.5}, preprocessing=script)["pred"] == 1
    assert str(script.describe().operation) == "Sync"
    assert script.hash in [found.hash_ for found in codex.preprocessing.search(group=group)]
    assert codex.preprocessing.get(script.hash, group=group).operation == "Sync"
    assert isinstance(script.logs(), list)


def test_async_preprocessing_runs_alone_and_before_a_model(
    codex: Blocking, group: str, async_model: Any, files: Path
) -> None:
    script = codex.preprocessing.create(
        "times ten", group=group, operation="async", source="prep.py", requirements="requirements.txt",
        schema="data.csv",
    ).wait()  # fmt: skip
    run = script.submit("data.csv").wait()

    assert run.download_files("prepared")
    assert script.execution(run.id).status().state == "Succeeded"


def test_multi_dataset_preprocessing(codex: Blocking, group: str, files: Path) -> None:
    import pandas as pd

    script = codex.preprocessing.create_multi(
        "times ten", group=group, source="prep.py", requirements="requirements.txt", schemas={"base": "data.csv"}
    ).wait()
    run = script.submit({"base": "data.csv"}).wait()
    path = run.download("prepared/")

    assert max(pd.read_parquet(path)["x"].tolist()) == pytest.approx(39.0)
    assert script.describe().num_of_executions == 1
    assert script.execution(run.id).describe()
    assert script.hash in [found.script_hash for found in codex.preprocessing.search_multi(group=group)]
    assert codex.preprocessing.get_multi(script.hash, group=group).status().state == "Deployed"
    output = run.output()
    assert output.download("kept/").stat().st_size > 0
    again = script.submit(datasets=[output.hash]).wait()
    assert again.id != run.id

    model = create(
        codex, group, operation="async", source="batch_parquet.py", schema="data.csv", input_type="parquet",
        requirements="requirements.txt",
    ).wait()  # fmt: skip
    [scored] = model.predict_file({"base": "data.csv"}, "scored", preprocessing=script)
    assert "39.0" in scored.read_text()


# --- datasets and data sources


def test_a_data_source_is_made_listed_and_deleted(codex: Blocking, group: str, files: Path) -> None:
    source = codex.datasources.create(
        "bucket", group=group, provider="gcp",
        credentials={"ClientId": "1", "ClientSecret": "2", "QuotaProjectId": "3", "RefreshToken": "4", "Type": "5"},
    )  # fmt: skip

    assert [found.name for found in codex.datasources.list(group=group, provider="GCP")] == ["bucket"]
    source.delete()
    assert codex.datasources.list(group=group, provider="GCP") == []


def test_a_dataset_that_is_not_there_is_not_found(codex: Blocking, group: str) -> None:
    with pytest.raises(NotFoundError):
        codex.datasets.get("D" + "0" * 63, group=group).status()
    assert codex.datasets.list(group=group) == []


# --- monitoring


def test_a_promoted_model_is_watched(codex: Blocking, group: str, files: Path) -> None:
    training = codex.trainings.create("default risk", group=group, model_type="classification")
    run = training.run_custom("night", data="data.csv", source="train.py", requirements="requirements.txt").wait()
    model = run.promote("promoted", operation="sync", source="promoted.py", schema={"x": 1.5}).wait()
    for value in range(5):
        model.predict({"x": value})
    monitoring = model.register_monitoring(
        {
            "Period": "Day",
            "TrainData": {"MLOpsTrainingExecution": str(run.id), "TrainDateRef": "2024-01-01"},
            "InputCols": ["x"],
            "OutputCols": ["pred"],
        },
        preprocess="watch.py",
        requirements="requirements.txt",
    )

    assert monitoring.wait().status().state == "Validated"
    assert isinstance(monitoring.records(), list)
    assert codex.monitoring.get(model.hash, group=group, period="day").status().state == "Validated"
    assert isinstance(codex.monitoring.records(model.hash, group=group), list)


def test_external_monitorings_are_listed(codex: Blocking) -> None:
    assert isinstance(codex.monitoring.list_external(), list)


# --- pipelines and resuming


def test_a_pipeline_trains_deploys_and_watches(codex: Blocking, files: Path, request: pytest.FixtureRequest) -> None:
    group = f"pipeline_{len(codex.groups.list())}"
    config = {
        "Period": "Week", "TrainData": {"TrainDateRef": "2024-01-01"}, "InputCols": ["x"], "OutputCols": ["pred"],
    }  # fmt: skip
    (files / "configuration.json").write_text(json.dumps(config))
    (files / "pipeline.yml").write_text(f"""
group: {group}
python_version: 3.10
training:
  training_type: Custom
  experiment_name: default risk
  model_type: Classification
  directory: .
  data: data.csv
  packages: requirements.txt
  source: train.py
  train_function: train
deploy:
  operation: Sync
  directory: .
  source: promoted.py
  score_function: score
  schema: sample.json
monitoring:
  directory: .
  preprocess: watch.py
  preprocess_function: parse
  shap_function: get_shap
  config: configuration.json
  packages: requirements.txt
""")
    before = {path: path.read_bytes() for path in files.iterdir()}
    seen: list[str] = []
    result = codex.run_pipeline("pipeline.yml", on_progress=lambda progress: seen.append(progress.subject.split()[0]))

    assert result.group_token.group == group
    assert result.execution.status().state == "Succeeded"
    assert result.model.predict({"x": 2}) == {"pred": 1}
    assert result.monitoring.status().state == "Validated"
    assert {"execution", "model", "monitoring"} <= set(seen)
    assert {path: path.read_bytes() for path in files.iterdir()} == before


def test_a_wait_that_is_too_short_resumes_in_another_client(
    box: Sandbox, codex: Blocking, group: str, files: Path
) -> None:
    training = codex.trainings.create("default risk", group=group, model_type="classification")
    run = training.run_custom("night", data="data.csv", source="train.py", requirements="requirements.txt")
    with pytest.raises(WaitTimeoutError) as caught:
        run.wait(timeout=0)

    with Codex(box.codex_url, user="demo", password="demo", tenant="demo", polling=FAST) as other:
        resumed = other.trainings.execution(training.hash, int(caught.value.operation_id), group=group)
        assert resumed.wait().status().state == "Succeeded"


def test_the_generated_client_waits_for_a_model_by_itself(codex: Blocking, group: str, files: Path) -> None:
    model = create(codex, group)
    raw = Blocking(codex.raw.models, codex._runner, set())
    waited = raw.wait_for_model_status(group, model.hash, poll_interval=0.05)

    assert waited.status == "Deployed"

    (files / "app.py").write_text("import nunpy\n" + SCRIPTS["app.py"])
    broken = create(codex, group)
    with pytest.raises(OperationFailedError, match="nunpy") as caught:
        raw.wait_for_model_status(group, broken.hash, poll_interval=0.05)
    assert caught.value.body.status == "Failed"


def test_the_environment_is_enough(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"URL": box.codex_url, "USER": "demo", "PASSWORD": "demo", "TENANT": "demo"}.items():
        monkeypatch.setenv(f"MLOPS_{name}", value)
    with Codex.from_env() as codex:
        assert isinstance(codex.groups.list(), list)
