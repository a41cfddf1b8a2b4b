"""Every program is run against a recorder; what reaches it must equal what an httpx call sends."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelport import predict_code
from modelport.predict_code import Auth, Job, JsonBody, MultipartBody, PredictRequest
from tests.live.predict_recorder import Answer, Recorded, Recorder, running_recorder

LANGUAGES = predict_code.languages()
VARIABLE = "MLOPS_GROUP_TOKEN"
TOKEN = "0123456789abcdef0123456789abcdef"
_TOOLS = {"curl": ("bash", "curl", "jq", "unzip")}
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
OUTSIDE = "/tmp/modelport-escaped.csv"  # noqa: S108 - it must never come into being
LARGE_BYTES = 200 * 1024 * 1024
every_language = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with running_recorder() as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(recorder: Recorder) -> None:
    recorder.reset()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(scope="module")
def run(folder: Path, node: str) -> Run:
    """Save a program and run it as its target says, with nothing from our own environment but PATH."""

    def start(
        request: PredictRequest, language: str, *arguments: object, token: str | None = TOKEN, cwd: Path = folder
    ) -> subprocess.CompletedProcess[bytes]:
        target = predict_code.target(language)
        missing = [tool for tool in _TOOLS.get(target.name, ()) if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"not on this machine: {', '.join(missing)}")
        (cwd / target.filename).write_text(predict_code.render(request, language), "utf-8", newline="")
        interpreters = {
            "python": [sys.executable, "-W", "error::SyntaxWarning", "-W", "error::DeprecationWarning"],
            "node": [node],
            "bash": ["bash"],
        }
        command = [*interpreters[target.command[0]], *target.command[1:], *map(str, arguments)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        environment |= {} if token is None else {VARIABLE: token}
        return subprocess.run(
            command, check=False, cwd=cwd, env=environment, capture_output=True, stdin=subprocess.DEVNULL, timeout=30
        )

    return start


def sync_request(recorder: Recorder, body: str = '{"Input": {"a": 1.0}}', **changes: Any) -> PredictRequest:
    url = f"{recorder.url}/codex/api/model/sync/run/credit/Mab?x=1&y=a%20b"
    return PredictRequest(url=url, auth=Auth(variable=VARIABLE), body=JsonBody(body), **changes)


def async_request(recorder: Recorder, **changes: Any) -> PredictRequest:
    base = f"{recorder.url}/codex/api/model/async"
    form = MultipartBody(file_field="input", fields=changes.pop("fields", {}))
    known: dict[str, Any] = {
        "id_at": "ExecutionId",
        "status_url": f"{base}/status/credit/{{id}}",
        "status_at": "Status",
        "message_at": "Message",
        "succeeded": "Succeeded",
        "failed": "Failed",
        "readable_statuses": (410,),
        "result_url": f"{base}/result/credit/{{id}}",
        "result_filename": "result-{id}.zip",
        "archive": "zip",
        "first_delay_seconds": 0.05,
        "max_delay_seconds": 1,
    }
    url = f"{base}/run/credit/Mab"
    return PredictRequest(url=url, auth=Auth(variable=VARIABLE), body=form, job=Job(**known | changes))


def platform(
    states: list[str], archive: bytes, *, message: object = None, id_: object = 7
) -> Callable[[Recorded], Answer]:
    """A server with one asynchronous model whose job walks through `states`."""

    def reply(request: Recorded) -> Answer:
        if "/run/" in request.path:
            return Answer(202, {"ExecutionId": id_, "Message": "accepted"})
        if "/status/" in request.path:
            state = states.pop(0) if len(states) > 1 else states[0]
            return Answer(410 if state == "Failed" else 200, {"Status": state, "Message": message})
        return Answer(200, archive, {"Content-Type": "application/zip"})

    return reply


def zip_of(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), text)
    return stream.getvalue()


def sent_by_httpx(recorder: Recorder, request: PredictRequest, **content: Any) -> Recorded:
    before = list(recorder.requests)
    headers = {**dict(request.headers), "Authorization": f"Bearer {TOKEN}"}
    if isinstance(request.body, JsonBody):
        headers["Content-Type"] = "application/json"
    httpx.request(request.method, request.url, headers=headers, **content)
    [recorded] = recorder.requests[len(before) :]
    recorder.requests.remove(recorded)
    return recorded


def assert_same(ours: Recorded, expected: Recorded, *headers: str) -> None:
    assert (ours.method, ours.path) == (expected.method, expected.path)
    names = ("Authorization", *headers)
    assert ours.picked(*names) == expected.picked(*names)


HOSTILE_BODIES = {
    "plain": '{"Input": {"mean_radius": 17.99}}',
    "quotes and backslashes": json.dumps({"a": 'it\'s "q" \'\'\'""" \\ \\\\ \\n C:\\new', "b'c": "'"}),
    "shell and template marks": json.dumps({"a": "$HOME `id` $(id) ${x} #{x} %s %% {{x}} {% y %} !! \\$x"}),
    "line breaks and tabs": json.dumps({"a": "one\ntwo\r\n\tthree\u2028four\u0000"}),
    "unicode": json.dumps({"ação": "漢字 🎉 👩‍👩‍👧 ünï \u202e"}, ensure_ascii=False),
    "escaped unicode": json.dumps({"ação": "漢字 🎉 \ud800"}),
    "empty values": '{"a": null, "b": true, "c": false, "d": [], "e": {}, "f": ""}',
    "exact numbers": '{"id": 12345678901234567890, "one": 1.0, "tiny": 1e-400, "big": 1E400, "zero": -0.0}',
    "odd white space": '{\n\t"a"\r\n: [ 1 ,2 ]\n}\n\n',
    "no object": '"@/etc/passwd"',
    "looks like options": '["-X", "--data", "@file", "<file", ";type=x"]',
    "delimiters": json.dumps({"a": "EOF\nJSON\n'EOF'\n</script>*/"}),
    "large": json.dumps({"a": ["x" * 100] * 4000}),
}


@every_language
@pytest.mark.parametrize("case", HOSTILE_BODIES)
def test_a_sync_program_sends_what_httpx_sends(recorder: Recorder, run: Run, language: str, case: str) -> None:
    answer = b'{"pred": 0, "proba": 1.0, "note": "\xc3\xa9"}'
    recorder.reset(Answer(200, answer))
    request = sync_request(recorder, HOSTILE_BODIES[case], title=f"{case}\n$(id) */ {HOSTILE_BODIES['unicode']}")

    finished = run(request, language)

    assert (finished.returncode, finished.stderr) == (0, b"")
    assert finished.stdout.rstrip(b"\n") == answer
    [recorded] = recorder.requests
    assert_same(recorded, sent_by_httpx(recorder, request, content=HOSTILE_BODIES[case].encode()), "Content-Type")
    assert recorded.body == HOSTILE_BODIES[case].encode()


@every_language
def test_headers_arrive_as_they_were_given(recorder: Recorder, run: Run, language: str) -> None:
    values = {
        "X-Quotes": 'it\'s "q" \\ `id` $HOME ${x} #{x} %s; a=b, c',
        "X-At": "@file",
        "X-Semi": "a;",
        "neomaril-origin": "x",
    }
    request = sync_request(recorder, headers=values, method="PUT")

    finished = run(request, language)

    assert finished.returncode == 0, finished.stderr
    [recorded] = recorder.requests
    assert_same(recorded, sent_by_httpx(recorder, request, content=b"{}"), *values)


@every_language
@pytest.mark.parametrize(("auth", "expected"), [
    (Auth(variable=VARIABLE, scheme="", header="X-Api-Token"), {"x-api-token": TOKEN}),
    (Auth(variable=VARIABLE, scheme="token"), {"authorization": f"token {TOKEN}"}),
    (None, {"authorization": None}),
])  # fmt: skip
def test_other_kinds_of_authentication(
    recorder: Recorder, run: Run, language: str, folder: Path, auth: Auth | None, expected: dict[str, str | None]
) -> None:
    netrc = folder / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    request = attrs.evolve(sync_request(recorder), auth=auth)

    finished = run(request, language)

    netrc.unlink()
    assert finished.returncode == 0, finished.stderr
    assert recorder.requests[0].picked(*expected) == expected


@every_language
def test_the_sample_is_replaced_by_a_file_or_by_json(recorder: Recorder, run: Run, language: str, folder: Path) -> None:
    file = folder / "it's a $file ünï.json"
    file.write_bytes(b'{"from": "file\xc3\xa9"}\n')
    given = '{"from": "argument $HOME \'"}'

    assert run(sync_request(recorder), language, file).returncode == 0
    assert run(sync_request(recorder), language, given).returncode == 0
    wrong = run(sync_request(recorder), language, "no-such-file.json")

    assert [request.body for request in recorder.requests] == [file.read_bytes(), given.encode()]
    assert wrong.returncode == 2
    assert b"no-such-file.json is neither a file nor JSON" in wrong.stderr


@every_language
def test_a_request_without_a_body(recorder: Recorder, run: Run, language: str) -> None:
    request = PredictRequest(url=f"{recorder.url}/health", method="GET")

    finished = run(request, language, token=None)

    assert (finished.returncode, finished.stdout) == (0, b"{}\n"), finished.stderr
    assert (recorder.requests[0].method, recorder.requests[0].path) == ("GET", "/health")


@every_language
@pytest.mark.parametrize("kind", [sync_request, async_request])
@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_nothing_is_sent(
    recorder: Recorder, run: Run, language: str, kind: Callable[..., PredictRequest], token: str | None
) -> None:
    finished = run(kind(recorder), language, token=token)

    assert finished.returncode == 2
    assert finished.stderr == b"Set the environment variable MLOPS_GROUP_TOKEN to your token.\n"
    assert recorder.requests == []


@every_language
@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 500, 520])
def test_an_error_status_ends_the_program_with_the_servers_words(
    recorder: Recorder, run: Run, language: str, status: int
) -> None:
    error = {"Error": {"Type": "UnexpectedError", "Message": "the model 'x' said no"}}
    recorder.reset(Answer(status, error, {"Location": "http://127.0.0.1:9/elsewhere"}))

    finished = run(sync_request(recorder), language)

    assert finished.returncode == 1
    assert finished.stdout == b""
    assert f" answered {status}".encode() in finished.stderr
    assert json.dumps(error).encode() in finished.stderr
    assert TOKEN.encode() not in finished.stderr
    assert len(recorder.requests) == 1


@every_language
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_the_time_it_names(
    recorder: Recorder, run: Run, language: str, status: int
) -> None:
    recorder.reset(Answer(status, b"busy", {"Retry-After": "0"}), Answer(200, b'{"pred": 1}'))

    finished = run(sync_request(recorder), language)

    assert (finished.returncode, finished.stdout) == (0, b'{"pred": 1}\n'), finished.stderr
    assert len(recorder.requests) == 2
    assert recorder.requests[0].body == recorder.requests[1].body != b""


@every_language
def test_a_server_that_stays_busy_is_given_up(recorder: Recorder, run: Run, language: str) -> None:
    recorder.reset(Answer(503, b"busy", {"Retry-After": "0"}))

    finished = run(sync_request(recorder, max_retries=2), language)

    assert finished.returncode == 1
    assert b"answered 503\nbusy" in finished.stderr
    assert len(recorder.requests) == 3


@every_language
@pytest.mark.parametrize("kind", [sync_request, async_request])
def test_a_server_that_is_not_there_is_one_line(run: Run, language: str, tmp_path: Path, kind: Any) -> None:
    (tmp_path / "a.csv").write_text("a\n")
    nobody = Recorder(url="http://127.0.0.1:9")

    finished = run(kind(nobody), language, *[tmp_path / "a.csv"] * (kind is async_request))

    assert finished.returncode == 1
    assert b"127.0.0.1:9" in finished.stderr
    assert b"Traceback" not in finished.stderr
    assert b"    at " not in finished.stderr


CSV = b'mean_radius,name\r\n17.99,"it\'s"\n\xff\x00\xc3\xa9\r\n--boundary--\r\n'


@every_language
def test_an_async_program_uploads_waits_and_unpacks(
    recorder: Recorder, run: Run, language: str, tmp_path: Path
) -> None:
    archive = zip_of(output_csv="proba\n0.5\n", deep__other_csv="x\n")
    recorder.reset(reply=platform(["Requested", "Running", "Running", "Succeeded"], archive))
    file = tmp_path / "input.csv"
    file.write_bytes(CSV)
    request = async_request(recorder, fields={"note": "a b; @c <d $HOME 'é' \"q\" \\", "empty": ""})

    finished = run(request, language, file, cwd=tmp_path)

    assert finished.returncode == 0, finished.stderr
    upload, *polls, download = recorder.requests
    with file.open("rb") as content:
        files = {"input": (file.name, content, "application/octet-stream")}
        fields = dict(request.body.fields) if isinstance(request.body, MultipartBody) else {}
        expected = sent_by_httpx(recorder, request, files=files, data=fields)
    assert_same(upload, expected)
    assert sorted(upload.parts, key=str) == sorted(expected.parts, key=str)
    assert [poll.path for poll in polls] == ["/codex/api/model/async/status/credit/7"] * 4
    assert download.path == "/codex/api/model/async/result/credit/7"
    assert {request.headers["authorization"] for request in recorder.requests} == {f"Bearer {TOKEN}"}
    assert (tmp_path / "result-7.zip").read_bytes() == archive
    printed = finished.stdout.decode().splitlines()
    assert printed[0] == "result-7.zip"
    if language != "javascript-fetch":
        assert printed[1:] == ["result-7/output.csv", "result-7/deep/other.csv"]
        assert (tmp_path / "result-7/output.csv").read_text() == "proba\n0.5\n"
    assert not list(tmp_path.glob("*.part"))


@every_language
def test_an_upload_is_repeated_whole_when_the_server_is_busy(
    recorder: Recorder, run: Run, language: str, tmp_path: Path
) -> None:
    working = platform(["Succeeded"], zip_of(a="b"))
    busy = [Answer(429, b"busy", {"Retry-After": "0"})]
    recorder.reset(reply=lambda request: busy.pop() if busy else working(request))
    file = tmp_path / "input.csv"
    file.write_bytes(CSV * 10_000)

    finished = run(async_request(recorder), language, file, cwd=tmp_path)

    assert finished.returncode == 0, finished.stderr
    assert [request.parts[0][3] for request in recorder.requests[:2]] == [CSV * 10_000] * 2


@every_language
def test_a_failed_job_ends_with_the_servers_message(
    recorder: Recorder, run: Run, language: str, tmp_path: Path
) -> None:
    recorder.reset(reply=platform(["Running", "Failed"], b"", message="ValueError: no column 'age'"))
    (tmp_path / "a.csv").write_text("a\n")

    finished = run(async_request(recorder), language, tmp_path / "a.csv", cwd=tmp_path)

    assert (finished.returncode, finished.stdout) == (1, b"")
    assert b"job 7 ended as Failed: ValueError: no column 'age'" in finished.stderr
    assert not [request for request in recorder.requests if "/result/" in request.path]


@every_language
def test_a_job_that_never_ends_meets_the_deadline(recorder: Recorder, run: Run, language: str, tmp_path: Path) -> None:
    recorder.reset(reply=platform(["Running"], b""))
    (tmp_path / "a.csv").write_text("a\n")

    finished = run(async_request(recorder, deadline_seconds=1), language, tmp_path / "a.csv", cwd=tmp_path)

    assert (finished.returncode, finished.stdout) == (1, b"")
    assert b"job 7 is still Running after 1 seconds" in finished.stderr
    assert 2 <= len(recorder.requests) <= 10


@every_language
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, b"<html>welcome</html>"), b"<html>welcome</html>"),
        (Answer(202, {"Message": "no id"}), b"no usable job id"),
        (Answer(202, {"ExecutionId": "../../admin"}), b"no usable job id: ../../admin"),
        (Answer(202, {"ExecutionId": "a$(id)`id`"}), b"no usable job id: a$(id)`id`"),
        (Answer(202, b'{"ExecutionId": 12345678901234567891}'), None),
        (Answer(401, {"Error": "who?"}), b'{"Error": "who?"}'),
    ],
)
def test_an_upload_answered_with_nonsense_ends_at_once(
    recorder: Recorder, run: Run, language: str, tmp_path: Path, answer: Answer, words: bytes | None
) -> None:
    recorder.reset(answer, Answer(500))
    (tmp_path / "a.csv").write_text("a\n")

    finished = run(async_request(recorder), language, tmp_path / "a.csv", cwd=tmp_path)

    assert finished.returncode == 1
    if words is None:  # an exact number is used, a rounded one never
        assert all(request.path.endswith(("Mab", "/12345678901234567891")) for request in recorder.requests)
    else:
        assert words in finished.stderr
        assert len(recorder.requests) == 1


@every_language
def test_a_result_that_breaks_off_leaves_no_file(recorder: Recorder, run: Run, language: str, tmp_path: Path) -> None:
    working = platform(["Succeeded"], b"")
    cut = Answer(200, b"PK half", {"Content-Length": "5000"})
    recorder.reset(reply=lambda request: cut if "/result/" in request.path else working(request))
    (tmp_path / "a.csv").write_text("a\n")
    request = attrs.evolve(async_request(recorder), max_retries=0)

    finished = run(request, language, tmp_path / "a.csv", cwd=tmp_path)

    assert (finished.returncode, finished.stdout) == (1, b"")
    assert not list(tmp_path.glob("result*"))
    assert b"Traceback" not in finished.stderr


@every_language
def test_an_error_in_place_of_the_result_is_not_saved(
    recorder: Recorder, run: Run, language: str, tmp_path: Path
) -> None:
    working = platform(["Succeeded"], b"")
    gone = Answer(410, {"Error": {"Message": "expired"}})
    recorder.reset(reply=lambda request: gone if "/result/" in request.path else working(request))
    (tmp_path / "a.csv").write_text("a\n")

    finished = run(async_request(recorder), language, tmp_path / "a.csv", cwd=tmp_path)

    assert finished.returncode == 1
    assert b"expired" in finished.stderr
    assert not list(tmp_path.glob("result*"))


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "javascript-fetch"])  # it unpacks nothing
@pytest.mark.parametrize("name", ["../escaped.csv", OUTSIDE, "deep/../../escaped.csv"])
def test_an_archive_cannot_write_outside_its_folder(
    recorder: Recorder, run: Run, language: str, tmp_path: Path, name: str
) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "escaped")
    recorder.reset(reply=platform(["Succeeded"], stream.getvalue()))
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.csv").write_text("a\n")

    finished = run(async_request(recorder), language, inside / "a.csv", cwd=inside)

    assert finished.returncode == 1
    assert b"unsafe name" in finished.stderr
    assert not list(tmp_path.rglob("*escaped.csv"))
    assert not Path(OUTSIDE).exists()


@every_language
def test_a_missing_file_is_a_usage_error(recorder: Recorder, run: Run, language: str) -> None:
    assert run(async_request(recorder), language).returncode == 2
    assert run(async_request(recorder), language, "no-such.csv").returncode == 2
    assert recorder.requests == []


# JSON as text: values dumped both ways, numbers written as no library would write them.
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
STRINGS = st.text(st.characters(exclude_categories=["Cs"]))
JSON_TEXT = st.recursive(
    NUMBERS
    | st.sampled_from(["null", "true", "{}", "[]"])
    | STRINGS.map(json.dumps)
    | STRINGS.map(lambda text: json.dumps(text, ensure_ascii=False)),
    lambda children: (
        st.lists(children).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(STRINGS.map(json.dumps), children).map(
            lambda items: "{\n" + ",\n".join(f"{name}: {value}" for name, value in items.items()) + "\n}"
        )
    ),
    max_leaves=20,
)


@every_language
@given(text=JSON_TEXT)
@settings(max_examples=20)
def test_any_json_arrives_byte_for_byte(recorder: Recorder, run: Run, language: str, text: str) -> None:
    recorder.reset()

    finished = run(sync_request(recorder, text), language)

    assert (finished.returncode, finished.stderr) == (0, b"")
    assert recorder.requests[0].body == text.encode()


FILE_NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\%"), min_size=1, max_size=40
).filter(lambda name: name.strip(". ") and len(name.encode()) < 200)


@every_language
@given(name=FILE_NAMES, content=st.binary(max_size=2000))
@settings(max_examples=15)
def test_any_file_arrives_whole_under_its_name(
    recorder: Recorder, run: Run, language: str, tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    recorder.reset()
    folder = tmp_path_factory.mktemp("upload")
    (folder / name).write_bytes(content)
    request = attrs.evolve(async_request(recorder), job=None)

    finished = run(request, language, folder / name, cwd=folder)

    assert finished.returncode == 0, finished.stderr
    [part] = recorder.requests[0].parts
    assert part == ("input", name, "application/octet-stream", content)


@every_language
@pytest.mark.parametrize("name", ["back\\slash.csv", "new\nline.csv", "per%22cent.csv", "-", "-d", "a;type=x,b.csv"])
def test_odd_file_names_lose_no_content(recorder: Recorder, run: Run, language: str, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(CSV)
    request = attrs.evolve(async_request(recorder), job=None)

    finished = run(request, language, name if name.startswith("-") else tmp_path / name, cwd=tmp_path)

    assert finished.returncode == 0, finished.stderr
    [part] = recorder.requests[0].parts
    assert part[3] == CSV


@pytest.mark.parametrize("language", ["curl", "python-httpx"])  # requests and fetch hold a form in memory
def test_an_upload_is_not_held_in_memory(recorder: Recorder, language: str, tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as stream:
        stream.truncate(LARGE_BYTES)
    program = tmp_path / predict_code.target(language).filename
    program.write_text(predict_code.render(attrs.evolve(async_request(recorder), job=None), language), "utf-8")
    command = {"python": sys.executable, "bash": "bash"}[predict_code.target(language).command[0]]

    # A process forked from this large one would begin with its memory, so a small one starts it and measures.
    measure = (
        "import os, sys; pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ); "
        "_, status, usage = os.wait4(pid, 0); print(usage.ru_maxrss); sys.exit(os.waitstatus_to_exitcode(status))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", measure, command, program, file],
        check=False,
        env={"PATH": os.environ["PATH"], VARIABLE: TOKEN},
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
    )
    received = len(recorder.requests[0].body)
    recorder.reset()

    assert finished.returncode == 0, finished.stderr
    assert received > LARGE_BYTES
    assert int(finished.stdout.split()[-1]) * 1024 < LARGE_BYTES
