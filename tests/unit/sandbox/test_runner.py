"""Scripts that do well, and every way they can do badly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from modelport.sandbox._settings import MIB
from modelport.sandbox.runner import Environment, Runner, Worker, read_env_file
from modelport.sandbox.runner.environment import EnvironmentBuildError, Environments, unmet_requirements
from tests.unit.sandbox.conftest import LIMITS, Score


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def gone(pid: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def test_a_dictionary_comes_back_as_json(score: Score) -> None:
    outcome = score(
        "import json\ndef score(data, base_path):\n    return {'twice': json.loads(data)['a'] * 2}", '{"a": 21}'
    )

    assert outcome.ok, outcome.error
    assert json.loads(outcome.value["json"]) == {"twice": 42}


def test_json_text_comes_back_as_it_is(score: Score) -> None:
    assert score("def score(data, base_path):\n    return data", '{"a": 1}').value["json"] == '{"a": 1}'


def test_the_output_of_the_vendors_logger_is_taken_apart(score: Score) -> None:
    text = '[DEBUG]one[DEBUG][ERROR]two[ERROR][OUTPUT][OUTPUT]{"a": 1}[OUTPUT][OUTPUT]'
    outcome = score(f"def score(data, base_path):\n    return {text!r}")

    assert outcome.value == {"json": '{"a": 1}', "logs": [["Debug", "one"], ["Error", "two"]]}


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("None", "returned None"),
        ("{'pred': numpy.int64(1)}", "['pred'] is of type numpy.int64"),
        ("{'pred': [numpy.float32(1)]}", "['pred'][0] is of type numpy.float32"),
        ("{'pred': numpy.zeros(3)}", ".tolist()"),
        ("{'pred': float('nan')}", "is nan, which JSON does not know"),
        ("{(1, 2): 3}", "JSON keys are text"),
        ("'not json'", "text that is not JSON"),
        ("object()", "object"),
    ],
)
def test_a_result_that_json_cannot_hold_is_named(score: Score, expression: str, says: str) -> None:
    outcome = score(f"import numpy\ndef score(data, base_path):\n    return {expression}")

    assert not outcome.ok
    assert outcome.kind == "contract"
    assert says in outcome.error


def test_an_exception_shows_the_tail_of_its_traceback_without_server_paths(score: Score, tmp_path: Path) -> None:
    outcome = score(
        "def score(data, base_path):\n    return inner(base_path)\ndef inner(path):\n    raise ValueError(path)"
    )

    assert outcome.kind == "raised"
    assert 'File "app.py", line 4, in inner' in outcome.error
    assert "ValueError" in outcome.error
    assert str(tmp_path) not in outcome.error
    assert sys.prefix not in outcome.error


@pytest.mark.parametrize("script", ["def score(", "import nothing_of_this_name", "raise SystemExit(3)"])
def test_a_script_that_cannot_be_imported_says_why(score: Score, script: str) -> None:
    outcome = score(script)

    assert not outcome.ok
    assert any(word in outcome.error for word in ("SyntaxError", "ModuleNotFoundError", "SystemExit"))


def test_a_missing_function_is_named_with_those_that_are_there(score: Score) -> None:
    outcome = score("def other(data):\n    pass")

    assert outcome.kind == "reference"
    assert "no function named 'score'; it defines other" in outcome.error


def test_a_script_that_hangs_is_ended_at_the_limit(score: Score) -> None:
    started = time.monotonic()
    outcome = score("def score(data, base_path):\n    print('before', flush=True)\n    while True: pass", seconds=1)

    assert outcome.kind == "timeout"
    assert "limit of 1 seconds" in outcome.error
    assert outcome.output == "before\n"
    assert time.monotonic() - started < 8


def test_a_flood_of_output_is_bounded_and_does_not_stop_the_script(score: Score) -> None:
    outcome = score("def score(data, base_path):\n    for _ in range(100): print('x' * 1_000_000)\n    return {}")

    assert outcome.ok
    assert len(outcome.output) < LIMITS.output_bytes + 200
    assert "output cut" in outcome.output


def test_a_flood_past_python_is_bounded_too(score: Score) -> None:
    script = (
        "import os\ndef score(data, base_path):\n    for _ in range(100): os.write(1, b'y' * 1_000_000)\n    return {}"
    )
    outcome = score(script)

    assert outcome.ok
    assert len(outcome.output) < LIMITS.output_bytes + 200


def test_memory_past_the_limit_ends_the_script(tmp_path: Path) -> None:
    runner = Runner(replace(LIMITS, memory_bytes=200 * MIB))
    try:
        worker = runner.spawn(Environment(Path(sys.executable)), cwd=tmp_path, variables={})
        script = "import time\ndef score(data, base_path):\n    kept = b'x' * (400 * 1024 * 1024)\n    time.sleep(20)"
        (tmp_path / "app.py").write_text(script)
        load = {"do": "load", "source": f"{tmp_path}/app.py", "reference": "score", "base_path": f"{tmp_path}/"}
        worker.request(load, seconds=10)
        outcome = worker.request({"do": "score", "data": "{}", "base_path": f"{tmp_path}/"}, seconds=15)
    finally:
        runner.close()

    assert outcome.kind == "memory"
    assert "200 MiB" in outcome.error


def test_too_many_processes_end_the_script(tmp_path: Path) -> None:
    runner = Runner(replace(LIMITS, processes=5))
    try:
        worker = runner.spawn(Environment(Path(sys.executable)), cwd=tmp_path, variables={})
        script = (
            "import subprocess, time\ndef score(d, b):\n"
            "    p = [subprocess.Popen(['sleep', '60']) for _ in range(10)]\n    time.sleep(20)"
        )
        (tmp_path / "app.py").write_text(script)
        load = {"do": "load", "source": f"{tmp_path}/app.py", "reference": "score", "base_path": f"{tmp_path}/"}
        worker.request(load, seconds=10)
        outcome = worker.request({"do": "score", "data": "{}", "base_path": f"{tmp_path}/"}, seconds=15)
    finally:
        runner.close()

    assert outcome.kind == "processes"


def test_a_child_left_behind_in_a_session_of_its_own_is_killed_with_the_worker(score: Score, runner: Runner) -> None:
    outcome = score(
        "import subprocess\ndef score(data, base_path):\n"
        "    return {'pid': subprocess.Popen(['sleep', '300'], start_new_session=True).pid}"
    )
    pid = json.loads(outcome.value["json"])["pid"]

    assert alive(pid)
    runner.close()
    assert gone(pid)


def test_a_script_that_ends_its_process_is_reported(score: Score) -> None:
    outcome = score("import os\ndef score(data, base_path):\n    os._exit(7)")

    assert outcome.kind == "died"
    assert "exit status 7" in outcome.error


def test_a_script_sees_its_variables_and_none_of_the_servers(score: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_SECRET", "do not leak")
    outcome = score("import os\ndef score(data, base_path):\n    return dict(os.environ)", MY_VAR="mine")
    seen = json.loads(outcome.value["json"])

    assert seen["MY_VAR"] == "mine"
    assert "SERVER_SECRET" not in seen


def test_a_worker_answers_a_second_request_in_milliseconds(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def score(data, base_path):\n    return {}")
    worker = runner.spawn(Environment(Path(sys.executable)), cwd=tmp_path, variables={})
    load = {"do": "load", "source": f"{tmp_path}/app.py", "reference": "score", "base_path": f"{tmp_path}/"}
    worker.request(load, seconds=10)
    times = [worker.request({"do": "score", "data": "{}", "base_path": ""}, seconds=5).seconds for _ in range(50)]

    assert min(times) < 0.01


def test_a_warm_worker_is_started_once_and_again_after_it_died(runner: Runner, tmp_path: Path) -> None:
    started: list[int] = []

    def start() -> Worker:
        started.append(1)
        return runner.spawn(Environment(Path(sys.executable)), cwd=tmp_path, variables={})

    first = runner.warm("m", "1", start)
    assert runner.warm("m", "1", start) is first
    first.kill()
    assert runner.warm("m", "1", start) is not first
    assert runner.warm("m", "2", start).alive
    assert len(started) == 3


def test_workers_end_when_their_server_is_killed(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
from modelport.sandbox import Limits
from modelport.sandbox.runner import Environment, Runner
worker = Runner(Limits()).spawn(Environment(Path(sys.executable)), cwd=Path({str(tmp_path)!r}), variables={{}})
print(worker.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert alive(pid)
        server.kill()

    assert gone(pid)


def test_a_notebook_is_a_script(runner: Runner, tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": "# not code"},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "!pip install x\n", "VALUE = 7\n"]},
        {"cell_type": "code", "source": "def score(data, base_path):\n    return {'value': VALUE}"},
    ]
    (tmp_path / "notebook.ipynb").write_text(json.dumps({"cells": cells}))
    worker = runner.spawn(Environment(Path(sys.executable)), cwd=tmp_path, variables={})
    source = f"{tmp_path}/notebook.ipynb"
    loaded = worker.request(
        {"do": "load", "source": source, "reference": "score", "base_path": f"{tmp_path}/"}, seconds=10
    )

    assert loaded.ok, loaded.error
    assert worker.request({"do": "score", "data": "{}", "base_path": ""}, seconds=5).value["json"] == '{"value": 7}'


def test_an_env_file_is_read_as_usual(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# comment\nA=1\nexport B='two words'\nC=\"x # y\"\nD=plain # note\nnot a line\nE=\n")

    assert read_env_file(path) == {"A": "1", "B": "two words", "C": "x # y", "D": "plain", "E": ""}


def test_requirements_are_held_against_the_interpreter(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(
        "# pinned\nhttpx>=0.1\nhttpx==0.0.1\nno-such-package-here==1\n-r other.txt\nhttpx; python_version<'3'\n"
    )
    unmet = unmet_requirements(path)

    assert [line.partition(" (")[0] for line in unmet] == ["httpx==0.0.1", "no-such-package-here==1"]
    path.write_text("this is no requirement")
    with pytest.raises(EnvironmentBuildError, match="line 1"):
        unmet_requirements(path)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_an_isolated_environment_holds_what_was_asked_for_and_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("six==1.16.0\n")
    environments = Environments(tmp_path / "cache", isolate=True)
    environment = environments.for_requirements(path)
    script = (
        "import six\ntry:\n    import numpy\nexcept ImportError:\n    numpy = None\n"
        "def score(data, base_path):\n    return {'six': six.__version__, 'numpy': numpy is not None}"
    )
    (tmp_path / "app.py").write_text(script)
    runner = Runner(LIMITS)
    try:
        worker = runner.spawn(environment, cwd=tmp_path, variables={})
        source = f"{tmp_path}/app.py"
        worker.request({"do": "load", "source": source, "reference": "score", "base_path": f"{tmp_path}/"}, seconds=20)
        answer = worker.request({"do": "score", "data": "{}", "base_path": ""}, seconds=5)
    finally:
        runner.close()

    assert json.loads(answer.value["json"]) == {"six": "1.16.0", "numpy": False}
    started = time.monotonic()
    assert environments.for_requirements(path).python == environment.python
    assert time.monotonic() - started < 0.5


def test_nothing_starts_after_the_end(runner: Runner, tmp_path: Path) -> None:
    runner.close()
    with pytest.raises(RuntimeError, match="ending"):
        runner.spawn(Environment(Path(sys.executable)), cwd=tmp_path, variables={})


def test_processes_of_a_worker_are_in_a_session_of_their_own(runner: Runner, tmp_path: Path) -> None:
    worker = runner.spawn(Environment(Path(sys.executable)), cwd=tmp_path, variables={})

    assert os.getsid(worker.pid) == worker.pid != os.getsid(0)
