"""The drift report as one page, and its charts for other pages."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from modelport._extras import require
from modelport.drift._chart import bin_name, chart_of, percent, short

if TYPE_CHECKING:
    from jinja2 import Environment

    from modelport.drift._results import DriftReport, FeatureDrift

__all__ = ["feature_chart_svg", "render_report", "template_environment"]


def feature_chart_svg(row: FeatureDrift) -> str:
    """A feature's chart as an ``<svg>`` element that stands alone in any HTML page.

    Its colours follow the CSS custom properties ``--drift-baseline``, ``--drift-current``, ``--drift-text`` and
    ``--drift-grid`` of the page, and have defaults that read on light and dark. The answer is marked as safe markup
    for Jinja2; text of the data in it is escaped.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    macros: Any = template_environment().get_template("chart.svg.jinja").module
    svg: str = macros.chart(chart_of(row))
    return svg


def render_report(report: DriftReport, *, title: str, subtitle: str) -> str:
    """`DriftReport.to_html`."""
    template = template_environment().get_template("report.html.jinja")
    page: str = template.render(report=report, title=title, subtitle=subtitle)
    return page


@cache
def template_environment() -> Environment:
    """The Jinja2 environment of this package's templates, with autoescape on; its macros may be imported by others."""
    jinja2: Any = require("jinja2", "drift")
    environment: Any = jinja2.Environment(
        loader=jinja2.PackageLoader("modelport.drift", "_templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, short=short)
    environment.globals.update(bin_name=bin_name, chart_of=chart_of)
    return cast("Environment", environment)
