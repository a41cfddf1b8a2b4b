"""What is wrong with the vendor's client 4.0.2, and is not wrong here: one test for each."""

from __future__ import annotations

import builtins
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from modelport.errors import AuthenticationError, NotFoundError, PermissionDeniedError
from tests.unit.codex.blocking import Blocking
from tests.unit.codex.conftest import CONFIGURATION, GROUP_TOKEN
from tests.unit.codex.test_face import (
    ACK,
    MODEL_DETAIL,
    MODEL_EXECUTION,
    PARQUET,
    D,
    M,
    S,
    async_model,
    multi,
    script,
    sync_model,
    zipped,
)


@pytest.fixture(autouse=True)
def _no_talk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """No method prints, and none asks on stdin, where a service would hang."""

    def asked(*_: object) -> str:
        raise AssertionError("asked on stdin")

    monkeypatch.setattr(builtins, "input", asked)
    yield
    assert capsys.readouterr() == ("", "")


def test_searching_models_works_without_filters(codex: Blocking, server: respx.MockRouter) -> None:
    server.get("/model/search").respond(200, json={"Count": 0, "Results": []})

    assert codex.models.search() == []


def test_predict_returns_the_answer(codex: Blocking, server: respx.MockRouter) -> None:
    server.post(f"/model/sync/run/clinic/{M}").respond(200, json={"pred": 0})

    assert sync_model(codex).predict({"x": 1}) == {"pred": 0}


def test_submit_takes_a_file_a_dataset_and_a_frame(codex: Blocking, server: respx.MockRouter, files: Path) -> None:
    pandas = pytest.importorskip("pandas")
    route = server.post(f"/model/async/run/clinic/{M}").respond(202, json={"ExecutionId": 3})
    model = async_model(codex)
    for arguments in ({"data": "data.csv"}, {"dataset": D}, {"data": pandas.DataFrame({"x": [1]})}):
        assert model.submit(**arguments).id == 3

    assert [b"filename" in call.request.read() for call in route.calls] == [True, False, True]


def test_a_schema_may_be_a_mapping(codex: Blocking, server: respx.MockRouter, files: Path) -> None:
    upload = server.post("/model/upload/clinic").respond(201, json={"ModelHash": M})
    server.get(f"/model/sync/host/clinic/{M}").respond(202, json=ACK)
    codex.models.create(
        "scorer", group="clinic", operation="sync", source="app.py", model="model.pkl", requirements=["a==1"],
        schema={"x": 1.5},
    )  # fmt: skip
    body = upload.calls.last.request.read()

    assert b'{"x": 1.5}' in body
    assert b'filename="schema.json"' in body
    assert body.count(b'name="schema"') == 1, "the path of the file is not sent as well"


@pytest.mark.parametrize("source", ["configuration.json", CONFIGURATION])
def test_a_monitoring_configuration_is_uploaded_whole(
    codex: Blocking, server: respx.MockRouter, files: Path, source: Any
) -> None:
    route = server.post(f"/monitoring/register/clinic/{M}").respond(201, json={"ModelHash": M})
    server.get(f"/monitoring/host/clinic/{M}/Week").respond(200, json=ACK)
    server.get(f"/monitoring/status/clinic/{M}/Week").respond(200, json={"Status": "Validated"})
    monitoring = sync_model(codex).register_monitoring(source)
    body = route.calls.last.request.read()
    sent = body[body.index(b"{") : body.rindex(b"}") + 1]

    assert json.loads(sent) == {**CONFIGURATION, "Period": "Week"}
    assert monitoring.wait().model_hash == M


def test_a_dataset_can_be_deleted_and_downloaded(codex: Blocking, server: respx.MockRouter, files: Path) -> None:
    server.delete(f"/datasets/clinic/{D}").respond(200, json=ACK)
    server.get(f"/datasets/result/clinic/{D}").respond(200, content=b"x,y\n1,2\n")
    dataset = codex.datasets.get(D, group="clinic")
    dataset.delete()

    assert dataset.download(files / "down/").read_bytes() == b"x,y\n1,2\n"
    assert dataset.download(files).name == f"{D}.csv"


def test_handles_cost_what_they_must(codex: Blocking, server: respx.MockRouter) -> None:
    server.get(f"/model/describe/clinic/{M}").respond(200, json=MODEL_DETAIL)
    server.get(f"/model/describe/clinic/{M}/3").respond(200, json=MODEL_EXECUTION)
    codex.models.get(M, group="clinic")
    assert server.calls.call_count == 2, "one login, one request; 4 there"

    async_model(codex).execution(3).describe()
    assert server.calls.call_count == 3, "one more; 7 there"


def test_a_run_of_datasets_sends_the_hash(codex: Blocking, server: respx.MockRouter) -> None:
    server.post(f"/v2/preprocessing/{S}/execution").respond(201, json={"Message": "Execution '7' created"})
    route = server.patch(f"/v2/preprocessing/{S}/execution/7/input").respond(201, json={"DatasetHash": D})
    server.patch(f"/v2/preprocessing/{S}/execution/7/run").respond(201, json=ACK)
    multi(codex).submit(datasets=[D])

    assert D.encode() in route.calls.last.request.read()


def test_a_data_source_takes_a_mapping(codex: Blocking, server: respx.MockRouter) -> None:
    route = server.post("/datasource/register/clinic").respond(200, json=ACK)
    codex.datasources.create("bucket", group="clinic", provider="AWS", credentials={"key": "value"})

    assert b'{"key": "value"}' in route.calls.last.request.read()


@pytest.mark.parametrize(("status", "error"), [(404, NotFoundError), (403, PermissionDeniedError)])
def test_deleting_a_data_source_heeds_the_answer(
    codex: Blocking, server: respx.MockRouter, status: int, error: type[Exception]
) -> None:
    server.delete("/datasources/clinic/bucket").respond(status)

    with pytest.raises(error):
        codex.datasources.get("bucket", group="clinic").delete()


def test_without_a_group_token_nothing_is_sent_in_its_place(
    face: Callable[..., Blocking], server: respx.MockRouter
) -> None:
    from modelport.errors import ConfigError

    with pytest.raises(ConfigError, match="no token for the group 'clinic'"):
        sync_model(face(group_token=None)).predict({"x": 1})
    assert server.calls.call_count == 0


def test_a_promoted_model_keeps_its_input_type(codex: Blocking, server: respx.MockRouter, files: Path) -> None:
    from tests.unit.codex.test_face import T, run_of

    route = server.post(f"/training/promote/clinic/{T}/7").respond(201, json={"ModelHash": M})
    server.get(f"/model/async/host/clinic/{M}").respond(202, json=ACK)
    run_of(codex).promote(
        "scorer", operation="async", input_type="parquet", source="batch.py", schema="features.parquet"
    )
    body = route.calls.last.request.read()

    assert b"parquet\r\n" in body
    assert b'filename="schema.parquet"' in body


def test_the_id_in_the_words_of_the_server_is_found_or_missed_aloud(codex: Blocking, server: respx.MockRouter) -> None:
    from modelport.errors import APIProtocolError

    server.post(f"/v2/preprocessing/{S}/execution").respond(201, json={"Message": "created"})

    with pytest.raises(APIProtocolError, match="named no execution"):
        multi(codex).submit(datasets=[D])


def test_a_token_that_has_expired_is_said_to_be_refused(codex: Blocking, server: respx.MockRouter) -> None:
    server.post(f"/model/sync/run/clinic/{M}").respond(
        401, json={"Error": {"Type": "AuthenticationError", "Message": "the group token has expired"}}
    )

    with pytest.raises(AuthenticationError, match="the group token has expired") as caught:
        sync_model(codex).predict({"x": 1})
    assert GROUP_TOKEN not in f"{caught.value!s}{caught.value!r}"
    assert not server["login"].called, "a group token is not renewed by logging in"


def test_user_and_group_tokens_go_only_where_they_belong(codex: Blocking, server: respx.MockRouter) -> None:
    predict = server.post(f"/model/sync/run/clinic/{M}").respond(200, json={})
    status = server.get(f"/model/status/clinic/{M}").respond(200, json={"Status": "Deployed"})
    sync_model(codex).predict({"x": 1})
    sync_model(codex).status()

    assert predict.calls.last.request.headers["authorization"] == f"Bearer {GROUP_TOKEN}"
    assert status.calls.last.request.headers["authorization"] == "Bearer user-token"


def test_async_preprocessing_goes_before_an_async_model(codex: Blocking, server: respx.MockRouter, files: Path) -> None:
    before = sorted(files.iterdir())
    server.get(f"/preprocessing/describe/clinic/{S}").respond(200, json={"Description": {"Operation": "Async"}})
    server.post(f"/preprocessing/async/run/clinic/{S}").respond(202, json={"ExecutionId": 5})
    server.get("/preprocessing/async/status/clinic/5").respond(200, json={"Status": "Succeeded"})
    server.get("/preprocessing/async/result/clinic/5").respond(200, content=zipped("clean.csv", "x\n9\n"))
    route = server.post(f"/model/async/run/clinic/{M}").respond(202, json={"ExecutionId": 3})
    async_model(codex).submit("data.csv", preprocessing=script(codex))
    body = route.calls.last.request.read()

    assert b'filename="clean.csv"' in body
    assert b"x\n9\n" in body
    assert sorted(files.iterdir()) == before, "nothing is left in the working folder"


def test_multi_dataset_preprocessing_goes_before_an_async_model(
    codex: Blocking, server: respx.MockRouter, files: Path
) -> None:
    server.post(f"/v2/preprocessing/{S}/execution").respond(201, json={"Message": "Execution '7' created"})
    server.patch(f"/v2/preprocessing/{S}/execution/7/input").respond(201, json={"DatasetHash": D})
    server.patch(f"/v2/preprocessing/{S}/execution/7/run").respond(201, json=ACK)
    server.get(f"/v2/preprocessing/{S}/execution/7/status").respond(200, json={"Status": "Succeeded"})
    server.get(f"/v2/preprocessing/{S}/execution/7/result").respond(200, content=PARQUET)
    route = server.post(f"/model/async/run/clinic/{M}").respond(202, json={"ExecutionId": 3})
    async_model(codex).submit({"base": "data.csv"}, preprocessing=multi(codex))

    assert PARQUET in route.calls.last.request.read()


def test_a_sync_preprocessing_is_run_by_the_server(codex: Blocking, server: respx.MockRouter) -> None:
    server.get(f"/preprocessing/describe/clinic/{S}").respond(200, json={"Description": {"Operation": "Sync"}})
    route = server.post(f"/model/sync/run/clinic/{M}").respond(200, json={})
    sync_model(codex).predict({"x": 1}, preprocessing=script(codex))

    assert json.loads(route.calls.last.request.content)["ScriptHash"] == S


def test_files_are_closed_and_sent_whole_again_after_a_failure(
    face: Callable[..., Blocking], server: respx.MockRouter, files: Path
) -> None:
    answers = iter([httpx.Response(401), httpx.Response(201, json={"ModelHash": M})])
    route = server.post("/model/upload/clinic").mock(side_effect=lambda _: next(answers))
    server.get(f"/model/async/host/clinic/{M}").respond(202, json=ACK)
    face().models.create(
        "batch", group="clinic", operation="async", source="batch.py", model="model.pkl", requirements=["a==1"]
    )
    first, second = (call.request.read() for call in route.calls)

    assert len(first) == len(second)
    assert b"not a pickle" in second


def test_importing_changes_no_logging(run_python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    program = """
import logging, sys
before = logging.root.handlers[:], logging.root.level
from modelport import Codex
with Codex("http://127.0.0.1:9", user="a", password="b") as codex:
    codex.models, codex.trainings, codex.preprocessing, codex.monitoring, codex.datasets, codex.datasources
assert (logging.root.handlers[:], logging.root.level) == before
loud = [name for name, logger in logging.root.manager.loggerDict.items()
        if name.startswith("modelport") and getattr(logger, "handlers", None)]
print(loud, sorted({"pandas", "numpy", "yaml", "pyarrow"} & set(sys.modules)))
"""
    assert run_python(program).stdout.strip() == "[] []"
    assert logging.getLogger("modelport_api").handlers == []
    assert "loguru" not in sys.modules
