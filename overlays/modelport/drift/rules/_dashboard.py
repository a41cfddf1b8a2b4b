"""A Grafana dashboard over what the drift rules record."""

from __future__ import annotations

import json
from typing import Any

from modelport.drift.rules._panels import panels

__all__ = ["grafana_dashboard"]

# The schema of Grafana 10 and later; older ones are migrated on import, newer ones read it.
_SCHEMA = 39
_CHOSEN = "${datasource}"


def grafana_dashboard(*, title: str = "Model drift", datasource: str | None = None) -> str:
    """The dashboard as JSON, ready to import: all models of one Prometheus, by endpoint, version and feature.

    Args:
        title: Its title.
        datasource: UID of the Prometheus data source; by default the dashboard has a menu of them.
    """
    source = {"type": "prometheus", "uid": datasource or _CHOSEN}
    menu: list[dict[str, Any]] = [] if datasource else [_datasource_menu()]
    document: dict[str, Any] = {
        "title": title,
        "uid": "modelport-drift",
        "tags": ["modelport", "drift"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": [*menu, *_menus(source), _role_menu()]},
        "panels": panels(source),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _datasource_menu() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def _menus(source: dict[str, str]) -> list[dict[str, Any]]:
    """Each menu offers what the ones before it leave."""
    chosen: list[str] = []
    made: list[dict[str, Any]] = []
    for name, label, several in (
        ("window", "Window", False),
        ("endpoint", "Endpoint", False),
        ("model_version", "Version", True),
        ("feature", "Feature", True),
    ):
        query = f"label_values(modelport:feature:values{{{', '.join(chosen)}}}, {name})"
        made.append(_menu(name, label, query, source, several=several))
        # A single choice stands as it is; several come as a regular expression.
        chosen.append(f'{name}{"=~" if several else "="}"${name}"')
    return made


def _role_menu() -> dict[str, Any]:
    roles = {"features and output": "feature|output", "attributions": "attribution"}
    options = [
        {"text": text, "value": value, "selected": place == 0} for place, (text, value) in enumerate(roles.items())
    ]
    return {
        "name": "role",
        "label": "Bars of",
        "type": "custom",
        "query": ", ".join(f"{text} : {value}" for text, value in roles.items()),
        "current": options[0],
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": options,
        "skipUrlSync": False,
    }


def _menu(name: str, label: str, query: str, source: dict[str, str], *, several: bool) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": source,
        "definition": query,
        "query": {"query": query, "refId": f"Prometheus-{name}"},
        "current": {"text": ["All"], "value": ["$__all"]} if several else {},
        "hide": 0,
        "includeAll": several,
        "multi": several,
        "options": [],
        "refresh": 2,
        "regex": "",
        "skipUrlSync": False,
        "sort": 1,
    }
