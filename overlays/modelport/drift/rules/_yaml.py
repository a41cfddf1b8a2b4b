"""Rule files as YAML. JSON's texts are YAML's too, so only the layout is written here and no package is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from modelport.drift.rules._quoted import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Group", "Rule", "rule_file_text"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A recording rule, or an alert if it has a summary.

    Attributes:
        name: What is recorded, or the alert's name.
        expr: The PromQL.
        labels: Added to the result.
        pending: Of an alert: how long it must hold.
        summary: Of an alert: one line, a Go template.
    """

    name: str
    expr: str
    labels: Mapping[str, str]
    pending: str = ""
    summary: str = ""


class Group(msgspec.Struct, frozen=True):
    """Rules that are evaluated one after the other, each seeing what those before it recorded."""

    name: str
    interval: str
    rules: Sequence[Rule]


def rule_file_text(groups: Sequence[Group], comment: Sequence[str] = ()) -> str:
    """A file for Prometheus' ``rule_files``."""
    lines = [f"# {line}".rstrip() for line in comment]
    lines.append("groups:")
    for group in groups:
        lines += [f"- name: {quoted(group.name)}", f"  interval: {group.interval}", "  rules:"]
        for rule in group.rules:
            lines += _rule_lines(rule)
    return "\n".join(lines) + "\n"


def _rule_lines(rule: Rule) -> Iterator[str]:
    yield f"  - {'alert' if rule.summary else 'record'}: {rule.name}"
    if rule.pending:
        yield f"    for: {rule.pending}"
    yield "    labels:"
    for name, value in rule.labels.items():
        yield f"      {name}: {quoted(value)}"
    if rule.summary:
        yield "    annotations:"
        yield f"      summary: {quoted(rule.summary)}"
    yield "    expr: |-"
    for line in rule.expr.split("\n"):
        yield f"      {line}"
