"""The demo's report in a real browser, from a file, with no network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from modelport import predict_code
from tests.browser.checks import LEAST_CONTRAST
from tests.live.demo_runs import finished_demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
WIDTHS = (1280, 400)


@pytest.fixture(scope="module")
def address() -> str:
    return finished_demo().report.as_uri()


@pytest.fixture
def opened(page: Any, address: str) -> Iterator[Any]:
    """The page of the shared fixture, which also fails on script errors, with every request on record."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    yield page
    asked = [url for url in requests if not url.startswith("data:")]
    assert asked == [address]


def test_the_plots_and_tables_are_there(opened: Any) -> None:
    assert opened.title().startswith("modelport demo")
    assert opened.locator("#model svg[role=img]").count() == 1
    assert opened.locator("#drift svg[role=img]").count() == 1 + 2 * 4
    assert opened.locator("#drift .psi li").count() == 30
    assert opened.locator("#model .confusion td[class]").count() == 4
    assert opened.locator("#platform tbody tr").count() == 10
    assert opened.locator(".cards .card").count() == 6
    assert opened.locator("ol.steps li").count() >= 12
    for drawing in opened.locator("svg[role=img]").all():
        box = drawing.bounding_box()
        assert box["width"] > 200
        assert box["height"] > 100
        assert drawing.get_attribute("aria-label")


def test_the_page_says_nothing_broken(opened: Any) -> None:
    text = opened.locator("body").inner_text()

    assert not re.findall(r"\bnan\b|\bNone\b|Undefined|\{\{|&lt;", text)


def test_tabs_work_by_keyboard(opened: Any) -> None:
    for name in ("sync", "async"):
        tabs = opened.locator(f"[role=tab][id^=tab-{name}-]")
        panels = opened.locator(f"[role=tabpanel][id^=panel-{name}-]")
        count = len(predict_code.languages())
        assert tabs.count() == panels.count() == count
        tabs.nth(0).focus()
        for key, expected in (
            ("ArrowRight", 1),
            ("ArrowRight", 2),
            ("End", count - 1),
            ("ArrowRight", 0),
            ("ArrowLeft", -1),
        ):
            opened.keyboard.press(key)
            number = expected % count
            assert tabs.nth(number).get_attribute("aria-selected") == "true"
            assert tabs.nth(number).evaluate("tab => tab === document.activeElement")
            assert [panel.is_visible() for panel in panels.all()] == [at == number for at in range(count)]
        opened.keyboard.press("Home")
        # One stop of the Tab key for all tabs: the next one is in the panel.
        opened.keyboard.press("Tab")
        assert not opened.evaluate("document.activeElement.matches('[role=tab]')")


def test_a_program_is_shown_as_it_was_written_and_can_be_copied(opened: Any) -> None:
    folder = finished_demo().output / "programs"
    for target in predict_code.targets():
        for kind in ("sync", "async"):
            shown = opened.locator(f"#code-{kind}-{target.name}").evaluate("code => code.textContent")
            assert shown == (folder / kind / target.name / target.filename).read_text()
    opened.locator("#panel-sync-curl button.copy").click()
    opened.locator("#panel-sync-curl button.copy", has_text="Copied").wait_for(timeout=5000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_reads_at_every_width(opened: Any, width: int, scheme: str) -> None:
    opened.emulate_media(color_scheme=scheme)
    opened.set_viewport_size({"width": width, "height": 900})

    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.evaluate(LEAST_CONTRAST) >= 4.5


def test_everything_can_be_read_without_scripts(chromium: Any, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)

    assert page.locator("[role=tabpanel]:visible").count() == 2 * len(predict_code.languages())
    context.close()
