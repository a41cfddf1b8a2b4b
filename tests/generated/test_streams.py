"""The streams of the golden document: a generated package in a fresh interpreter, against a real server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.generated.test_stand_alone import clean_environment
from tests.unit.runtime.server import ScriptedServer, Step, answer, head

USE = """
import asyncio, sys
from awkward import AsyncClient, AsyncStream, Client, ServerSentEvent, Stream, errors, models

url = sys.argv[1]
EVENTS = [
    models.Event(event="step", data=models.FileModel(path="p"), id="1"),
    models.LastEvent(event="last", data="5", additional_properties={"id": "1"}),
]
with Client(url, credentials={"bearer": "t"}) as client:
    operations = client.import_
    with operations.watch(body=[models.FileModel(path="a"), models.FileModel(path="b")]) as stream:
        assert isinstance(stream, Stream) and stream.response.status == 200
        assert list(stream) == [models.FileModel(path="c"), models.FileModel(path="d")]
    assert list(operations.watch(body="")) == [models.ResourceModel(message="m")]
    assert operations.answer(body=models.Filter(name="n")) == models.FileModel(path="whole")
    assert list(operations.stream_answer_(body=models.Filter())) == [models.AnswerItem(delta="x")]
    assert list(operations.stream_answer()) == ["[DONE]"]
    assert list(operations.follow()) == EVENTS, EVENTS
    assert list(operations.raw()) == [ServerSentEvent(data="a")]
    raw = operations.with_raw_response.watch()
    assert (raw.status, raw.parsed) == (200, [models.FileModel(path="e")])
    with operations.with_streaming_response.watch() as response:
        assert list(response.iter_lines()) == ['{"path": "f"}']
    with operations.with_streaming_response.watch() as response:
        assert response.save(sys.argv[2]) == 14
    try:
        operations.watch()
    except errors.ServerError as error:
        assert error.body == models.ResourceModel(message="no")
    else:
        raise AssertionError

async def main():
    async with AsyncClient(url, credentials={"bearer": "t"}) as client:
        async with await client.import_.watch(body=iter([models.FileModel(path="a")])) as stream:
            assert isinstance(stream, AsyncStream)
            assert [item async for item in stream] == [models.FileModel(path="c")]
        async with client.import_.with_streaming_response.follow() as response:
            assert [item async for item in await response.parse()] == EVENTS
        assert (await client.import_.with_raw_response.follow()).parsed == EVENTS

asyncio.run(main())
print("done")
"""

LINES, EVENTS = "application/x-ndjson", "text/event-stream"


def stream(media: str, body: bytes) -> Step:
    return Step(head(200, {"Content-Type": media, "Content-Length": str(len(body))}) + body)


def test_streams_work_in_a_fresh_interpreter_against_a_server(awkward: Path, tmp_path: Path) -> None:
    events = b'event: step\nid: 1\ndata: {"path": "p"}\n\nevent: last\ndata: 5\n\n'
    server = ScriptedServer()
    server.script += [
        stream(LINES, b'{"path": "c"}\n{"path": "d"}\n'),
        stream("application/json-seq", b'\x1e{"message": "m"}\n'),
        answer(200, {"path": "whole"}),
        stream(EVENTS, b': hello\n\ndata: {"delta": "x"}\n\ndata: [DONE]\n\n'),
        stream(EVENTS, b"data: [DONE]\n\n"),
        stream(EVENTS, events),
        stream(EVENTS, b"data: a\n\n"),
        stream(LINES, b'{"path": "e"}\n'),
        stream(LINES, b'{"path": "f"}\n'),
        stream(LINES, b'{"path": "f"}\n'),
        answer(500, {"message": "no"}),
        stream(LINES, b'{"path": "c"}\n'),
        stream(EVENTS, events),
        stream(EVENTS, events),
    ]
    program = tmp_path / "use.py"
    program.write_text(USE, encoding="utf-8")
    try:
        finished = subprocess.run(
            [sys.executable, "-W", "error", program, server.url, tmp_path / "saved"],
            env=clean_environment(awkward), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        server.close()

    assert finished.stdout == "done\n", finished.stderr
    assert (tmp_path / "saved").read_bytes() == b'{"path": "f"}\n'
    assert server.requests[0].body == b'{"path":"a"}\n{"path":"b"}\n'
    assert server.requests[0].header("Content-Type") == LINES
    assert [server.requests[index].header("Accept") for index in (0, 2, 3, 4)] == [
        "application/json-seq, application/x-ndjson, application/json;q=0.5",
        "application/json",
        "text/event-stream, application/json;q=0.5",
        "text/event-stream, application/json;q=0.5",
    ]
