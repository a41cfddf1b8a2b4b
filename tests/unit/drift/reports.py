"""Seeded drift reports with everything in them, made through the public API."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from modelport.drift import Baseline, DriftReport, DriftSlice, FeatureDrift, Performance, drift_report

HOSTILE_NAMES = (
    "</script><img src=x onerror=\"document.title='owned'\">",
    "<!--<script>",
    "\u202eevil \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\N{PILE OF POO} emoji \N{FAMILY}",
    "long_" + "n" * 295,
    "{{ 7 * 7 }} ${7*7} %(x)s",
    "\x00\x1b[31mcontrol\r\n",
    "quote \" ' & amp;",
)
DAY_NS = 86_400 * 10**9
FIRST_DAY_NS = 20_148 * DAY_NS
"""2025-03-01."""

_COUNTRIES = ("DE", "BR", "FR", "US", "JP", "SG")


def frame(rows: int, *, shift: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """Ten features of a loan model: some move with `shift`, some never."""
    random = np.random.default_rng(seed)
    income = random.lognormal(10.4 + 0.35 * shift, 0.5, rows)
    income[random.random(rows) < 0.02 + 0.12 * shift] = np.nan
    balance = random.normal(1200, 900, rows) + 250 * shift
    balance[: max(1, rows // 500)] = 1e300
    balance[-max(1, rows // 1000) :] = -np.inf
    plans = ["basic", "plus", "pro", "a plan with a name that is rather long for a chart's axis"]
    channel = random.choice(["web", "app", "branch"], rows, p=[0.5 - 0.3 * shift, 0.3 + 0.3 * shift, 0.2])
    return pd.DataFrame(
        {
            "income": income,
            "age": random.integers(18, 80, rows).astype(float),
            "balance": balance,
            "utilisation": np.clip(random.beta(2, 5, rows) + 0.16 * shift, 0, 1),
            "months_on_book": random.gamma(2.0, 18.0, rows),
            "plan": random.choice(plans, rows, p=[0.5, 0.3, 0.15, 0.05]),
            "channel": np.where(random.random(rows) < 0.1 * shift, "partner", channel),
            "is_new": random.random(rows) < 0.2 + 0.1 * shift,
            "merchant": [f"merchant {number:03d}" for number in random.zipf(1.6, rows) % 90],
            "requests_30d": random.poisson(3 + shift, rows),
        }
    )


def score(data: pd.DataFrame) -> Any:
    """The model: a probability that falls with income and rises with use."""
    income = data["income"].fillna(30_000).to_numpy()
    return 1 / (1 + np.exp(1.5 + 0.6 * np.log(income / 30_000) - 2.5 * data["utilisation"].to_numpy()))


@cache
def baseline(rows: int = 20_000) -> Baseline:
    """Of `rows` rows of training."""
    data = frame(rows)
    return Baseline.from_data(data, output=score(data), model_version="2025.2", kinds={"requests_30d": "numeric"})


def compared(data: pd.DataFrame, *, min_values: int = 200) -> DriftReport:
    return drift_report(baseline(), data, output=score(data), min_values=min_values)


def performance(accuracy: float, labelled: int) -> Performance:
    metrics = {"accuracy": accuracy, "auc": accuracy + 0.06, "log_loss": 1.3 - accuracy}
    return Performance(kind="classification", labelled=labelled, metrics=metrics)


def _window(number: int, windows: int, rows: int) -> DriftSlice:
    shift = max(0.0, (number - windows / 2) / windows)
    size = 0 if number in {5, 6} else 40 if number == 9 else rows
    found = (
        compared(frame(max(size, 2), shift=2 * shift, seed=1000 + number))
        if size
        else drift_report(baseline(), iter(()))
    )
    start = FIRST_DAY_NS + number * DAY_NS
    return DriftSlice(
        kind="window", name="", value=pd.Timestamp(start, unit="ns", tz="UTC").isoformat(), records=size,
        features=(*found.features, *attributions(shift, max(size, 2))), start_ns=start, end_ns=start + DAY_NS,
        performance=performance(0.87 - 0.12 * shift, size // 2) if size and number % 7 else None,
    )  # fmt: skip


def _segment(name: str, value: str, rows: int, shift: float) -> DriftSlice:
    found = compared(frame(rows, shift=shift, seed=len(value) + rows))
    return DriftSlice(kind="segment", name=name, value=value, records=rows, features=found.features)


def attributions(shift: float, rows: int) -> tuple[FeatureDrift, ...]:
    """Rows of the role ``attribution`` for two of the features."""
    names = ("income", "utilisation")
    random = np.random.default_rng(5)
    before = Baseline.from_data({name: random.normal(0, 1, 5000) for name in names})
    served = {name: random.normal(shift * number, 1, rows) for number, name in enumerate(names)}
    return tuple(
        msgspec.structs.replace(row, role="attribution", mean_absolute=float(np.abs(served[row.name]).mean()))
        for row in drift_report(before, served).features
    )


@cache
def rich_report(*, windows: int = 30, rows: int = 1500) -> DriftReport:
    """Ten features, the output and two attributions, with windows (some empty), segments and performance."""
    whole = compared(frame(12_000, shift=0.5, seed=3))
    segments = [_segment("country", country, 1500, 0.2 * place) for place, country in enumerate(_COUNTRIES)]
    segments += [_segment("country", "TV", 25, 1.0), _segment("tier", "gold", 800, 0.9)]
    return msgspec.structs.replace(
        whole,
        features=(*whole.features, *attributions(0.4, 12_000)),
        endpoint="loans",
        uncounted=17,
        windows=tuple(_window(number, windows, rows) for number in range(windows)),
        segments=tuple(segments),
        performance=performance(0.842, 5210),
    )


@cache
def hostile_report() -> DriftReport:
    """Feature names, categories, segments and titles that try to be more than text."""
    random = np.random.default_rng(2)
    names = dict.fromkeys(HOSTILE_NAMES)
    before = {name: random.choice(list(HOSTILE_NAMES), 2000) for name in names}
    after = {name: random.choice(list(HOSTILE_NAMES)[:3], 600) for name in names}
    report = drift_report(Baseline.from_data(before, model_version=HOSTILE_NAMES[0]), after)
    parts = [DriftSlice(kind="segment", name=name, value=name, records=600, features=report.features) for name in names]
    windows = [DriftSlice(kind="window", name="", value=name, records=600, features=report.features) for name in names]
    measured = Performance(kind="regression", labelled=9, metrics={name: float("nan") for name in names})
    return msgspec.structs.replace(
        report, endpoint=HOSTILE_NAMES[0], segments=tuple(parts), windows=tuple(windows), performance=measured
    )


@cache
def large_report(*, features: int = 200, windows: int = 500) -> DriftReport:
    """Many features over many windows; a dozen different windows, over and over."""
    random = np.random.default_rng(11)
    names = [f"feature_{number:04d}" for number in range(features)]
    wide = Baseline.from_data({name: random.normal(0, 1, 400) for name in names})
    several = [drift_report(wide, {name: random.normal(place / 8, 1, 300) for name in names}) for place in range(12)]
    slices = [
        DriftSlice(
            kind="window", name="", value="", records=300, features=several[number % 12].features,
            start_ns=FIRST_DAY_NS + number * DAY_NS, end_ns=FIRST_DAY_NS + (number + 1) * DAY_NS,
        )
        for number in range(windows)
    ]  # fmt: skip
    return msgspec.structs.replace(several[6], windows=tuple(slices))
