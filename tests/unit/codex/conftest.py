from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import respx

from modelport import AsyncCodex, Codex
from modelport._waiting import Backoff, Polling
from tests.unit.codex.blocking import Blocking

URL = "http://codex.test"
API = f"{URL}/api"
HASH = "04c79dbd0e044021f826bcc8dd0c66ef202a954a87a08a085d4320de2923680"
GROUP_TOKEN = "29d9d82e09bb4c11b9cd4ce4e36e6c58"
CALLED: set[str] = set()

Face = Callable[..., Blocking]


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest, runner: asyncio.Runner, clock: Clock) -> Iterator[Face]:
    """Makes a client of one world or the other, driven in the same way; its time is the clock's."""
    made: list[Blocking] = []

    def make(**options: Any) -> Blocking:
        given: dict[str, Any] = {"user": "ana", "password": "open sesame", "tenant": "t1", "group_token": GROUP_TOKEN}
        options = {**given, "max_retries": 0, "polling": Polling(Backoff(jitter=0)), **options}
        codex: Any = Codex(URL, **options) if request.param == "sync" else AsyncCodex(URL, **options)
        codex._session.clock = clock
        codex._session.chance = lambda: 0.0
        codex._session.sleep = clock.sleep if request.param == "sync" else clock.asleep
        made.append(Blocking(codex, runner, CALLED))
        return made[-1]

    yield make
    for codex in made:
        codex.close()


@pytest.fixture
def codex(face: Face) -> Blocking:
    return face()


@pytest.fixture
def server() -> Iterator[respx.MockRouter]:
    """The platform, as it answers; a login is always there."""
    with respx.mock(base_url=API, assert_all_called=False) as router:
        router.post("/login", name="login").respond(200, json={"Token": "user-token"})
        yield router


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one good file of each kind, which is also the current one."""
    monkeypatch.chdir(tmp_path)
    scripts = {
        "app.py": "def score(data, base_path):\n    return {}\n",
        "batch.py": "def score(data_path, model_path):\n    return data_path\n",
        "train.py": "def train(df, base_path):\n    return {}\n",
        "prep.py": "def process(data, base_path):\n    return {}\n\n\ndef build_df(df, data_path):\n    return df\n",
        "watch.py": "def parse(a, b):\n    return a, b\n\n\ndef get_shap(data, path):\n    return data\n",
        "requirements.txt": "scikit-learn==1.7.0\n",
        "data.csv": "x,y\n1,0\n2,1\n",
        "sample.json": '{"x": 1.5}',
        "conf.json": '{"target": "y"}',
        "model.pkl": "not a pickle",
        "utils.py": "",
        "my.env": "A=1\n",
        "configuration.json": json.dumps(CONFIGURATION),
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
    for name in ("features.parquet", "target.parquet", "output.parquet"):
        (tmp_path / name).write_bytes(b"PAR1....PAR1")
    return tmp_path


CONFIGURATION = {
    "Period": "week",
    "TrainData": {"MLOpsTrainingExecution": "11", "TrainDateRef": "2022-09-01"},
    "InputCols": ["x"],
    "OutputCols": ["pred"],
}
