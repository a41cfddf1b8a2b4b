"""What it costs to import the library and to make a first client: CPU of fresh interpreters."""

from __future__ import annotations

from tests.bench.measure import Row, programs

URL = "http://127.0.0.1:9/codex"

PROGRAMS = {
    "bare": "pass",
    "modelport": "import modelport",
    "httpx": "import httpx",
    "client": f"from modelport_api.codex.v1 import Client\nClient({URL + '/api'!r})",
    "face": f"from modelport import Codex\nCodex({URL!r}, user='demo', password='demo', tenant='demo')",
}


def main() -> list[Row]:
    best = programs(PROGRAMS)
    return [
        Row("import modelport / bare Python", best["modelport"], best["bare"], 1.5),
        Row("first generated Codex client / import httpx", best["client"], best["httpx"], 1.2),
        Row("first Codex face / import httpx", best["face"], best["httpx"], 1.2),
    ]
