"""The dashboard's panels, from top to bottom."""

from __future__ import annotations

from typing import Any

__all__ = ["panels"]

_WIDTH = 24
_MODEL = 'endpoint="$endpoint", model_version=~"$model_version"'
_CHOSEN = f'window="$window", {_MODEL}, feature=~"$feature"'
# One at a time, for an attribution's edges are not those of its feature.
_BARS = f'{_CHOSEN}, role=~"$role"'
_NUMBER = "-?[0-9]+([.][0-9]+)?(e[-+][0-9]+)?"
_COLUMN = "endpoint, model_version, role, feature"
_LEGEND = "{{role}} {{feature}} ({{model_version}})"

# Header, recorded series and unit of the columns of the overview.
_OVERVIEW = (
    ("PSI", "psi", "none"),
    ("Noise", "psi_noise", "none"),
    ("JS", "js", "none"),
    ("KL", "kl", "none"),
    ("KS", "ks", "none"),
    ("Unseen", "unseen_share", "percentunit"),
    ("Missing", "missing_rate", "percentunit"),
    ("Values", "values", "short"),
)


def panels(source: dict[str, str]) -> list[dict[str, Any]]:
    """All panels, placed and numbered."""
    psi, noise = _recorded("psi"), _recorded("psi_noise")
    missing, unseen = _recorded("missing_rate"), _recorded("unseen_share")
    rows = [
        [_overview()],
        [
            _series("Drift over time: PSI", [_query(psi, _LEGEND)], width=12),
            _series("Times above noise", [_query(f"{psi} / {noise}", _LEGEND)], width=12),
        ],
        [_distribution()],
        [
            _series("Missing values", [_query(missing, _LEGEND)], unit="percentunit", width=12),
            _series("Values unknown to training", [_query(unseen, _LEGEND)], unit="percentunit", width=12),
        ],
        _service(),
    ]
    return _placed(rows, source)


def _service() -> list[dict[str, Any]]:
    served = f"rate(modelport_predictions_total{{{_MODEL}}}[$__rate_interval])"
    lost = f"increase(modelport_predictions_dropped_total{{{_MODEL}}}[$__rate_interval])"
    by_version = _query(f"sum by (endpoint, model_version) ({served})", "{{endpoint}} ({{model_version}})")
    waiting = [
        _query(f"sum(modelport_prediction_queue_records{{{_MODEL}}})", "queue"),
        _query(f"sum by (sink) (modelport_sink_pending_records{{{_MODEL}}})", "{{sink}}"),
    ]
    return [
        _series("Predictions a second", [by_version], unit="reqps", width=8),
        _series("Predictions lost", [_query(f"sum by (reason, sink) ({lost})", "{{reason}} {{sink}}")], width=8),
        _series("Waiting", waiting, width=8),
    ]


def _recorded(name: str) -> str:
    return f"modelport:feature:{name}{{{_CHOSEN}}}"


def _placed(rows: list[list[dict[str, Any]]], source: dict[str, str]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        left, height = 0, row[0].pop("height")
        for panel in row:
            panel.pop("height", None)
            width = panel.pop("width")
            place = {"x": left, "y": top, "w": width, "h": height}
            made.append({"id": len(made) + 1, "datasource": source, "gridPos": place, **panel})
            left += width
        top += height
    for panel in made:
        for number, target in enumerate(panel["targets"]):
            target.update(refId=chr(ord("A") + number), datasource=source)
    return made


def _query(expr: str, legend: str = "", *, table: bool = False) -> dict[str, Any]:
    form = {"instant": True, "range": False, "format": "table"} if table else {"range": True, "format": "time_series"}
    return {"expr": expr, "legendFormat": legend or "__auto", "editorMode": "code", **form}


def _series(title: str, targets: list[dict[str, Any]], *, unit: str = "none", width: int = _WIDTH) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": title,
        "width": width,
        "height": 8,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": {"fillOpacity": 8}}, "overrides": []},
        "options": {"legend": {"displayMode": "table", "placement": "right", "calcs": ["lastNotNull"]}},
    }


def _overview() -> dict[str, Any]:
    targets = [_query(f"max by ({_COLUMN}) ({_recorded(name)})", table=True) for _, name, _ in _OVERVIEW]
    names = {f"Value #{chr(ord('A') + place)}": header for place, (header, _, _) in enumerate(_OVERVIEW)}
    overrides: list[dict[str, Any]] = [
        {"matcher": {"id": "byName", "options": header}, "properties": [{"id": "unit", "value": unit}]}
        for header, _, unit in _OVERVIEW
    ]
    overrides[0]["properties"] += [
        {"id": "custom.cellOptions", "value": {"type": "color-background"}},
        {"id": "thresholds", "value": {"mode": "absolute", "steps": _STEPS}},
    ]
    return {
        "type": "table",
        "title": "Serving against training",
        "description": "PSI means something where it is above Noise and Values are not few.",
        "width": _WIDTH,
        "height": 10,
        "targets": targets,
        "transformations": [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": names}},
        ],
        "fieldConfig": {"defaults": {"decimals": 3}, "overrides": overrides},
        "options": {"showHeader": True, "sortBy": [{"displayName": "PSI", "desc": True}]},
    }


_STEPS = [
    {"color": "transparent", "value": None},
    {"color": "orange", "value": 0.1},
    {"color": "red", "value": 0.25},
]


# Edges would be taken for numbers and be spread by their size.
_BIN_IS_TEXT = [{"targetField": "bin", "destinationType": "string"}]


def _distribution() -> dict[str, Any]:
    bars = f"{_bars('training')}\nor {_bars('serving')}\nor {_order()}"
    return {
        "type": "barchart",
        "title": "Training against serving: $feature",
        "description": "Share of the values in each bin, by version; numeric bins are named by their upper edge.",
        "repeat": "feature",
        "repeatDirection": "h",
        "maxPerRow": 3,
        "width": _WIDTH,
        "height": 9,
        "targets": [_query(bars, table=True)],
        "transformations": [
            {"id": "convertFieldType", "options": {"conversions": _BIN_IS_TEXT}},
            {
                "id": "groupingToMatrix",
                "options": {"rowField": "bin", "columnField": "series", "valueField": "Value", "emptyValue": "null"},
            },
            {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "order"}]}},
            {"id": "organize", "options": {"excludeByName": {"order": True}}},
        ],
        "fieldConfig": {"defaults": {"unit": "percentunit", "min": 0}, "overrides": []},
        "options": {
            "xField": "bin\\series",
            "orientation": "vertical",
            "xTickLabelRotation": -45,
            "legend": {"showLegend": True},
        },
    }


def _bars(side: str) -> str:
    shares = f"max by (model_version, bin) (modelport:feature_bin:{side}_share{{{_BARS}}})"
    return f'label_replace({shares}, "series", "{side} $1", "model_version", "(.*)")'


def _order() -> str:
    """The edges as numbers, to sort by: what PromQL reads as a number is only the edge of a bucket."""
    ones = f'max by (bin) (modelport:feature_bin:training_share{{{_BARS}, bin=~"{_NUMBER}"}}) * 0 + 1'
    below = f'label_replace({ones}, "le", "$1", "bin", "(.*)")'
    edges = f'histogram_quantile(1, {below} or label_replace({ones}, "le", "+Inf", "", ""))'
    last = f'max by (bin) (modelport:feature_bin:training_share{{{_BARS}, bin="+Inf"}}) * 0 + Inf'
    return f'label_replace({edges} or {last}, "series", "order", "", "")'
