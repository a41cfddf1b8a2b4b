"""The doors of the sandbox: hosts, tokens, faults, records, limits; and that nothing secret shows."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from modelport.sandbox import Sandbox, SandboxError, SandboxSettings
from modelport.sandbox.server import announcement, settings_from_json, settings_to_json
from tests.contract.in_process import InProcess


def test_a_foreign_host_is_refused(box: InProcess) -> None:
    response = box.request("GET", "/codex/api/health", {"host": "rebound.example"})

    assert response.status_code == 421
    assert box.request("GET", "/codex/api/health", {"host": "localhost:1234"}).status_code == 200
    assert box.request("GET", "/_sandbox", {"host": "rebound.example"}).status_code == 421


def test_a_web_page_from_elsewhere_can_set_nothing(box: InProcess) -> None:
    response = box.request("POST", "/_sandbox/reset", {"origin": "https://elsewhere.example"})

    assert response.status_code == 403
    assert box.request("POST", "/_sandbox/reset", {"origin": "null"}).status_code == 403
    assert box.request("POST", "/_sandbox/reset", {"origin": "http://127.0.0.1:8787"}).status_code == 200


@pytest.mark.parametrize("form", [{"password": "x"}, {"user": "nobody"}, {"tenant": "other"}])
def test_a_wrong_login_is_refused(box: InProcess, form: dict[str, str]) -> None:
    response = box.api("POST", "/login", data={"user": "demo", "password": "demo", **form})

    assert response.status_code == 401
    assert response.json()["Error"]["Type"] == "AuthenticationError"


def test_a_login_without_tenant_is_that_of_an_older_client(box: InProcess) -> None:
    assert box.post("/login", data={"user": "demo", "password": "demo"})["Token"]


@pytest.mark.parametrize("value", [None, "Bearer", "Bearer None", "Basic abc", "Bearer " + "0" * 40])
def test_without_a_valid_token_there_is_only_401(box: InProcess, value: str | None) -> None:
    assert box.api("GET", "/groups", {"authorization": value} if value else {}).status_code == 401


def test_expired_logins_are_refused(box: InProcess) -> None:
    user = box.login()
    assert box.request("DELETE", "/_sandbox/tokens").json() == {"expired": 1}
    assert box.api("GET", "/groups", user).status_code == 401


def test_a_group_token_is_shown_once_kept_as_a_hash_and_replaced_by_force(app: Starlette, box: InProcess) -> None:
    user = box.login()
    first = box.post("/groups", user, data={"name": "risk", "description": "d"})["Token"]
    assert first not in box.api("GET", "/groups", user).text
    assert first.encode() not in b"".join(path.read_bytes() for path in app.state.services.store.root.glob("state.db*"))
    assert box.api("GET", "/groups/refresh/risk", user).status_code == 400
    second = box.api("GET", "/groups/refresh/risk?force=true", user)

    assert second.status_code == 201
    assert second.json()["Token"] != first


def test_errors_name_the_field(box: InProcess) -> None:
    response = box.api("POST", "/groups", box.login(), data={"name": "no spaces", "description": "d"})

    assert response.status_code == 400
    assert "form field 'name'" in response.json()["Error"]["Message"]


def test_a_wrong_method_says_which_are_right(box: InProcess) -> None:
    response = box.api("PUT", "/groups")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


def test_an_upload_over_the_limit_is_refused(box: InProcess) -> None:
    user = box.login()
    box.post("/groups", user, data={"name": "risk", "description": "d"})
    files = {"source": ("app.py", b"x" * 2_000_000)}
    response = box.api("POST", "/model/upload/risk", user, data={"name": "m"}, files=files)

    assert response.status_code == 413


def upload(box: InProcess, user: dict[str, str], script: str, **changes: Any) -> httpx.Response:
    fields = {"name": "m", "model_reference": "score", "operation": "Sync", "input_type": "json"}
    files = {
        "source": ("app.py", script.encode()),
        "model": ("model.pkl", b"m"),
        "requirements": ("requirements.txt", b""),
        "schema": ("schema.json", b'{"a": 1}'),
    }
    files |= changes.pop("files", {})
    data = {**fields, "python_version": "Python310", **changes}
    return box.api("POST", "/model/upload/risk", user, data=data, files=files)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"python_version": "Python27"}, "python_version"),
        ({"operation": "Later"}, "operation"),
        ({"files": {"schema": ("schema.json", b"{not json")}}, "'schema': 'schema.json' is not JSON"),
        ({"files": {"schema": ("schema.json", b"[1]")}}, "is a JSON object"),
        ({"files": {"source": ("app.exe", b"MZ")}}, "not a .py or .ipynb"),
        ({"input_type": "csv"}, "a Sync model takes json"),
    ],
)
def test_a_bad_upload_is_refused_with_a_reason(box: InProcess, changes: dict[str, Any], says: str) -> None:
    user = box.login()
    box.post("/groups", user, data={"name": "risk", "description": "d"})
    response = upload(box, user, "def score(data, base_path): return {}", **changes)

    assert response.status_code == 400
    assert says in response.json()["Error"]["Message"]


def test_a_name_with_folders_stays_in_its_folder(app: Starlette, box: InProcess) -> None:
    user = box.login()
    box.post("/groups", user, data={"name": "risk", "description": "d"})
    answer = upload(box, user, "pass", files={"model": ("../../../escaped.pkl", b"m")})
    folder = app.state.services.store.folder("codex", "models", answer.json()["ModelHash"])

    assert (folder / "escaped.pkl").read_bytes() == b"m"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("def score(data, base_path): return None", "returned None"),
        ("def score(data, base_path): raise ValueError('no')", "ValueError: no"),
        ("def other(data): return {}", "no function named 'score'"),
        ("import no_such_module", "ModuleNotFoundError"),
    ],
)
def test_a_model_that_fails_its_test_is_failed_with_the_reason(box: InProcess, script: str, says: str) -> None:
    user = box.login()
    box.post("/groups", user, data={"name": "risk", "description": "d"})
    digest = upload(box, user, script).json()["ModelHash"]
    box.get(f"/model/sync/host/risk/{digest}", user)
    status = box.wait(f"/model/status/risk/{digest}", user)

    assert status["Status"] == "Failed"
    assert says in status["Message"]


def test_a_model_lives_through_its_states(box: InProcess) -> None:
    user = box.login()
    token = box.post("/groups", user, data={"name": "risk", "description": "d"})["Token"]
    group = {"authorization": f"Bearer {token}"}
    script = "import json\ndef score(data, base_path):\n    return {'twice': 2 * json.loads(data)['a']}"
    digest = upload(box, user, script).json()["ModelHash"]
    call = {"Input": {"a": 4}}
    assert box.get(f"/model/status/risk/{digest}", user)["Status"] == "Ready"
    assert box.api("POST", f"/model/sync/run/risk/{digest}", group, json=call).status_code == 400
    assert box.api("GET", f"/model/sync/host/risk/{digest}", user).status_code == 202
    assert box.wait(f"/model/status/risk/{digest}", user)["Status"] == "Deployed"
    assert box.post(f"/model/sync/run/risk/{digest}", group, json=call) == {"twice": 8}
    assert box.api("POST", f"/model/sync/run/risk/{digest}", user, json=call).status_code == 401
    broken = box.api("POST", f"/model/sync/run/risk/{digest}", group, json={"Input": {}})
    assert broken.status_code == 500
    assert "KeyError: 'a'" in broken.json()["Error"]["Message"]
    box.post(f"/model/disable/risk/{digest}", user)
    assert box.get(f"/model/status/risk/{digest}", user)["Status"] == "Disabled"
    box.get(f"/model/restart/risk/{digest}", user)
    assert box.wait(f"/model/status/risk/{digest}", user)["Status"] == "Deployed"
    logs = box.get(f"/model/logs/risk/{digest}?routine=Run&type=Error", user)["Results"]
    assert any("KeyError" in line["OutputData"] for line in logs)
    assert box.api("DELETE", f"/model/delete/risk/{digest}", user).status_code == 200
    assert box.get(f"/model/status/risk/{digest}", user)["Status"] == "Deleted"
    assert box.api("POST", f"/model/sync/run/risk/{digest}", group, json=call).status_code == 404
    assert box.api("DELETE", f"/model/delete/risk/{digest}", user).status_code == 400


@pytest.mark.parametrize(
    ("rule", "status", "body"),
    [
        ({"status": 503, "body": {"x": 1}}, 503, '{"x": 1}'),
        ({"status": 520}, 520, "UnexpectedError"),
        ({"html": True}, 200, "<!doctype html>"),
        ({"truncate": True}, 200, '{"Version'),
        ({"malformed": True}, 200, ",,"),
    ],
)
def test_a_fault_changes_the_answer_as_often_as_it_says(
    box: InProcess, rule: dict[str, Any], status: int, body: str
) -> None:
    assert (
        box.request("POST", "/_sandbox/faults", json={"operation_id": "get_health", "times": 1, **rule}).status_code
        == 201
    )
    spoiled = box.api("GET", "/health")

    assert spoiled.status_code == status
    assert body in spoiled.text
    assert box.get("/health") == {"Version": "1.0"}
    assert box.request("GET", "/_sandbox/faults").json()["faults"][0]["hits"] == 1


def test_a_fault_by_path_delays(box: InProcess) -> None:
    box.request("POST", "/_sandbox/faults", json={"path": "*/health", "method": "get", "delay_seconds": 0.3})
    started = time.monotonic()
    box.get("/health")

    assert time.monotonic() - started >= 0.3
    box.request("DELETE", "/_sandbox/faults")
    assert box.request("GET", "/_sandbox/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    "rule", [{"colour": 1}, {"times": 0}, {"probability": 2}, {"status": "x"}, {"cut": "sideways"}, 7, {"path": 3}]
)
def test_a_rule_that_is_none_is_refused(box: InProcess, rule: object) -> None:
    assert box.request("POST", "/_sandbox/faults", json=rule).status_code == 400


def test_requests_are_recorded_without_secrets(box: InProcess) -> None:
    user = box.login()
    box.api("GET", "/groups?token=abc", user)
    box.api("POST", "/model/sync/run/g/" + "M" + "0" * 63, {"authorization": "Bearer None"}, content=b'{"Input": {}}')
    text = box.request("GET", "/_sandbox/requests").text
    recorded = json.loads(text)["requests"]

    assert [entry["operationId"] for entry in recorded] == ["login", "list_groups", "predict"]
    assert recorded[0]["body"] == "user=demo&password=REDACTED&tenant=demo"
    assert recorded[2]["headers"]["authorization"] == "Bearer None"
    assert recorded[2]["body"] == '{"Input": {}}'
    assert user["authorization"].partition(" ")[2] not in text


def test_reset_forgets_all(box: InProcess) -> None:
    box.post("/groups", box.login(), data={"name": "risk", "description": "d"})
    box.request("POST", "/_sandbox/reset")

    assert box.get("/groups", box.login()) == {"Results": []}


def test_no_secret_is_logged(box: InProcess, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        user = box.login()
        token = box.post("/groups", user, data={"name": "risk", "description": "d"})["Token"]
        box.api("GET", "/groups/refresh/risk", user)

    assert token not in caplog.text
    assert user["authorization"].partition(" ")[2] not in caplog.text


# -- a real server -----------------------------------------------------------------------------------------------------


def test_a_sandbox_starts_quickly_stays_small_and_ends_with_its_children() -> None:
    started = time.monotonic()
    with Sandbox() as box:
        took = time.monotonic() - started
        resident = Path(f"/proc/{box.pid}/status").read_text().partition("VmRSS:")[2].split()[0]
        heavy = subprocess.run(
            ["grep", "-cE", "numpy|pandas|sklearn", f"/proc/{box.pid}/maps"], check=False, capture_output=True
        )
        pid = box.pid
        assert httpx.get(f"{box.codex_url}/api/health").json() == {"Version": "1.0"}

    assert took < 5  # 2 s on a machine that does nothing else
    assert int(resident) < 150 * 1024
    assert heavy.stdout.strip() == b"0"
    assert not Path(f"/proc/{pid}").exists()


def test_a_cut_connection_has_no_answer() -> None:
    with Sandbox() as box:
        for cut in ("before", "middle"):
            httpx.post(f"{box.control_url}/faults", json={"operation_id": "get_health", "cut": cut, "times": 1})
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                httpx.get(f"{box.codex_url}/api/health")
        assert httpx.get(f"{box.codex_url}/api/health").status_code == 200


def test_two_sandboxes_share_one_state(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "state") as first, Sandbox(tmp_path / "state") as second:
        login = {"user": "demo", "password": "demo"}
        token = httpx.post(f"{first.codex_url}/api/login", data=login).json()["Token"]
        user = {"authorization": f"Bearer {token}"}
        made = httpx.post(f"{first.codex_url}/api/groups", data={"name": "risk", "description": "d"}, headers=user)
        assert made.status_code == 201
        again = httpx.post(f"{second.codex_url}/api/groups", data={"name": "risk", "description": "d"}, headers=user)
        assert again.status_code == 409
        seen = httpx.get(f"{second.codex_url}/api/groups", headers=user).json()
    with Sandbox(tmp_path / "state") as third:
        kept = httpx.get(f"{third.codex_url}/api/groups", headers=user).json()

    assert [group["Name"] for group in seen["Results"]] == ["risk"]
    assert kept == seen


def test_a_taken_port_is_an_error_that_says_so() -> None:
    with Sandbox() as box:
        port = int(box.url.rpartition(":")[2])
        with pytest.raises(SandboxError, match="Choose another port"):
            Sandbox(port=port).start()


def test_the_server_ends_when_its_parent_is_killed() -> None:
    program = (
        "import time\nfrom modelport.sandbox import Sandbox\nbox = Sandbox()\nbox.start()\n"
        "print(box.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not Path(f"/proc/{pid}").exists()


def test_loopback_is_the_rule() -> None:
    with pytest.raises(ValueError, match="not loopback"):
        SandboxSettings(host="192.0.2.7")
    assert SandboxSettings(host="192.0.2.7", open_bind=True)


def test_settings_survive_the_pipe_to_the_child(tmp_path: Path) -> None:
    settings = SandboxSettings(state=tmp_path, users={"a": "b"}, isolate=True, token_seconds=5)

    assert settings_from_json(json.loads(json.dumps(settings_to_json(settings)))) == settings


def test_the_announcement_names_demo_credentials_and_no_others() -> None:
    settings = SandboxSettings(users={"demo": "demo", "ana": "hidden word"})

    assert "hidden word" not in announcement(settings, "http://x")
    assert "demo (password demo)" in announcement(settings, "http://x")
    assert "hidden word" not in repr(settings)


def hang_in_training(api: httpx.Client) -> None:
    """Start a training whose script never ends, and wait until it runs."""
    token = api.post("/login", data={"user": "demo", "password": "demo"}).json()["Token"]
    api.headers["authorization"] = f"Bearer {token}"
    api.post("/groups", data={"name": "risk", "description": "d"})
    experiment = {"experiment_name": "exp", "model_type": "Regression"}
    training = api.post("/training/register/risk", data=experiment).json()["TrainingHash"]
    script = b"import time\ndef train(df, base_path):\n    time.sleep(300)"
    fields = {"run_name": "r", "training_type": "Custom", "training_reference": "train", "python_version": "Python310"}
    files = {"train_data": ("d.csv", b"a\n1\n"), "source": ("app.py", script), "requirements": ("r.txt", b"")}
    api.post(f"/training/upload/risk/{training}", data=fields, files=files)
    api.get(f"/training/execute/risk/{training}/1")
    deadline = time.monotonic() + 20
    while api.get("/training/status/risk/1").json()["Status"] != "Running":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_end_does_not_wait_for_a_script_that_hangs() -> None:
    with Sandbox() as box:
        with httpx.Client(base_url=f"{box.codex_url}/api", timeout=30) as api:
            hang_in_training(api)
        time.sleep(0.5)
        threads = Path(f"/proc/{box.pid}/task").iterdir()
        children = [pid for thread in threads for pid in (thread / "children").read_text().split()]
        started = time.monotonic()
    took = time.monotonic() - started

    assert children
    assert took < 8
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
