"""The generated rules under promtool: series written by hand, results worked out by hand, time at will."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelport.drift import Baseline, FeatureBaseline
from modelport.drift.rules import RuleOptions, boxkite_rules, drift_rules, grafana_dashboard
from modelport.monitor import ModelMonitor
from tests.live.prometheus import program, promtool

pytestmark = pytest.mark.live

# 30 of 100 against 50 of 100: (0.3 - 0.5) ln(0.3 / 0.5) + (0.7 - 0.5) ln(0.7 / 0.5) = 0.2 ln(7 / 3).
PSI_30_70 = 0.2 * math.log(7 / 3)
OPTIONS = RuleOptions(window="10m", interval="1m", pending="0s", psi=0.1, kl=0.05, ks=0.1)


@pytest.fixture(scope="module", autouse=True)
def _promtool() -> None:
    program("promtool")


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    known = {"endpoint": "e", "model_version": "1", **labels}
    inside = ", ".join(f"{label}={json.dumps(value)}" for label, value in known.items())
    return {"series": f"{name}{{{inside}}}", "values": values}


def process(
    name: str,
    started: int,
    bins: Mapping[str, str],
    *,
    version: str = "1",
    feature: str = "x",
    role: str = "feature",
    trained: Mapping[str, int] | None = None,
    **others: str,
) -> list[dict[str, str]]:
    """A replica's series: one column with the given values per bin, and its baseline, by default of 50 in each."""
    labels = {"model_version": version, "process": name, "instance": name}
    column = {"role": role, "feature": feature}
    some = next(iter(bins.values()))
    counts = trained or dict.fromkeys(bins, 50)
    baseline = [
        series("modelport_baseline_bin", shape(some, count), model_version=version, instance=name, bin=bin_, **column)
        for bin_, count in counts.items()
    ]
    return [
        series("modelport_monitor_start_time_seconds", shape(some, started), **labels),
        *(series("modelport_feature_bin_total", values, bin=bin_, **column, **labels) for bin_, values in bins.items()),
        *(
            series(f"modelport_feature_{what}_total", others.get(what, shape(some, 0)), **column, **labels)
            for what in ("missing", "unseen")
        ),
        series("modelport_baseline_missing", shape(some, 0), model_version=version, instance=name, **column),
        *baseline,
    ]


def shape(values: str, constant: float) -> str:
    """`constant` wherever `values` has a sample."""
    made = []
    for part in values.split():
        number = part.split("x")[1] if "x" in part and not part.startswith("_") else "0"
        made.append(part if part.startswith("_") or part == "stale" else f"{constant}+0x{number}")
    return " ".join(made)


def near(query: str, value: float) -> tuple[str, float]:
    """The query has one result, and it is `value` to 1e-9."""
    return f"abs({query} - {value!r}) < bool 1e-9", 1


def recorded(name: str, version: str = "1", window: str = "10m") -> str:
    return f'sum(modelport:feature:{name}{{model_version="{version}", window="{window}"}})'


def run(
    folder: Path,
    rules: str,
    given: Sequence[dict[str, str]],
    minute: int,
    expected: Sequence[tuple[str, float | list[tuple[str, float]] | None]],
) -> None:
    """Each query has the one result without labels, or those with the given ones, or none."""
    (folder / "rules.yml").write_text(rules, encoding="utf-8")
    tests: list[dict[str, Any]] = [
        {
            "expr": query,
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": labels, "value": value} for labels, value in _samples(results)],
        }
        for query, results in expected
    ]
    document = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": list(given), "promql_expr_test": tests}],
    }
    (folder / "tests.yml").write_text(json.dumps(document), encoding="utf-8")
    promtool("test", "rules", folder / "tests.yml")


def _samples(results: float | list[tuple[str, float]] | None) -> list[tuple[str, float]]:
    if isinstance(results, list):
        return results
    return [] if results is None else [("{}", results)]


ALERTS = 'count(ALERTS{alertstate="firing"})'
FIRING = 'count(ALERTS{alertstate="firing", alertname="ModelportPsi", feature="x"})'


def test_shares_of_a_window_are_those_of_the_gains_in_it(tmp_path: Path) -> None:
    # 30 and 70 a minute for half an hour; 10 minutes hold 300 and 700. The first hour's 50 to 50 is forgotten.
    given = process("a", 0, {"low": "0+50x60 3030+30x30", "high": "0+50x60 3070+70x30"})

    run(
        tmp_path,
        drift_rules(OPTIONS),
        given,
        90,
        [
            near(recorded("values"), 1000),
            near(recorded("psi"), PSI_30_70),
            near(recorded("kl"), 0.3 * math.log(0.6) + 0.7 * math.log(1.4)),
            near(recorded("kl_reverse"), -0.5 * math.log(0.6) - 0.5 * math.log(1.4)),
            (FIRING, 1),
        ],
    )


def test_a_restart_that_overtakes_is_a_process_of_its_own(tmp_path: Path) -> None:
    # One address: 10 and 20 by the first process, then 290 and 680 by the second, scraped in turn.
    first = process("a", 0, {"low": "0 10+0x3 stale", "high": "0 20+0x3 stale"})
    second = process("b", 290, {"low": "_x5 290+0x10", "high": "_x5 680+0x10"})

    run(
        tmp_path,
        drift_rules(OPTIONS),
        [*first, *second],
        9,
        [near(recorded("values"), 1000), near(recorded("psi"), PSI_30_70)],
    )


def test_what_an_ended_process_gained_in_the_window_stays_until_the_window_has_passed(tmp_path: Path) -> None:
    # Gains 300 and 700 from minute 20 to 30, ends at minute 31, and is forgotten at minute 42.
    given = process("a", 0, {"low": "0+0x20 30+30x9 stale _x60", "high": "0+0x20 70+70x9 stale _x60"})
    rules = drift_rules(OPTIONS)

    run(tmp_path, rules, given, 30, [near(recorded("values"), 1000), near(recorded("psi"), PSI_30_70)])
    run(tmp_path, rules, given, 35, [near(recorded("values"), 500), near(recorded("psi"), PSI_30_70)])
    run(tmp_path, rules, given, 42, [(recorded("values"), None), (recorded("psi"), None), (ALERTS, None)])


def test_the_past_of_a_process_that_is_scraped_late_does_not_count(tmp_path: Path) -> None:
    # Older than the window, first seen at minute 25 with 5000 values of the past.
    given = process("a", 0, {"low": "_x25 4000+30x5", "high": "_x25 1000+70x5"})

    run(
        tmp_path,
        drift_rules(OPTIONS),
        given,
        30,
        [near(recorded("values"), 500), near(recorded("psi"), PSI_30_70)],
    )


def test_what_a_process_served_before_its_first_scrape_counts(tmp_path: Path) -> None:
    given = process("a", 1490, {"low": "_x25 300+0x5", "high": "_x25 700+0x5"})

    run(tmp_path, drift_rules(OPTIONS), given, 30, [near(recorded("values"), 1000)])


def test_scrapes_that_fail_lose_nothing_however_long(tmp_path: Path) -> None:
    # Away for 5 minutes within the window, and for 30 (longer than the window) in the second case.
    short = process("a", 0, {"low": "0+30x20 stale _x4 780+30x4", "high": "0+70x20 stale _x4 1820+70x4"})
    run(tmp_path, drift_rules(OPTIONS), short, 30, [near(recorded("values"), 1000), near(recorded("psi"), PSI_30_70)])
    long = process("b", 0, {"low": "0+30x20 stale _x29 9000+30x4", "high": "0+70x20 stale _x29 9000+70x4"})
    run(tmp_path, drift_rules(OPTIONS), long, 55, [near(recorded("values"), 400), near(recorded("psi"), PSI_30_70)])


def test_replicas_weigh_what_they_served_whatever_their_age(tmp_path: Path) -> None:
    given = [
        *process("a", 0, {"low": "0+10x60", "high": "0+60x60"}),
        *process("b", 3300, {"low": "_x55 40+40x4", "high": "_x55 20+20x4"}),
    ]
    # 100 and 600 of the first, 200 and 100 of the second.
    run(tmp_path, drift_rules(OPTIONS), given, 59, [near(recorded("values"), 1000), near(recorded("psi"), PSI_30_70)])


def test_versions_are_held_against_their_own_baselines_only(tmp_path: Path) -> None:
    given = [
        *process("a", 0, {"low": "0+50x30", "high": "0+50x30"}),
        *process("b", 0, {"low": "0+30x30", "high": "0+70x30"}, version="2"),
    ]

    run(
        tmp_path,
        drift_rules(OPTIONS),
        given,
        30,
        [near(recorded("psi", "1"), 0), near(recorded("psi", "2"), PSI_30_70), (FIRING, 1)],
    )


def test_an_idle_endpoint_has_no_result_and_no_alert(tmp_path: Path) -> None:
    given = process("a", 0, {"low": "0+30x10 300+0x60", "high": "0+70x10 700+0x60"})

    run(
        tmp_path,
        drift_rules(OPTIONS),
        given,
        60,
        [
            (recorded("values"), 0),
            *[(recorded(name), None) for name in ("psi", "kl", "js", "missing_rate")],
            (ALERTS, None),
        ],
    )


@pytest.mark.parametrize(("rate", "fires"), [(1, False), (19, False), (20, True), (100, True)])
def test_few_values_never_alert(tmp_path: Path, rate: int, fires: bool) -> None:
    # All in one bin: a PSI of several, far above noise, over 10 times `rate` values.
    given = process("a", 0, {"low": f"0+{rate}x30", "high": "0+0x30"})

    run(tmp_path, drift_rules(OPTIONS), given, 30, [(FIRING, 1 if fires else None)])


def test_noise_never_alerts(tmp_path: Path) -> None:
    # 110 to 90 against 50 to 50 gives 0.05 ln(11 / 9) = 0.0100, and noise reaches 6.635 (1/200 + 1/100) = 0.0995.
    options = RuleOptions(window="10m", pending="0s", psi=0.005, kl=0.001)
    given = process("a", 0, {"low": "0+11x30", "high": "0+9x30"})

    run(
        tmp_path,
        drift_rules(options),
        given,
        30,
        [near(recorded("psi"), 0.05 * math.log(11 / 9)), (f"{recorded('psi')} > bool 0.005", 1), (ALERTS, None)],
    )


@pytest.mark.parametrize(("categories", "rows"), [(100, 1000), (2000, 1000), (2000, 200)])
def test_rare_categories_are_no_drift_and_hide_none(tmp_path: Path, categories: int, rows: int) -> None:
    random = np.random.default_rng(categories + rows)
    given: list[dict[str, str]] = []
    for number in range(8):
        # Zipf's law, in training and in serving; but in the last column a fifth of the serving values are one category.
        share = 1 / np.arange(1.0, categories + 1)
        drawn = (random.choice(categories, size, p=share / share.sum()) for size in (rows, 1000))
        trained, served = (Counter(f"c{value}" for value in values) for values in drawn)
        if number == 7:
            served["c0"] += 250
        kept = dict(trained.most_common(50))
        bins = {bin_: served[bin_] for bin_ in kept}
        other = {"__other__": rows - sum(kept.values())}, {"__other__": served.total() - sum(bins.values())}
        moved = {bin_: f"0 {count}+0x8" for bin_, count in {**bins, **other[1]}.items()}
        given += process("a", 0, moved, feature=f"x{number}", trained={**kept, **other[0]})[1:]
    given.append(series("modelport_monitor_start_time_seconds", "0+0x9", process="a", instance="a"))
    rules = drift_rules(RuleOptions(window="10m", pending="0s", psi=0.001, kl=0.001))

    many = "count(modelport:feature:psi > modelport:feature:psi_chance) > bool 2"
    drifted = 'count(ALERTS{alertstate="firing", feature="x7"})'
    run(tmp_path, rules, given, 8, [(many, 1), (ALERTS, 2), (drifted, 2)])


def test_categories_that_are_all_rare_say_nothing(tmp_path: Path) -> None:
    trained = {"a": 1, "b": 1, "__other__": 98}
    given = process("a", 0, {"a": "0+3x30", "b": "0+0x30", "__other__": "0+97x30"}, trained=trained)
    loose = RuleOptions(window="10m", pending="0s", psi=0.0001, unseen=None)

    run(tmp_path, drift_rules(loose), given, 30, [(f"{recorded('psi')} > bool 0.001", 1), (ALERTS, None)])


def test_values_without_a_bin_are_held_against_those_of_training(tmp_path: Path) -> None:
    # 30 of 100 categories have no bin of their own in training: 32 of 100 are none to tell of, 36 are.
    for unseen, fires in ((32, None), (36, 1)):
        bins = {"low": f"0+{100 - unseen}x30", "__other__": f"0+{unseen}x30"}
        given = process("a", 0, bins, trained={"low": 70, "__other__": 30}, unseen=f"0+{unseen}x30")
        alert = 'count(ALERTS{alertname="ModelportUnseen", alertstate="firing"})'
        run(tmp_path, drift_rules(OPTIONS), given, 30, [near(recorded("training_unseen_share"), 0.3), (alert, fires)])


def test_missing_and_unseen_have_shares_and_alerts(tmp_path: Path) -> None:
    # Categories: those unknown are in a bin too. 100 values a minute, 40 of them unknown, and 60 missing ones.
    given = process("a", 0, {"low": "0+50x30", "high": "0+50x30"}, missing="0+60x30", unseen="0+40x30")

    run(
        tmp_path,
        drift_rules(OPTIONS),
        given,
        30,
        [
            near(recorded("unseen_share"), 0.4),
            near(recorded("missing_rate"), 60 / 160),
            *[(f'count(ALERTS{{alertname="Modelport{name}"}})', 1) for name in ("Unseen", "Missing")],
            (FIRING, None),
        ],
    )


def test_lost_predictions_alert_at_once(tmp_path: Path) -> None:
    labels = {"process": "a", "reason": "queue_full", "sink": ""}
    given = [
        series("modelport_predictions_dropped_total", "0+0x10 3+0x20", **labels),
        series("modelport_monitor_start_time_seconds", "0+0x30", process="a"),
    ]
    alert = 'count(ALERTS{alertname="ModelportDropped", reason="queue_full"})'
    rules = drift_rules(RuleOptions(window="10m", pending="5m"))

    run(tmp_path, rules, given, 12, [(alert, 1)])
    run(tmp_path, rules, given, 25, [(alert, None)])


def test_a_label_kept_apart_gives_a_result_each(tmp_path: Path) -> None:
    one, two = (
        [{**row, "series": row["series"].replace("{", f'{{namespace="{name}", ')} for row in rows]
        for name, rows in (
            ("test", process("a", 0, {"low": "0+50x30", "high": "0+50x30"})),
            ("live", process("b", 0, {"low": "0+30x30", "high": "0+70x30"})),
        )
    )
    query = 'sum(modelport:feature:psi{{namespace="{}"}})'
    rules = drift_rules(RuleOptions(window="10m", by=("namespace",)))

    run(tmp_path, rules, [*one, *two], 30, [near(query.format("test"), 0), near(query.format("live"), PSI_30_70)])


BOXKITE = Baseline(
    features=(
        FeatureBaseline(name="age", kind="numeric", edges=(20.0, 1100578.27), counts=(10, 30, 60)),
        FeatureBaseline(name="plan", kind="categorical", categories=("0", "1"), counts=(50, 50, 0), missing=10),
    ),
    model_version="7",
)


def test_boxkite_s_names_and_spellings_give_the_same_figures(tmp_path: Path) -> None:
    # From 1e6 up Boxkite spells an edge one way in its file and another in its metrics.
    gains = {"20.0": 30, "1.10057827e+06": 70, "+Inf": 100}
    given = [
        *({"series": f'feature_0_value_bucket{{le="{le}"}}', "values": f"0+{n}x30"} for le, n in gains.items()),
        *(
            {"series": f'feature_1_value_total{{bin="{bin_}"}}', "values": f"0+{n}x30"}
            for bin_, n in {"0.0": 20, "0": 10, "1.0": 60, "None": 25, "gold": 10}.items()
        ),
    ]
    p, q = (0.1, 0.3, 0.6), (0.3, 0.4, 0.3)
    plan_p, plan_q = (0.5, 0.5, 1e-4), (0.3, 0.6, 0.1)

    def of(name: str, feature: str) -> str:
        return f'sum(modelport:feature:{name}{{endpoint="shop", model_version="7", feature="{feature}"}})'

    run(
        tmp_path,
        boxkite_rules(BOXKITE, OPTIONS, endpoint="shop"),
        given,
        30,
        [
            near(of("psi", "age"), sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))),
            near(of("ks", "age"), 0.3),
            near(of("psi", "plan"), sum((b - a) * math.log(b / a) for a, b in zip(plan_p, plan_q, strict=True))),
            near(of("unseen_share", "plan"), 0.1),
            near(of("missing_rate", "plan"), 25 / 125),
            (FIRING.replace('"x"', '"age"'), 1),
        ],
    )


def test_every_series_of_boxkite_counts_once(tmp_path: Path) -> None:
    # Three texts that are one number, and one that is how Boxkite spells a missing value.
    column = FeatureBaseline(
        name="code", kind="categorical", categories=("007", "7", "7.0", "None"), counts=(1, 1, 1, 1, 0)
    )
    gains = {"007": 10, "7": 20, "7.0": 40, "None": 80, "nan": 160, "else": 320}
    given = [{"series": f'feature_0_value_total{{bin="{bin_}"}}', "values": f"0+{n}x30"} for bin_, n in gains.items()]

    run(
        tmp_path,
        boxkite_rules(Baseline(features=(column,)), OPTIONS),
        given,
        30,
        [
            *[near(f'sum(modelport:feature_bin:gain{{bin="{b}"}}) / 10', gains[b]) for b in column.categories],
            near("sum(modelport:feature:values) / 10", 10 + 20 + 40 + 80 + 320),
            near("sum(modelport:feature:missing) / 10", 160),
            near("sum(modelport:feature:unseen) / 10", 320),
        ],
    )


ODD = ["\u2028", "\u2029", "\x85", "\x7f", "\x9f", "\x0b", "\x1c", "\x00", "\ufeff", "\ufffe", "\ud83d", "😀", "{{x}}"]


@pytest.mark.parametrize("odd", ODD)
def test_any_text_in_names_makes_a_file_that_prometheus_takes_and_reads_the_same(tmp_path: Path, odd: str) -> None:
    columns = [
        FeatureBaseline(name=f"a{odd}", kind="categorical", categories=(f"x{odd}",), counts=(1, 0)),
        FeatureBaseline(name=f"b{odd}", kind="numeric", edges=(1.0,), counts=(1, 1)),
    ]
    text = boxkite_rules(Baseline(features=tuple(columns)), OPTIONS, endpoint=f"e{odd}")
    (tmp_path / "rules.yml").write_text(text, encoding="utf-8")
    promtool("check", "rules", tmp_path / "rules.yml")
    if odd == "\ud83d":
        return  # no text, so there is no such series

    spelled = "".join(f"\\U{ord(letter):08x}" for letter in odd)
    given = [{"series": f'feature_0_value_total{{bin="x{spelled}"}}', "values": "0+50x30"}]
    query = f'sum(modelport:feature_bin:gain{{endpoint="e{spelled}", bin="x{spelled}"}}) / 10'
    run(tmp_path, text, given, 30, [near(query, 50)])


def test_the_bars_of_the_dashboard_keep_roles_and_versions_apart_and_sort_by_edge(tmp_path: Path) -> None:
    (query,) = (
        panel["targets"][0]["expr"]
        for panel in json.loads(grafana_dashboard())["panels"]
        if panel["type"] == "barchart"
    )
    chosen = {"window": "10m", "endpoint": "e", "model_version": "1|2", "feature": "x", "role": "feature|output"}
    for name, value in chosen.items():
        query = query.replace(f"${name}", value)
    edges = ("10.0", "-2.5", "1e+06", "9.0", "+Inf")
    given: list[dict[str, str]] = []
    for version, gain in (("1", 30), ("2", 70)):
        bins = {edge: f"0+{gain if edge == '9.0' else 0}x30" for edge in edges}
        given += process(f"p{version}", 0, bins, version=version)
    # The attribution of the same feature has an edge in common.
    given += process("p3", 0, {"9.0": "0+5x30", "0.125": "0+5x30"}, role="attribution")

    shown: dict[tuple[str, ...], float] = {(edge, "order"): float(edge) for edge in edges if edge != "+Inf"}
    for version in "12":
        shown |= {(edge, f"training {version}", version): 0.2 for edge in edges}
        shown |= {(edge, f"serving {version}", version): float(edge == "9.0") for edge in edges}
    bars = [
        (f'{{bin="{bin_}", series="{name}"{f", model_version={version[0]!r}" if version else ""}}}', value)
        for (bin_, name, *version), value in shown.items()
    ]
    run(tmp_path, drift_rules(OPTIONS), given, 30, [(f"({query}) < Inf", bars), (f"count(({query}) == Inf)", 1)])


@pytest.mark.parametrize(
    "options",
    [
        RuleOptions(),
        RuleOptions(psi=None, unseen=None, missing=None),
        RuleOptions(window="1h30m", interval="15s", pending="", kl=1, ks=1, by=("namespace", "job"), severity='a "b"'),
    ],
)
def test_every_choice_gives_a_file_that_prometheus_takes(tmp_path: Path, options: RuleOptions) -> None:
    odd = FeatureBaseline(name='a "b" \\ é', kind="categorical", categories=("a b", ".*", 'q"\\'), counts=(1, 1, 1, 0))
    baseline = Baseline(features=(odd,), output=BOXKITE.features[0])
    for name, text in (("ours.yml", drift_rules(options)), ("theirs.yml", boxkite_rules(baseline, options))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        promtool("check", "rules", tmp_path / name)


@pytest.mark.parametrize(
    "bad",
    [
        {"window": "1 hour"},
        {"interval": "0s"},
        {"pending": "x"},
        *[
            {"by": (label,)}
            for label in ("a-b", "", "1a", "é", "process", "le", "bin", "window", "endpoint", "__name__")
        ],
        {"unseen": 5},
        {"missing": 2},
        {"ks": 3},
        {"psi": -1},
        {"kl": math.inf},
        {"min_count": -5},
    ],
)
def test_what_prometheus_would_refuse_or_never_fire_on_is_refused_here(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not"):
        drift_rules(RuleOptions(**bad))


def test_promtool_has_nothing_to_say_about_the_page() -> None:
    with ModelMonitor("e", baseline=BOXKITE) as monitor:
        monitor.log_many([[30.0, "1"], [None, "gold"]], [0, 1])
        monitor.flush()

        assert not promtool("check", "metrics", text=monitor.metrics_text())
