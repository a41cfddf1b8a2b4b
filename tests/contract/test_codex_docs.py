"""Every program of docs/codex.md runs, in the order of the page, against the sandbox."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from modelport import Codex
from modelport.sandbox import Sandbox

pytest.importorskip("pandas")
pytest.importorskip("yaml")

BLOCK = re.compile(r"^```(python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.(?:py|yml))\n")
BESIDE = {
    "model.json": '{"threshold": 1000}',
    "sample.json": '{"income": 1200.0}',
    "requirements.txt": "pandas\n",
    "base.csv": "income,late\n" + "".join(f"{200 * index},{index % 2}\n" for index in range(20)),
}


def test_the_page_runs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (root / "docs" / "codex.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, text in BESIDE.items():
        (tmp_path / name).write_text(text)
    names: dict[str, Any] = {"__name__": "page"}
    clients: list[Codex] = []
    with Sandbox() as box:
        for key, value in {"URL": box.codex_url, "USER": "demo", "PASSWORD": "demo", "TENANT": "demo"}.items():
            monkeypatch.setenv(f"MLOPS_{key}", value)
        for match in BLOCK.finditer(page):
            text = match[2]
            if file := FILE.match(text):
                (tmp_path / file[1]).write_text(text)
                continue
            line = page[: match.start()].count("\n") + 1
            exec(compile("\n" * line + text, "docs/codex.md", "exec"), names)  # noqa: S102 - our own page
            clients += [value for value in names.values() if isinstance(value, Codex)]
        for client in clients:
            client.close()
    printed = capsys.readouterr().out

    for said in re.findall(r"print\(.*\) +# ([\[{].*)$", page, re.MULTILINE):
        assert said in printed
    assert "scored/output.csv" in printed


def test_every_method_of_the_face_is_on_the_page(root: Path) -> None:
    from tests.unit.codex.test_face import CASES

    page = (root / "docs" / "codex.md").read_text(encoding="utf-8")
    methods = {name.split(".")[1] for name in CASES}

    assert sorted(method for method in methods if not re.search(rf"\b{method}\b", page)) == []
