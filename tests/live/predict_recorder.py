"""A small server on loopback that records what reaches it and answers from a script."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_to_bytes

import attrs


@attrs.frozen
class Recorded:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def picked(self, *names: str) -> dict[str, str | None]:
        return {name: self.headers.get(name.lower()) for name in names}

    @property
    def parts(self) -> list[tuple[str, str | None, str | None, bytes]]:
        """The parts of a multipart body: field, file name, content type, content."""
        match = re.fullmatch(r'multipart/form-data; boundary="?([^"]+)"?', self.headers["content-type"])
        assert match, self.headers["content-type"]
        mark = b"--" + match.group(1).encode()
        pieces = (b"\r\n" + self.body).split(b"\r\n" + mark)
        assert pieces[0] == b""
        assert pieces[-1] in {b"--\r\n", b"--"}
        return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> tuple[str, str | None, str | None, bytes]:
    head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n"))
    headers = {name.decode().lower(): value.decode() for name, value in lines.items()}
    disposition = headers["content-disposition"]
    name = re.search(r'; name="([^"]*)"', disposition)
    file = re.search(r'; filename="([^"]*)"', disposition)
    assert name, disposition
    # The browsers' rule, which these libraries follow: only quotes and line breaks are percent-encoded.
    file_name = None if file is None else _undo(file.group(1))
    return _undo(name.group(1)), file_name, headers.get("content-type"), content


def _undo(text: str) -> str:
    return re.sub("%(?:22|0A|0D)", lambda found: unquote_to_bytes(found.group()).decode(), text)


@attrs.define
class Answer:
    status: int = 200
    body: Any = b"{}"
    headers: dict[str, str] = attrs.Factory(dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@attrs.define
class Recorder:
    """`answers` are given in turn, the last one for ever; or `reply` decides."""

    url: str = ""
    requests: list[Recorded] = attrs.Factory(list)
    answers: list[Answer] = attrs.Factory(lambda: [Answer()])
    reply: Callable[[Recorded], Answer] | None = None

    def reset(self, *answers: Answer, reply: Callable[[Recorded], Answer] | None = None) -> None:
        self.requests.clear()
        self.answers = list(answers) or [Answer()]
        self.reply = reply

    def answer(self, request: Recorded) -> Answer:
        self.requests.append(request)
        if self.reply:
            return self.reply(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def _handler(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One TCP segment for headers and body: without it every small answer waits for a delayed acknowledgement.
        wbufsize = -1

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content

        def _serve(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = recorder.answer(Recorded(self.command, self.path, headers, self._body()))
            self.send_response(answer.status)
            sent = {"Content-Type": "application/json", "Content-Length": str(len(answer.content))} | answer.headers
            for name, value in sent.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)
            if int(sent["Content-Length"]) != len(answer.content):
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    return Handler


@contextmanager
def running_recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(recorder))
    server.daemon_threads = True
    recorder.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
