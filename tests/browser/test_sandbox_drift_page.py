"""The sandbox's drift pages in a real browser, of models that answer in a sandbox process of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelport.sandbox import Sandbox
from tests.browser.checks import LEAST_CONTRAST, axe_violations, heading_levels, unnamed_charts
from tests.contract.in_process import WAIT_SECONDS, InProcess
from tests.unit.sandbox.test_drift_pages import ask, columns, deployed, rows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

HOSTILE = "</title><img src=x onerror=1>"


class OverHttp(InProcess):
    """The same calls on a sandbox that listens."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        return self._client.request(method, path, headers=headers, **body)

    def good(self, method: str, path: str, headers: dict[str, str] | None, **body: Any) -> dict[str, Any]:
        response = self.api(method, path, headers, **body)
        assert response.is_success, response.text
        return dict(response.json())


@dataclass
class Served:
    box: OverHttp
    url: str
    group: dict[str, str]
    model: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One model with a hostile name that was asked what its training never saw."""
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.url, timeout=WAIT_SECONDS) as client:
        box = OverHttp(client)
        user = box.login()
        token = box.post("/groups", user, data={"name": "risk", "description": "d"})["Token"]
        group = {"authorization": f"Bearer {token}"}
        model, _ = deployed(box, user, HOSTILE)
        ask(box, group, model, columns(rows(400, shift=1.5, seed=6)))
        yield Served(box, sandbox.url, group, model)


@pytest.fixture
def pages(page: Any, served: Served) -> Iterator[Any]:
    """The shared page, which must ask nobody but the sandbox."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert [url for url in asked if not url.startswith((f"{served.url}/", "data:"))] == []
    assert not [url for url in asked if "favicon" in url]


def test_the_root_leads_to_the_list_and_the_list_to_the_report(pages: Any, served: Served) -> None:
    pages.goto(f"{served.url}/drift")
    assert pages.url == f"{served.url}/codex/drift"
    assert pages.locator("tbody .badge").all_inner_texts() == ["major"]

    pages.locator("tbody a").press("Enter")
    pages.wait_for_url(f"**/codex/drift/{served.model}")
    assert pages.title() == HOSTILE
    assert pages.locator("img").count() == 0
    assert pages.locator("h1").inner_text() == HOSTILE
    assert pages.locator(".headline p").first.inner_text() == "1 of 2 features has drifted from training: 1 major."
    assert pages.locator("table.overview tbody th").all_inner_texts()[0] in {"amount", "output"}

    pages.locator("nav.back a").press("Enter")
    pages.wait_for_url("**/codex/drift")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("which", ["list", "report", "nothing"])
def test_the_pages_fit_read_and_are_accessible(
    pages: Any, served: Served, node_modules: Path, which: str, width: int, scheme: str
) -> None:
    if which == "nothing":
        # The console tells of the status, which is right here: the page is opened as a file would be.
        text = served.box.request("GET", "/codex/drift/M0", {"accept": "text/html"}).text
        pages.set_content(text)
    else:
        pages.goto(f"{served.url}/codex/drift{'' if which == 'list' else f'/{served.model}'}")
    pages.emulate_media(color_scheme=scheme)
    pages.set_viewport_size({"width": width, "height": 900})

    assert pages.evaluate("document.documentElement.scrollWidth") <= width
    assert pages.evaluate("[...document.querySelectorAll('.list')].every((box) => box.scrollWidth <= box.clientWidth)")
    assert pages.evaluate(LEAST_CONTRAST) >= 4.5
    assert unnamed_charts(pages) == []
    levels = heading_levels(pages)
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert axe_violations(pages, node_modules) == []


def test_the_page_follows_what_is_served(pages: Any, served: Served) -> None:
    pages.goto(f"{served.url}/codex/drift/{served.model}?refresh=2")
    before = _compared(pages)

    ask(served.box, served.group, served.model, columns(rows(7, seed=8)))

    pages.wait_for_function(
        "wanted => document.querySelector('.facts').innerText.includes(wanted)", arg=str(before + 7), timeout=60_000
    )
    assert _compared(pages) == before + 7


def _compared(page: Any) -> int:
    found = re.search(r"Predictions compared\s+([\d,]+)", page.locator(".facts").inner_text())
    assert found is not None
    return int(found[1].replace(",", ""))
