"""Waiting for work on a real server, as a document's extension and links declare it."""

from __future__ import annotations

import itertools
import json
import pickle
from types import ModuleType
from typing import Any

import pytest

from tests.unit.runtime.server import ScriptedServer, Step, answer
from tests.unit.runtime.worlds import World


def job(status: str, **more: Any) -> Step:
    return answer(200, {"id": "7", "status": status, **more})


def test_the_last_answer_is_the_result(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType, pauses: list[float]
) -> None:
    server.script += [job("queued"), job("running"), job("something new"), job("done")]
    result = world.run(client.jobs.wait_for_job("7", poll_interval=5, headers={"X-Own": "o"}))

    assert result == lists.models.Job(id="7", status="done")
    assert pauses == [5, 5, 5]
    assert [(one.target.partition("?")[0], one.header("x-own")) for one in server.requests] == [
        ("/api/jobs/7", "o")
    ] * 4


def test_the_first_look_is_at_once(world: World, server: ScriptedServer, client: Any, pauses: list[float]) -> None:
    server.script += [job("done")]
    world.run(client.jobs.wait_for_job("7"))

    assert pauses == []


def test_pauses_begin_with_what_the_document_says_and_grow(
    world: World, server: ScriptedServer, client: Any, pauses: list[float]
) -> None:
    server.script += [job("queued")] * 12 + [job("done")]
    world.run(client.jobs.wait_for_job("7"))

    assert 2 <= pauses[0] <= 2.2
    assert all(later >= earlier / 1.1 for earlier, later in itertools.pairwise(pauses))
    assert 30 <= pauses[-1] <= 33


def test_a_failure_is_a_typed_error_with_the_last_answer(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [job("queued"), job("failed", error={"text": "no disk"})]
    with pytest.raises(lists.errors.OperationFailedError, match=r"/jobs/7\) is failed: no disk") as caught:
        world.run(client.jobs.wait_for_job("7"))

    error = caught.value
    assert (error.state, error.server_message, error.body.error.text) == ("failed", "no disk", "no disk")
    assert isinstance(error, lists.errors.APIError)
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.state, copied.body) == (str(error), error.state, error.body)


def test_the_end_of_the_time_says_that_the_work_goes_on(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [job("queued")]
    with pytest.raises(lists.errors.WaitTimeoutError, match=r"still queued .* goes on") as caught:
        world.run(client.jobs.wait_for_job("7", wait_timeout=0))

    error: Any = caught.value
    assert issubclass(caught.type, TimeoutError)
    assert (error.state, error.body.id) == ("queued", "7")


@pytest.mark.parametrize("wrong", [{"wait_timeout": -1}, {"poll_interval": -1}, {"wait_timeout": float("nan")}])
def test_wrong_seconds_are_told_before_anything_is_sent(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType, wrong: dict[str, float]
) -> None:
    with pytest.raises(lists.errors.ClientConfigError):
        world.run(client.jobs.wait_for_job("7", **wrong))
    with pytest.raises(lists.errors.ClientConfigError):
        world.run(client.jobs.create_job_and_wait(body=lists.models.Plan(name="n"), **wrong))

    assert server.requests == []


def test_trouble_on_the_way_does_not_end_a_wait(world: World, server: ScriptedServer, client: Any) -> None:
    trouble = [answer(503, {}), answer(429, {}), answer(500, {}), Step(close=True), Step(reset=True)]
    server.script += [job("queued"), *trouble, job("queued"), *trouble, job("done")]
    told: list[Any] = []
    result = world.run(client.jobs.wait_for_job("7", on_progress=told.append))

    assert result.status == "done"
    assert [one.state for one in told] == ["queued"] * 12 + ["done"]
    assert [one.error is not None for one in told] == [False, *[True] * 5, False, *[True] * 5, False]


def test_trouble_without_end_ends_it(world: World, server: ScriptedServer, client: Any, lists: ModuleType) -> None:
    server.script += [answer(503, {})] * 20
    with pytest.raises(lists.errors.ServerError):
        world.run(client.jobs.wait_for_job("7"))

    assert len(server.requests) == 6


def test_an_answer_that_is_no_trouble_on_the_way_ends_it(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [job("queued"), answer(404, {"message": "gone"})]
    with pytest.raises(lists.errors.NotFoundError):
        world.run(client.jobs.wait_for_job("7"))


def test_the_server_may_ask_for_longer_pauses(
    world: World, server: ScriptedServer, client: Any, pauses: list[float]
) -> None:
    queued = {"id": "7", "status": "queued"}
    server.script += [
        answer(200, queued, {"Retry-After": "40"}),
        answer(503, {}, {"Retry-After": "50"}),
        answer(200, queued, {"Retry-After": "0"}),
        answer(200, queued, {"Retry-After": "soon"}),
        job("done"),
    ]
    world.run(client.jobs.wait_for_job("7", poll_interval=3))

    assert pauses == [40, 50, 3, 3]


def test_no_pause_goes_past_the_deadline(
    world: World, server: ScriptedServer, client: Any, pauses: list[float]
) -> None:
    server.script += [answer(200, {"status": "queued"}, {"Retry-After": "99999"}), job("done")]
    world.run(client.jobs.wait_for_job("7", wait_timeout=100))

    assert 90 < pauses[0] <= 100


def test_a_state_that_a_complete_list_does_not_hold_is_an_error(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [answer(200, {"status": "queued"}), answer(200, {"status": "paused"})]
    with pytest.raises(lists.errors.DecodeError, match="'paused' is none"):
        world.run(client.jobs.wait_for_strict("7"))


@pytest.mark.parametrize("body", [{}, {"status": None}])
def test_no_state_means_that_it_goes_on(world: World, server: ScriptedServer, client: Any, body: Any) -> None:
    server.script += [answer(200, {}), job("done")]

    assert world.run(client.jobs.wait_for_job("7")).status == "done"


def test_the_status_of_the_answer_may_be_the_state(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(202, {}), answer(200, {"id": "7"})]

    assert world.run(client.jobs.wait_for_by_status("7")).id == "7"
    assert len(server.requests) == 2


def test_an_error_beside_the_state_is_a_failure(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [answer(200, {"done": False}), answer(200, {"done": True, "error": {"text": "quota"}})]
    with pytest.raises(lists.errors.OperationFailedError, match="quota"):
        world.run(client.jobs.wait_for_operation("x"))

    server.script += [answer(200, {"done": False}), answer(200, {"done": True})]
    assert world.run(client.jobs.wait_for_operation("x")).done is True


def test_a_link_leads_from_the_start_of_work_to_its_end(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [answer(202, {"id": "a/b"}), job("queued"), job("done")]
    body = lists.models.Plan(name="n1")
    result = world.run(client.jobs.create_job_and_wait(body=body, region="eu"))

    assert result.status == "done"
    assert [(one.method, one.target.partition("&api")[0].partition("?api")[0]) for one in server.requests] == [
        ("POST", "/api/jobs?region=eu"),
        ("GET", "/api/jobs/a%2Fb?region=eu&view=for%20n1"),
        ("GET", "/api/jobs/a%2Fb?region=eu&view=for%20n1"),
    ]
    assert json.loads(server.requests[0].body) == {"name": "n1"}


def test_what_was_not_given_is_not_given_on(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [answer(202, {"id": "7"}), job("done")]
    world.run(client.jobs.create_job_and_wait(body=lists.models.Plan(name="n")))

    assert server.requests[1].target.startswith("/api/jobs/7?view=for%20n&")


def test_a_text_may_name_the_work(world: World, server: ScriptedServer, client: Any, lists: ModuleType) -> None:
    server.script += [answer(201, "a7", content_type="text/plain"), job("done")]
    assert world.run(client.jobs.start_job_and_wait()).status == "done"
    assert server.requests[1].target.startswith("/api/jobs/a7?")

    server.script += [answer(202, b"", content_type=None)]
    with pytest.raises(lists.errors.APIProtocolError, match="was done, but"):
        world.run(client.jobs.start_job_and_wait())


def test_work_that_the_answer_does_not_name_cannot_be_waited_for(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [answer(202, {"status": "queued"})]
    with pytest.raises(lists.errors.APIProtocolError, match=r"create_job was done, but .*\$response.body#/id"):
        world.run(client.jobs.create_job_and_wait(body=lists.models.Plan(name="n")))


def test_a_stalled_look_is_cut_at_the_deadline(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [Step(stall=True)]
    with pytest.raises(lists.errors.WaitTimeoutError, match="could not be reached"):
        world.run(client.jobs.wait_for_job("7", wait_timeout=0.01))
