"""The rule file for series under modelport's own names."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from modelport._version import __version__
from modelport.drift.rules._alerts import column_alerts, service_alerts
from modelport.drift.rules._options import RuleOptions
from modelport.drift.rules._promql import Window, divergence_expressions, gain, seconds
from modelport.drift.rules._yaml import Group, Rule, rule_file_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["checked_window", "drift_rules", "rule_warnings", "rules_text"]

_FEWEST_STEPS = 20
_LABEL = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")
# Labels of the service's own: training has no `process`, and the rules go by the rest anyway.
_OWN = frozenset({"endpoint", "model_version", "process", "role", "feature", "bin", "le", "reason", "sink"})
# What the rules themselves put on results.
_OWN_OF_RULES = frozenset({"window", "severity", "alertname"})
_LARGEST = {"psi": math.inf, "kl": math.inf, "ks": 1, "unseen": 1, "missing": 1}


def drift_rules(options: RuleOptions | None = None) -> str:
    """A file for Prometheus' ``rule_files``: drift of every column of every endpoint, and alerts on it.

    One text for all models: endpoints, versions, columns and bins are labels.

    Raises:
        ValueError: A window, interval or label that Prometheus would not take.
    """
    options = options or RuleOptions()
    window = checked_window(options)
    return rules_text("modelport", _gains(window), service_alerts(options, window), options, window)


def rules_text(
    name: str,
    gains: Iterable[Rule],
    further_alerts: Iterable[Rule],
    options: RuleOptions,
    window: Window,
) -> str:
    """The file: `gains`, everything that follows from them, and alerts."""
    derived = [_recording(*pair, window) for pair in (*divergence_expressions(window), _training_missing_rate(window))]
    alerts = [*column_alerts(options, window), *further_alerts]
    mark = window.labels["window"]
    return rule_file_text(
        [
            Group(f"{name} drift {mark}", options.interval, [*gains, *derived]),
            Group(f"{name} alerts {mark}", options.interval, alerts),
        ],
        [f"Written by `modelport drift rules` {__version__}.", *rule_warnings(options)],
    )


def checked_window(options: RuleOptions) -> Window:
    """The window of `options`, having looked at all that Prometheus would refuse.

    Raises:
        ValueError: As `drift_rules`.
    """
    seconds(options.window)
    seconds(options.interval)
    if options.pending not in {"", "0s"}:
        seconds(options.pending)
    for label in options.by:
        if not _LABEL.fullmatch(label):
            message = f"not a label: {label!r}"
            raise ValueError(message)
        if label in _OWN | _OWN_OF_RULES or label.startswith("__"):
            message = f"not a label of a target, such as namespace or job: {label!r}"
            raise ValueError(message)
    if options.min_count < 0:
        message = f"min_count is a number from 0 on, not {options.min_count}"
        raise ValueError(message)
    for name, largest in _LARGEST.items():
        limit = getattr(options, name)
        if limit is not None and not (0 <= limit <= largest and math.isfinite(limit)):
            reach = "from 0 on" if largest == math.inf else f"from 0 to {largest}"
            message = f"{name} is a number {reach}, not {limit}"
            raise ValueError(message)
    return Window(options.window, options.by)


def rule_warnings(options: RuleOptions) -> list[str]:
    """What a reader of the figures should know about `options`."""
    if seconds(options.window) >= _FEWEST_STEPS * seconds(options.interval):
        return []
    return [
        f"The window {options.window} holds fewer than {_FEWEST_STEPS} steps of {options.interval}: its ends are vague."
    ]


def _recording(name: str, expr: str, window: Window) -> Rule:
    return Rule(name=name, expr=expr, labels=window.labels)


def _gains(window: Window) -> Iterator[Rule]:
    """The gains of serving, and the counts of training, over all replicas."""
    by, length = window.column, window.text

    def summed(labels: str, counter: str) -> str:
        return f"sum by ({labels}) (\n{gain(counter, window)}\n)"

    def trained(labels: str, gauge: str) -> str:
        # Not the sum: each replica shows the whole baseline. Not an instant: a version may have just been retired.
        return f"max by ({labels}) (last_over_time({gauge}[{length}]))"

    for name, expr in (
        ("modelport:feature_bin:gain", summed(f"{by}, bin", "modelport_feature_bin_total")),
        ("modelport:feature_bin:training", trained(f"{by}, bin", "modelport_baseline_bin")),
        ("modelport:feature_le:gain", summed(f"{by}, le", "modelport_feature_value_bucket")),
        ("modelport:feature_le:training", trained(f"{by}, le", "modelport_baseline_value_bucket")),
        ("modelport:feature:missing", summed(by, "modelport_feature_missing_total")),
        ("modelport:feature:unseen", summed(by, "modelport_feature_unseen_total")),
        ("modelport:feature:training_missing", trained(by, "modelport_baseline_missing")),
    ):
        yield _recording(name, expr, window)


def _training_missing_rate(window: Window) -> tuple[str, str]:
    missing = window.recorded("modelport:feature:training_missing")
    values = window.recorded("modelport:feature:training_values")
    return "modelport:feature:training_missing_rate", f"{missing} / (({values} + {missing}) > 0)"
