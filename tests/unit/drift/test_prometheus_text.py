"""``histogram.prom``: written, read, and exchanged with the real Boxkite."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from modelport.drift import Baseline, BaselineError, FeatureBaseline, drift_report, format_edge
from modelport.drift.training._prometheus_read import from_text
from modelport.drift.training._prometheus_write import to_text

# The example of the reference sheet: the output of Boxkite 0.0.5 for the data below.
GOLDEN = """\
# HELP feature_0_value_baseline Baseline values for feature: age
# TYPE feature_0_value_baseline histogram
feature_0_value_baseline_bucket{le="20.0"} 1.0
feature_0_value_baseline_bucket{le="24.0"} 4.0
feature_0_value_baseline_bucket{le="28.0"} 7.0
feature_0_value_baseline_bucket{le="32.0"} 8.0
feature_0_value_baseline_bucket{le="36.0"} 10.0
feature_0_value_baseline_bucket{le="40.0"} 12.0
feature_0_value_baseline_bucket{le="+Inf"} 13.0
feature_0_value_baseline_count 13.0
feature_0_value_baseline_sum 343.0
# HELP feature_1_value_baseline_total Baseline values for feature: plan
# TYPE feature_1_value_baseline_total counter
feature_1_value_baseline_total{bin="0.0"} 30.0
feature_1_value_baseline_total{bin="1.0"} 60.0
feature_1_value_baseline_total{bin="2.0"} 30.0
# HELP inference_value_baseline_total Baseline inference values for test set
# TYPE inference_value_baseline_total counter
inference_value_baseline_total{bin="no"} 2.0
inference_value_baseline_total{bin="yes"} 1.0
"""
GOLDEN_FEATURES = [
    ("age", [20, 21, 22, 24, 25, 27, 28, 30, 33, 35, 38, 40, None]),
    ("plan", [0, 1, 1, 2] * 30),
]
GOLDEN_INFERENCE = ["no", "no", "yes"]
GOLDEN_BASELINE = Baseline(
    features=(
        FeatureBaseline(
            name="age", kind="numeric", edges=(20, 24, 28, 32, 36, 40), counts=(1, 3, 3, 1, 2, 2, 0), missing=1, sum=343
        ),
        FeatureBaseline(name="plan", kind="categorical", categories=("0", "1", "2"), counts=(30, 60, 30, 0)),
    ),
    output=FeatureBaseline(
        name="output", kind="categorical", categories=("no", "yes"), counts=(2, 1, 0), role="output"
    ),
    rows=120,
)

IN_BOXKITE = """
import json, sys
from boxkite.monitoring.collector import BaselineMetricCollector
from boxkite.monitoring.exporter.type import LogExporter
from boxkite.monitoring.service import ModelMonitoringService

class Nowhere(LogExporter):
    def emit(self, prediction):
        pass

job = json.load(sys.stdin)
if "export" in job:
    ModelMonitoringService.export_text(job["export"], job["inference"], job["path"])
else:
    service = ModelMonitoringService(Nowhere(), BaselineMetricCollector(job["path"]))
    for features, output in job["predictions"]:
        service.log_prediction("", features, output)
    sys.stdout.write(service.export_http()[0].decode())
"""

Boxkite = Callable[..., str]


@pytest.fixture(scope="module")
def boxkite(root: Path) -> Boxkite:
    """Run a job in the real Boxkite 0.0.5."""
    python = root / ".cache" / "venvs" / "boxkite" / "bin" / "python"
    if not python.exists():
        pytest.skip("boxkite is not installed in .cache/venvs/boxkite: `make setup-test` does that")

    def run(**job: object) -> str:
        done = subprocess.run(
            [python, "-c", IN_BOXKITE], input=json.dumps(job), capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def families(text: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def buckets(family: Any) -> dict[str, float]:
    return {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}


def bins(family: Any) -> dict[str, float]:
    return {s.labels["bin"]: s.value for s in family.samples if s.name.endswith("_total")}


def test_a_file_of_boxkite_is_read(tmp_path: Path) -> None:
    (tmp_path / "histogram.prom").write_text(GOLDEN)

    assert Baseline.load(tmp_path / "histogram.prom") == GOLDEN_BASELINE


def test_a_file_that_boxkite_writes_today_is_read(boxkite: Boxkite, tmp_path: Path) -> None:
    path = tmp_path / "histogram.prom"
    boxkite(export=GOLDEN_FEATURES, inference=GOLDEN_INFERENCE, path=str(path))

    assert path.read_text() == GOLDEN
    assert Baseline.load(path) == GOLDEN_BASELINE


def test_counts_of_boxkites_exports_are_read_as_the_data_has_them(boxkite: Boxkite, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    columns = {
        "normal": random.normal(size=4000).tolist(),
        "large": (5e6 + 1e6 * random.random(4000)).tolist(),
        "holes": [None if n % 7 == 0 else float(n) for n in range(4000)],
        "endless": [math.inf if n % 100 == 0 else float(n) for n in range(4000)],
        "flag": [float(n % 2) for n in range(4000)],
        "codes": [None if n % 9 == 0 else float(n % 5) for n in range(4000)],
        "nothing": [None] * 4000,
    }
    output = random.lognormal(size=4000).tolist()
    path = tmp_path / "histogram.prom"
    boxkite(export=list(columns.items()), inference=output, path=str(path))

    baseline = Baseline.load(path)

    assert baseline.names == tuple(columns)
    for column, values in zip(baseline.columns, [*columns.values(), output], strict=True):
        present = [v for v in values if v is not None and math.isfinite(v)]
        assert column.missing == 4000 - len(present)
        if column.kind == "numeric":
            upper = [*column.edges, math.inf]
            lower = [-math.inf, *column.edges]
            counts = [sum(low < v <= high for v in present) for low, high in zip(lower, upper, strict=True)]
        else:
            counts = [sum(v == float(label) for v in present) for label in column.categories] + [0]
        assert list(column.counts) == counts
    assert [c.kind for c in baseline.features] == ["numeric"] * 4 + ["categorical"] * 3


def test_our_file_works_in_boxkite(boxkite: Boxkite, tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    large = np.exp(random.uniform(np.log(1e5), np.log(9.9e9), 3000))
    baseline = Baseline.from_data(
        {
            "large": large,
            "signed": 1e5 * random.normal(size=3000),
            "flag": [n % 2 for n in range(3000)],
            "holes": [None if n % 10 == 0 else n / 7 for n in range(3000)],
        },
        output=[["no", "yes", 'say "no"\n'][n % 3] for n in range(3000)],
        attributions={"large": large / 1e7},
    )
    path = baseline.save_prometheus(tmp_path / "histogram.prom")

    rows = [[5e6, -0.5, 1, None], [9e9, 0.5, True, math.inf], [4.5e6, 99.0, 0, 3.5]]
    seen = families(boxkite(path=str(path), predictions=[[row, "no"] for row in rows]))

    ours = families(path.read_text())
    for name, family in ours.items():
        assert (seen[name].type, seen[name].documentation) == (family.type, family.documentation)
        assert {(s.name, *s.labels.items()): s.value for s in seen[name].samples} == {
            (s.name, *s.labels.items()): s.value for s in family.samples
        }
    # Both sides of Boxkite's own comparison carry the same labels, which its own files do not from 1e6 up.
    for index in (0, 1, 3):
        assert buckets(seen[f"feature_{index}_value"]).keys() == buckets(ours[f"feature_{index}_value_baseline"]).keys()
    assert bins(seen["feature_2_value"]) == {"0.0": 1, "1.0": 2}
    assert bins(seen["inference_value"]) == {"no": 3, "yes": 0, 'say "no"\n': 0}
    assert buckets(seen["feature_3_value"])["+Inf"] == 3
    assert buckets(ours["feature_3_value_baseline"])["+Inf"] == 3000
    info = {s.labels["feature_name"] for s in seen["baseline_metrics_info"].samples}
    assert set(baseline.names) <= info


texts = st.text(max_size=6) | st.sampled_from(
    [
        "1",
        "1.0",
        "nan",
        "NaN",
        "inf",
        "Infinity",
        "__other__",
        "a\rb",
        'q"\\\n',
        " lead",
        "",
        "}",
        "# x",
        "007",
        "é\x85",
    ]
)
whole = st.integers(0, 1000) | st.integers(0, 2**60)
edge = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 5e-324, -5e-324, 1e6, 1e300, 0.1])


@st.composite
def column(draw: st.DrawFn, role: str, name: str) -> FeatureBaseline:
    numeric = role == "attribution" or draw(st.booleans())
    edges = tuple(sorted({value + 0.0 for value in draw(st.lists(edge, max_size=6))})) if numeric else ()
    labels = () if numeric else tuple(draw(st.lists(texts.filter(lambda t: t != "__other__"), max_size=6, unique=True)))
    size = len(edges) + len(labels) + 1
    return FeatureBaseline(
        name=name,
        kind="numeric" if numeric else "categorical",
        edges=edges,
        categories=labels,
        counts=tuple(draw(st.lists(whole, min_size=size, max_size=size))),
        missing=draw(whole),
        unseen=draw(whole),
        sum=draw(edge) if numeric else 0.0,
        role=role,  # type: ignore[arg-type]
        absolute_sum=draw(st.none() | st.floats(0, 1e300)) if role == "attribution" else None,
    )


@st.composite
def baselines(draw: st.DrawFn) -> Baseline:
    names = draw(st.lists(texts, min_size=1, max_size=4, unique=True))
    return Baseline(
        features=tuple(draw(column("feature", name)) for name in names),
        output=draw(st.none() | column("output", "output")),
        attributions=tuple(draw(column("attribution", name)) for name in names if draw(st.booleans())),
        model_version=draw(st.none() | texts),
        rows=draw(whole),
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(baselines())
def test_any_baseline_comes_back_exactly_from_its_text(baseline: Baseline) -> None:
    assert from_text(to_text(baseline)) == baseline


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(baselines())
def test_any_text_is_read_by_prometheus_clients_parser_with_the_same_counts(baseline: Baseline) -> None:
    text = to_text(baseline)
    # As Boxkite opens it: any end of line ends a line.
    found = families("\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")))

    for index, feature in enumerate(baseline.features):
        family = found[f"feature_{index}_value_baseline"]
        beside = feature.missing + (feature.unseen if feature.kind == "numeric" else 0)
        if feature.kind == "numeric":
            assert [float(le) for le in buckets(family)] == [*(feature.edges or (0.0,)), math.inf]
            assert list(buckets(family)) == [format_edge(e) for e in (*(feature.edges or (0.0,)), math.inf)]
            assert buckets(family)["+Inf"] == float(feature.total + beside)
        else:
            assert sum(bins(family).values()) == pytest.approx(feature.total + beside, rel=1e-12)


def saved(tmp_path: Path) -> tuple[Baseline, dict[str, list[Any]]]:
    random = np.random.default_rng(1)
    data: dict[str, list[Any]] = {
        "x": [*random.normal(size=500).tolist(), None, math.inf],
        "c": [*random.choice(["a", "b", "1"], 500).tolist(), None, 1],
    }
    return Baseline.from_data(data, output=data["x"], model_version="7"), data


def test_divergences_are_the_same_from_either_file(tmp_path: Path) -> None:
    baseline, data = saved(tmp_path)
    now = {"x": [1.0, 2.0, None, -math.inf], "c": ["a", "z", None, True]}
    first = Baseline.load(baseline.save(tmp_path / "baseline.json"))
    second = Baseline.load(first.save_prometheus(tmp_path / "histogram.prom"))

    assert first == second == baseline
    assert drift_report(second, now, output=now["x"]).to_rows() == drift_report(first, now, output=now["x"]).to_rows()
    assert drift_report(second, data, output=data["x"]).mean_psi == 0


def test_our_file_cut_short_anywhere_is_an_error(tmp_path: Path) -> None:
    baseline = Baseline(
        features=(
            FeatureBaseline(name="c", kind="categorical", categories=("a", "b"), counts=(10, 20, 30), missing=4),
            FeatureBaseline(name="x", kind="numeric", edges=(1.0, 25.0), counts=(1000, 2000, 3000), sum=60820.5),
        ),
        rows=6000,
    )
    text = to_text(baseline)
    assert from_text(text.rstrip()) == baseline

    for length in range(len(text) - 1):
        with pytest.raises(BaselineError):
            from_text(text[:length])


def test_our_file_without_one_of_its_columns_is_an_error(tmp_path: Path) -> None:
    baseline, _ = saved(tmp_path)
    lines = to_text(baseline).splitlines(keepends=True)

    with pytest.raises(BaselineError, match="says 3, and there are 2"):
        from_text("".join(line for line in lines if "feature_1" not in line))


def test_an_export_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    baseline, _ = saved(tmp_path)
    path = baseline.save_prometheus(tmp_path / "histogram.prom")
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _descriptor: (_ for _ in ()).throw(OSError("full")))

    with pytest.raises(OSError, match="full"):
        baseline.save_prometheus(path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["histogram.prom"]


def test_without_its_comments_our_file_is_one_of_boxkites(tmp_path: Path) -> None:
    baseline, _ = saved(tmp_path)
    lines = to_text(baseline).splitlines(keepends=True)
    (tmp_path / "histogram.prom").write_text("".join(line for line in lines if not line.startswith("# modelport")))

    bare = Baseline.load(tmp_path / "histogram.prom")

    assert bare.names == baseline.names
    assert bare.features[0].edges == baseline.features[0].edges
    assert bare.features[0].counts == (*baseline.features[0].counts[:-1], 0)
    assert bare.features[0].missing == baseline.features[0].counts[-1] + 1


def test_other_metrics_in_the_file_are_passed_over(tmp_path: Path) -> None:
    text = "# HELP python_info x\n# TYPE python_info gauge\npython_info 1.0\n" + GOLDEN + "up 1\n"

    assert from_text(text) == GOLDEN_BASELINE


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('{le="24.0"} 4.0', '{le="24.0"} 9.0', "feature_0_value_baseline: buckets that fall"),
        ('{le="24.0"} 4.0', '{le="24.0"} 4.5', "no count"),
        ('{le="24.0"} 4.0', '{le="24.0"} -4.0', "no count"),
        ('{le="24.0"} 4.0', '{le="24.0"} NaN', "no count"),
        ('{le="24.0"} 4.0', '{le="20.0"} 4.0', "occurs twice"),
        ('{le="24.0"} 4.0', '{bin="24.0"} 4.0', "no label le"),
        ('{le="24.0"} 4.0', '{le="old"} 4.0', "feature_0_value_baseline"),
        ('{le="24.0"} 4.0', '{le="24.0"} many', "not Prometheus text"),
        ('feature_0_value_baseline_bucket{le="+Inf"} 13.0\n', "", "no bucket"),
        ("_count 13.0", "_count 5.0", "feature_0_value_baseline: its count, its sum and its buckets"),
        ("feature_0_value_baseline_sum 343.0\n", "", "feature_0_value_baseline: its count, its sum and its buckets"),
        ("# TYPE feature_1_value_baseline_total counter\n", "", "feature_1_value_baseline_total: of type unknown"),
        ("feature_1_value", "feature_2_value", "no metric feature_1_value_baseline, but later"),
        ("feature_1_value", "feature_0_value", "feature_0_value_baseline"),
        ("_baseline", "", "no metric feature_0_value_baseline"),
        ("baseline histogram", "baseline gauge", "feature_0_value_baseline"),
        (
            "# HELP feature_0",
            '# modelport: {"format": "modelport.baseline", "version": 2}\n# HELP feature_0',
            "version 2",
        ),
        ("# HELP feature_0", "# modelport: {\n# HELP feature_0", "comment of modelport"),
        ("# HELP feature_0", '# modelport: {"metric": 3}\n# HELP feature_0', "comment of modelport"),
        (
            "# HELP feature_0",
            '# modelport: {"metric": "feature_0_value_baseline", "missing": 5}\n# HELP feature_0',
            "less than the comment says",
        ),
        (
            "# HELP feature_0",
            '# modelport: {"metric": "feature_0_value_baseline", "counts": [1]}\n# HELP feature_0',
            "1 counts for 7 bins",
        ),
    ],
)
def test_a_damaged_file_is_a_clear_error(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOLDEN
    path = tmp_path / "histogram.prom"
    path.write_text(GOLDEN.replace(old, new))

    with pytest.raises(BaselineError, match=told) as raised:
        Baseline.load(path)
    assert "histogram.prom: " in str(raised.value)
    assert "\n" not in str(raised.value)
