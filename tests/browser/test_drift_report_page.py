"""The drift report in a real browser, from a file, with no network."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelport.drift import DriftReport, drift_report
from tests.browser.checks import LEAST_CONTRAST, axe_violations, heading_levels, unnamed_charts
from tests.unit.drift.reports import HOSTILE_NAMES, baseline, frame, hostile_report, large_report, rich_report

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
SCHEMES = ("light", "dark")


def _empty() -> DriftReport:
    return drift_report(baseline(), iter(()))


def _gone() -> DriftReport:
    """One feature is missing, another unknown, as is the scale of PSI in its windows."""
    data = frame(2000, seed=4).assign(age=None, plan="a new one")
    report = drift_report(baseline(), data)
    beyond = [msgspec.structs.replace(row, psi=13.7, verdict="too few values", reasons=()) for row in report.features]
    windows = [msgspec.structs.replace(window, features=tuple(beyond)) for window in rich_report().windows]
    return msgspec.structs.replace(report, windows=tuple(windows), segments=rich_report().segments)


REPORTS: dict[str, Callable[[], DriftReport]] = {
    "rich": rich_report,
    "hostile": hostile_report,
    "empty": _empty,
    "gone": _gone,
    "large": large_report,
}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("drift-pages")
    for name, make in REPORTS.items():
        title = HOSTILE_NAMES[0] if name == "hostile" else "Loans"
        (folder / f"{name}.html").write_text(make().to_html(title=title, subtitle=title), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in REPORTS}


Open = Callable[[str], Any]


@pytest.fixture
def load(page: Any, addresses: dict[str, str]) -> Iterator[Open]:
    """Open a report by name; in the end the file itself must be all that was asked for."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    wanted: list[str] = []

    def opened(name: str) -> Any:
        wanted.append(addresses[name])
        page.goto(addresses[name])
        return page

    yield opened
    assert [url for url in requests if not url.startswith("data:")] == wanted


def test_everything_of_the_report_is_there(load: Open) -> None:
    page, report = load("rich"), rich_report()
    columns = [row for row in report.features if row.role != "attribution"]

    assert page.title() == "Loans"
    assert page.locator("table.overview tbody tr").count() == len(columns)
    assert page.locator("#distributions ~ .cards article svg").count() == len(columns)
    assert page.locator("table.courses svg.strip").count() == len(report.features)
    assert page.locator("section[aria-labelledby=segments] tbody tr").count() == len(report.segments)
    assert page.locator("section[aria-labelledby=attributions] tbody tr").count() == 2
    assert page.locator("section[aria-labelledby=performance] svg.line").count() == 3
    assert page.locator(".headline p").first.inner_text().startswith("3 of 10 features have drifted")


@pytest.mark.parametrize("name", REPORTS)
def test_headings_are_in_order_and_every_chart_has_a_name(load: Open, name: str) -> None:
    page = load(name)

    levels = heading_levels(page)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert unnamed_charts(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", REPORTS)
def test_it_fits_and_reads_at_every_width(load: Open, name: str, width: int, scheme: str) -> None:
    page = load(name)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if name != "large":
        page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(LEAST_CONTRAST) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["rich", "hostile", "empty"])
def test_axe_finds_nothing_wrong(load: Open, node_modules: Path, name: str, scheme: str) -> None:
    page = load(name)
    page.emulate_media(color_scheme=scheme)

    assert axe_violations(page, node_modules) == []


LOST_LABELS = """[...document.querySelectorAll("svg.line")].flatMap((drawing) => {
  const frame = drawing.getBoundingClientRect();
  const boxes = [...drawing.querySelectorAll("text")].map((label) => label.getBoundingClientRect());
  return boxes.filter((box, place) => box.left < frame.left || box.right > frame.right
    || boxes.slice(place + 1).some((other) => box.left < other.right && other.left < box.right
      && box.top + 2 < other.bottom && other.top + 2 < box.bottom)).map((box) => JSON.stringify(box)); })"""


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["rich", "gone", "large"])
def test_no_label_of_a_line_is_cut_or_on_another(load: Open, name: str, width: int) -> None:
    page = load(name)
    page.set_viewport_size({"width": width, "height": 900})

    assert page.evaluate(LOST_LABELS) == []


@pytest.mark.parametrize("width", [1280, 400])
def test_why_a_column_drifted_is_seen_at_every_width(load: Open, width: int) -> None:
    page = load("gone")
    page.set_viewport_size({"width": width, "height": 900})
    rows = page.locator("table.overview tbody tr")

    for place, (name, why) in enumerate((("plan", "unseen values"), ("age", "missing values"))):
        assert rows.nth(place).locator("th").inner_text() == name
        told = rows.nth(place).locator(".why")
        assert told.inner_text() == why
        box = told.bounding_box()
        assert box["x"] + box["width"] <= width
    assert "2 major; 1 by missing values, 1 by unseen values" in page.locator(".headline p").first.inner_text()


def test_what_lies_beyond_a_scale_is_marked_so(load: Open) -> None:
    page = load("gone")

    time = page.locator("section[aria-labelledby=time]")
    assert time.locator("path.mark.few").count() > 0
    assert time.locator("circle.mark").count() == 0


@pytest.mark.parametrize("name", ["rich", "gone", "empty"])
def test_no_row_of_figures_is_much_shorter_than_another(load: Open, name: str) -> None:
    page = load(name)

    tops = page.locator("header .facts div").evaluate_all("tiles => tiles.map((tile) => tile.offsetTop)")
    rows = Counter(tops).values()
    assert max(rows) - min(rows) <= 1


def test_hostile_text_is_only_text(load: Open) -> None:
    page = load("hostile")

    assert page.title() == HOSTILE_NAMES[0]
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    names = page.locator("table.overview tbody th bdi").all_text_contents()
    # A browser reads a carriage return as a line break, and no page can hold a zero byte.
    told = {name.replace("\r\n", "\n").replace("\0", "\ufffd") for name in HOSTILE_NAMES}
    assert set(names) == told
    data = json.loads(page.locator("#drift-data").text_content())
    assert [row["name"] for row in data["features"]] == list(HOSTILE_NAMES)


def test_text_from_right_to_left_turns_nothing_around_it(load: Open) -> None:
    page = load("hostile")

    turned = page.evaluate(
        """[...document.querySelectorAll("body *")].filter((element) => element.children.length === 0
          && /[\\u202e\\u05d0-\\u05ea]/.test(element.textContent)
          && !element.closest("svg, script, title, bdi")).map((element) => element.outerHTML)"""
    )
    assert turned == []


def test_the_overview_is_sorted_and_filtered_by_keyboard(load: Open) -> None:
    page = load("rich")
    names = page.locator("table.overview tbody tr:visible th")
    report = rich_report()
    columns = {row.name: row for row in report.features if row.role != "attribution"}
    by_psi = [row.name for row in report.by_psi if row.role != "attribution"]
    assert names.all_inner_texts() == by_psi

    psi = page.locator("table.overview thead th", has_text="PSI").locator("button")
    psi.focus()
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort=descending]").inner_text().strip() == "PSI"
    assert names.all_inner_texts() == by_psi
    page.keyboard.press("Space")
    assert page.locator("th[aria-sort=ascending]").count() == 1
    assert names.all_inner_texts() == by_psi[::-1]

    page.locator("table.overview thead th", has_text="KS").locator("button").press("Enter")
    ks = [columns[name].ks for name in names.all_inner_texts()]
    known = [value for value in ks if value is not None]
    assert known == sorted(known, reverse=True)
    assert ks[len(known) :] == [None] * (len(ks) - len(known))

    page.keyboard.press("Shift+Tab")
    page.locator("input[type=search]").press_sequentially("ba")
    assert names.all_inner_texts() == ["balance"]
    assert page.locator("[role=status]").inner_text() == "1 of 11 shown"
    page.locator("input[type=search]").fill("")
    page.locator("input[type=checkbox]").press("Space")
    assert sorted(names.all_inner_texts()) == ["channel", "income", "utilisation"]


def test_the_numbers_can_be_saved(load: Open) -> None:
    page = load("rich")

    with page.expect_download() as found:
        page.locator(".tools button").press("Enter")

    saved = json.loads(Path(found.value.path()).read_text("utf-8"))
    assert found.value.suggested_filename == "drift.json"
    assert saved["records"] == rich_report().records


def test_links_lead_to_what_they_name(load: Open) -> None:
    page = load("rich")

    page.locator("table.overview tbody a", has_text="income").press("Enter")
    card = page.locator(re.sub(".*#", "#", page.url))
    assert card.locator("h3").inner_text() == "income"
    targets = page.evaluate("[...document.querySelectorAll('a')].map((link) => link.getAttribute('href').slice(1))")
    assert all(page.locator(f"[id='{target}']").count() == 1 for target in set(targets))


def test_it_can_be_read_without_scripts(chromium: Any, addresses: dict[str, str]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(addresses["rich"])

    assert page.locator(".tools:visible").count() == 0
    assert page.locator("table.overview thead button").count() == 0
    assert page.locator("table.overview tbody tr:visible").count() == 11
    assert page.locator("summary").first.is_visible()
    context.close()


def test_nothing_moves_for_those_who_asked_for_stillness(load: Open) -> None:
    page = load("rich")
    page.emulate_media(reduced_motion="reduce")

    moving = page.evaluate(
        """[...document.querySelectorAll("*")].filter((element) => {
          const style = getComputedStyle(element);
          return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0
            || style.scrollBehavior === "smooth"; }).length"""
    )
    assert moving == 0


def test_it_prints_in_full(load: Open) -> None:
    page = load("large")
    page.emulate_media(media="print")

    assert page.locator("nav:visible, .tools:visible").count() == 0
    box = page.locator(".scroll.tall").evaluate("box => [box.scrollHeight, box.clientHeight]")
    assert box[0] - box[1] <= 1
    assert page.pdf()[:4] == b"%PDF"


def test_no_meaning_is_in_colour_alone(load: Open) -> None:
    page = load("rich")

    badges = page.locator(".badge").all_inner_texts()
    assert {text.strip() for text in badges} <= {"major", "moderate", "stable", "too few values"}
    bars = page.locator("#distributions ~ .cards article svg rect title").all_text_contents()
    assert all("training" in text or "serving" in text for text in bars)
