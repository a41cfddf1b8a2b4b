"""What the demo found out, step by step: plain values that the report draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift import DriftReport


@attrs.frozen(kw_only=True)
class Step:
    """One step as it happened; times in seconds since the start of the demo."""

    title: str
    detail: str
    began: float
    seconds: float


@attrs.frozen(kw_only=True)
class Program:
    """A predict program, and what came of running it. `ran` is None when the machine lacks what it needs."""

    kind: str
    language: str
    label: str
    filename: str
    text: str
    ran: bool | None
    seconds: float
    outcome: str


@attrs.frozen(kw_only=True)
class Scored:
    """Scores beside the truth."""

    scores: Sequence[float]
    labels: Sequence[int]


@attrs.frozen(kw_only=True)
class Watched:
    """One record of the platform's own monitoring."""

    label: str
    rows: int
    psi: dict[str, float]
    shap: dict[str, float]

    @property
    def mean_psi(self) -> float:
        """The average over the features."""
        return sum(self.psi.values()) / len(self.psi) if self.psi else float("nan")


@attrs.define(kw_only=True)
class Story:
    """Everything that the report tells."""

    steps: list[Step] = attrs.field(factory=list[Step])
    training_rows: int = 0
    metrics: dict[str, float] = attrs.field(factory=dict[str, float])
    training_scores: Sequence[float] = ()
    held_out: Scored | None = None
    record_input: dict[str, float] = attrs.field(factory=dict[str, float])
    record_answer: dict[str, Any] = attrs.field(factory=dict[str, Any])
    usual_scores: Sequence[float] = ()
    shifted_scores: Sequence[float] = ()
    usual: DriftReport | None = None
    shifted: DriftReport | None = None
    logged: int = 0
    dropped: int = 0
    milliseconds: Sequence[float] = ()
    watched: list[Watched] = attrs.field(factory=list[Watched])
    programs: list[Program] = attrs.field(factory=list[Program])
    model_names: dict[str, str] = attrs.field(factory=dict[str, str])

    @property
    def total_seconds(self) -> float:
        """From the start to the end of the last step."""
        return max((step.began + step.seconds for step in self.steps), default=0.0)
