"""What the tests ask of a page in a browser, whatever the page is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

LEAST_CONTRAST = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = channels(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  let least = 21;
  for (const element of document.querySelectorAll("main *, footer *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const drawn = element.closest("svg");
    if (!own || !element.checkVisibility() || (drawn && element.localName !== "text")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(channels(drawn ? style.fill : style.color)), light(behind(element))];
    least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return least;
}"""
"""The lowest contrast (WCAG) of any text, drawn text too, with the nearest opaque background behind it."""

_RUN_AXE = """(tags) => axe.run(document, { runOnly: tags }).then((found) => found.violations.map((rule) =>
  `${rule.id}: ${rule.nodes.map((node) => `${node.target} ${node.failureSummary}`).slice(0, 3).join(" | ")}`))"""


def axe_violations(page: Any, node_modules: Path) -> list[str]:
    """What axe-core finds wrong with an open page, by rule and place."""
    source = node_modules / "axe-core" / "axe.min.js"
    page.evaluate(f"() => {{ {source.read_text('utf-8')} }}")
    found: list[str] = page.evaluate(_RUN_AXE, list(AXE_TAGS))
    return found


def heading_levels(page: Any) -> list[int]:
    """The levels of the headings in order."""
    found: list[int] = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((heading) => Number(heading.localName[1]))"
    )
    return found


def unnamed_charts(page: Any) -> list[str]:
    """The drawings that a screen reader could not name."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll("svg")].filter((drawing) => !drawing.closest("[aria-hidden=true]")
          && !(drawing.getAttribute("role") === "img" && drawing.getAttribute("aria-label")?.trim()))
          .map((drawing) => drawing.outerHTML.slice(0, 200))"""
    )
    return found
