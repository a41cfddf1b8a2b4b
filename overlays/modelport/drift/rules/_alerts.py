"""Alerts on recorded drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.drift.rules._promql import gain
from modelport.drift.rules._yaml import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelport.drift.rules._options import RuleOptions
    from modelport.drift.rules._promql import Window

__all__ = ["column_alerts", "service_alerts"]

_WHERE = "{{ $labels.endpoint }}, version {{ $labels.model_version }}, {{ $labels.role }} {{ $labels.feature }}"
_VALUE = "{{ printf `%.3g` $value }}"


def column_alerts(options: RuleOptions, window: Window) -> Iterator[Rule]:
    """Alerts on the distribution of a column. None fires on fewer than `min_count` values, or on noise."""
    by, known = window.column, window.recorded
    values = known("modelport:feature:values")
    enough = f"and on ({by}) {values} >= {options.min_count}"
    psi, noise = known("modelport:feature:psi"), known("modelport:feature:psi_noise")
    real = f"and on ({by}) {psi} > {noise}\n{enough}"
    if options.psi is not None:
        expr = f"{psi} > {options.psi:g}\n{real}"
        yield _alert(window, "ModelportPsi", expr, options, f"PSI {_VALUE} over {options.window}: {_WHERE}")
    if options.kl is not None:
        forth, back = known("modelport:feature:kl"), known("modelport:feature:kl_reverse")
        expr = f"(({forth} > {back}) or {back}) > {options.kl:g}\n{real}"
        yield _alert(window, "ModelportKl", expr, options, f"KL divergence {_VALUE} over {options.window}: {_WHERE}")
    if options.ks is not None:
        ks = known("modelport:feature:ks")
        expr = f"{ks} > {options.ks:g}\nand on ({by}) {ks} > {known('modelport:feature:ks_noise')}\n{enough}"
        yield _alert(window, "ModelportKs", expr, options, f"KS distance {_VALUE} over {options.window}: {_WHERE}")
    if options.unseen is not None:
        present = f"and on ({by}) {known('modelport:feature:present_values')} >= {options.min_count}"
        share, trained = known("modelport:feature:unseen_share"), known("modelport:feature:training_unseen_share")
        expr = f"{share} - {trained} > {options.unseen:g}\n{present}"
        summary = f"values without a bin of their own {_VALUE} above the share of training: {_WHERE}"
        yield _alert(window, "ModelportUnseen", expr, options, summary)
    if options.missing is not None:
        yield _missing(options, window, options.missing)


def _missing(options: RuleOptions, window: Window, limit: float) -> Rule:
    by, known = window.column, window.recorded
    rate, trained = known("modelport:feature:missing_rate"), known("modelport:feature:training_missing_rate")
    rows = f"({known('modelport:feature:present_values')} + {known('modelport:feature:missing')})"
    expr = f"{rate} - {trained} > {limit:g}\nand on ({by}) {rows} >= {options.min_count}"
    return _alert(
        window, "ModelportMissing", expr, options, f"missing values {_VALUE} above the rate of training: {_WHERE}"
    )


def service_alerts(options: RuleOptions, window: Window) -> Iterator[Rule]:
    """Alerts on what would make the figures wrong."""
    conflicts = window.recorded("modelport:feature:baseline_conflicts")
    summary = f"replicas of one version have different baselines, so there is no PSI: {_WHERE}"
    yield _alert(window, "ModelportBaselineConflict", conflicts, options, summary)
    lost = gain("modelport_predictions_dropped_total", window)
    yield _alert(
        window,
        "ModelportDropped",
        f"sum by ({window.model}, reason, sink) (\n{lost}\n) > 0",
        options,
        f"{{{{ $value }}}} predictions lost in {options.window} ({{{{ $labels.reason }}}}): {{{{ $labels.endpoint }}}}",
        pending="",
    )


def _alert(
    window: Window, name: str, expr: str, options: RuleOptions, summary: str, *, pending: str | None = None
) -> Rule:
    held = options.pending if pending is None else pending
    # An alert's labels are templates, and the window's mark has the name of an endpoint in it.
    own = {label: text.replace("{{", '{{"{{"}}') for label, text in window.labels.items()}
    labels = {"severity": options.severity, **own}
    return Rule(name=name, expr=expr, labels=labels, pending=held, summary=summary)
