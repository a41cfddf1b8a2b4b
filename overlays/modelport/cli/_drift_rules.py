"""``modelport drift rules`` and ``modelport drift dashboard``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelport.cli._output import note, write_file

if TYPE_CHECKING:
    from modelport.drift import Baseline

file_option = click.option(
    "--output", "-o", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file, not to stdout."
)


@click.command("rules")
@click.option("--window", default="1h", show_default=True, help="Traffic to look back on.")
@click.option("--interval", default="1m", show_default=True, help="How often Prometheus evaluates the rules.")
@click.option("--pending", default="5m", show_default=True, help="How long a condition must hold to alert.")
@click.option("--min-count", default=200, show_default=True, help="Values in the window below which nothing alerts.")
@click.option("--psi", default=0.25, show_default=True, help="Alert above this PSI, if it is more than noise.")
@click.option("--kl", type=float, help="Alert above this KL divergence in either direction; by default not at all.")
@click.option("--ks", type=float, help="Alert above this Kolmogorov-Smirnov distance; by default not at all.")
@click.option(
    "--unseen", default=0.05, show_default=True, help="Alert this far above training's share of values without a bin."
)
@click.option(
    "--missing", default=0.1, show_default=True, help="Alert this far above training's rate of missing values."
)
@click.option("--by", multiple=True, metavar="LABEL", help="Keep apart by a label of the targets too; repeatable.")
@click.option("--severity", default="warning", show_default=True, help="Label of all alerts.")
@click.option(
    "--names",
    type=click.Choice(["modelport", "boxkite"]),
    default="modelport",
    show_default=True,
    help="Whose metrics are scraped; Boxkite's need --baseline.",
)
@click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With Boxkite's names: the model's baseline.",
)
@click.option("--endpoint", default="", help="With Boxkite's names: what to call the endpoint.")
@file_option
def rules(
    *,
    window: str,
    interval: str,
    pending: str,
    min_count: int,
    psi: float,
    kl: float | None,
    ks: float | None,
    unseen: float,
    missing: float,
    by: tuple[str, ...],
    severity: str,
    names: str,
    baseline: Path | None,
    endpoint: str,
    target: Path | None,
) -> None:
    """Print recording and alerting rules for Prometheus: drift of every column of every model.

    Load them with rule_files in prometheus.yml. One file serves all models; several files with different windows go
    together.
    """
    from modelport.drift.rules import RuleOptions, boxkite_rules, drift_rules, rule_warnings

    options = RuleOptions(
        window=window, interval=interval, pending=pending, min_count=min_count, psi=psi, kl=kl, ks=ks, unseen=unseen,
        missing=missing, by=by, severity=severity,
    )  # fmt: skip
    try:
        if names == "boxkite":
            text = boxkite_rules(_baseline(baseline), options, endpoint=endpoint)
        else:
            text = drift_rules(options)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for warning in rule_warnings(options):
        note(warning)
    _give(text, target)


@click.command("dashboard")
@click.option("--title", default="Model drift", show_default=True, help="What Grafana calls it.")
@click.option(
    "--datasource", help="UID of the Prometheus data source; by default the dashboard lets its reader choose."
)
@file_option
def dashboard(*, title: str, datasource: str | None, target: Path | None) -> None:
    """Print a Grafana dashboard over what the rules record, ready to import."""
    from modelport.drift.rules import grafana_dashboard

    _give(grafana_dashboard(title=title, datasource=datasource), target)


def _baseline(path: Path | None) -> Baseline:
    from modelport.drift import Baseline, BaselineError

    if path is None:
        raise click.UsageError("--names boxkite needs --baseline: Boxkite's metrics do not tell a feature's bins apart")
    try:
        return Baseline.load(path)
    except BaselineError as error:
        raise click.UsageError(str(error)) from error


def _give(text: str, target: Path | None) -> None:
    if target is None:
        click.echo(text, nl=False)
        return
    write_file(target, text)
    note(f"written: {target}")
