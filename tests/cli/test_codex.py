"""``modelport codex`` against the sandbox."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from modelport import Codex
from tests.cli.conftest import Modelport, Sandbox

CodexCommand = Callable[..., subprocess.CompletedProcess[str]]

SYNC_APP = """
import json, pickle

def score(data, base_path):
    with open(base_path + "/model.pkl", "rb") as file:
        weight = pickle.load(file)
    return {"pred": json.loads(data)["age"] * weight}
"""

TRAIN_APP = """
import pandas as pd

def train(df, base_path):
    print("training")
    X, y = df[["age"]], df["y"]
    output = pd.DataFrame({"p": y})
    return {"X_train": X, "y_train": y, "model_output": output, "pipeline": 2, "metrics": {"accuracy": 0.5}}
"""

ASYNC_APP = """
import os

def score(data_path, model_path):
    target = data_path + "/output.csv"
    with open(data_path + "/" + os.environ["inputFileName"]) as source, open(target, "w") as file:
        file.write(source.read().replace("age", "pred"))
    return target
"""


@pytest.fixture(scope="session")
def group(sandbox: Sandbox) -> tuple[str, str]:
    """A group and its token."""
    name = f"cli_{uuid.uuid4().hex[:8]}"
    with Codex(sandbox.codex_url, user="demo", password="demo", tenant="demo") as client:
        return name, client.groups.create(name, description="for the tests").token


@pytest.fixture
def codex(modelport: Modelport, sandbox: Sandbox, group: tuple[str, str]) -> CodexCommand:
    """Run ``modelport codex ARGUMENTS...`` as the demo user."""

    def run(*arguments: str | Path, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        settings = {
            "MODELPORT_CODEX_URL": sandbox.codex_url,
            "MODELPORT_CODEX_USER": "demo",
            "MODELPORT_CODEX_PASSWORD": "demo",
            "MODELPORT_CODEX_TENANT": "demo",
            "MODELPORT_CODEX_GROUP_TOKEN": group[1],
        }
        return modelport("codex", *arguments, stdin=stdin, **{**settings, **variables})

    return run


@pytest.fixture(scope="session")
def models(sandbox: Sandbox, group: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The hashes of a deployed Sync model and of two deployed Async models, one of them to be deleted."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "model.pkl").write_bytes(pickle.dumps(2))
    (folder / "requirements.txt").write_text("")
    (folder / "schema.json").write_text('{"age": 41}')
    hashes: dict[str, str] = {}
    with Codex(sandbox.codex_url, user="demo", password="demo", tenant="demo") as client:
        (folder / "schema.csv").write_text("age\n41\n")
        for name, operation in {"Sync": "Sync", "Async": "Async", "Spare": "Async"}.items():
            (folder / "app.py").write_text(SYNC_APP if operation == "Sync" else ASYNC_APP)
            model = client.models.create(
                f"cli {name}",
                group=group[0],
                operation=operation,
                source=folder / "app.py",
                model=folder / "model.pkl",
                requirements=folder / "requirements.txt",
                schema=folder / ("schema.json" if operation == "Sync" else "schema.csv"),
            )
            hashes[name] = model.wait(timeout=60).hash
    return hashes


def test_whoami_checks_the_server_and_the_credentials(codex: CodexCommand, sandbox: Sandbox) -> None:
    answer = codex("whoami", "--json")

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["url"] == f"{sandbox.codex_url}/api"


def test_wrong_credentials_are_one_line_and_code_1(codex: CodexCommand) -> None:
    answer = codex("whoami", MODELPORT_CODEX_PASSWORD="wrong-password")

    assert answer.returncode == 1
    assert answer.stderr.startswith("modelport: error: ")
    assert answer.stderr.count("\n") == 1
    assert "wrong-password" not in answer.stderr


def test_no_server_is_one_line_and_code_1(codex: CodexCommand) -> None:
    answer = codex("--url", "http://127.0.0.1:9/codex", "groups", "list")

    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "127.0.0.1:9" in answer.stderr


def test_nobody_to_log_in_as_is_bad_input(modelport: Modelport, sandbox: Sandbox) -> None:
    answer = modelport("codex", "whoami", MODELPORT_CODEX_URL=sandbox.codex_url)

    assert answer.returncode == 2
    assert "MODELPORT_CODEX_USER" in answer.stderr


def test_options_win_over_the_environment(codex: CodexCommand, sandbox: Sandbox) -> None:
    answer = codex(
        "--url", sandbox.codex_url, "--user", "demo", "groups", "list", MODELPORT_CODEX_URL="http://127.0.0.1:9"
    )

    assert answer.returncode == 0, answer.stderr


def test_a_new_group_prints_its_token_alone_on_stdout(codex: CodexCommand) -> None:
    name = f"cli_{uuid.uuid4().hex[:8]}"
    created = codex("groups", "create", name, "--description", "x")
    listed = json.loads(codex("groups", "list", "--json").stdout)
    again = codex("groups", "create", name)

    assert created.returncode == 0, created.stderr
    assert re.fullmatch(r"\w{32}\n", created.stdout)
    assert name in {row["name"] for row in listed}
    assert again.returncode == 1
    assert "409" in again.stderr


def test_a_renewed_token_is_json_for_programs(codex: CodexCommand) -> None:
    name = f"cli_{uuid.uuid4().hex[:8]}"
    codex("groups", "create", name)
    renewed = codex("groups", "refresh-token", name, "--force", "--json")

    assert renewed.returncode == 0, renewed.stderr
    assert json.loads(renewed.stdout)["name"] == name


def test_models_are_listed_for_people_and_for_programs(
    codex: CodexCommand, models: dict[str, str], group: tuple[str, str]
) -> None:
    people = codex("models", "list", "--group", group[0])
    programs = json.loads(codex("models", "list", "--group", group[0], "--state", "Deployed", "--json").stdout)

    assert people.stdout.splitlines()[0].split() == ["MODEL_HASH", "NAME", "GROUP", "OPERATION", "STATUS"]
    assert set(models.values()) <= {row["model_hash"] for row in programs}


def test_a_model_is_shown_and_waited_for(codex: CodexCommand, models: dict[str, str], group: tuple[str, str]) -> None:
    shown = codex("models", "show", models["Sync"], "-g", group[0], "--json")
    waited = codex("models", "wait", models["Sync"], "-g", group[0], "--json")

    assert json.loads(shown.stdout)["operation"] == "Sync"
    assert json.loads(waited.stdout)["state"] == "Deployed"
    assert "Deployed" in waited.stderr


@pytest.mark.parametrize(("data", "stdin"), [('{"age": 21}', ""), ("-", '{"age": 21}'), ("@", "")])
def test_a_sync_model_is_called(
    codex: CodexCommand, models: dict[str, str], group: tuple[str, str], tmp_path: Path, data: str, stdin: str
) -> None:
    (tmp_path / "record.json").write_text('{"age": 21}')
    given = f"@{tmp_path / 'record.json'}" if data == "@" else data
    answer = codex("models", "predict", models["Sync"], "-g", group[0], "--data", given, stdin=stdin)

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == {"pred": 42}


def test_an_async_model_is_called(
    codex: CodexCommand, models: dict[str, str], group: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "input.csv").write_text("age\n1\n")
    answer = codex(
        "models",
        "predict",
        models["Async"],
        "-g",
        group[0],
        "--file",
        tmp_path / "input.csv",
        "--output",
        tmp_path / "out",
    )

    assert answer.returncode == 0, answer.stderr
    [path] = json.loads(answer.stdout)
    assert Path(path).read_text() == "pred\n1\n"


def test_the_wrong_kind_of_model_is_bad_input(
    codex: CodexCommand, models: dict[str, str], group: tuple[str, str]
) -> None:
    answer = codex("models", "predict", models["Async"], "-g", group[0], "--data", "{}")

    assert answer.returncode == 2
    assert "Sync" in answer.stderr


def test_code_is_printed_without_the_token(codex: CodexCommand, models: dict[str, str], group: tuple[str, str]) -> None:
    answer = codex("models", "code", models["Sync"], "-g", group[0], "--language", "curl")

    assert answer.returncode == 0, answer.stderr
    assert models["Sync"] in answer.stdout
    assert group[1] not in answer.stdout


def test_the_languages_are_listed_without_a_server(modelport: Modelport) -> None:
    assert "curl" in modelport("codex", "models", "code", "--list").stdout.splitlines()


def test_logs_are_json_for_programs(codex: CodexCommand, models: dict[str, str], group: tuple[str, str]) -> None:
    answer = codex("models", "logs", models["Sync"], "-g", group[0], "--json")

    assert answer.returncode == 0, answer.stderr
    assert isinstance(json.loads(answer.stdout), list)


def test_an_unknown_model_is_code_1_and_a_wrong_hash_code_2(codex: CodexCommand, group: tuple[str, str]) -> None:
    unknown = codex("models", "show", "M" + "0" * 63, "-g", group[0])
    wrong = codex("models", "show", "nonsense", "-g", group[0])

    assert (unknown.returncode, wrong.returncode) == (1, 2)
    assert "404" in unknown.stderr


def test_delete_asks_first_and_a_program_must_say_yes(
    codex: CodexCommand, models: dict[str, str], group: tuple[str, str]
) -> None:
    unanswered = codex("models", "delete", models["Spare"], "-g", group[0])
    refused = codex("models", "delete", models["Spare"], "-g", group[0], stdin="n\n")
    disabled = codex("models", "disable", models["Spare"], "-g", group[0])
    restarted = codex("models", "restart", models["Spare"], "-g", group[0])
    deleted = codex("models", "delete", models["Spare"], "-g", group[0], "--yes")

    assert (unanswered.returncode, refused.returncode) == (1, 1)
    assert "nothing was done" in refused.stderr
    assert (disabled.returncode, restarted.returncode, deleted.returncode) == (0, 0, 0), restarted.stderr
    listed = json.loads(codex("models", "list", "--group", group[0], "--state", "Deployed", "--json").stdout)
    assert models["Spare"] not in {row["model_hash"] for row in listed}


def test_a_pipeline_file_with_mistakes_is_one_line(codex: CodexCommand, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("trainig: {}\n")
    answer = codex("pipeline", "run", tmp_path / "pipeline.yaml")

    assert answer.returncode == 2
    assert "trainig" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_training_is_found_watched_and_fetched(
    codex: CodexCommand, sandbox: Sandbox, group: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(TRAIN_APP)
    (tmp_path / "data.csv").write_text("age,y\n1,0\n2,1\n")
    (tmp_path / "requirements.txt").write_text("pandas\n")
    with Codex(sandbox.codex_url, user="demo", password="demo", tenant="demo") as client:
        training = client.trainings.create("cli training", group=group[0], model_type="Classification")
        execution = training.run_custom(
            "first", source=tmp_path / "app.py", data=tmp_path / "data.csv", requirements=tmp_path / "requirements.txt"
        )
    target = (training.hash, str(execution.id), "-g", group[0])
    waited = codex("trainings", "wait", *target, "--json")
    listed = codex("trainings", "list", "--json")
    shown = codex("trainings", "show", training.hash, "-g", group[0], "--json")
    run = codex("trainings", "show", *target, "--json")
    result = codex("trainings", "result", *target, "--output", tmp_path / "result.zip")

    assert json.loads(waited.stdout)["state"] == "Succeeded", waited.stderr
    assert training.hash in {row["training_hash"] for row in json.loads(listed.stdout)}
    assert json.loads(shown.stdout)["experiment_name"] == "cli training"
    assert json.loads(run.stdout)["execution_state"] == "Succeeded"
    assert result.stdout == f"{tmp_path / 'result.zip'}\n"
    assert zipfile.is_zipfile(tmp_path / "result.zip")
