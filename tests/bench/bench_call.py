"""What a typed call costs beside the same call of a stock openapi-python-client client: CPU, no network.

Both are generated from the same document and send through an injected httpx client whose transport answers at once.
The stock client is generated into a temporary folder when the benchmark runs.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from modelport_api.codex.v1 import AsyncClient, Client, models
from tests.bench.measure import Row, minima

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "generated/modelport_api/codex/v1/openapi.json"
URL = "http://127.0.0.1:9/api"
TOKEN = "token"
ROUNDS = 25
CONCURRENCY = 16
SYNC_BAR, ASYNC_BAR = 0.9, 0.7
CONSTRUCTION_BAR_MS = 0.2

GROUPS = {"Results": [{"Name": f"group{n}", "Description": "a group"} for n in range(3)]}
MODELS = {
    "Count": 300,
    "Results": [
        {
            "ModelHash": f"M{n:063}",
            "Name": f"model {n}",
            "Group": "clinic",
            "Operation": "Sync",
            "Status": "Deployed",
            "UploadedAt": "2026-01-01T12:00:00+00:00",
            "Schema": '{"radius": 1.5}',
        }
        for n in range(300)
    ],
}
FEATURES = {f"feature {n}": n / 7 for n in range(30)}


class NullTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers by path, at once."""

    def __init__(self) -> None:
        self._answers = {
            "/groups": json.dumps(GROUPS).encode(),
            "/model/search": json.dumps(MODELS).encode(),
        }
        self._default = json.dumps({"Score": 0.5}).encode()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        content = self._answers.get(request.url.path.removeprefix("/api"), self._default)
        return httpx.Response(200, content=content, headers={"Content-Type": "application/json"})

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request)


def stock_client(folder: Path, spec: Path = SPEC, package: str = "stock_client") -> None:
    """Generate the stock client as a package in the folder."""
    output = folder / package
    command = ["generate", "--path", str(spec), "--meta", "none", "--output-path", str(output)]
    config = folder / "config.yaml"
    config.write_text("post_hooks: []\n")
    program = "from openapi_python_client.cli import app; app()"
    subprocess.run(
        [sys.executable, "-c", program, *command, "--config", str(config)], check=True, capture_output=True, timeout=120
    )


def milliseconds(call: Callable[[], object], repeats: int) -> Callable[[], float]:
    def measure() -> float:
        start = time.process_time()
        for _ in range(repeats):
            call()
        return (time.process_time() - start) * 1000 / repeats

    return measure


def async_milliseconds(call: Callable[[], Any], repeats: int) -> Callable[[], float]:
    async def repeated() -> float:
        start = time.process_time()
        for _ in range(repeats):
            await call()
        return (time.process_time() - start) * 1000 / repeats

    return lambda: asyncio.run(repeated())


def concurrent_milliseconds(call: Callable[[], Any], repeats: int) -> Callable[[], float]:
    """Of one call, while `CONCURRENCY` tasks make theirs."""

    async def repeated() -> float:
        async def task() -> None:
            for _ in range(repeats):
                await call()

        start = time.process_time()
        await asyncio.gather(*(task() for _ in range(CONCURRENCY)))
        return (time.process_time() - start) * 1000 / repeats / CONCURRENCY

    return lambda: asyncio.run(repeated())


def main() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="modelport-bench-") as folder:
        stock_client(Path(folder))
        sys.path.insert(0, folder)
        try:
            return _rows()
        finally:
            sys.path.remove(folder)


def _rows() -> list[Row]:
    stock: Any = importlib.import_module("stock_client")
    list_groups: Any = importlib.import_module("stock_client.api.groups.list_groups")
    search_models: Any = importlib.import_module("stock_client.api.models.search_models")
    predict: Any = importlib.import_module("stock_client.api.predictions.predict")
    stock_models: Any = importlib.import_module("stock_client.models")

    transport = NullTransport()
    credentials = {"userToken": TOKEN, "groupToken": TOKEN}
    ours = Client(URL, credentials=credentials, http_client=httpx.Client(transport=transport))
    ours_async = AsyncClient(URL, credentials=credentials, http_client=httpx.AsyncClient(transport=transport))
    theirs = stock.AuthenticatedClient(base_url=URL, token=TOKEN)
    authorization = {"Authorization": f"Bearer {TOKEN}"}
    theirs.set_httpx_client(httpx.Client(base_url=URL, transport=transport, headers=authorization))
    theirs.set_async_httpx_client(httpx.AsyncClient(base_url=URL, transport=transport, headers=authorization))
    body = models.PredictBody(input_=dict(FEATURES))
    stock_body = stock_models.PredictBody.from_dict({"Input": FEATURES})

    # Both decode the same thing, or there is nothing to compare.
    assert len(ours.models.search_models().results) == len(search_models.sync(client=theirs).results) == 300
    assert ours.groups.list_groups() is not None
    assert list_groups.sync(client=theirs) is not None

    pairs: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {
        "small GET": (
            milliseconds(ours.groups.list_groups, 100),
            milliseconds(lambda: list_groups.sync(client=theirs), 100),
        ),
        "GET of 300 models": (
            milliseconds(ours.models.search_models, 5),
            milliseconds(lambda: search_models.sync(client=theirs), 5),
        ),
        "POST of JSON": (
            milliseconds(lambda: ours.predictions.predict("clinic", "M1", body=body), 100),
            milliseconds(lambda: predict.sync_detailed("clinic", "M1", client=theirs, body=stock_body), 100),
        ),
        "small GET, async": (
            async_milliseconds(ours_async.groups.list_groups, 100),
            async_milliseconds(lambda: list_groups.asyncio(client=theirs), 100),
        ),
        f"small GET, async, {CONCURRENCY} at once": (
            concurrent_milliseconds(ours_async.groups.list_groups, 20),
            concurrent_milliseconds(lambda: list_groups.asyncio(client=theirs), 20),
        ),
    }
    construction = milliseconds(lambda: Client(URL).close(), 20)
    measures = {f"{name} {side}": pair[side] for name, pair in pairs.items() for side in (0, 1)}
    best = minima({**measures, "construction": construction}, rounds=ROUNDS)
    rows = [
        Row(f"{name} / stock", best[f"{name} 0"], best[f"{name} 1"], ASYNC_BAR if "at once" in name else SYNC_BAR)
        for name in pairs
    ]
    what = f"Client('http://...') / {CONSTRUCTION_BAR_MS} ms"
    return [*rows, Row(what, best["construction"], CONSTRUCTION_BAR_MS, 1.0)]
