"""Every example of docs/boxkite.md and docs/middleware.md runs, and does what its page says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from modelport.drift import Baseline
from modelport.monitor import ModelMonitor
from modelport.monitor._watcher import Watcher

EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
Examples = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def examples(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examples:
    """Runs the examples of a page, each by itself; gives what each has defined."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELPORT_HISTOGRAM_PATH", str(tmp_path / "histogram.prom"))
    # Port 9 of this machine: nobody listens there.
    monkeypatch.setenv("BEDROCK_FLUENTD_ADDR", "127.0.0.1:9")

    def run(page: str) -> list[dict[str, Any]]:
        text = (root / "docs" / page).read_text(encoding="utf-8")
        spaces: list[dict[str, Any]] = []
        for number, program in enumerate(EXAMPLE.findall(text)):
            space: dict[str, Any] = {"__name__": f"example_{number}"}
            exec(compile(program, f"{page}, example {number}", "exec"), space)  # noqa: S102 - our own page
            spaces.append(space)
        return spaces

    return run


def test_the_examples_on_boxkite_programs_run(
    examples: Examples, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, serve, store, extended = examples("boxkite.md")

    assert Baseline.load(tmp_path / "histogram.prom").names == ("income", "age")
    client = serve["app"].test_client()
    assert client.post("/", json={"a": 1}).get_json() == {"score": 0.5}
    assert serve["monitor"].flush(0) is False
    page = client.get("/metrics?name[]=feature_0_value").get_data(as_text=True)
    assert "# TYPE feature_0_value histogram" in page
    assert "[2.0] 0.5" in capsys.readouterr().out
    for made in (serve["monitor"], store["store"]):
        made.close(0.1)
    assert extended["Fetched"]().load().names == ("a",)


def test_the_examples_on_middlewares_run(examples: Examples) -> None:
    asgi, wsgi, function = examples("middleware.md")

    with TestClient(asgi["app"]) as client:
        answer = client.post("/predict", json={"age": 41.0})
        assert answer.json() == {"prediction": 0.41}
        assert answer.headers["x-prediction-id"]
        assert asgi["monitor"].flush()
        assert "modelport_predictions_total" in client.get("/metrics").text
    assert wsgi["app"].test_client().get("/metrics").status_code == 200
    for space in (asgi, wsgi, function):
        assert isinstance(space["monitor"], ModelMonitor)
        space["monitor"].close()
    assert function["monitor"].metrics_view().predictions == 1


def test_the_page_lists_every_option_and_every_reason(root: Path) -> None:
    from modelport.monitor import WatchOptions
    from modelport.monitor._watcher import _REASONS

    text = (root / "docs" / "middleware.md").read_text(encoding="utf-8")
    missing = [name for name in (*WatchOptions.__annotations__, *_REASONS) if f"`{name}`" not in text]

    assert missing == []
    assert Watcher.__init__.__kwdefaults__ is not None
    assert set(Watcher.__init__.__kwdefaults__) == set(WatchOptions.__annotations__)
