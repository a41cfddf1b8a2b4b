"""The vendor's own clients, as published, run whole programs against the sandbox: the proof that the wire is right."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelport.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / ".cache" / "vendor"
PROGRAM = Path(__file__).with_name("codex_vendor_program.py")
VERSIONS = ("2.2.0", "2.2.11", "3.0.0", "4.0.2")
INSTALL_SECONDS = 300
PROGRAM_SECONDS = 150

FILES = {
    "app.py": """
import json, os, pickle

def score(data, base_path):
    assert os.environ["MY_VAR"] == "my value" or base_path
    with open(base_path + "/" + os.environ["modelFileName"], "rb") as file:
        model = pickle.load(file)
    values = json.loads(data)
    return {"pred": int(values["a"] > 0), "model": type(model).__name__}
""",
    "batch.py": """
import os
import pandas as pd

def score(data_path, model_path):
    frame = pd.read_csv(data_path + "/" + os.environ["inputFileName"])
    frame["proba"] = 0.5
    output = data_path + "/output.csv"
    frame.to_csv(output, index=False)
    return output
""",
    "train.py": """
import os
import pandas as pd
from sklearn.linear_model import LogisticRegression

def train(df, base_path):
    assert os.environ["MY_VAR"] == "my value"
    assert open(base_path + "/extra.txt").read() == "extra"
    X, y = df[["a", "b"]], df["target"]
    model = LogisticRegression().fit(X, y)
    output = pd.DataFrame({"pred": model.predict(X)})
    metrics = {"accuracy": model.score(X, y)}
    return {"X_train": X, "y_train": y, "model_output": output, "pipeline": model, "metrics": metrics}
""",
    "watch.py": """
import json
import pandas as pd

def parse(input_json, output_json):
    return pd.DataFrame([json.loads(input_json)]), pd.DataFrame([json.loads(output_json)])

def get_shap(data, model_path):
    return data - data.mean()
""",
    "prepare.py": """
import pandas as pd

def build_df(df, data_path, extra_path=None):
    return pd.concat(df.values(), ignore_index=True)
""",
    "requirements.txt": "pandas\nscikit-learn\n",
    "schema.json": '{"a": 1.0, "b": 2}',
    "sample.csv": "a,b\n1,2\n",
    "input.csv": "a,b\n" + "".join(f"{n},{n % 3}\n" for n in range(10)),
    "train.csv": "a,b,target\n" + "".join(f"{n / 4},{n % 3},{int(n > 20)}\n" for n in range(40)),
    "extra.txt": "extra",
    ".env": "# a comment\nMY_VAR='my value'\n",
}


def vendor_python(version: str) -> Path:
    """The interpreter of a cached environment with that version of the vendor's client."""
    home = VENDOR / version
    python = home / "bin" / "python"
    marker = home / ".complete"
    if marker.is_file():
        return python
    uv = Path(sys.executable).with_name("uv")
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    steps = [
        [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(home)],
        [str(uv), "pip", "install", "--quiet", "--python", str(python), f"datarisk-mlops-codex=={version}", "pyarrow"],
    ]
    for step in steps:
        done = subprocess.run(
            step, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode:
            pytest.fail(
                f"datarisk-mlops-codex {version} could not be installed: {' '.join(step)}\n{done.stderr[-2000:]}"
            )
    marker.touch()
    return python


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vendor")
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "model.pkl").write_bytes(pickle.dumps({"a": "model"}))
    return folder


def run_program(version: str, url: str, files: Path, work: Path) -> dict[str, Any]:
    configuration = json.dumps({"url": url, "version": version, "files": str(files)})
    done = subprocess.run(
        [str(vendor_python(version)), str(PROGRAM), configuration],
        cwd=work,
        env={"PATH": os.environ["PATH"], "HOME": str(work), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("SEEN ")]

    assert lines, f"{version} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return dict(json.loads(lines[-1][5:]))


@pytest.mark.timeout(INSTALL_SECONDS + PROGRAM_SECONDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_program_of_the_vendor_client_runs_as_against_the_platform(version: str, files: Path, tmp_path: Path) -> None:
    with Sandbox() as box:
        seen = run_program(version, box.codex_url, files, tmp_path)

    new = tuple(map(int, version.split("."))) >= (2, 2, 9)
    assert seen["version"] == "1.0"
    assert seen["token_length"] == 32
    assert seen["groups"] == ["risk"]
    assert seen["group_again"] == "GroupError"
    assert seen["sync"] == {"pred": 1, "model": "dict"}
    assert seen["disabled"] == "Disabled"
    assert seen["restarted"] == "Deployed"
    assert seen["found"] == "model Sync"
    assert seen["async_status"] == "Succeeded"
    assert seen["async_files"] == ["output.csv"]
    assert seen["async_lines"] == 11
    assert seen["training_status"] == "Succeeded"
    assert seen["metrics"]["accuracy"] > 0.9
    assert {"model.pkl", "features.parquet", "target.parquet", "predictions.parquet"} <= set(seen["training_files"])
    assert seen["promoted_hash"].startswith("M")
    assert seen["external_status"] == "Succeeded"
    assert seen["external_metrics"] == {"auc": 0.75}
    assert seen["wrong_token"] == "AuthenticationError"
    if new:
        assert seen["monitoring"] == "Validated"
        assert seen["prepared"] == "Succeeded"
        assert seen["prepared_rows"] == 20
