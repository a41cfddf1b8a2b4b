"""What iterating over a typed stream costs beside httpx's ``iter_lines`` and ``json.loads``: CPU, no network.

The peer types nothing and checks nothing; ours makes the document's models. Both read the same chunks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from modelport_api._runtime._sync.client import BaseClient
from modelport_api._runtime.operation import Operation
from modelport_api.codex.v1 import models
from tests.bench.measure import Row, minima

URL = "http://127.0.0.1:9"
ITEMS = 20_000
BARS = {"free JSON": 0.8, "models": 1.8}
"""A model is checked, renamed and has a real date; the peer's dictionary has none of that."""

CHUNK_BYTES = 16_384
ITEM = {
    "ModelHash": f"M{0:063}",
    "Name": "churn",
    "Group": "clinic",
    "Operation": "Sync",
    "Status": "Deployed",
    "UploadedAt": "2026-01-01T12:00:00+00:00",
}

_DATA = json.dumps(ITEM)
BODIES = {
    "application/x-ndjson": (_DATA + "\n").encode() * ITEMS,
    "text/event-stream": f"data: {_DATA}\n\n".encode() * ITEMS + b"data: [DONE]\n\n",
}


class _Body(httpx.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), CHUNK_BYTES):
            yield self._content[start : start + CHUNK_BYTES]


class _Transport(httpx.BaseTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        media = request.headers["accept"].partition(",")[0]
        return httpx.Response(200, headers={"Content-Type": media}, stream=_Body(BODIES[media]))


def _operation(media: str, expression: str) -> Operation[Any]:
    return Operation(
        name="things.follow",
        method="GET",
        path="/things",
        names=models.__getattr__,
        responses={"200": {media: expression}},
        stream="json",
    )


def _naive(client: httpx.Client, media: str) -> int:
    """What people write by hand."""
    count = 0
    with client.stream("GET", URL, headers={"Accept": media}) as response:
        for line in response.iter_lines():
            if media == "application/x-ndjson":
                json.loads(line)
                count += 1
            elif line.startswith("data: "):
                data = line.removeprefix("data: ")
                if data == "[DONE]":
                    break
                json.loads(data)
                count += 1
    return count


def _milliseconds(run: Callable[[], int]) -> Callable[[], float]:
    def measure() -> float:
        start = time.process_time()
        assert run() == ITEMS
        return (time.process_time() - start) * 1000

    return measure


def main() -> list[Row]:
    http_client = httpx.Client(transport=_Transport())
    ours = BaseClient(URL, http_client=http_client)
    names = {"application/x-ndjson": "NDJSON", "text/event-stream": "server-sent events"}
    kinds = {"free JSON": "dict[str, Any]", "models": "UploadedModel"}
    measures: dict[str, Callable[[], float]] = {}
    for media, name in names.items():
        measures[name] = _milliseconds(lambda media=media: _naive(http_client, media))
        for kind, expression in kinds.items():
            described = _operation(media, expression)
            measures[f"{name} as {kind}"] = _milliseconds(
                lambda described=described: sum(1 for _ in ours._transport.stream(described, {}, {}))
            )
    best = minima(measures, rounds=7)
    return [
        Row(f"{name} as {kind} / iter_lines + json.loads", best[f"{name} as {kind}"], best[name], BARS[kind])
        for name in names.values()
        for kind in kinds
    ]
