"""`/codex/drift`: deployed models against the data of their training."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.applications import Starlette

from modelport._extras import MissingExtraError
from modelport.drift import Baseline, drift_report
from modelport.drift.page._html import template_environment
from modelport.sandbox.codex.drift_data import MOST_WINDOWS, window_seconds
from modelport.sandbox.store import Store
from tests.contract.in_process import InProcess

JSON = {"accept": "application/json"}
TRAIN = b"""
import pandas as pd


class Model:
    def predict(self, frame):
        return frame["amount"].fillna(0) * 2


def train(df, base_path):
    model = Model()
    return {
        "X_train": df[["amount", "plan"]],
        "y_train": df[["y"]],
        "model_output": pd.DataFrame({"score": model.predict(df)}),
        "pipeline": model,
        "metrics": {"auc": 0.5},
    }
"""
APP = b"""
import json


def score(data, base_path):
    value = json.loads(data)
    amounts = value.get("amount")
    if isinstance(amounts, list):
        return {"score": [2 * amount for amount in amounts]}
    return {"score": 2 * (amounts or 0)}
"""
WATCH = b"""
import json
import pandas as pd


def parse(given, answered):
    row = json.loads(given)
    return pd.DataFrame([{"amount": row["cents"] / 100, "plan": row["plan"]}]), pd.DataFrame([json.loads(answered)])


def get_shap(data, model_path):
    return pd.DataFrame({name: [0.0] * len(data) for name in data.columns})
"""


def rows(count: int, *, shift: float = 0.0, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    plans = random.choice(["basic", "pro"], count, p=[0.7, 0.3])
    return pd.DataFrame({"amount": random.normal(shift, 1, count).round(6), "plan": plans})


TRAINING = rows(2000)


@pytest.fixture
def user(box: InProcess) -> dict[str, str]:
    return box.login()


@pytest.fixture
def group(box: InProcess, user: dict[str, str]) -> dict[str, str]:
    token = box.post("/groups", user, data={"name": "risk", "description": "d"})["Token"]
    return {"authorization": f"Bearer {token}"}


def trained(box: InProcess, user: dict[str, str]) -> tuple[str, int]:
    """The hashes of a training and of its execution."""
    experiment = {"experiment_name": "exp", "model_type": "Classification"}
    training = box.post("/training/register/risk", user, data=experiment)["TrainingHash"]
    table = TRAINING.assign(y=0).to_csv(index=False).encode()
    files = {
        "train_data": ("d.csv", table),
        "source": ("train.py", TRAIN),
        "requirements": ("requirements.txt", b"pandas\n"),
    }
    form = {"run_name": "r", "training_type": "Custom", "training_reference": "train", "python_version": "Python310"}
    run = box.post(f"/training/upload/risk/{training}", user, data=form, files=files)["ExecutionId"]
    box.get(f"/training/execute/risk/{training}/{run}", user)
    done = box.wait(f"/training/status/risk/{run}", user)
    assert done["Status"] == "Succeeded", done
    return training, run


def deployed(box: InProcess, user: dict[str, str], name: str = "churn") -> tuple[str, int]:
    """The hash of a deployed model, and the execution it was trained by."""
    training, run = trained(box, user)
    form = {"name": name, "operation": "Sync", "model_reference": "score"}
    files = {"source": ("app.py", APP), "schema": ("schema.json", b'{"amount": 1.0, "plan": "pro"}')}
    model = box.post(f"/training/promote/risk/{training}/{run}", user, data=form, files=files)["ModelHash"]
    box.get(f"/model/sync/host/risk/{model}", user)
    assert box.wait(f"/model/status/risk/{model}", user)["Status"] == "Deployed"
    return model, run


def ask(box: InProcess, group: dict[str, str], model: str, value: Any) -> None:
    response = box.api("POST", f"/model/sync/run/risk/{model}", group, json={"Input": value})
    assert response.is_success, response.text


def columns(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """A batch as the script takes it: a list for each column."""
    return {str(name): frame[name].tolist() for name in frame.columns}


def report(box: InProcess, model: str) -> dict[str, Any]:
    response = box.request("GET", f"/codex/drift/{model}", JSON)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def test_the_report_is_that_of_what_was_served_against_the_training(
    box: InProcess, user: dict[str, str], group: dict[str, str]
) -> None:
    model, _ = deployed(box, user)
    served = rows(400, shift=1.0, seed=2)
    for start in range(0, 400, 100):
        ask(box, group, model, columns(served.iloc[start : start + 100]))

    found = report(box, model)

    expected = drift_report(
        Baseline.from_data(TRAINING, output=TRAINING["amount"] * 2), served, output=served["amount"] * 2
    )
    assert [row["name"] for row in found["features"]] == ["amount", "plan", "output"]
    assert [row["psi"] for row in found["features"]] == pytest.approx([row.psi for row in expected.features], abs=1e-9)
    assert [row["verdict"] for row in found["features"]] == [row.verdict for row in expected.features]
    assert (found["records"], found["baseline_rows"], found["uncounted"]) == (400, 2000, 0)
    assert (found["endpoint"], found["model_version"]) == ("churn", model)
    assert found["model"]["verdict"] == "major"


def test_a_new_prediction_shows_at_once(box: InProcess, user: dict[str, str], group: dict[str, str]) -> None:
    model, _ = deployed(box, user)
    assert report(box, model)["records"] == 0

    ask(box, group, model, {"amount": 1.0, "plan": "pro"})
    assert report(box, model)["records"] == 1
    ask(box, group, model, {"amount": None})

    found = report(box, model)
    assert found["records"] == 2
    assert [row["missing"] for row in found["features"]] == [1, 1, 0]


def test_input_that_is_no_row_is_counted_and_harms_nothing(
    box: InProcess, user: dict[str, str], group: dict[str, str]
) -> None:
    model, _ = deployed(box, user)
    for odd in ({"amount": 1.0, "plan": {"nested": True}}, {"amount": [1.0, 2.0], "plan": ["pro"]}):
        ask(box, group, model, odd)
    ask(box, group, model, {"amount": 1.0, "plan": "pro"})

    found = report(box, model)

    assert (found["records"], found["uncounted"]) == (1, 2)


def test_a_monitorings_script_reads_the_predictions(
    box: InProcess, user: dict[str, str], group: dict[str, str]
) -> None:
    model, run = deployed(box, user)
    for row in rows(30, seed=4).to_dict("records"):
        ask(box, group, model, {"cents": 100 * row["amount"], "plan": row["plan"]})
    assert next(row["missing"] for row in report(box, model)["features"]) == 30
    configuration = {
        "Period": "Week",
        "TrainData": {"MLOpsTrainingExecution": str(run)},
        "InputCols": ["amount"],
        "OutputCols": ["score"],
    }
    files = {"configuration": ("c.json", json.dumps(configuration).encode()), "source": ("watch.py", WATCH)}
    names = {"preprocess_reference": "parse", "shap_reference": "get_shap"}
    box.post(f"/monitoring/register/risk/{model}", user, data=names, files=files)
    box.get(f"/monitoring/host/risk/{model}/Week", user)
    assert box.wait(f"/monitoring/status/risk/{model}/Week", user)["Status"] == "Validated"

    found = report(box, model)

    assert [row["name"] for row in found["features"]] == ["amount", "output"]
    assert [row["n"] for row in found["features"]] == [30, 30]


def test_a_model_without_training_data_says_so(box: InProcess, user: dict[str, str], group: dict[str, str]) -> None:
    files = {
        "source": ("app.py", APP), "model": ("model.pkl", b"x"), "schema": ("s.json", b'{"amount": 1.0}'),
        "requirements": ("requirements.txt", b""),
    }  # fmt: skip
    form = {"name": "loose", "operation": "Sync", "model_reference": "score", "python_version": "Python310"}
    model = box.post("/model/upload/risk", user, data={**form, "input_type": "json"}, files=files)["ModelHash"]
    box.get(f"/model/sync/host/risk/{model}", user)
    assert box.wait(f"/model/status/risk/{model}", user)["Status"] == "Deployed"

    answer = box.request("GET", f"/codex/drift/{model}", JSON)
    page = box.request("GET", f"/codex/drift/{model}", {"accept": "text/html"})
    listed = box.request("GET", "/codex/drift", {"accept": "text/html"})

    assert answer.status_code == 422
    assert answer.json()["reason"].startswith("No training data is known")
    assert page.status_code == 200
    assert "No training data is known" in page.text
    assert "No training data is known" in listed.text


def test_the_list_has_every_deployed_model_with_its_worst_verdict(
    box: InProcess, user: dict[str, str], group: dict[str, str]
) -> None:
    assert box.request("GET", "/codex/drift", JSON).json() == {"models": []}
    assert "No model is deployed" in box.request("GET", "/codex/drift").text
    model, _ = deployed(box, user, "<img src=x onerror=alert(1)>")
    ask(box, group, model, columns(rows(300, shift=2.0, seed=5)))

    [found] = box.request("GET", "/codex/drift", JSON).json()["models"]
    page = box.request("GET", "/codex/drift").text

    assert (found["model_hash"], found["verdict"], found["drifted"], found["columns"]) == (model, "major", 2, 3)
    assert found["records"] == 300
    assert f'href="{found["url"]}"' in page
    assert "<img" not in page
    assert box.request("GET", found["url"], JSON).status_code == 200


def test_the_root_leads_to_the_list(box: InProcess) -> None:
    response = box.request("GET", "/drift?refresh=5")

    assert response.status_code == 307
    assert response.headers["location"] == "/codex/drift?refresh=5"


@pytest.mark.parametrize(
    ("query", "seconds"),
    [("", None), ("?refresh=10", "10"), ("?refresh=1", None), ("?refresh=36000", None), ("?refresh=%22%3E", None)],
)
def test_a_page_loads_itself_again_only_when_asked(box: InProcess, query: str, seconds: str | None) -> None:
    page = box.request("GET", f"/codex/drift{query}").text

    found = re.findall(r'<meta http-equiv="refresh" content="(.*?)">', page)
    assert found == ([] if seconds is None else [seconds])


def test_what_is_not_deployed_is_not_found(box: InProcess) -> None:
    answer = box.request("GET", "/codex/drift/M123", JSON)
    page = box.request("GET", "/codex/drift/M123", {"accept": "text/html"})

    assert (answer.status_code, page.status_code) == (404, 404)
    assert answer.json() == {"error": "There is no such deployed model."}


@pytest.mark.parametrize("path", ["/drift", "/codex/drift", "/codex/drift/M1"])
def test_the_pages_are_for_this_machine_and_may_not_be_kept(box: InProcess, app: Starlette, path: str) -> None:
    assert box.request("GET", path, {"host": "rebound.example"}).status_code == 421
    assert box.request("POST", path).status_code == 405
    if path != "/drift":
        headers = box.request("GET", path).headers
        assert (headers["cache-control"], headers["x-frame-options"]) == ("no-store", "DENY")


def test_without_the_drift_extra_the_page_names_it(box: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, extra: str) -> None:
        raise MissingExtraError(module, extra)

    monkeypatch.setattr("modelport.drift.page._html.require", missing)
    template_environment.cache_clear()
    response = box.request("GET", "/codex/drift")

    assert response.status_code == 501
    assert "pip install 'modelport[drift]'" in response.text


def test_the_newest_predictions_are_the_ones_looked_at(app: Starlette) -> None:
    store: Store = app.state.services.store
    for number in range(7):
        store.append("codex/prediction", "M1", {"number": number}, at=float(number // 2))

    assert [body["number"] for _, body in store.newest("codex/prediction", "M1", 3)] == [4, 5, 6]
    assert store.newest("codex/prediction", "M2", 3) == []


@pytest.mark.parametrize(("span", "size"), [(0, 1), (10, 1), (22.9, 1), (23.1, 5), (3600, 300), (10**9, 604_800)])
def test_windows_are_of_round_length_and_few(span: float, size: int) -> None:
    assert window_seconds([1000.0, 1000.0 + span]) == size
    assert span / size < MOST_WINDOWS or size == 604_800
