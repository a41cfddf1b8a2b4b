"""What the commands that compare have in common: a report on stdout, as JSON, as a page, as an exit code."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelport.cli._output import note, print_json, write_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelport.drift import DriftReport

__all__ = ["fail_on_option", "html_option", "level_option", "min_values_option", "rule_option", "tell"]

_DRIFTED = 1
_VERDICTS = {"moderate": {"moderate", "major"}, "major": {"major"}}

rule_option = click.option(
    "--rule", type=click.Choice(["raw", "clamp"]), default="clamp", show_default=True, help="How empty bins count."
)


def _number(ctx: click.Context, param: click.Parameter, value: float) -> float:
    """NaN is in no range, and passes for being in any."""
    if math.isnan(value):
        raise click.BadParameter("nan is not in the range 0<x<1.", ctx, param)
    return value


level_option = click.option(
    "--level", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.99, show_default=True,
    callback=_number, help="Confidence of the significance test.",
)  # fmt: skip
min_values_option = click.option(
    "--min-values", type=click.IntRange(min=0), default=200, show_default=True,
    help="Values that a feature needs before it is judged.",
)  # fmt: skip
html_option = click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a report to open in a browser too."
)
fail_on_option = click.option(
    "--fail-on", type=click.Choice(list(_VERDICTS)), help="Exit 1 when a column has drifted this far."
)


def tell(report: DriftReport, *, document: Mapping[str, Any] | None, html: Path | None, fail_on: str | None) -> int:
    """Print the report, or the `document` made of it as JSON; write the page. Returns the exit code."""
    if document is not None:
        print_json(_spelled(document))
    else:
        from modelport.cli._drift_view import print_report

        print_report(report)
    if html is not None:
        write_file(html, report.to_html())
        note(f"report: {html}")
    reached = {report.verdict, *(row.verdict for row in report.features)} & _VERDICTS.get(fail_on or "", set())
    return _DRIFTED if reached else 0


def _spelled(value: Any) -> Any:
    """Numbers that JSON does not have, as text."""
    if isinstance(value, dict):
        return {key: _spelled(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (list, tuple)):
        return [_spelled(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
