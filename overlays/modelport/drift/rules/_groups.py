"""The rule file for series under modelport's own names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport._version import __version__
from modelport.drift.rules._alerts import column_alerts, service_alerts
from modelport.drift.rules._options import RuleOptions
from modelport.drift.rules._promql import Window, divergence_expressions, gain, seconds
from modelport.drift.rules._yaml import Group, Rule, rule_file_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["checked_window", "drift_rules", "recording_rules"]

_LABEL_LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")


def drift_rules(options: RuleOptions | None = None) -> str:
    """A file for Prometheus' ``rule_files``: drift of every column of every endpoint, and alerts on it.

    One text for all models: endpoints, versions, columns and bins are labels.

    Raises:
        ValueError: A window, interval or label that Prometheus would not take.
    """
    options = options or RuleOptions()
    window = checked_window(options)
    recorded = [*_gains(window), *divergence_expressions(window), _training_missing_rate(window)]
    alerts = [*column_alerts(options, window), *service_alerts(options, window)]
    return rule_file_text(
        [
            Group(f"modelport_drift_{options.window}", options.interval, recording_rules(recorded, options)),
            Group(f"modelport_alerts_{options.window}", options.interval, alerts),
        ],
        [f"Written by `modelport drift rules` {__version__}.", *warnings(options)],
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
        if not label or not set(label) <= _LABEL_LETTERS or label[0].isdigit():
            message = f"not a label: {label!r}"
            raise ValueError(message)
    return Window(options.window, options.by)


def warnings(options: RuleOptions) -> list[str]:
    """What a reader of the figures should know about `options`."""
    if seconds(options.window) >= _FEWEST_STEPS * seconds(options.interval):
        return []
    return [
        f"The window {options.window} holds fewer than {_FEWEST_STEPS} intervals of {options.interval}: "
        "its ends are only as exact as the scrapes are close."
    ]


_FEWEST_STEPS = 20


def recording_rules(recorded: list[tuple[str, str]], options: RuleOptions) -> list[Rule]:
    """Rules whose series carry the window."""
    return [Rule(name=name, expr=expr, labels={"window": options.window}) for name, expr in recorded]


def _gains(window: Window) -> Iterator[tuple[str, str]]:
    """The gains of serving, and the counts of training, over all replicas."""
    by, length = window.column, window.text

    def summed(labels: str, counter: str) -> str:
        return f"sum by ({labels}) (\n{gain(counter, window)}\n)"

    def trained(labels: str, gauge: str) -> str:
        # Not the sum: each replica shows the whole baseline. Not an instant: a version may have just been retired.
        return f"max by ({labels}) (last_over_time({gauge}[{length}]))"

    yield "modelport:feature_bin:gain", summed(f"{by}, bin", "modelport_feature_bin_total")
    yield "modelport:feature_bin:training", trained(f"{by}, bin", "modelport_baseline_bin")
    yield "modelport:feature_le:gain", summed(f"{by}, le", "modelport_feature_value_bucket")
    yield "modelport:feature_le:training", trained(f"{by}, le", "modelport_baseline_value_bucket")
    yield "modelport:feature:missing", summed(by, "modelport_feature_missing_total")
    yield "modelport:feature:unseen", summed(by, "modelport_feature_unseen_total")
    yield "modelport:feature:training_missing", trained(by, "modelport_baseline_missing")


def _training_missing_rate(window: Window) -> tuple[str, str]:
    missing = window.recorded("modelport:feature:training_missing")
    values = window.recorded("modelport:feature:training_values")
    return "modelport:feature:training_missing_rate", f"{missing} / (({values} + {missing}) > 0)"
