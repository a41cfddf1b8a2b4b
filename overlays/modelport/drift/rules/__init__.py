"""Prometheus rules and a Grafana dashboard for the metrics of `modelport.ModelMonitor`.

Path("modelport.rules.yml").write_text(drift_rules(RuleOptions(window="1h", psi=0.2)))
"""

from modelport.drift.rules._groups import drift_rules
from modelport.drift.rules._options import RuleOptions

__all__ = ["RuleOptions", "drift_rules"]
