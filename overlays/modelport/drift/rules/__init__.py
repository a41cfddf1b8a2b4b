"""Prometheus rules and a Grafana dashboard for the metrics of `modelport.ModelMonitor`.

Path("modelport.rules.yml").write_text(drift_rules(RuleOptions(window="1h", psi=0.2)))
Path("dashboard.json").write_text(grafana_dashboard())
"""

from modelport.drift.rules._boxkite import boxkite_rules
from modelport.drift.rules._dashboard import grafana_dashboard
from modelport.drift.rules._groups import drift_rules, rule_warnings
from modelport.drift.rules._options import RuleOptions

__all__ = ["RuleOptions", "boxkite_rules", "drift_rules", "grafana_dashboard", "rule_warnings"]
