"""The drift report as one page, and its charts for other pages."""

from __future__ import annotations

import base64
import hashlib
import math
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from modelport._extras import require
from modelport.drift.page._chart import chart_of
from modelport.drift.page._page_data import page_json
from modelport.drift.page._spark import SPARK_HEIGHT, SPARK_WIDTH
from modelport.drift.page._strip import STRIP_HEIGHT, STRIP_WIDTH
from modelport.drift.page._view import gauge_percent, view_of
from modelport.drift.page._words import bin_name, category, change, headline, percent, reasons, short, span

if TYPE_CHECKING:
    from jinja2 import Environment

    from modelport.drift._results import DriftReport, FeatureDrift

__all__ = ["feature_chart_svg", "page_policy", "page_style", "render_report", "template_environment", "writable"]

_VERDICT_CLASSES = {"major": "major", "moderate": "moderate", "stable": "stable", "too few values": "few"}
_OUTPUT_TOLD = {
    "major": "has drifted far",
    "moderate": "has drifted moderately",
    "stable": "is stable",
    "too few values": "has too few values to judge",
}
_VERDICT_ORDER = {"major": "0", "moderate": "1", "stable": "2", "too few values": "3"}


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


def render_report(
    report: DriftReport, *, title: str, subtitle: str, back: str | None = None, refresh_seconds: int | None = None
) -> str:
    """`DriftReport.to_html`.

    Args:
        report: What the page is about.
        title: Its heading.
        subtitle: A line below it.
        back: Where a page that lists several reports is.
        refresh_seconds: A browser loads the page again after this time.
    """
    markup: Any = require("markupsafe", "drift").Markup
    script = _packaged("report.js")
    page: str = (
        template_environment()
        .get_template("report.html.jinja")
        .render(
            **view_of(report),
            title=title,
            subtitle=subtitle,
            back=back,
            refresh_seconds=refresh_seconds,
            headline=headline(report),
            times=span(report.windows),
            has_mean_absolute=any(row.mean_absolute is not None for row in report.features),
            style=page_style(),
            script=markup(script),
            data=markup(page_json(report)),
            policy=page_policy(script),
        )
    )
    return writable(page)


def writable(page: str) -> str:
    """The page without what no file of HTML can hold."""
    # A lone surrogate, which JSON from elsewhere may hold, has no bytes in UTF-8; a zero byte has no place in HTML.
    return page.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")


@cache
def template_environment() -> Environment:
    """The Jinja2 environment of this package's templates, with autoescape on; its macros may be imported by others."""
    jinja2: Any = require("jinja2", "drift")
    environment: Any = jinja2.Environment(
        loader=jinja2.PackageLoader("modelport.drift.page", "_templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent,
        short=short,
        change=change,
        cut=category,
        reasons=reasons,
        sortable=_sortable,
        gauged=gauge_percent,
        without_suffix=str.removesuffix,
        first_moment=_first_moment,
        last_moment=_last_moment,
    )
    environment.globals.update(
        bin_name=bin_name,
        verdict_class=_VERDICT_CLASSES,
        output_told=_OUTPUT_TOLD,
        verdict_order=_VERDICT_ORDER,
        spark_width=SPARK_WIDTH,
        spark_height=SPARK_HEIGHT,
        strip_width=STRIP_WIDTH,
        strip_height=STRIP_HEIGHT,
    )
    return cast("Environment", environment)


def page_style() -> str:
    """The style sheet of every page, as safe markup."""
    markup: Any = require("markupsafe", "drift").Markup
    style: str = markup(_packaged("report.css"))
    return style


@cache
def _packaged(name: str) -> str:
    return (files("modelport.drift.page") / "_templates" / name).read_text("utf-8")


def page_policy(script: str = "") -> str:
    """A content security policy under which nothing is fetched, and no script runs but the page's own."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _sortable(value: float | None) -> str:
    """A number as a script reads it; nothing where there is none."""
    if value is None or math.isnan(value):
        return ""
    return repr(value) if math.isfinite(value) else f"{'-' if value < 0 else ''}Infinity"


def _first_moment(text: str) -> str:
    """Of what a place in time is called, where it begins."""
    return text.partition(" to ")[0]


def _last_moment(text: str) -> str:
    return text.rpartition(" to ")[2]
