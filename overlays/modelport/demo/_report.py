"""The report: one page with everything in it, that no network can change."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from modelport import predict_code
from modelport._extras import require
from modelport._version import __version__
from modelport.demo._charts import distribution_chart, roc_chart
from modelport.demo._figures import drifted, feature_rows, figures_of, quality_of
from modelport.demo._story import Scored
from modelport.drift import feature_chart_svg

if TYPE_CHECKING:
    from modelport.demo._story import Program, Story

_SIDE_BY_SIDE = 4
_SHOWN = 12
_EXPLAINED = 10
_KINDS = (("sync", "One record", "sync model"), ("async", "A file of records", "async model"))


def render_report(story: Story) -> str:
    """The page as text."""
    jinja2: Any = require("jinja2", "demo")
    templates = files("modelport.demo") / "templates"
    environment: Any = jinja2.Environment(
        loader=jinja2.PackageLoader("modelport.demo", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["seconds"] = _seconds
    markup: Any = require("markupsafe", "demo").Markup
    page: str = environment.get_template("report.html.j2").render(
        **_values(story),
        style=markup((templates / "report.css").read_text("utf-8")),
        script=markup((templates / "report.js").read_text("utf-8")),
        version=__version__,
        made=dt.datetime.now(dt.UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0"),
    )
    return page


def _values(story: Story) -> dict[str, Any]:
    if story.held_out is None or story.shifted is None or story.usual is None:
        raise ValueError("the story has no end: a report needs the scores and both drift reports")
    quality = quality_of(story.held_out)
    rows = feature_rows(story)
    explained = sorted((row for row in rows if row.shap is not None), key=lambda row: -(row.shap or 0))[:_EXPLAINED]
    return {
        "story": story,
        "figures": figures_of(story),
        "quality": quality,
        "before": quality_of(Scored(scores=story.usual_scores, labels=story.held_out.labels)),
        "after": quality_of(Scored(scores=story.shifted_scores, labels=story.held_out.labels)),
        "roc": roc_chart(quality.roc, quality.auc),
        "distribution": distribution_chart(
            [
                ("bar-baseline", "Training", story.training_scores),
                ("bar-usual", "Usual week", story.usual_scores),
                ("bar-shifted", "Scanner changed", story.shifted_scores),
            ]
        ),
        "rows": rows,
        "shown": _SHOWN,
        "highest": max([row.shifted.psi for row in rows] + [0.5]),
        "drifted": (drifted(story.usual), drifted(story.shifted)),
        "output": {row.role: row for row in story.shifted.features}.get("output"),
        "side_by_side": [
            (row, feature_chart_svg(row.usual), feature_chart_svg(row.shifted)) for row in rows[:_SIDE_BY_SIDE]
        ],
        "explained": explained,
        "highest_shap": max([row.shap or 0 for row in explained] + [1e-9]),
        "kinds": [
            (kind, title, model, [_coloured(program) for program in story.programs if program.kind == kind])
            for kind, title, model in _KINDS
        ],
    }


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"  # noqa: PLR2004 - two digits are enough


def _coloured(program: Program) -> tuple[Program, Any]:
    """A program with its text as HTML."""
    # Pygments comes with rich.
    pygments, formatters, lexers, markup = (
        require(name, "demo") for name in ("pygments", "pygments.formatters", "pygments.lexers", "markupsafe")
    )
    language = predict_code.target(program.language).highlight
    lexer, formatter = lexers.get_lexer_by_name(language), formatters.HtmlFormatter(nowrap=True)
    # Pygments escapes the text.
    return program, markup.Markup(pygments.highlight(program.text, lexer, formatter))
