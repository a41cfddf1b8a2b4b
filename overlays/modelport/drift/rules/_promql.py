"""PromQL: what counters gained in a window, and the divergences over the gains.

``increase()`` is no basis for shares. It extrapolates each series to the edges of the window by a factor of its own,
so replicas get wrong weights; it does not count what a series held at its first scrape; it sees a restart only where a
value falls. Here a gain is a difference of two values that were scraped. That is exact because every run of a process
has series of its own (the label ``process``), so that no series ever falls, and all of them exist from the start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from modelport.drift._values import OTHER
from modelport.drift.divergence import CLAMP_SHARE
from modelport.drift.rules._quoted import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Window", "divergence_expressions", "gain", "seconds"]

_MODEL = ("endpoint", "model_version")
_COLUMN = ("role", "feature")
_TINY = "1e-300"
# Points of the standard normal distribution and of Kolmogorov's, that chance exceeds once in a hundred.
_NORMAL_99 = "2.3263478740408408"
_KOLMOGOROV_99 = "1.6276236115189503"
# A category that training had less often owes its bin to chance, if others went without one.
_RARE = 10


class Window(msgspec.Struct, frozen=True):
    """A window, and the labels that are kept apart.

    Attributes:
        text: Its length as Prometheus has it, such as ``1h``.
        extra: Labels beside the endpoint, the version and the column that must not be summed over.
        mark: The label ``window`` of what is recorded; by default `text`.
    """

    text: str
    extra: tuple[str, ...] = ()
    mark: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """What tells series that are recorded for this window."""
        return {"window": self.mark or self.text}

    @property
    def model(self) -> str:
        """The labels of one model."""
        return ", ".join((*self.extra, *_MODEL))

    @property
    def column(self) -> str:
        """The labels of one column of one model."""
        return ", ".join((*self.extra, *_MODEL, *_COLUMN))

    def recorded(self, name: str, **labels: str) -> str:
        """A series that a rule of this window records."""
        matchers = [f"{label}={quoted(value)}" for label, value in {**self.labels, **labels}.items()]
        return f"{name}{{{', '.join(matchers)}}}"


def gain(counter: str, window: Window) -> str:
    """What each series of `counter` gained in the window: its last value less the one it entered the window with.

    The value at entry is the last one scraped before. Without any, a process that started in the window entered it
    with 0, and one that is older (Prometheus was away, or is new) with the first value seen. `last_over_time`
    rather than an instant: a process that ended inside the window still counts, and a missed scrape is no start.
    """
    length = window.text
    now = f"last_over_time({counter}[{length}])"
    older = (
        f"max by (endpoint, model_version, process) (last_over_time(modelport_monitor_start_time_seconds[{length}]))"
        f" < time() - {seconds(length):g}"
    )
    return (
        f"{now}\n- (\n"
        f"  last_over_time({counter}[{length}] offset {length})\n"
        f"  or (min_over_time({counter}[{length}]) and on (endpoint, model_version, process) ({older}))\n"
        f"  or 0 * {now}\n)"
    )


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}


def seconds(duration: str) -> float:
    """The length of a duration in Prometheus' spelling, such as ``90s``, ``1h30m`` or ``7d``.

    Raises:
        ValueError: It is none, or it is 0.
    """
    parts = re.findall(r"(\d+)(ms|[smhdwy])", duration)
    total = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if not total or "".join(map("".join, parts)) != duration:
        message = f"not a duration such as 90s, 1h30m or 7d: {duration!r}"
        raise ValueError(message)
    return total


def divergence_expressions(window: Window) -> Sequence[tuple[str, str]]:
    """Name and expression of everything that follows from the recorded gains, in an order that can be evaluated.

    As `modelport.drift.divergence` under the rule ``clamp``; no result where nothing was served, and none for a
    column whose baselines contradict each other.
    """
    by = window.column
    known = window.recorded
    gains, training = known("modelport:feature_bin:gain"), known("modelport:feature_bin:training")
    values, trained = known("modelport:feature:values"), known("modelport:feature:training_values")
    q, p = known("modelport:feature_bin:serving_share"), known("modelport:feature_bin:training_share")
    everything = known("modelport:feature_le:gain", le="+Inf")
    served_below = f"{known('modelport:feature_le:gain')} / on ({by}) group_left () ({everything} > 0)"
    trained_everything = known("modelport:feature_le:training", le="+Inf")
    trained_below = f"{known('modelport:feature_le:training')} / on ({by}) group_left () ({trained_everything} > 0)"
    missing, unseen = known("modelport:feature:missing"), known("modelport:feature:unseen")
    present = known("modelport:feature:present_values")
    alike = f"unless on ({by}) {known('modelport:feature:baseline_conflicts')}"
    clamped_q, clamped_p = f"clamp_min({q}, {CLAMP_SHARE:g})", f"clamp_min({p}, {CLAMP_SHARE:g})"
    middle = f"clamp_min(({q} + {p}) / 2, {_TINY})"
    used = f"count by ({by}) (({q} + {p}) > 0)"
    logs = f"ln({clamped_q} / {clamped_p})"
    sizes = f"(1 / {values} + 1 / {trained})"
    psi, chance = known("modelport:feature:psi"), known("modelport:feature:psi_chance")
    pearson, pearson_chance = known("modelport:feature:pearson"), known("modelport:feature:pearson_chance")
    overstated = f"{psi} / {pearson} * {pearson_chance}"
    others = f"{known('modelport:feature_bin:training', bin=OTHER)} > 0"
    judged = _pearson_terms(window, f"{values} + {trained}", others)
    none = f"or on ({by}) 0 * {values}"
    return (
        ("modelport:feature:values", f"sum by ({by}) ({gains})"),
        ("modelport:feature:training_values", f"sum by ({by}) ({training})"),
        ("modelport:feature_bin:serving_share", f"{gains} / on ({by}) group_left () ({values} > 0)"),
        ("modelport:feature_bin:training_share", f"{training} / on ({by}) group_left () ({trained} > 0)"),
        ("modelport:feature:baseline_conflicts", _conflicts(window)),
        ("modelport:feature:psi", f"sum by ({by}) (\n  ({clamped_q} - {clamped_p})\n  * {logs}\n)\n{alike}"),
        ("modelport:feature:kl", f"sum by ({by}) ({clamped_q} * {logs})\n{alike}"),
        ("modelport:feature:kl_reverse", f"-sum by ({by}) ({clamped_p} * {logs})\n{alike}"),
        ("modelport:feature:js", f"sum by ({by}) (\n  {_js_term(q, middle)}\n  + {_js_term(p, middle)}\n)\n{alike}"),
        ("modelport:feature:ks", f"max by ({by}) (abs(\n  {served_below}\n  - {trained_below}\n))\n{alike}"),
        ("modelport:feature:psi_chance", f"{_chi_square_99(used)}\n* on ({by}) {sizes}"),
        ("modelport:feature:pearson", f"sum by ({by}) (\n  {judged}\n)\n{none}"),
        (
            "modelport:feature:pearson_chance",
            f"{_chi_square_99(f'count by ({by}) ({judged})')}\n* on ({by}) {sizes}\nor on ({by}) {chance}",
        ),
        # PSI reaches further than chi-square where bins are nearly empty: by as much more is noise there.
        ("modelport:feature:psi_noise", f"({overstated} > {chance} and {psi} > {chance})\nor {chance}"),
        ("modelport:feature:ks_noise", f"{_KOLMOGOROV_99} * sqrt{sizes}"),
        # A number's stranger is in no bin, a category's is in the last.
        ("modelport:feature:present_values", f"({values} + {unseen} and on ({by}) {everything}) or {values}"),
        ("modelport:feature:unseen_share", f"{unseen} / ({present} > 0)"),
        (
            "modelport:feature:training_unseen_share",
            f"(sum by ({by}) ({others}) or on ({by}) 0 * {trained})\n/ on ({by}) ({trained} > 0)",
        ),
        ("modelport:feature:missing_rate", f"{missing} / (({present} + {missing}) > 0)"),
    )


def _chi_square_99(bins: str) -> str:
    """The 99 % point for so many bins, by Wilson and Hilferty: 0.8 % low with two of them, within 0.2 % with more."""
    degrees = f"clamp_min({bins} - 1, 1)"
    return f"{degrees} * (\n  1 - 2 / (9 * {degrees}) + {_NORMAL_99} * sqrt(2 / (9 * {degrees}))\n) ^ 3"


def _pearson_terms(window: Window, everything: str, others: str) -> str:
    """The terms of Pearson's statistic over the sizes of both sides: as PSI's where bins are well filled.

    Where training had categories without a bin (`others`), their common bin and those of rare ones are left out: the
    categories that were given bins are those that happened to be frequent, so in training there are too many of them.
    """
    by, known = window.column, window.recorded
    q, p = known("modelport:feature_bin:serving_share"), known("modelport:feature_bin:training_share")
    gains, training = known("modelport:feature_bin:gain"), known("modelport:feature_bin:training")
    terms = f"({q} - {p}) ^ 2\n  / ({gains} + {training} > 0) * on ({by}) group_left () ({everything})"
    rare = f"({training} < {_RARE} and on ({by}) {others})"
    return f"{terms}\n  unless on ({by}, bin) ({others} or {rare})"


def _js_term(share: str, middle: str) -> str:
    return f"{share} / 2 * ln(clamp_min({share}, {_TINY}) / {middle})"


def _conflicts(window: Window) -> str:
    """In how many ways a column has no one baseline: replicas of one version show different ones, or other bins."""
    by = window.column
    gains, training = window.recorded("modelport:feature_bin:gain"), window.recorded("modelport:feature_bin:training")
    shown = f"last_over_time(modelport_baseline_bin[{window.text}])"
    replicas = f"count by ({by}, bin) ({shown})"
    return (
        f"count by ({by}) (\n"
        f"  ({gains} unless on ({by}, bin) {training})\n"
        f"  or ({training} unless on ({by}, bin) {gains}) and on ({by}) {gains}\n"
        f"  or max by ({by}, bin) ({shown}) != min by ({by}, bin) ({shown})\n"
        f"  or max by ({by}) ({replicas}) != min by ({by}) ({replicas})\n)"
    )
