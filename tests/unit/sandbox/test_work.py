"""The work behind the answers: AutoML, and monitoring of hosted and of external models."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.contract.in_process import InProcess

WATCH = b"""
import json
import pandas as pd

def frame(value):
    return value if isinstance(value, pd.DataFrame) else pd.DataFrame([json.loads(value)])

def parse(inputs, outputs):
    return frame(inputs), frame(outputs)

def get_shap(data, model_path):
    return data * 0 + 0.5
"""


def table(shift: float = 0.0) -> list[tuple[float, float, int]]:
    source = random.Random(7)  # noqa: S311 - the same numbers every time
    rows = [(source.gauss(shift, 1), source.gauss(0, 1)) for _ in range(300)]
    return [(a, b, int(a + 0.3 * b > 0)) for a, b in rows]


def as_csv(rows: list[tuple[float, float, int]], header: str) -> bytes:
    return (header + "\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n").encode()


@pytest.fixture
def user(box: InProcess) -> dict[str, str]:
    return box.login()


@pytest.fixture
def group(box: InProcess, user: dict[str, str]) -> dict[str, str]:
    token = box.post("/groups", user, data={"name": "risk", "description": "d"})["Token"]
    return {"authorization": f"Bearer {token}"}


def automl(box: InProcess, user: dict[str, str], **changes: Any) -> dict[str, Any]:
    experiment = {"experiment_name": "exp", "model_type": "Classification"}
    training = box.post("/training/register/risk", user, data=experiment)["TrainingHash"]
    configuration = {"target": "y", "metric": "auc", "stages": {"models": ["logreg", "lightgbm"]}, **changes}
    files = {
        "train_data": ("d.csv", as_csv(table(), "a,b,y")),
        "conf_dict": ("conf.json", json.dumps(configuration).encode()),
    }
    form = {"run_name": "r", "training_type": "AutoML"}
    run = box.post(f"/training/upload/risk/{training}", user, data=form, files=files)["ExecutionId"]
    box.get(f"/training/execute/risk/{training}/{run}", user)
    return {"hash": training, "run": run, **box.wait(f"/training/status/risk/{run}", user)}


def test_automl_finds_a_model_and_says_what_stood_in(
    box: InProcess, user: dict[str, str], group: dict[str, str]
) -> None:
    done = automl(box, user)

    assert done["Status"] == "Succeeded", done
    description = box.get(f"/training/describe/risk/{done['hash']}/{done['run']}", user)["Description"]
    metrics = {metric["key"]: metric["value"] for metric in description["RunData"]["metrics"]}
    assert metrics["auc_holdout"] > 0.9


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"target": "no_such"}, "the target 'no_such' is not a column"),
        ({"metric": "luck"}, "metric 'luck' is not one of"),
        ({"colour": 1}, "unknown key 'colour'"),
        ({"split_type": "oot"}, "needs date_col"),
        ({"stages": {"models": ["oracle"]}}, "stages.models has 'oracle'"),
    ],
)
def test_a_wrong_configuration_of_automl_is_named(
    box: InProcess, user: dict[str, str], group: dict[str, str], changes: dict[str, Any], says: str
) -> None:
    done = automl(box, user, **changes)

    assert done["Status"] == "Failed"
    assert says in done["Message"]


def test_monitoring_shows_drift_of_the_feature_that_moved(
    box: InProcess, user: dict[str, str], group: dict[str, str]
) -> None:
    done = automl(box, user)
    files = {"schema": ("schema.json", b'{"a": 1.0, "b": 1.0}')}
    form = {"name": "m", "operation": "Sync"}
    model = box.post(f"/training/promote/risk/{done['hash']}/{done['run']}", user, data=form, files=files)["ModelHash"]
    box.get(f"/model/sync/host/risk/{model}", user)
    assert box.wait(f"/model/status/risk/{model}", user)["Status"] == "Deployed"
    for a, b, _ in table(shift=3.0)[:60]:
        box.post(f"/model/sync/run/risk/{model}", group, json={"Input": {"a": a, "b": b}})
    configuration = {
        "Period": "week",
        "TrainData": {"MLOpsTrainingExecution": str(done["run"]), "TrainDateRef": "2022-01-01"},
        "InputCols": ["a", "b"],
        "OutputCols": ["pred"],
    }
    files = {"configuration": ("c.json", json.dumps(configuration).encode()), "source": ("watch.py", WATCH)}
    names = {"preprocess_reference": "parse", "shap_reference": "get_shap"}
    box.post(f"/monitoring/register/risk/{model}", user, data=names, files=files)
    box.get(f"/monitoring/host/risk/{model}/Week", user)
    status = box.wait(f"/monitoring/status/risk/{model}/Week", user)
    records = box.get(f"/monitoring/search/records/risk/{model}", user)["Results"]

    assert status["Status"] == "Validated", status
    assert len(records) == 1
    assert records[0]["Rows"] == 60
    assert records[0]["Psi"]["a"] > 1 > records[0]["Psi"]["b"]
    assert records[0]["MeanPsi"] == pytest.approx(sum(records[0]["Psi"].values()) / 2)
    assert records[0]["Shap"] == {"a": 0.5, "b": 0.5}


def test_external_monitoring_reads_its_predictions_from_the_data_source(
    app: Starlette, box: InProcess, user: dict[str, str], group: dict[str, str]
) -> None:
    done = automl(box, user)
    lake = app.state.services.store.root / "imports" / "lake"
    lake.mkdir(parents=True)
    (lake / "part.csv").write_bytes(as_csv(table(shift=3.0), "a,b,pred"))
    source = {"name": "lake", "provider": "AWS"}
    box.post("/datasource/register/risk", user, data=source, files={"credentials": ("c.json", b"{}")})
    body = {
        "Name": "outside",
        "Group": "risk",
        "TrainingExecutionId": done["run"],
        "Period": "Day",
        "InputCols": ["a", "b"],
        "OutputCols": ["pred"],
        "DataSourceName": "lake",
        "ExtractionType": "Full",
        "DataSourceUri": "s3://bucket/part.csv",
    }
    digest = box.post("/external-monitoring", user, json=body)["ExternalMonitoringHash"]
    names = {"preprocess_reference": "parse", "shap_reference": "get_shap", "python_version": "Python310"}
    files = {"script": ("watch.py", WATCH)}
    box.patch(f"/external-monitoring/{digest}/script-file", user, data=names, files=files)
    box.patch(f"/external-monitoring/{digest}/status", user)
    status = box.wait(f"/external-monitoring/{digest}/status", user)
    records = box.get(f"/monitoring/search/records/risk/{digest}", user)["Results"]

    assert status["Status"] == "Validated", status
    assert records[0]["Psi"]["a"] > 1
