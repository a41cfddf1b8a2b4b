"""What retries cost a call that needs none: beside a transport that makes one attempt and knows no other.

The HTTP client answers at once with one and the same response, so that little else is measured.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from modelport_api._runtime._async.transport import AsyncTransport
from modelport_api._runtime._sync.transport import Transport
from modelport_api._runtime.encode import build_body
from modelport_api.codex.v1 import AsyncClient, Client
from tests.bench.bench_call import TOKEN, URL, async_milliseconds, milliseconds
from tests.bench.measure import Row, minima

ROUNDS = 40
REPEATS = 300
BAR_US = 1.0


class OneAttempt(Transport):
    """Sends once."""

    def _attempts(self, operation: Any, target: Any, body: object, span: Any, *, stream: bool) -> tuple[Any, int]:
        secrets: dict[str, Any] = dict(self.settings.credentials.choose(operation))
        built = build_body(operation, body)
        return self._send(operation, target, secrets, built, 1, stream=stream), 1


class AsyncOneAttempt(AsyncTransport):
    """Sends once, awaited."""

    async def _attempts(self, operation: Any, target: Any, body: object, span: Any, *, stream: bool) -> tuple[Any, int]:
        secrets: dict[str, Any] = dict(self.settings.credentials.choose(operation))
        built = build_body(operation, body)
        return await self._send(operation, target, secrets, built, 1, stream=stream), 1


class CannedClient:
    """Of the shape of an HTTP client."""

    def __init__(self) -> None:
        self.request = httpx.Request("GET", URL)
        self.response = httpx.Response(200, json={"Results": []}, request=self.request)

    def build_request(self, *args: Any, **kwargs: Any) -> Any:
        return self.request

    def send(self, *args: Any, **kwargs: Any) -> Any:
        return self.response

    def close(self) -> None:
        """Hold nothing."""


class AsyncCannedClient(CannedClient):
    """Of the shape of an async HTTP client."""

    async def send(self, *args: Any, **kwargs: Any) -> Any:
        return self.response

    async def aclose(self) -> None:
        """Hold nothing."""


def main() -> list[Row]:
    credentials = {"userToken": TOKEN}
    client = Client(URL, credentials=credentials, http_client=CannedClient())
    once = Client(URL, credentials=credentials, http_client=CannedClient())
    once._transport = OneAttempt(once._transport.settings, once._transport.pool)
    aclient = AsyncClient(URL, credentials=credentials, http_client=AsyncCannedClient())
    aonce = AsyncClient(URL, credentials=credentials, http_client=AsyncCannedClient())
    aonce._transport = AsyncOneAttempt(aonce._transport.settings, aonce._transport.pool)

    # All four do the same, or there is nothing to compare.
    assert [] == client.groups.list_groups().results == once.groups.list_groups().results
    assert [] == asyncio.run(aclient.groups.list_groups()).results == asyncio.run(aonce.groups.list_groups()).results

    best = minima(
        {
            "sync": milliseconds(client.groups.list_groups, REPEATS),
            "sync once": milliseconds(once.groups.list_groups, REPEATS),
            "async": async_milliseconds(aclient.groups.list_groups, REPEATS),
            "async once": async_milliseconds(aonce.groups.list_groups, REPEATS),
        },
        rounds=ROUNDS,
    )
    return [
        Row(f"retry layer, {kind}, no retry / 1 us", 1000 * (best[kind] - best[f"{kind} once"]), BAR_US, 1.0, unit="us")
        for kind in ("sync", "async")
    ]
