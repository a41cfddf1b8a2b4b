"""A real Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

# As root, in a container, Chromium starts only without its sandbox, and /dev/shm is too small for it.
# The other flags keep it from talking to anybody: what a test opens must work offline.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@pytest.fixture(scope="session")
def chromium_executable() -> str:
    """The machine's own Chromium (``make setup-test`` installs it where it may)."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on PATH: run `make setup-test`, or install the package chromium")


# Not for the session: while it is open, its event loop counts as running, and no test could start one of its own.
@pytest.fixture(scope="module")
def chromium(chromium_executable: str) -> Iterator[Any]:
    """One running browser (``playwright.sync_api.Browser``) for all tests of a module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A fresh page (``playwright.sync_api.Page``). The test fails if the page logs an error or asks the network."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("requestfailed", lambda request: complaints.append(f"request failed: {request.url}"))
    yield opened
    context.close()
    assert complaints == []
