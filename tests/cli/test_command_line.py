"""What holds for every command: help, exit codes, one-line errors, quiet ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from modelport import errors
from modelport.cli import _run
from modelport.cli._lazy import LazyGroup
from modelport.cli._reference import walk
from modelport.cli._root import cli
from tests.cli.conftest import PROGRAM, Modelport, environment, started

COMMANDS = [context.command_path for context, _ in walk()]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_prints_its_help(path: str) -> None:
    answer = CliRunner().invoke(cli, [*path.split()[1:], "--help"])

    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith(f"Usage: {path}".replace("modelport", "modelport", 1))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_says_what_it_is_for(path: str) -> None:
    [command] = [command for context, command in walk() if context.command_path == path]
    silent = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]

    assert command.help
    assert silent == []


def test_the_table_of_commands_says_what_the_commands_say() -> None:
    """The lists are shown without importing the commands, so they could drift apart."""
    for context, command in walk():
        if isinstance(command, LazyGroup):
            for name, entry in command.entries.items():
                loaded = command.get_command(context, name)
                assert loaded is not None
                assert loaded.name == name
                assert entry.summary.endswith(".")


def test_help_comes_from_a_fresh_process(modelport: Modelport) -> None:
    answer = modelport("--help")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert "sandbox" in answer.stdout


def test_the_version_is_printed(modelport: Modelport) -> None:
    import modelport as package

    assert modelport("--version").stdout == f"modelport {package.__version__}\n"


def test_without_a_command_the_help_is_shown_as_bad_usage(modelport: Modelport) -> None:
    answer = modelport()

    assert answer.returncode == 2
    assert answer.stdout.startswith("Usage: modelport")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sandbocks"], "no command 'sandbocks': did you mean sandbox?"),
        (["sandbox", "--prot", "1"], "--prot"),
        (["sandbox", "--port", "65536"], "65536"),
        (["sandbox", "--user", "demo"], "NAME:PASSWORD"),
        (["sandbox", "--host", "192.0.2.1"], "not loopback"),
        (["generate", "absent.yaml"], "absent.yaml"),
        (["generate", "--package", "x"], "go with a SPEC"),
        (["generate", "--http-client", "httpx2"], "go with a SPEC"),
        (["completion", "tcsh"], "tcsh"),
        (["codex", "models", "predict", "M1", "-g", "risk"], "either --data"),
        (["codex", "models", "predict", "M1", "-g", "risk", "--data", "{"], "not JSON"),
        (["codex", "models", "show", "M1"], "--group"),
    ],
)
def test_bad_usage_is_one_line_and_code_2(modelport: Modelport, arguments: list[str], told: str) -> None:
    answer = modelport(
        *arguments,
        MODELPORT_CODEX_URL="http://127.0.0.1:9/codex",
        MODELPORT_CODEX_USER="u",
        MODELPORT_CODEX_PASSWORD="p",
    )

    assert answer.returncode == 2, answer
    assert answer.stdout == ""
    assert answer.stderr.startswith("modelport: error: ")
    assert answer.stderr.count("\n") == 1
    assert told in answer.stderr


def test_debug_adds_the_traceback(modelport: Modelport, tmp_path: Path) -> None:
    plain = modelport("spec", "check", __file__, cwd=tmp_path)
    option = modelport("--debug", "spec", "check", __file__, cwd=tmp_path)
    variable = modelport("spec", "check", __file__, cwd=tmp_path, MODELPORT_DEBUG="1")

    assert "Traceback" not in plain.stderr
    assert "Traceback" in option.stderr
    assert "Traceback" in variable.stderr
    assert plain.returncode == option.returncode == variable.returncode == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (click.UsageError("x"), 2),
        (click.FileError("x"), 2),
        (FileNotFoundError(2, "No such file", "x"), 2),
        (errors.InvalidInputError("x"), 2),
        (errors.MissingExtraError("sklearn", "demo"), 2),
        (errors.MissingCredentialsError("x"), 2),
        (errors.DecodeError("x"), 1),
        (errors.UnsafeArchiveError("x"), 1),
        (errors.NotFoundError("x", status=404), 1),
        (errors.APIConnectionError("x"), 1),
        (errors.DownloadError("x", path="y"), 1),
        (OSError(28, "No space left on device"), 1),
        (ValueError("a fault of ours"), 1),
        (KeyError("a fault of ours"), 1),
    ],
)
def test_an_error_has_its_exit_code(error: Exception, code: int) -> None:
    assert _run.exit_code(error) == code


def test_an_error_with_line_breaks_is_still_one_line() -> None:
    assert _run.message(errors.InvalidInputError("one\n  two")) == "one two"


def test_a_fault_of_ours_is_called_one() -> None:
    assert "a fault of modelport" in _run.message(KeyError("x"))


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        [*PROGRAM, "completion", "bash"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()

    assert process.wait(timeout=20) in {0, 1}
    assert told == b""


def test_streams_that_are_closed_from_the_start_are_no_error() -> None:
    command = ["sh", "-c", '"$@" >&- 2>&-', "sh", *PROGRAM, "completion", "bash"]

    assert subprocess.run(command, env=environment(), timeout=100, check=False).returncode == 0


def test_what_a_file_holds_cannot_drive_the_terminal() -> None:
    told = _run.message(click.UsageError("data.csv: \x1b[2J\x9b no number"))

    assert told.isprintable()


def test_without_click_one_line_says_what_to_install(
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    # A None in sys.modules is how an absent package is acted.
    answer = run_python(
        "import sys; sys.modules['click'] = None\nfrom modelport.cli import main\nsys.exit(main(['--help']))",
        check=False,
    )

    assert answer.returncode == 2
    assert answer.stderr == 'modelport: error: the command line needs click and rich: pip install "modelport[cli]"\n'


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion_script(modelport: Modelport, shell: str) -> None:
    answer = modelport("completion", shell)

    assert answer.returncode == 0
    assert f"_MODELPORT_COMPLETE={shell}_complete" in answer.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("modelport ", {"sandbox", "codex", "spec"}),
        ("modelport codex mod", {"models"}),
        ("modelport sandbox --po", {"--port"}),
    ],
)
def test_the_shell_is_told_what_may_come(modelport: Modelport, words: str, expected: set[str]) -> None:
    answer = modelport(_MODELPORT_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(words.split(" ")) - 1))
    offered = {line.partition(",")[2] for line in answer.stdout.splitlines()}

    assert expected <= offered


def test_ctrl_c_ends_with_code_130_and_without_a_traceback() -> None:
    """Interrupted as a terminal does it, while it waits for a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        login = {f"MODELPORT_CODEX_{name}": "demo" for name in ("USER", "PASSWORD", "TENANT")}
        with started(
            "codex", "--url", f"http://127.0.0.1:{silent.getsockname()[1]}", "whoami", variables=login
        ) as process:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)
                os.killpg(process.pid, signal.SIGINT)
                said, complained = process.communicate(timeout=20)

    assert process.returncode == 130
    assert (said, complained.strip()) == ("", "")


def test_on_a_terminal_a_list_is_a_table_without_wrapping_the_program(root: Path) -> None:
    main, secondary = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "spec", "list"], stdout=secondary, stderr=subprocess.PIPE, cwd=root, env=environment(TERM="xterm")
    )
    os.close(secondary)
    text = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            chunk = os.read(main, 4096)
        except OSError:  # Linux says so when the other side is closed
            break
        if not chunk:
            break
        text += chunk
    os.close(main)
    assert process.stderr is not None
    process.stderr.close()

    assert process.wait(timeout=20) == 0
    assert b"PLATFORM" in text
    assert b"codex" in text


def test_the_list_of_specs_is_json_for_programs(modelport: Modelport, root: Path) -> None:
    rows = json.loads(modelport("spec", "list", "--json", cwd=root).stdout)

    assert [row["package"] for row in rows if row["platform"] == "codex"] == ["modelport_api.codex.v1"]


def test_the_specs_of_the_checkout_are_good_from_any_folder_in_it(modelport: Modelport, root: Path) -> None:
    answer = modelport("spec", "check", "--json", cwd=root / "tests")

    assert answer.returncode == 0, answer.stderr
    assert all(row["valid"] and row["operations_in"] == row["operations_out"] > 0 for row in json.loads(answer.stdout))


def test_outside_a_checkout_the_error_says_what_to_do(modelport: Modelport, tmp_path: Path) -> None:
    answer = modelport("generate", cwd=tmp_path)

    assert answer.returncode == 2
    assert "say which document" in answer.stderr


def test_a_patched_document_is_counted(modelport: Modelport, tmp_path: Path) -> None:
    thing = {"type": "object", "properties": {"a": {}, "b": {"type": "string"}}}
    answer = {"description": "ok", "content": {"application/json": {"schema": {}}}}
    paths = {
        "/a": {"get": {"responses": {"200": answer}}},
        "/b": {"put": {"responses": {"204": {"description": "ok"}}}},
    }
    spec = {"openapi": "3.1.0", "info": {"title": "x"}, "paths": paths, "components": {"schemas": {"Thing": thing}}}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    cure = {"overlay": "1.0.0", "actions": [{"target": "$.info", "update": {"version": "1"}}]}
    (tmp_path / "cure.json").write_text(json.dumps(cure))
    (row,) = json.loads(modelport("spec", "check", "spec.json", "--patch", "cure.json", "--json", cwd=tmp_path).stdout)

    assert row.pop("seconds") > 0
    assert row == {
        "spec": "spec.json", "kilobytes": 0, "operations_in": 2, "operations_out": 2, "models": 1,
        "untyped_results": 1, "fields": 2, "untyped_fields": 1, "valid": True, "fault": None,
    }  # fmt: skip
    assert modelport("spec", "check", "spec.json", cwd=tmp_path).returncode == 2
    refused = modelport("spec", "check", "spec.json", "spec.json", "--patch", "cure.json", cwd=tmp_path)
    assert (refused.returncode, "--patch goes with one SPEC" in refused.stderr) == (2, True)


def test_of_several_documents_each_fault_is_one_sentence(modelport: Modelport, tmp_path: Path) -> None:
    operation = {"responses": {"200": {"description": "ok"}}}
    good = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/a": {"get": operation}}}
    (tmp_path / "good.json").write_text(json.dumps(good))
    (tmp_path / "bad.json").write_text(json.dumps(good | {"openapi": "4.0.0"}))
    answer = modelport("spec", "check", "--json", "good.json", "bad.json", cwd=tmp_path)
    rows = json.loads(answer.stdout)

    assert answer.returncode == 2
    assert [(row["operations_in"], row["operations_out"], row["valid"]) for row in rows] == [
        (1, 1, True), (None, None, False)
    ]  # fmt: skip
    assert answer.stderr == f"modelport: error: {rows[1]['fault']}\n"
    assert "bad.json:1: /openapi: needs OpenAPI" in rows[1]["fault"]
