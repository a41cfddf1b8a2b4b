"""The demo's own drawings as SVG: colours come from the page's custom properties, so they follow its theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT = 460, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 14, 46
_PLOT_WIDTH, _PLOT_HEIGHT = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
_BINS = 10
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def roc_chart(points: Sequence[tuple[float, float]], auc: float) -> Markup:
    """The ROC curve through `points` (false positive rate, true positive rate)."""
    path = " ".join(f"{_x(fpr):.1f},{_y(tpr):.1f}" for fpr, tpr in points)
    area = f"{_x(0):.1f},{_y(0):.1f} {path} {_x(1):.1f},{_y(0):.1f}"
    body = Markup(
        '<polygon points="{}" class="area-usual"/>'
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="chance"/>'
        '<polyline points="{}" class="line-usual"/>'
        '<text x="{:.1f}" y="{:.1f}" class="big" text-anchor="end">AUC {:.3f}</text>'
    ).format(area, _x(0), _y(0), _x(1), _y(1), path, _x(0.97), _y(0.12), auc)
    name = f"ROC curve of the held-out records: area under the curve {auc:.3f}"
    return _chart(
        name, body, x_label="False positive rate", y_label="True positive rate", x_ticks=_TICKS, y_ticks=_TICKS
    )


def distribution_chart(series: Sequence[tuple[str, str, Sequence[float]]]) -> Markup:
    """Histograms of probabilities side by side; each series is its class in the style sheet, its label, its values."""
    shares = [(style, label, _shares(values)) for style, label, values in series]
    top = max((share for _, _, row in shares for share in row), default=0.0)
    ceiling = next(limit for limit in (0.2, 0.4, 0.6, 0.8, 1.0) if top <= limit)
    slot = _PLOT_WIDTH / _BINS
    width = slot * 0.8 / max(len(shares), 1)
    bars: list[Markup] = []
    for position, (style, label, row) in enumerate(shares):
        for number, share in enumerate(row):
            height = share / ceiling * _PLOT_HEIGHT
            left = _LEFT + slot * (number + 0.1) + width * position
            bars.append(
                Markup(
                    '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1.5" class="{}">'
                    "<title>{}</title></rect>"
                ).format(left, _TOP + _PLOT_HEIGHT - height, width - 0.6, height, style, _tip(label, number, share))
            )
    ticks = [ceiling * step / 4 for step in range(5)]
    name = "Distribution of the predicted probability: " + ", ".join(label for _, label, _ in shares)
    return _chart(
        name,
        Markup("").join(bars),
        x_label="Predicted probability of malignant",
        y_label="Share of records",
        x_ticks=_TICKS,
        y_ticks=ticks,
        ceiling=ceiling,
    )


def _tip(label: str, number: int, share: float) -> str:
    return f"{label}: {share:.1%} between {number / _BINS:.1f} and {(number + 1) / _BINS:.1f}"


def _shares(values: Sequence[float]) -> list[float]:
    counts = [0] * _BINS
    for value in values:
        counts[min(int(value * _BINS), _BINS - 1)] += 1
    return [count / len(values) if values else 0.0 for count in counts]


def _x(share: float) -> float:
    return _LEFT + share * _PLOT_WIDTH


def _y(share: float, ceiling: float = 1.0) -> float:
    return _TOP + (1 - share / ceiling) * _PLOT_HEIGHT


def _chart(
    name: str,
    body: Markup,
    *,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    ceiling: float = 1.0,
) -> Markup:
    grid = Markup("").join(
        Markup(
            '<line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}" class="grid"/>'
            '<text x="{}" y="{:.1f}" text-anchor="end">{:.0%}</text>'
        ).format(
            _LEFT, _LEFT + _PLOT_WIDTH, _y(tick, ceiling), _y(tick, ceiling), _LEFT - 8, _y(tick, ceiling) + 4, tick
        )
        for tick in y_ticks
    )
    below = Markup("").join(
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{:g}</text>').format(
            _x(tick), _TOP + _PLOT_HEIGHT + 18, tick
        )
        for tick in x_ticks
    )
    labels = Markup(
        '<text x="{:.1f}" y="{}" text-anchor="middle" class="axis">{}</text>'
        '<text transform="translate(12 {:.1f}) rotate(-90)" text-anchor="middle" class="axis y">{}</text>'
    ).format(_LEFT + _PLOT_WIDTH / 2, _HEIGHT - 8, x_label, _TOP + _PLOT_HEIGHT / 2, y_label)
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><g aria-hidden="true">{}{}{}</g>{}</svg>'
    ).format(_WIDTH, _HEIGHT, escape(name), grid, below, labels, body)
