"""Faults on demand: rules that delay, break or cut answers, set at the control path."""

from __future__ import annotations

import asyncio
import fnmatch
import json
import random
import threading
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from modelport.sandbox._shapes import as_object

if TYPE_CHECKING:
    from starlette.types import Message, Send

HTML_PAGE = "<!doctype html><html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"
MAX_DELAY_SECONDS = 120.0
STATUS_RANGE = (200, 599)


@dataclass(slots=True)
class Fault:
    """One rule. It applies where every given matcher fits, `times` times or for a share `probability` of the calls.

    Without a breaking field (`status`, `cut`, `html`, `truncate`, `malformed`) the call goes on after `delay_seconds`.
    `cut` is "before" (no byte of an answer) or "middle" (headers and half a body). `truncate` and `malformed` let the
    call do its work and spoil the answer.
    """

    operation_id: str | None = None
    method: str | None = None
    path: str | None = None
    probability: float = 1.0
    times: int | None = None
    delay_seconds: float = 0.0
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    cut: str | None = None
    html: bool = False
    truncate: bool = False
    malformed: bool = False
    hits: int = 0

    @classmethod
    def parse(cls, value: object) -> Fault:
        """A rule from JSON; raises ValueError that names what is wrong."""
        given = as_object(value)
        if given is None:
            raise ValueError("a fault is a JSON object")
        known = {item.name for item in fields(cls)} - {"hits"}
        unknown = sorted(set(given) - known)  # pyright: ignore[reportUnknownArgumentType]
        if unknown:
            raise ValueError(f"unknown field {unknown[0]!r}; known are {', '.join(sorted(known))}")
        fault = cls(**given)  # pyright: ignore[reportUnknownArgumentType]
        fault._check()
        return fault

    def _check(self) -> None:
        if not _between(self.probability, 0, 1):
            raise ValueError("probability is a number between 0 and 1")
        if self.times is not None and not (_whole(self.times) and self.times >= 1):
            raise ValueError("times is a whole number from 1")
        if not _between(self.delay_seconds, 0, MAX_DELAY_SECONDS):
            raise ValueError(f"delay_seconds is a number between 0 and {MAX_DELAY_SECONDS:g}")
        if self.status is not None and not (_whole(self.status) and _between(self.status, *STATUS_RANGE)):
            raise ValueError("status is a whole number between 200 and 599")
        if self.cut not in {None, "before", "middle"}:
            raise ValueError('cut is "before" or "middle"')
        for name in ("operation_id", "method", "path"):
            if not isinstance(getattr(self, name), str | None):
                raise ValueError(f"{name} is text")  # noqa: TRY004 - one kind of error for one kind of mistake

    def fits(self, operation_id: str | None, method: str, path: str) -> bool:
        """Whether the matchers fit this call."""
        return (
            (self.operation_id is None or (operation_id or "").lower() == self.operation_id.lower())
            and (self.method is None or self.method.upper() == method)
            and (self.path is None or fnmatch.fnmatchcase(path, self.path))
        )

    def as_json(self) -> dict[str, Any]:
        """The rule as it was given, with its count of hits."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _between(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


class Faults:
    """The rules in force; the first that fits is used."""

    def __init__(self, seed: int = 0) -> None:
        self._rules: list[Fault] = []
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - a repeatable choice is wanted

    def add(self, fault: Fault) -> None:
        """Put a rule in force."""
        with self._lock:
            self._rules.append(fault)

    def clear(self) -> None:
        """Remove every rule."""
        with self._lock:
            self._rules.clear()

    def list(self) -> list[dict[str, Any]]:
        """The rules in force, spent ones included."""
        with self._lock:
            return [rule.as_json() for rule in self._rules]

    def take(self, operation_id: str | None, method: str, path: str) -> Fault | None:
        """The rule for this call, counted as used."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                spent = rule.times is not None and rule.hits >= rule.times
                if spent or not rule.fits(operation_id, method, path):
                    continue
                if rule.probability < 1 and self._random.random() >= rule.probability:
                    continue
                rule.hits += 1
                return rule
        return None


def spoil(fault: Fault, send: Send) -> Send:
    """A `send` that truncates the answer or makes its JSON malformed."""
    if not (fault.truncate or fault.malformed or fault.cut == "middle"):
        return send
    started: list[Message] = []
    chunks: list[bytes] = []

    async def spoiled(message: Message) -> None:
        if message["type"] == "http.response.start":
            started.append(message)
            return
        chunks.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(chunks)
        if fault.malformed:
            body = body[: max(1, len(body) - 1)] + b",,"
        elif fault.truncate:
            body = body[: len(body) // 2]
        promised = len(body) if fault.cut != "middle" else len(body) + 1
        body = body if fault.cut != "middle" else body[: len(body) // 2]
        start = started[0]
        headers = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(promised).encode())]})
        await send({"type": "http.response.body", "body": body, "more_body": fault.cut == "middle"})
        if fault.cut == "middle":
            await asyncio.sleep(0.05)
            cut_connection(send)

    return spoiled


def cut_connection(send: Send) -> None:
    """Drop the TCP connection without another byte; in-process callers get a ConnectionResetError."""
    # uvicorn has no public way to abort: its cycle object, whose method `send` is, holds the transport.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the sandbox cut the connection (fault)")
    transport.abort()


def answer(fault: Fault) -> tuple[int, dict[str, str], bytes] | None:
    """The answer a rule gives in place of the work, or None when the work goes on."""
    if fault.html:
        return fault.status or 200, {"content-type": "text/html; charset=utf-8", **fault.headers}, HTML_PAGE.encode()
    if fault.status is None:
        return None
    if isinstance(fault.body, str):
        return fault.status, {"content-type": "text/plain; charset=utf-8", **fault.headers}, fault.body.encode()
    body = fault.body
    if body is None:
        body = {"Error": {"Type": "UnexpectedError", "Message": f"status {fault.status} asked for by a fault rule"}}
    return fault.status, {"content-type": "application/json", **fault.headers}, json.dumps(body).encode()
