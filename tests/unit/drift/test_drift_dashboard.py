"""The Grafana dashboard can be imported as it is, and asks only for what the rules record or the service exposes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from modelport.drift.rules import drift_rules, grafana_dashboard
from modelport.monitor._families import FAMILIES

# What Grafana asks of a panel, after its dashboard JSON model.
NEEDED = {"id", "type", "title", "gridPos", "datasource", "targets", "fieldConfig", "options"}
METRIC = re.compile(r"\b(modelport[:_][a-z_:]+)\b")


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(grafana_dashboard())
    return document


def queries(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (menu["definition"] for menu in dashboard["templating"]["list"] if menu["type"] == "query")


def lost(mine: Any, theirs: Any, place: str = "") -> Iterator[str]:
    """Places of `mine` that `theirs` has not, or has otherwise."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for key, value in mine.items():
            yield from lost(value, theirs[key], f"{place}/{key}") if key in theirs else [f"{place}/{key}"]
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for index, pair in enumerate(zip(mine, theirs, strict=True)):
            yield from lost(*pair, f"{place}/{index}")
    elif mine != theirs:
        yield place


def test_grafanas_own_model_of_a_dashboard_has_a_field_for_all_that_ours_says(dashboard: dict[str, Any]) -> None:
    register_default_plugins()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))

    # The model leaves out two fields that Grafana itself writes.
    unknown = [place for place in lost(dashboard, read) if not place.endswith(("/definition", "/maxPerRow"))]
    assert unknown == []


def test_every_metric_asked_for_is_recorded_or_exposed(dashboard: dict[str, Any]) -> None:
    recorded = set(re.findall(r"record: (\S+)", drift_rules()))
    exposed = {f"{name}_total" if family.type == "counter" else name for name, family in FAMILIES.items()}
    asked = {name for query in queries(dashboard) for name in METRIC.findall(query)}

    assert asked - recorded - exposed == set()
    assert {"modelport:feature:psi", "modelport:feature_bin:serving_share"} <= asked


def test_every_variable_used_has_a_menu_that_comes_before(dashboard: dict[str, Any]) -> None:
    menus = [menu["name"] for menu in dashboard["templating"]["list"]]
    for place, menu in enumerate(dashboard["templating"]["list"]):
        asked = json.dumps([menu.get("definition", ""), menu.get("datasource", "")])
        used = set(re.findall(r"\$\{?([a-z_]+)\}?", asked))
        assert used <= set(menus[:place])
    used = set(re.findall(r"\$\{?([a-z_]+)\}?", json.dumps(dashboard["panels"])))

    assert used - {"__rate_interval"} == set(menus)


def test_a_single_choice_is_no_regular_expression(dashboard: dict[str, Any]) -> None:
    menus = {menu["name"]: menu for menu in dashboard["templating"]["list"] if menu["type"] == "query"}
    asked = {match for query in queries(dashboard) for match in re.findall(r'(=~?)"\$([a-z_]+)"', query)}

    assert {name for operator, name in asked if name in menus and operator == "="} == {"window", "endpoint"}
    assert {name for operator, name in asked if name in menus and operator == "=~"} == {"model_version", "feature"}
    assert {name for name, menu in menus.items() if menu["multi"]} == {"model_version", "feature"}


def test_panels_are_complete_have_ids_of_their_own_and_do_not_overlap(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    places = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert all(set(panel) >= NEEDED for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23
    assert all(len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) for panel in panels)


def test_one_data_source_can_be_named() -> None:
    document = json.loads(grafana_dashboard(title="Mine", datasource="abc"))

    assert document["title"] == "Mine"
    assert "datasource" not in [menu["name"] for menu in document["templating"]["list"]]
    assert {panel["datasource"]["uid"] for panel in document["panels"]} == {"abc"}
