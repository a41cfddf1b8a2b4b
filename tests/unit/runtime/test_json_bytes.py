"""JSON by the standard library, at first, and by msgspec: nobody can tell which it was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelport_api._runtime import json_bytes
from modelport_api._runtime.json_bytes import WORTH_BYTES, parse_json
from modelport_api._runtime.wire import encode_json
from modelport_api.codex.v1 import models
from tests.unit.runtime.test_encode import JSON

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
PIECES = [
    b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\x0c", b"\xef\xbb\xbf", b"null", b"true", b"NaN", b"Infinity",
    b"-", b"0", b"1", b"-0", b"1.5", b"1.", b".5", b"01", b"1e5", b"1E+400", b"1e-400", b"1.0e999", b"9" * 40,
    b"9" * 400 + b".5", b'"', b'"a"', b'"\\u00e9"', b'"\\ud83d\\ude00"', b'"\\ud800"', b'"\\udc00x"', b'"\\x"', b'"\t"',
    b'"\x7f"', '"é\u2028"'.encode(), b'"\xed\xa0\x80"', b'"\xff"', b'"k":1', b'"k":2',
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join)


@contextmanager
def counted(count: int) -> Iterator[None]:
    """As if a process had read and written so many bytes of JSON."""
    before = json_bytes._light_bytes
    json_bytes._light_bytes = count
    try:
        yield
    finally:
        json_bytes._light_bytes = before


def outcome(call: Callable[[], Any], count: int) -> Any:
    """What comes of a call, with every type told."""
    with counted(count):
        try:
            return repr(call())
        except ValueError:
            return ValueError


def both(call: Callable[[], Any]) -> tuple[Any, Any]:
    return outcome(call, 0), outcome(call, WORTH_BYTES)


@given(TEXTS | st.binary(max_size=12) | JSON.map(encode_json))
@example(b"[" * 100_000)
@example(b"[1e400]")
@example('{"a":"\ud7ff"}'.encode())
@example(b'["\\ud800"]')
@example("\ufeff{}".encode())
@example("{}".encode("utf-16"))
def test_both_read_alike(content: bytes) -> None:
    light, heavy = both(lambda: parse_json(content))

    assert light == heavy


@given(JSON | st.floats() | st.integers() | st.text(st.characters()))
@example(1e16)
@example(-1.5e-7)
@example(2**64)
@example("e+")
@example("\x00\x1f\x7f\u2028")
@example({"a": [float("nan")]})
@example("\ud800")
def test_both_write_alike(value: Any) -> None:
    light, heavy = both(lambda: encode_json(value))

    assert light == heavy


def test_both_write_a_model_alike() -> None:
    model = models.ModelSummary(
        group="g", operation=models.OperationType("Sync"), model_hash="M", name="é", uploaded_at=MOMENT
    )
    light, heavy = both(lambda: encode_json(model))

    assert light == heavy


@pytest.mark.parametrize(("size", "loaded"), [(100, False), (WORTH_BYTES + 1, True)])
@pytest.mark.parametrize("call", ["parse_json(json.dumps('x' * {}).encode())", "encode_json(['x' * 10] * ({} // 10))"])
def test_msgspec_is_loaded_when_there_is_enough_to_do(call: str, size: int, loaded: bool) -> None:
    program = (
        "import json, sys; from modelport_api._runtime.json_bytes import parse_json;"
        f"from modelport_api._runtime.wire import encode_json; {call.format(size)}; print('msgspec' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert finished.stdout == f"{loaded}\n"


def test_many_small_bodies_are_enough_too() -> None:
    with counted(0):
        while json_bytes.is_light():
            parse_json(b'{"a":1}' + b" " * 1000)

        assert parse_json(b'{"a":1}') == {"a": 1}
        assert json_bytes._light_bytes >= WORTH_BYTES
