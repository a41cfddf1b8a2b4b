from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pandas as pd
import pytest

from modelport.drift import Baseline, BaselineError, DriftReport, LiveCounts, drift_report, feature_chart_svg, psi
from modelport.drift.page._index import IndexEntry, render_index, render_reason
from modelport.predictions import Prediction
from tests.unit.drift.reports import HOSTILE_NAMES, hostile_report, large_report, rich_report

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


def test_a_column_whose_values_stay_away_or_are_strangers_has_drifted() -> None:
    data = frame(1000, seed=7)
    data.loc[data.index < 150, "amount"] = np.nan
    data.loc[data.index < 80, "plan"] = "new"
    data["steady"] = np.nan

    report = drift_report(BASELINE, data)

    told = {row.name: (row.verdict, row.reasons) for row in report.features if row.n + row.missing}
    assert told == {
        "amount": ("moderate", ("missing",)),
        "plan": ("major", ("distribution", "unseen")),
        "steady": ("major", ("missing",)),
    }
    assert [row.name for row in report.drifted] == ["plan", "steady", "amount"]
    assert report.verdict == "major"
    assert "2 major, 1 moderate; 2 by missing values, 1 by unseen values." in report.to_html()


def test_what_training_lacked_as_often_is_no_drift() -> None:
    labels = [f"label {number}" for number in range(200)]
    trained = {"x": [1.0, 2.0, 3.0, None] * 1000, "c": labels * 20}
    served = {"x": [1.0, 2.0, 3.0, None] * 250, "c": labels * 5}

    report = drift_report(Baseline.from_data(trained, kinds={"x": "numeric"}), served)

    assert [(row.verdict, row.missing_rate, row.unseen_share) for row in report.features] == [
        ("stable", 0.25, 0.0), ("stable", 0.0, 0.75),
    ]  # fmt: skip
    assert report.features[1].baseline_unseen_share == 0.75


def test_containers_among_categories_are_unseen_values_too() -> None:
    live = LiveCounts(baseline := Baseline.from_data({"c": ["a", "b"] * 100}))
    live.update([{"c": value} for value in ["a", "b", {"k": 1}, {"k": 2}] * 100], [None] * 400)

    (row,) = drift_report(baseline, live).features

    assert (row.n, row.unseen, row.unseen_share, row.verdict, row.reasons) == (200, 200, 0.5, "major", ("unseen",))


def test_few_missing_values_are_not_judged() -> None:
    report = drift_report(BASELINE, frame(150, seed=8).assign(amount=np.nan))

    assert {row.verdict for row in report.features} == {"too few values"}


def test_data_without_a_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks features of the baseline: plan"):
        drift_report(BASELINE, frame(10).drop(columns="plan"))


def test_categories_have_no_ks(report: DriftReport) -> None:
    assert [row.ks is None for row in report.features] == [False, True, False, False]


def test_rows_make_a_frame(report: DriftReport) -> None:
    table = pd.DataFrame(report.to_rows())

    assert list(table["name"]) == ["amount", "plan", "steady", "output"]
    assert {"psi", "js", "ks", "n", "missing", "unseen", "significant", "verdict"} <= set(table.columns)


def data_of(html: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        re.findall(r'<script type="application/json" id="drift-data">(.*?)</script>', html)[0],
        parse_constant=pytest.fail,
    )
    return found


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
    assert all(link == "data:," or (link.startswith("#") and link[1:] in page.ids) for link in page.links)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", html)
    assert "<script>alert" not in html
    assert len(set(page.ids)) == len(page.ids)


def test_the_policy_lets_no_script_run_but_the_pages_own(report: DriftReport) -> None:
    html = report.to_html()
    data, script = re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)
    policy = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', html)[0].replace("&#39;", "'")

    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy
    assert json.loads(data)["records"] == report.records


def test_the_page_holds_its_numbers_as_json() -> None:
    report = rich_report()
    infinite = msgspec.structs.replace(report.features[0], psi=math.inf, kl=-math.inf, ks=math.nan)
    report = msgspec.structs.replace(report, features=(infinite, *report.features[1:]))

    found = data_of(report.to_html())

    assert (found["format"], found["version"]) == ("modelport.drift_report", 1)
    assert [row["psi"] for row in found["features"][1:]] == [row.psi for row in report.features[1:]]
    assert (found["features"][0]["psi"], found["features"][0]["kl"], found["features"][0]["ks"]) == (
        "Infinity", "-Infinity", None,
    )  # fmt: skip
    assert found["performance"]["metrics"] == report.performance.metrics if report.performance else None
    for part, item in zip(report.windows, found["windows"]["items"], strict=True):
        rows = {(row.role, row.name): row for row in part.features}
        for column, psi_, n in zip(found["windows"]["columns"], item["psi"], item["n"], strict=True):
            row = rows[column["role"], column["name"]]
            assert n == row.n
            assert psi_ is None if math.isnan(row.psi) else psi_ == pytest.approx(row.psi, rel=1e-5)


def test_hostile_names_come_back_from_the_data_as_they_were() -> None:
    report = hostile_report()

    html = report.to_html(title=HOSTILE_NAMES[0])
    found = data_of(html)

    assert [row["name"] for row in found["features"]] == list(HOSTILE_NAMES)
    assert [item["value"] for item in found["segments"]["items"]] == list(HOSTILE_NAMES)
    assert not set("<>&") & set(html.partition('id="drift-data">')[2].partition("</script>")[0])


def test_a_lone_surrogate_still_makes_a_page_that_can_be_written() -> None:
    names = ["\ud800", "plain"]
    report = drift_report(Baseline.from_data({"c": names * 20}), {"c": names * 200})

    assert report.to_html(title="\udfff").encode("utf-8")
    entry = IndexEntry(name="\ud800", href="/", detail="\0", report=report)
    assert render_index([entry], title="\ud800", subtitle="", empty="").encode("utf-8")
    assert render_reason("\ud800", title="t", subtitle="", back="/").encode("utf-8")


@pytest.mark.parametrize(("features", "windows"), [(200, 500), (1000, 3)])
def test_a_page_of_much_stays_small_and_says_what_it_leaves_out(features: int, windows: int) -> None:
    report = large_report(features=features, windows=windows)

    html = report.to_html()

    assert len(html.encode()) < 4_000_000
    assert html.count('<tr data-drifted="1">') == sum(row.verdict in {"major", "moderate"} for row in report.features)
    assert html.count("<article id=") == 60
    assert f"60 of {features:,} columns are drawn" in html
    assert len(data_of(html)["features"]) == features
    assert "Each bar is the highest of 5 windows" in html or windows < 120


def test_more_windows_than_the_data_can_hold_keep_the_most_drifted_columns() -> None:
    report = large_report(features=300, windows=500)

    found = data_of(report.to_html())

    assert [column["name"] for column in found["windows"]["columns"]] == [row.name for row in report.by_psi[:200]]
    assert len(found["windows"]["items"]) == 500


def test_attributions_are_apart_and_show_mean_shap_where_it_is_known() -> None:
    report = rich_report()
    html = report.to_html()
    unmeasured = tuple(msgspec.structs.replace(row, mean_absolute=None) for row in report.features)

    part = html[html.index('<h2 id="attributions">') : html.index('<h2 id="performance">')]
    for row in report.features:
        if row.role == "attribution":
            assert f"<td>{row.mean_absolute:.3f}</td>" in part
    assert "Mean |SHAP|" in part
    assert "Mean |SHAP|" not in msgspec.structs.replace(report, features=unmeasured).to_html()


def test_no_number_is_spelled_as_programs_do() -> None:
    report = rich_report()
    odd = msgspec.structs.replace(report.features[0], psi=math.inf, js=math.nan, wasserstein=math.inf)
    report = msgspec.structs.replace(report, features=(odd, *report.features[1:]))
    for html in (report.to_html(), drift_report(BASELINE, iter(())).to_html()):
        text = re.sub(r"<script.*|<style.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)

        assert not re.findall(r"\b(?:nan|inf|None|Undefined|infinity)\b", text)


def test_the_page_is_accessible(report: DriftReport) -> None:
    html = report.to_html()

    assert '<html lang="en">' in html
    # A miniature in the overview and a chart each.
    assert html.count('role="img"') == 2 * len(report.features)
    assert all(tag.count("aria-label") == 1 for tag in re.findall(r"<svg[^>]*>", html))
    assert html.count("<h1>") == 1
    assert 'scope="col"' in html
    assert 'scope="row"' in html
    assert "prefers-color-scheme: dark" in html


def test_the_page_lists_the_most_drifted_first(report: DriftReport) -> None:
    html = report.to_html()

    places = [html.index(f"<bdi>{name}</bdi></a>", html.index("<tbody>")) for name in ("output", "amount", "steady")]
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


def test_counts_of_another_baseline_are_refused() -> None:
    counts = LiveCounts(Baseline.from_data({"a": [1.0, 2.0] * 50}))

    for given in (counts, counts.snapshot()):
        for other in ({"b": [1.0, 2.0]}, {"a": [1.0, 2.0, 3.0] * 50}):
            with pytest.raises(BaselineError, match="of another baseline"):
                drift_report(Baseline.from_data(other), given)
    with pytest.raises(BaselineError, match="of another baseline"):
        drift_report(Baseline.from_data({"a": [1.0, 5.0] * 50}), counts)


def test_an_output_that_is_also_a_feature_is_compared_as_both() -> None:
    random = np.random.default_rng(9)
    scores, ages = random.random(1000), random.normal(40, 9, 1000)
    baseline = Baseline.from_data({"score": scores, "age": ages}, output=scores + 5)

    for values in (list(scores), iter(scores)):
        report = drift_report(baseline, [("score", values), ("age", ages)], output="score")

        assert [(row.name, row.verdict) for row in report.features] == [
            ("score", "stable"), ("age", "stable"), ("output", "major"),
        ]  # fmt: skip
        assert [row.n for row in report.features] == [1000] * 3


def test_outputs_of_another_length_are_refused() -> None:
    with pytest.raises(BaselineError, match="10 outputs beside 500 rows"):
        drift_report(BASELINE, frame(500), output=[0.5] * 10)


def test_a_baseline_may_be_its_path(tmp_path: Path) -> None:
    data = frame(300)

    assert drift_report(BASELINE.save(tmp_path / "b.json"), data) == drift_report(BASELINE, data)
    with pytest.raises(BaselineError, match="not dict"):
        drift_report({"a": [1.0]}, data)  # type: ignore[arg-type]
