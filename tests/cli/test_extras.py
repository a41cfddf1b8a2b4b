"""Each extra alone brings all that its part needs: installed into an environment that has nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# What a user of this extra alone does first.
USES = {
    "": "import modelport; modelport.Codex('http://127.0.0.1:9/codex', user='u', password='p').close()",
    "cli": "from modelport.cli import main; assert main(['codex', 'models', '--help']) == 0",
    "drift": "from modelport.drift import *; drift_report(Baseline.from_data({'a': [1.5, 2]}), {'a': [1.5]}).to_html()",
    "generate": "from pathlib import Path; from modelport_tools.generate import generate_all; "
    "assert generate_all(Path.cwd(), check=True).packages",
    "offline": "import duckdb, pyarrow, numpy, jinja2, prometheus_client",
    "parquet": "import pyarrow",
    "pipeline": "from modelport.codex import Pipeline; Pipeline",
    "predict-code": "from modelport import predict_code as p; "
    "p.render(p.PredictRequest(url='http://127.0.0.1/', body=p.JsonBody('{}')), 'curl')",
    "predictions": "from modelport import ModelMonitor; from modelport.predictions import FluentSink; "
    "ModelMonitor('a', sinks=[FluentSink()]).close()",
    "polars": "import polars, pyarrow",
    "sandbox": "from modelport.sandbox import Sandbox\nwith Sandbox() as box: box.codex_url",
    "spark": "import pyspark, pyarrow",
    "storage": "import obstore",
    "telemetry": "from modelport_api.codex.v1 import Client; Client('http://127.0.0.1:9', tracer=True).close()",
    "training": "import cloudpickle, pandas, pyarrow",
}


@pytest.fixture(scope="session")
def uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    return found or pytest.skip("no uv")


@pytest.mark.slow
@pytest.mark.parametrize("extra", USES)
def test_an_extra_alone_is_enough_for_its_part(extra: str, uv: str, root: Path, tmp_path: Path) -> None:
    chosen = ["--extra", extra] if extra else []
    command = [uv, "sync", "--frozen", "--no-default-groups", "--quiet", *chosen, "--python", sys.executable]
    environment = {
        **os.environ,
        "UV_PROJECT_ENVIRONMENT": str(tmp_path / "venv"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_SYSTEM_CERTS": "1",
    }
    subprocess.run(command, cwd=root, env=environment, check=True, timeout=100)
    python = tmp_path / "venv" / "bin" / "python"
    answer = subprocess.run(
        [python, "-c", USES[extra]], cwd=root, capture_output=True, text=True, check=False, timeout=60
    )

    assert answer.returncode == 0, answer.stderr


def test_every_extra_is_tried(root: Path) -> None:
    import tomllib

    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]

    # The demo has targets and tests of its own; `all` is what everything else here runs with.
    assert set(extras) - {"all", "demo"} == set(USES) - {""}
