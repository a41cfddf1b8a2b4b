"""A page that lists several reports, and one that says why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from modelport.drift.page._html import page_policy, page_style, template_environment, writable
from modelport.drift.page._words import headline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._results import DriftReport

__all__ = ["IndexEntry", "render_index", "render_reason"]


class IndexEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list.

    Attributes:
        name: What the report is about.
        href: Where it is.
        detail: More about it, in a few words.
        report: The report itself, if there is one.
        reason: Why there is none.
    """

    name: str
    href: str
    detail: str = ""
    report: DriftReport | None = None
    reason: str = ""


def render_index(
    entries: Sequence[IndexEntry], *, title: str, subtitle: str, empty: str, refresh_seconds: int | None = None
) -> str:
    """A page with a line for each entry; `empty` is what it says when there is none."""
    lines = [
        (entry, None, "") if entry.report is None else (entry, entry.report.verdict, headline(entry.report))
        for entry in entries
    ]
    return _render(
        "index.html.jinja", title=title, subtitle=subtitle, lines=lines, empty=empty, refresh_seconds=refresh_seconds
    )


def render_reason(reason: str, *, title: str, subtitle: str, back: str, refresh_seconds: int | None = None) -> str:
    """A page that says why there is no report."""
    return _render(
        "reason.html.jinja", title=title, subtitle=subtitle, reason=reason, back=back, refresh_seconds=refresh_seconds
    )


def _render(template: str, **values: Any) -> str:
    page: str = template_environment().get_template(template).render(style=page_style(), policy=page_policy(), **values)
    return writable(page)
