"""``modelport drift baseline`` and ``compare`` on files of every kind, checked against counts made here by hand."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from scipy import stats

from modelport.cli import main
from modelport.drift import Baseline
from modelport.drift._csv_text import as_labels
from modelport.predictions import FileSink, Prediction

EDGES = [20.0, 40.0, 60.0]
TRAINED = [10.0, 20.0, 30.0, 41.5, None, 70.0, 55.0, 20.000001]
SERVED = [20.0, 40.0, None, None, 99.0, float("inf"), 61.0, -5.0]
PLANS = ["a", "b", "a", "a", None, "b", "a", "a"]
NEW_PLANS = ["a", "c", None, "c", "a", "b", "b", "b"]

Compare = Callable[..., dict[str, Any]]


@pytest.fixture
def compare(capsys: pytest.CaptureFixture[str]) -> Compare:
    """Run ``modelport drift compare ARGUMENTS... --json``; gives what it printed, by feature."""

    def run(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
        got = main(["drift", "compare", *map(str, arguments), "--json"])
        printed = capsys.readouterr()
        assert got == code, printed.err
        report = json.loads(printed.out, parse_constant=pytest.fail)
        return {**report, "features": {row["name"]: row for row in report["features"]}}

    return run


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run ``modelport ARGUMENTS...``, which must exit with 2; gives its one line."""

    def run(*arguments: str | Path) -> str:
        assert main(list(map(str, arguments))) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        return printed.err

    return run


def table(ages: Iterable[float | None], plans: Iterable[str | None]) -> pd.DataFrame:
    return pd.DataFrame({"age": pd.Series(list(ages), dtype="float64"), "plan": list(plans)})


def write(frame: pd.DataFrame, path: Path) -> Path:
    if ".csv" in path.name:
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        # Infinity is no JSON; text that spells it is what loggers write.
        lines = [json.dumps({k: "Infinity" if v == math.inf else v for k, v in row.items()}) for row in rows]
        content = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def edges(tmp_path: Path) -> Path:
    path = tmp_path / "edges.json"
    path.write_text(json.dumps({"age": EDGES, "plan": ["a", "b"]}))
    return path


def by_hand(ages: Iterable[float | None]) -> list[int]:
    present = [age for age in ages if age is not None]
    bounds = [-math.inf, *EDGES, math.inf]
    return [
        sum(low < age <= high or (high == EDGES[0] and age == -math.inf) for age in present)
        for low, high in pairwise(bounds)
    ]


@pytest.mark.parametrize(
    "name", ["data.csv", "data.parquet", "data.jsonl", "data.ndjson", "data.csv.gz", "data.jsonl.gz", "DATA.v2.csv"]
)
@pytest.mark.parametrize("rule", ["raw", "clamp"])
def test_files_of_any_kind_are_counted_in_the_bins_given(
    compare: Compare, tmp_path: Path, edges: Path, name: str, rule: str
) -> None:
    before = write(table(TRAINED, PLANS), tmp_path / f"train-{name}")
    now = write(table(SERVED, NEW_PLANS), tmp_path / name)

    report = compare("--baseline", before, "--current", now, "--edges", edges, "--rule", rule)

    age, plan = report["features"]["age"], report["features"]["plan"]
    assert (age["baseline_counts"], age["counts"]) == (by_hand(TRAINED), by_hand(SERVED))
    assert (age["baseline_missing"], age["missing"], age["edges"]) == (1, 2, EDGES)
    assert (plan["baseline_counts"], plan["counts"], plan["missing"]) == ([5, 2, 0], [2, 3, 2], 1)
    assert (plan["unseen"], plan["bins"], plan["ks"], plan["edges"]) == (2, ["a", "b", "__other__"], None, None)
    assert (report["records"], report["baseline_rows"], report["rule"]) == (8, 8, rule)
    for row in (age, plan):
        p, q = (np.array(row[key]) / sum(row[key]) for key in ("baseline_counts", "counts"))
        middle = (p + q) / 2
        assert row["js"] == pytest.approx(float(stats.entropy(p, middle) + stats.entropy(q, middle)) / 2, rel=1e-12)
        assert row["total_variation"] == pytest.approx(float(np.abs(p - q).sum() / 2), rel=1e-12)
        if rule == "clamp":
            p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = float(np.where(p == q, 0, (q - p) * np.log(q / p)).sum())
        assert float(row["psi"]) == pytest.approx(expected, rel=1e-12)
    p, q = (np.array(counts) for counts in (by_hand(TRAINED), by_hand(SERVED)))
    places = [*EDGES, EDGES[-1]]
    assert age["wasserstein"] == pytest.approx(float(stats.wasserstein_distance(places, places, p, q)), rel=1e-12)
    assert age["ks"] == pytest.approx(float(np.abs(np.cumsum(p / p.sum() - q / q.sum())).max()), rel=1e-12)
    test: Any = stats.chi2_contingency([p, q])
    assert age["chi_square_p"] == pytest.approx(float(test.pvalue), rel=1e-9)


def test_what_json_has_no_number_for_is_text(compare: Compare, tmp_path: Path, edges: Path) -> None:
    before = write(table([30.0] * 3, ["a"] * 3), tmp_path / "train.csv")
    now = write(table([50.0, None, None], [None] * 3), tmp_path / "now.csv")

    rows = compare("--baseline", before, "--current", now, "--edges", edges, "--rule", "raw")["features"]

    assert (rows["age"]["psi"], rows["age"]["kl"], rows["age"]["kl_reverse"]) == ("Infinity",) * 3
    assert (rows["plan"]["psi"], rows["plan"]["shares"], rows["plan"]["n"]) == ("NaN", ["NaN"] * 3, 0)


@pytest.mark.parametrize("form", ["json", "prom"])
@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_a_baseline_of_any_file_is_that_of_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, suffix: str
) -> None:
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "score": random.normal(size=400),
            "whole": random.integers(0, 1000, 400),
            "code": random.integers(0, 3, 400),
            "flag": random.random(400) < 0.4,
            "text": random.choice(["x", "y\ny", 'z"', "é"], 400),
            "holes": pd.Series(random.integers(0, 1000, 400)).astype("Int64").where(random.random(400) < 0.8),
        }
    )
    data = write(frame, tmp_path / f"train.{suffix}")
    target = tmp_path / f"baseline.{form}"

    code = main(["drift", "baseline", str(data), str(target), "--output-column", "score", "--model-version", "4"])

    assert code == 0
    assert "5 features of 400 rows" in capsys.readouterr().err
    expected = Baseline.from_data(frame, output="score", model_version="4")
    made = Baseline.load(target)
    assert [column.sum for column in made.columns] == pytest.approx([column.sum for column in expected.columns])
    assert bare(made) == bare(expected)


def bare(baseline: Baseline) -> list[tuple[object, ...]]:
    return [(c.name, c.role, c.kind, c.counts, c.edges, c.categories, c.missing) for c in baseline.columns]


def test_kinds_and_features_may_be_named(tmp_path: Path) -> None:
    data = write(pd.DataFrame({"a": [1, 2, 1], "b": [1.5, 2.5, 1.5], "c": [0, 0, 0]}), tmp_path / "train.csv")
    target = tmp_path / "baseline.json"

    main([
        "drift", "baseline", str(data), str(target), "--feature", "b", "--feature", "a", "--numeric", "a",
        "--categorical", "b",
    ])  # fmt: skip

    assert [(c.name, c.kind) for c in Baseline.load(target).features] == [("b", "categorical"), ("a", "numeric")]


def test_large_training_data_is_read_some_columns_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({name: np.random.default_rng(ord(name)).normal(size=50) for name in "abcde"})
    for suffix in ("csv", "parquet", "jsonl"):
        data = write(frame, tmp_path / f"train.{suffix}")
        monkeypatch.setattr("modelport.cli._drift_data._NUMBERS_AT_ONCE", 100)

        main(["drift", "baseline", str(data), str(tmp_path / "b.json"), "--output-column", "c"])

        made = Baseline.load(tmp_path / "b.json")
        assert bare(made) == bare(Baseline.from_data(frame, output="c"))


def test_a_file_is_the_same_however_it_is_cut_into_batches(
    compare: Compare, tmp_path: Path, edges: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write(table(TRAINED * 50, PLANS * 50), tmp_path / "train.csv")
    files = [write(table(SERVED * 50, NEW_PLANS * 50), tmp_path / f"now.{end}") for end in ("csv", "parquet", "jsonl")]
    whole = compare("--baseline", before, "--current", files[0], "--edges", edges)

    monkeypatch.setattr("modelport.cli._data_files._ROWS_AT_ONCE", 7)
    monkeypatch.setattr("modelport.drift._csv_text.BLOCK_BYTES", 200)

    for file in files:
        assert compare("--baseline", before, "--current", file, "--edges", edges) == whole


def test_a_type_that_shows_only_late_in_a_csv_is_seen(compare: Compare, tmp_path: Path) -> None:
    rows = "".join(f"{n % 7},{n},{n % 2}\n" for n in range(5000))
    (tmp_path / "train.csv").write_text(f"code,number,flag\n{rows}n/a,0.5,\n")

    rows_by_name = compare("--baseline", tmp_path / "train.csv", "--current", tmp_path / "train.csv")["features"]

    assert {name: row["kind"] for name, row in rows_by_name.items()} == {
        "code": "categorical", "number": "numeric", "flag": "categorical",
    }  # fmt: skip
    assert rows_by_name["code"]["bins"] == ["0", "1", "2", "3", "4", "5", "6", "n/a", "__other__"]
    assert {row["psi"] for row in rows_by_name.values()} == {0.0}


def test_cells_of_a_csv_are_the_categories_that_other_forms_have(compare: Compare, tmp_path: Path) -> None:
    frame = pd.DataFrame({"flag": [True, False, None] * 20, "code": pd.Series([1, 2, None] * 20, dtype="Int64")})
    before = write(frame, tmp_path / "train.parquet")
    (tmp_path / "now.csv").write_text("flag,code\ntrue,1\nFalse,2.0\n, 1\n1,3\n")

    rows = compare("--baseline", before, "--current", tmp_path / "now.csv")["features"]

    assert rows["flag"]["counts"] == [1, 2, 0]
    assert (rows["code"]["counts"], rows["code"]["missing"]) == ([2, 1, 1], 0)


@pytest.mark.parametrize(
    ("cells", "categories"),
    [
        (("12345678901234567890", "12345678901234567891"), ("12345678901234567890", "12345678901234567891")),
        (("0x10", "0x20"), ("0x10", "0x20")),
        (("007", "+8"), ("7", "8")),
    ],
)
def test_whole_numbers_of_a_csv_keep_every_digit_and_are_decimal(
    compare: Compare, tmp_path: Path, cells: tuple[str, str], categories: tuple[str, str]
) -> None:
    data = tmp_path / "data.csv"
    data.write_text("x\n" + "\n".join(cells * 30) + "\n")

    row = compare("--baseline", data, "--current", data)["features"]["x"]

    assert (row["bins"][:2], row["counts"], row["psi"]) == (list(categories), [30, 30, 0], 0)


def test_a_cell_that_is_itself_a_category_is_not_read_as_a_number() -> None:
    cells = pa.array(["1", "1.0", "007", "TRUE", None, "x"])

    assert as_labels(cells, {"1", "1.0", "007", "TRUE"}).to_pylist() == ["1", "1.0", "007", "TRUE", None, "x"]
    assert as_labels(cells, {"1", "7"}).to_pylist() == ["1", "1", "7", "1", None, "x"]


def test_numbers_in_a_csv_are_read_as_python_reads_them(compare: Compare, tmp_path: Path) -> None:
    cells = ["", "NaN", "nan", "inf", "-Infinity", "1e400", " 2.5 ", "+3", "1e-400", "9007199254740993", '"4"', "many"]
    (tmp_path / "edges.json").write_text('{"x": [-1, 0, 2.5, 1e300]}')
    (tmp_path / "now.csv").write_text("x,y\n" + "".join(f"{cell},1\n" for cell in cells))

    row = compare(
        "--baseline", tmp_path / "now.csv", "--current", tmp_path / "now.csv", "--edges", tmp_path / "edges.json"
    )["features"]["x"]

    assert row["counts"] == row["baseline_counts"] == [1, 1, 1, 3, 2]
    assert (row["missing"], row["unseen"], row["n"]) == (3, 1, 8)


@pytest.mark.parametrize("end", ["json", "prom"])
def test_a_saved_baseline_gives_its_bins_to_both_sides(compare: Compare, tmp_path: Path, end: str) -> None:
    random = np.random.default_rng(0)
    first = pd.DataFrame({"x": random.normal(size=300)})
    second = pd.DataFrame({"x": random.normal(1, 1, size=300)})
    baseline = Baseline.from_data(first)
    saved = tmp_path / f"saved.{end}"
    (baseline.save_prometheus if end == "prom" else baseline.save)(saved)
    old, new = write(first, tmp_path / "first.parquet"), write(second, tmp_path / "second.csv")

    direct = compare("--baseline", saved, "--current", new)
    through = compare("--baseline", old, "--current", new, "--edges", saved)
    both = compare("--baseline", saved, "--current", new, "--edges", saved)

    assert direct["features"] == through["features"] == both["features"]
    counted = Counter(np.searchsorted(baseline.features[0].edges, second["x"], side="left").tolist())
    assert direct["features"]["x"]["counts"] == [counted[n] for n in range(len(baseline.features[0].counts))]


def test_an_output_is_compared_where_its_column_is_named(compare: Compare, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5] * 9, "y": ["no", "yes", "no"] * 9})
    data = write(frame, tmp_path / "data.parquet")
    Baseline.from_data(frame, output="y").save(tmp_path / "baseline.json")
    (tmp_path / "edges.json").write_text('{"x": [2], "y": ["no"]}')

    with_output = compare("--baseline", tmp_path / "baseline.json", "--current", data, "--output-column", "y")
    without = compare("--baseline", tmp_path / "baseline.json", "--current", data)
    own_bins = compare(
        "--baseline", data, "--current", data, "--output-column", "y", "--edges", tmp_path / "edges.json"
    )

    assert list(with_output["features"]) == ["x", "output"]
    assert list(without["features"]) == ["x"]
    assert own_bins["features"]["output"]["counts"] == [18, 9]


@pytest.mark.parametrize(
    ("given", "edges", "categories"),
    [
        ([1, 2.5], [1, 2.5], None),
        (["-Infinity", 1, "+Inf"], [1], None),
        ([], [], None),
        (["a"], None, ["a", "__other__"]),
        ({"edges": ["1", 2]}, [1, 2], None),
        ({"categories": ["1", "2"]}, None, ["1", "2", "__other__"]),
    ],
)
def test_edges_are_given_in_short_or_in_full(
    compare: Compare, tmp_path: Path, given: object, edges: list[float] | None, categories: list[str] | None
) -> None:
    (tmp_path / "data.csv").write_text("x\n1\n2\n")
    (tmp_path / "edges.json").write_text(json.dumps({"x": given}))
    data = tmp_path / "data.csv"

    row = compare("--baseline", data, "--current", data, "--edges", tmp_path / "edges.json")["features"]["x"]

    assert row["edges"] == edges
    assert categories is None or row["bins"] == categories


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "holds no edges"),
        ("[]", "holds no edges"),
        ("{}", "holds no edges"),
        ('{"x": 5}', "holds no edges"),
        ('{"x": [2, 1]}', "the edges of 'x' do not rise"),
        ('{"x": [1, 1]}', "the edges of 'x' do not rise"),
        ('{"x": [1, "many"]}', "an edge of 'x' is no number"),
        ('{"x": [1, "NaN"]}', "an edge of 'x' is not finite"),
        ('{"x": ["a", "a"]}', "a category of 'x' occurs twice"),
        ('{"x": {}}', "neither or both"),
        ('{"x": {"edges": [1], "categories": ["a"]}}', "neither or both"),
        ('{"y": [1]}', "data.csv has no column 'y'; it has: x"),
        ('{"format": "modelport.baseline", "version": 9}', "version 9"),
    ],
)
def test_edges_that_are_none_are_named(refused: Callable[..., str], tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "data.csv").write_text("x\n1\n2\n")
    (tmp_path / "edges.json").write_text(content)
    data = tmp_path / "data.csv"

    line = refused("drift", "compare", "--baseline", data, "--current", data, "--edges", tmp_path / "edges.json")

    assert told in line


def test_a_saved_baseline_cannot_be_counted_again_in_other_bins(
    refused: Callable[..., str], tmp_path: Path, edges: Path
) -> None:
    data = write(table(TRAINED, PLANS), tmp_path / "data.csv")
    Baseline.from_data(table(TRAINED, PLANS)).save(tmp_path / "baseline.json")

    line = refused("drift", "compare", "--baseline", tmp_path / "baseline.json", "--current", data, "--edges", edges)

    assert "baseline.json counts 'age' in other bins than" in line


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("now.csv", b"plan\na\n", "now.csv has no column 'age'; it has: plan"),
        ("now.csv", b"", "now.csv cannot be read"),
        ("now.csv", b"age,plan\n", "now.csv holds no rows"),
        ("now.csv", b"age,plan\n1\n", "now.csv cannot be read: CSV parse error: Expected 2 columns"),
        ("now.csv", b"age,plan\n1,\xff\xfe\n", "now.csv cannot be read"),
        ("now.csv", b"age,age,plan\n1,2,a\n", "now.csv: column 'age' occurs twice"),
        ("now.csv", b"age,plan\nold,a\nyoung,b\n", "now.csv: column 'age' holds no numbers"),
        ("now.jsonl", b'{"age": 1, "plan": "a"}\n{"age": }\n', "now.jsonl cannot be read: line 2"),
        ("now.jsonl", b"[1]\n", "now.jsonl cannot be read: line 1"),
        ("now.jsonl", b"", "now.jsonl holds no rows"),
        ("now.parquet", b"PAR1", "now.parquet cannot be read"),
        ("now.csv.gz", b"age,plan\n1,a\n", "now.csv.gz cannot be read"),
        ("now.jsonl.gz", b"age", "now.jsonl.gz cannot be read"),
        ("now.xlsx", b"", "not a kind of data"),
        ("now", b"", "not a kind of data"),
        ("now.csv", b"age,plan\nsecret\n", "Expected 2 columns, got 1 (see"),
    ],
)
def test_data_that_does_not_fit_is_named_in_one_line(
    refused: Callable[..., str], tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    before = write(table(TRAINED, PLANS), tmp_path / "train.csv")
    (tmp_path / name).write_bytes(content)

    assert told in refused("drift", "compare", "--baseline", before, "--current", tmp_path / name)


@pytest.mark.parametrize("options", [[], ["--endpoint", "churn"]])
def test_a_directory_without_predictions_is_no_comparison(
    refused: Callable[..., str], tmp_path: Path, options: list[str]
) -> None:
    before = write(table(TRAINED, PLANS), tmp_path / "train.csv")
    (tmp_path / "log").mkdir()

    line = refused("drift", "compare", "--baseline", before, "--current", tmp_path / "log", *options)

    assert "log holds no predictions" in line


def test_a_byte_order_mark_is_no_part_of_any_file(compare: Compare, tmp_path: Path, edges: Path) -> None:
    data = {end: write(table(TRAINED, PLANS), tmp_path / f"data{end}") for end in (".csv", ".jsonl")}
    baseline = Baseline.from_data(table(TRAINED, PLANS))
    saved = {
        ".json": baseline.save(tmp_path / "baseline.json"),
        ".prom": baseline.save_prometheus(tmp_path / "histogram.prom"),
    }
    for path in (*data.values(), *saved.values(), edges):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    for path in saved.values():
        for current in data.values():
            assert compare("--baseline", path, "--current", current)["mean_psi"] == 0
    assert compare("--baseline", data[".csv"], "--current", data[".jsonl"], "--edges", edges)["mean_psi"] == 0


def test_times_in_training_data_are_refused_with_the_column(refused: Callable[..., str], tmp_path: Path) -> None:
    write(pd.DataFrame({"when": pd.date_range("2026-01-01", periods=3)}), tmp_path / "train.parquet")

    line = refused("drift", "baseline", tmp_path / "train.parquet", tmp_path / "b.json")

    assert "train.parquet: column 'when': dates and times have no bins" in line
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize(
    "options", [["--feature", "z"], ["--output-column", "z"], ["--level", "1"], ["--min-values", "-1"], ["--rule", "x"]]
)
def test_options_that_do_not_fit_are_bad_usage(refused: Callable[..., str], tmp_path: Path, options: list[str]) -> None:
    data = write(table(TRAINED, PLANS), tmp_path / "data.csv")

    refused("drift", "compare", "--baseline", data, "--current", data, *options)


def test_columns_beyond_the_baseline_are_passed_over_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = write(table(TRAINED, PLANS), tmp_path / "train.csv")
    now = write(table(SERVED, NEW_PLANS).assign(extra=1), tmp_path / "now.csv")

    assert main(["drift", "compare", "--baseline", str(before), "--current", str(now)]) == 0
    assert "passed over, for the baseline does not have them: extra\n" in capsys.readouterr().err


def test_the_exit_code_follows_the_verdicts_and_the_least_number_of_values(compare: Compare, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    before = write(pd.DataFrame({"x": random.normal(size=1000)}), tmp_path / "train.csv")
    now = write(pd.DataFrame({"x": random.normal(2, 1, size=150)}), tmp_path / "now.csv")
    files = ("--baseline", before, "--current", now, "--fail-on", "moderate")

    assert compare(*files)["features"]["x"]["verdict"] == "too few values"
    assert compare(*files, "--min-values", "100", code=1)["features"]["x"]["verdict"] == "major"


@pytest.mark.parametrize(("missing", "level", "code"), [(0.05, "moderate", 0), (0.2, "moderate", 1), (0.2, "major", 0),
                                                         (1.0, "major", 1)])  # fmt: skip
def test_values_that_stay_away_fail_too(
    compare: Compare, tmp_path: Path, missing: float, level: str, code: int
) -> None:
    values = np.random.default_rng(1).normal(size=2000)
    before = write(pd.DataFrame({"x": values, "y": values}), tmp_path / "train.csv")
    gone = np.where(np.arange(1000) < missing * 1000, np.nan, values[:1000])
    now = write(pd.DataFrame({"x": gone, "y": values[:1000]}), tmp_path / "now.csv")

    report = compare("--baseline", before, "--current", now, "--fail-on", level, code=code)

    assert report["features"]["x"]["reasons"] == (["missing"] if missing > 0.1 else [])
    assert report["verdict"] == report["features"]["x"]["verdict"]


def test_a_log_by_position_is_counted_in_all_features_and_compared_in_some(compare: Compare, tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(600, 3))
    Baseline.from_data(values, names=["a", "b", "c"], output=values[:, 0]).save(tmp_path / "baseline.json")
    sink = FileSink(tmp_path / "log")
    sink.write([
        Prediction(prediction_id=str(n), timestamp_ns=n, endpoint="e", features=row.tolist(), output=0.5)
        for n, row in enumerate(values)
    ])  # fmt: skip
    sink.close()

    report = compare("--baseline", tmp_path / "baseline.json", "--current", tmp_path / "log", "--feature", "b")

    assert (report["records"], report["uncounted"], list(report["features"])) == (600, 0, ["b"])
    assert report["features"]["b"]["psi"] == 0


def test_versions_of_a_model_are_told_apart_in_a_log(
    compare: Compare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Baseline.from_data({"a": [1.0, 2.0] * 50}, model_version="3").save(tmp_path / "baseline.json")
    sink = FileSink(tmp_path / "log")
    sink.write([
        Prediction(prediction_id=str(n), timestamp_ns=n, endpoint="e", features=[n], output=0, model_version=version)
        for n, version in enumerate(["3", "4", "4", "5", None])
    ])  # fmt: skip
    sink.close()
    files = ("--baseline", str(tmp_path / "baseline.json"), "--current", str(tmp_path / "log"))

    assert main(["drift", "compare", *files]) == 0
    assert "3 of 4 predictions are of another model version (4: 2, 5: 1) than" in capsys.readouterr().err
    assert compare(*files, "--model-version", "4")["records"] == 2
    assert main(["drift", "compare", *files, "--model-version", "6"]) == 2
    assert "holds no predictions of model version '6'" in capsys.readouterr().err


def test_a_log_that_fits_nothing_fails(compare: Compare, tmp_path: Path) -> None:
    Baseline.from_data({"a": [1.0, 2.0] * 50, "b": [1.0, 2.0] * 50}).save(tmp_path / "baseline.json")
    sink = FileSink(tmp_path / "log")
    sink.write([Prediction(prediction_id="1", timestamp_ns=1, endpoint="e", features=[1.0, 2.0, 3.0], output=0.5)])
    sink.close()
    files = ("--baseline", tmp_path / "baseline.json", "--current", tmp_path / "log")

    assert compare(*files, "--fail-on", "major", code=1)["uncounted"] == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"plan": ["a"], "plan": ["b"]}', "'plan' occurs twice"),
        ('{"plan": ["__other__", "a"]}', "'__other__', which all other categories are in, is not the last of 'plan'"),
    ],
)
def test_edges_that_cannot_be_meant_are_refused(
    refused: Callable[..., str], tmp_path: Path, content: str, told: str
) -> None:
    data = write(table(TRAINED, PLANS), tmp_path / "train.csv")
    (tmp_path / "edges.json").write_text(content)

    assert told in refused(
        "drift", "compare", "--baseline", data, "--current", data, "--edges", tmp_path / "edges.json"
    )


def test_edges_that_part_nothing_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write(table(TRAINED, PLANS), tmp_path / "train.csv")
    edges = tmp_path / "edges.json"
    arguments = ["drift", "compare", "--baseline", data, "--current", data, "--edges", edges]
    for shape, told in (
        ({"plan": ["x", "y"]}, "the categories of 'plan' do not part the values"),
        ({"age": []}, "the edges of 'age' do not part the values"),
        ({"plan": ["a", "__other__"]}, ""),
    ):
        edges.write_text(json.dumps(shape))

        assert main(list(map(str, arguments))) == 0
        printed = capsys.readouterr().err
        assert told in printed
        assert bool(told) is ("do not part" in printed)


def test_a_baseline_is_told_column_by_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "age": [*map(str, random.integers(18, 80, 499)), "forty"],
            "id": [f"u{number}" for number in range(500)],
            "plan": random.choice(["a", "b"], 500),
            "income": random.normal(size=500),
            "gone": [None] * 500,
        }
    )
    data, target = write(frame, tmp_path / "train.csv"), tmp_path / "baseline.json"

    assert main(["drift", "baseline", str(data), str(target), "--numeric", "plan"]) == 0

    printed = capsys.readouterr()
    lines = {line.split()[0]: line.split()[1:] for line in printed.out.splitlines()[1:]}
    assert lines["age"] == ["categorical", "51", "500", "0", "0"]
    assert lines["plan"] == ["numeric", "1", "0", "0", "500"]
    assert lines["income"][0] == "numeric"
    notes = dict(line.split(": ", 1) for line in printed.err.splitlines())
    assert notes["age"].startswith("categorical, though most of its values are numbers")
    assert notes["id"] == "90% of the values share one bin; is it an identifier?"
    assert (notes["plan"], notes["gone"]) == ("no value is a number", "there is no value")
    assert "income" not in notes
    assert notes[str(target)] == "5 features of 500 rows"


@pytest.mark.parametrize(
    ("target", "options", "told"),
    [
        ("out.csv", (), "ends in .json or .prom"),
        ("out.json", ("--numeric", "age", "--categorical", "age"), "'age' is either numeric or categorical"),
    ],
)
def test_a_baseline_that_cannot_be_meant_is_refused(
    refused: Callable[..., str], tmp_path: Path, target: str, options: tuple[str, ...], told: str
) -> None:
    data = write(table(TRAINED, PLANS), tmp_path / "train.csv")

    assert told in refused("drift", "baseline", data, tmp_path / target, *options)


def test_a_level_that_is_no_number_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    data = write(table(TRAINED, PLANS), tmp_path / "train.csv")

    assert "'--level'" in refused("drift", "compare", "--baseline", data, "--current", data, "--level", "nan")


MEASURED = """
import resource, sys
from modelport.cli import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["parquet", "csv"])
def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path: Path, end: str) -> None:
    columns = {f"x{n}": np.random.default_rng(n).normal(size=100_000) for n in range(10)}
    Baseline.from_data(columns).save(tmp_path / "baseline.json")
    part = pa.table(columns)
    peaks: dict[int, int] = {}
    for parts in (1, 25):
        file = tmp_path / f"{parts}.{end}"
        writer = pq.ParquetWriter(file, part.schema) if end == "parquet" else pa_csv.CSVWriter(file, part.schema)
        with writer:
            for _ in range(parts):
                writer.write_table(part)
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, "drift", "compare", "--baseline", tmp_path / "baseline.json",
             "--current", file, "--json"],
            capture_output=True, text=True, check=True, timeout=300,
        )  # fmt: skip
        assert json.loads(done.stdout)["records"] == parts * 100_000
        peaks[parts] = int(done.stderr.split()[-1]) // 1024

    # The large one holds 190 MiB of numbers.
    assert peaks[25] - peaks[1] < 100, peaks
