"""``modelport drift``: its subcommands, each imported when it is used."""

from __future__ import annotations

from modelport.cli._lazy import Entry, LazyGroup

_HERE = "modelport.cli"

ENTRIES = {
    "baseline": Entry(f"{_HERE}._drift_baseline", "make_baseline", "Summarise training data into a baseline."),
    "compare": Entry(f"{_HERE}._drift_compare", "compare", "Compare data with a baseline."),
    "report": Entry(f"{_HERE}._drift_report", "report", "Compare logged predictions, or files of any size."),
    "rules": Entry(f"{_HERE}._drift_rules", "rules", "Print recording and alerting rules for Prometheus."),
    "dashboard": Entry(f"{_HERE}._drift_rules", "dashboard", "Print a Grafana dashboard."),
}

drift = LazyGroup("drift", entries=ENTRIES, help="Compare what is served with what was trained on.")
