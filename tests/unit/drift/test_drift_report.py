from __future__ import annotations

import math
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from modelport.drift import Baseline, DriftReport, LiveCounts, drift_report, feature_chart_svg, psi
from modelport.predictions import Prediction

HOSTILE = "<script>alert(1)</script> & \"quotes\" 'single' {{ 7 * 7 }}"


def frame(count: int, *, shift: float = 0.0, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "amount": random.normal(shift, 1, count),
            "plan": random.choice(["a", "b", HOSTILE], count, p=[0.6 - shift / 4, 0.3 + shift / 4, 0.1]),
            "steady": random.exponential(1, count),
        }
    )


BASELINE = Baseline.from_data(frame(5000), output=np.linspace(0, 1, 5000), model_version="3")


def as_predictions(data: pd.DataFrame) -> Iterator[Prediction]:
    for number, row in enumerate(data.to_dict("records")):
        yield Prediction(prediction_id=str(number), timestamp_ns=number, endpoint="e", features=row, output=0.5)


@pytest.fixture(scope="module")
def report() -> DriftReport:
    return drift_report(BASELINE, frame(2000, shift=0.8, seed=2), output=np.full(2000, 0.5))


def row_of(report: DriftReport, name: str) -> object:
    return next(row for row in report.features if row.name == name)


def test_what_moved_is_told_from_what_did_not(report: DriftReport) -> None:
    verdicts = {row.name: row.verdict for row in report.features}

    assert verdicts == {"amount": "major", "plan": "moderate", "steady": "stable", "output": "major"}
    assert [row.name for row in report.drifted] == ["output", "amount", "plan"]
    assert report.records == 2000


def test_numbers_are_those_of_the_divergences(report: DriftReport) -> None:
    amount = report.features[0]
    counts = [round(share * amount.n) for share in amount.shares]

    assert amount.psi == pytest.approx(psi(BASELINE.features[0].counts, counts, rule="clamp"))
    assert math.fsum(amount.shares) == pytest.approx(1)
    assert len(amount.bins) == len(amount.shares) == len(amount.baseline_shares)


def test_data_live_counts_snapshots_and_logs_give_one_number() -> None:
    data = frame(1500, shift=0.3, seed=3)
    live = LiveCounts(BASELINE)
    live.update(data.to_dict("records"), [0.5] * len(data))

    reports = [
        drift_report(BASELINE, data, output=[0.5] * len(data)),
        drift_report(BASELINE, dict(data.items()), output=[0.5] * len(data)),
        drift_report(BASELINE, live),
        drift_report(BASELINE, live.snapshot()),
        drift_report(BASELINE, as_predictions(data)),
        drift_report(BASELINE, list(as_predictions(data))),
    ]

    assert all(other.to_rows() == reports[0].to_rows() for other in reports)


def test_nothing_served_is_no_drift() -> None:
    report = drift_report(BASELINE, iter(()))

    assert {row.verdict for row in report.features} == {"too few values"}
    assert all(math.isnan(row.psi) for row in report.features)
    assert "Nothing has been served yet" in report.to_html()


def test_few_values_are_not_judged() -> None:
    report = drift_report(BASELINE, frame(50, shift=2, seed=4).assign(plan="a"), min_values=100)

    assert {row.verdict for row in report.features} == {"too few values"}


def test_noise_on_few_values_is_not_drift() -> None:
    quiet = sum(not drift_report(BASELINE, frame(200, seed=seed)).drifted for seed in range(100, 120))

    assert quiet >= 18


def test_the_raw_rule_may_be_infinite_and_is_still_judged() -> None:
    data = frame(1000, seed=5).assign(plan="new")

    report = drift_report(BASELINE, data, rule="raw")

    plan = report.features[1]
    assert plan.psi == math.inf
    assert (plan.verdict, plan.unseen, plan.unseen_share) == ("major", 1000, 1.0)
    assert "∞" in report.to_html()


def test_missing_values_leave_the_shares_alone() -> None:
    data = frame(1000, seed=6)
    data.loc[::2, "amount"] = np.nan

    amount = drift_report(BASELINE, data).features[0]

    assert (amount.n, amount.missing, amount.missing_rate, amount.baseline_missing_rate) == (500, 500, 0.5, 0.0)
    assert math.fsum(amount.shares) == pytest.approx(1)


def test_data_without_a_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks features of the baseline: plan"):
        drift_report(BASELINE, frame(10).drop(columns="plan"))


def test_categories_have_no_ks(report: DriftReport) -> None:
    assert [row.ks is None for row in report.features] == [False, True, False, False]


def test_rows_make_a_frame(report: DriftReport) -> None:
    table = pd.DataFrame(report.to_rows())

    assert list(table["name"]) == ["amount", "plan", "steady", "output"]
    assert {"psi", "js", "ks", "n", "missing", "unseen", "significant", "verdict"} <= set(table.columns)


class Page(HTMLParser):
    """Collects tags, checks that they close, and keeps what a browser would fetch or run."""

    void = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.void:
            self.stack.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src", "srcset", "xlink:href", "action"}:
                self.links.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.void:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def test_the_page_stands_alone_and_is_well_formed(report: DriftReport) -> None:
    page = Page(html := report.to_html(title=HOSTILE, subtitle=HOSTILE))

    assert page.stack == []
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", html)
    assert "<script>alert" not in html
    assert len(set(page.ids)) == len(page.ids)


def test_the_page_is_accessible(report: DriftReport) -> None:
    html = report.to_html()

    assert '<html lang="en">' in html
    assert html.count('role="img"') == len(report.features)
    assert all(tag.count("aria-label") == 1 for tag in re.findall(r"<svg[^>]*>", html))
    assert html.count("<h1>") == 1
    assert 'scope="col"' in html
    assert 'scope="row"' in html
    assert "prefers-color-scheme: dark" in html


def test_the_page_lists_the_most_drifted_first(report: DriftReport) -> None:
    html = report.to_html()

    places = [html.index(f">{name}</a>", html.index("<tbody>")) for name in ("output", "amount", "steady")]
    assert places == sorted(places)


def test_the_same_report_makes_the_same_page(report: DriftReport) -> None:
    assert report.to_html() == report.to_html()


def test_a_chart_stands_alone_and_shows_every_bar(report: DriftReport) -> None:
    for row in report.features:
        root = ET.fromstring(str(feature_chart_svg(row)))  # noqa: S314 - made here
        bars = root.findall(".//{http://www.w3.org/2000/svg}rect")
        sizes = [float(bar.get("width") or 0) * float(bar.get("height") or 0) for bar in bars]
        _, _, width, height = map(float, (root.get("viewBox") or "").split())

        assert len(bars) >= 2
        assert len(bars) % 2 == 0
        assert all(size >= 0 for size in sizes)
        for bar in bars:
            assert 0 <= float(bar.get("x") or -1) <= width
            assert 0 <= float(bar.get("y") or -1) <= float(bar.get("y") or -1) + float(bar.get("height") or 0) <= height


@pytest.mark.parametrize("count", [1, 2, 60])
def test_charts_of_any_number_of_categories_and_names_are_drawn(count: int) -> None:
    values = [f"c{n} " + "x" * n for n in range(count)] * 20
    baseline = Baseline.from_data({"c": values}, kinds={"c": "categorical"}, max_categories=50)

    html = drift_report(baseline, {"c": ["c0 ", None, "new"] * 100}).to_html()

    assert "<svg" in html


def test_a_column_without_any_value_is_drawn() -> None:
    baseline = Baseline.from_data({"x": [None] * 5, "y": [1.0] * 5}, kinds={"x": "numeric", "y": "numeric"})

    assert "<svg" in drift_report(baseline, {"x": [None, 1.0], "y": [None, None]}).to_html()
