from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport._waiting import Backoff, Polling, Progress, States, Status, Waiting
from modelport.errors import (
    APIConnectionError,
    InvalidInputError,
    NotFoundError,
    OperationFailedError,
    RateLimitError,
    ServerError,
    WaitTimeoutError,
)

STATES = States(done=frozenset({"Deployed"}), failed=frozenset({"Failed"}))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def waiting(clock: Clock, **options: object) -> Waiting:
    polling = Polling(Backoff(1, 2, 8, jitter=0), timeout_seconds=100)
    return Waiting("model M1", "M1", STATES, **{"polling": polling, "clock": clock, **options})  # type: ignore[arg-type]


def test_pauses_grow_to_their_cap() -> None:
    backoff = Backoff(1, 2, 8, jitter=0)

    assert [backoff.pause_seconds(look) for look in range(1, 7)] == [1, 2, 4, 8, 8, 8]


def test_chance_only_lengthens_a_pause() -> None:
    backoff = Backoff(10, 1, 10, jitter=0.1)

    assert backoff.pause_seconds(1, 0.0) == 10
    assert backoff.pause_seconds(1, 1.0) == pytest.approx(11)


def test_a_pause_after_very_many_looks_is_still_finite() -> None:
    assert Backoff().pause_seconds(10**9) == 30


@pytest.mark.parametrize("wrong", [{"initial_seconds": -1}, {"factor": 0.5}, {"max_seconds": 0.1}, {"jitter": -0.1}])
def test_a_backoff_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError):
        Backoff(**wrong)


@given(
    initial=st.floats(0.01, 5),
    factor=st.floats(1, 3),
    cap=st.floats(5, 60),
    timeout=st.floats(0, 500),
    chance=st.floats(0, 1),
)
def test_a_wait_takes_no_more_looks_than_its_schedule_says(
    initial: float, factor: float, cap: float, timeout: float, chance: float
) -> None:
    clock = Clock()
    backoff = Backoff(initial, factor, cap)
    wait = waiting(clock, polling=Polling(backoff), timeout_seconds=timeout, chance=lambda: chance)
    looks = 0
    while True:
        looks += 1
        try:
            pause = wait.saw(Status("Building"))
        except WaitTimeoutError:
            break
        assert pause is not None
        clock.now += pause

    assert looks <= backoff.most_looks(timeout)
    assert clock.now == pytest.approx(timeout)


def test_done_ends_the_wait() -> None:
    assert waiting(Clock()).saw(Status("Deployed")) is None


@pytest.mark.parametrize("state", ["Requested", "Recovering", "Ready", "Building", "SomethingNew", ""])
def test_every_other_state_goes_on(state: str) -> None:
    assert waiting(Clock()).saw(Status(state)) == 1


def test_a_failure_carries_what_the_server_says() -> None:
    with pytest.raises(OperationFailedError, match="model M1 is Failed: no module named nunpy") as caught:
        waiting(Clock()).saw(Status("Failed", "no module named nunpy"))

    assert (caught.value.operation_id, caught.value.state) == ("M1", "Failed")
    assert caught.value.server_message == "no module named nunpy"


def test_a_failure_without_words_says_so() -> None:
    with pytest.raises(OperationFailedError, match="gives no reason"):
        waiting(Clock()).saw(Status("Failed"))


def test_the_deadline_is_a_timeout_error_with_the_id() -> None:
    clock = Clock()
    wait = waiting(clock, timeout_seconds=5)
    wait.saw(Status("Building"))
    clock.now = 5

    with pytest.raises(TimeoutError, match="is still Building after 5 s; it goes on") as caught:
        wait.saw(Status("Building"))
    assert isinstance(caught.value, WaitTimeoutError)
    assert caught.value.operation_id == "M1"


def test_the_last_pause_ends_at_the_deadline() -> None:
    clock = Clock()
    wait = waiting(clock, timeout_seconds=2.5)
    wait.saw(Status("Building"))
    clock.now = 1

    assert wait.saw(Status("Building")) == 1.5


def test_a_look_at_the_deadline_may_still_see_the_end() -> None:
    clock = Clock()
    wait = waiting(clock, timeout_seconds=1)
    clock.now = 1

    assert wait.saw(Status("Deployed")) is None


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_timeout_that_is_no_duration_is_refused(timeout: float) -> None:
    with pytest.raises(InvalidInputError):
        waiting(Clock(), timeout_seconds=timeout)


@pytest.mark.parametrize("error", [APIConnectionError("cut"), ServerError("down", status=503)])
def test_trouble_on_the_way_is_ridden_out(error: APIConnectionError | ServerError) -> None:
    wait = waiting(Clock())

    assert [wait.stumbled(error) for _ in range(5)] == [1, 2, 4, 8, 8]
    with pytest.raises(type(error)):
        wait.stumbled(error)


def test_a_look_that_succeeds_forgives_the_trouble_before() -> None:
    wait = waiting(Clock())
    for _ in range(3):
        for _ in range(5):
            wait.stumbled(APIConnectionError("cut"))
        wait.saw(Status("Building"))


def test_the_server_may_ask_for_a_longer_pause() -> None:
    error = RateLimitError("slow down", status=429, headers={"retry-after": "20"})

    assert waiting(Clock()).stumbled(error) == 20


def test_a_giant_pause_is_not_granted() -> None:
    error = RateLimitError("slow down", status=429, headers={"retry-after": "99999"})

    assert waiting(Clock(), timeout_seconds=10**6).stumbled(error) == 120


def test_trouble_at_the_deadline_is_a_timeout_caused_by_it() -> None:
    clock = Clock()
    wait = waiting(clock, timeout_seconds=1)
    clock.now = 2
    cut = APIConnectionError("cut")

    with pytest.raises(WaitTimeoutError, match="could not be reached") as caught:
        wait.stumbled(cut)
    assert caught.value.__cause__ is cut


def test_progress_tells_of_every_look() -> None:
    clock = Clock()
    told: list[Progress] = []
    wait = waiting(clock, on_progress=told.append)
    wait.saw(Status("Building", "1 of 2"))
    clock.now = 1
    wait.stumbled(APIConnectionError("cut"))
    clock.now = 3
    wait.saw(Status("Deployed"))

    assert [(entry.state, entry.looks, entry.elapsed_seconds, entry.next_look_seconds) for entry in told] == [
        ("Building", 1, 0, 1),
        ("Building", 2, 1, 2),
        ("Deployed", 3, 3, None),
    ]
    assert told[0].message == "1 of 2"
    assert [entry.error is not None for entry in told] == [False, True, False]


def test_what_is_no_trouble_on_the_way_is_not_in_the_list() -> None:
    from modelport._waiting import TRANSIENT_ERRORS

    assert not issubclass(NotFoundError, TRANSIENT_ERRORS)
