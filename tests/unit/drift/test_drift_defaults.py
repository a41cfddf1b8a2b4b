"""What judges drift by default is the same wherever it can be said."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import click

from modelport.cli._drift_answer import level_option, min_values_option
from modelport.drift import drift_report, psi_noise_threshold
from modelport.drift.offline import offline_drift_report
from modelport.drift.rules import RuleOptions
from modelport.monitor import logged_drift_report


def default(function: object, name: str) -> object:
    assert callable(function)
    return inspect.signature(function).parameters[name].default


def of_option(decorate: Callable[[Callable[[], None]], Any]) -> object:
    (option,) = click.command()(decorate(lambda: None)).params
    return option.default


def test_the_confidence_is_the_same_everywhere() -> None:
    functions = (drift_report, offline_drift_report, logged_drift_report, psi_noise_threshold)

    assert {default(function, "level") for function in functions} | {of_option(level_option)} == {0.99}


def test_the_least_number_of_values_is_the_same_everywhere() -> None:
    functions = (drift_report, offline_drift_report, logged_drift_report)
    said = {default(function, "min_values") for function in functions}

    assert said | {of_option(min_values_option), RuleOptions().min_count} == {200}
