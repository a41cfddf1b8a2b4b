from __future__ import annotations

import json
import math
import stat
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.drift import Baseline, BaselineError, format_edge
from modelport.drift._values import OTHER, to_label, to_number

FRAME = pd.DataFrame({"age": [20.0, 30.0, None, 50.0], "plan": ["a", "b", "a", None]})


@pytest.mark.parametrize(
    "data",
    [
        FRAME,
        {name: FRAME[name].tolist() for name in FRAME},
        {name: FRAME[name].to_numpy() for name in FRAME},
        [("age", iter([20, 30, None, 50])), ("plan", iter(["a", "b", "a", None]))],
        FRAME.convert_dtypes(),
        FRAME.astype({"plan": "category"}),
    ],
    ids=["frame", "lists", "arrays", "pairs", "nullable", "category"],
)
def test_data_in_any_form_makes_the_same_baseline(data: object) -> None:
    baseline = Baseline.from_data(data, kinds={"age": "numeric"})

    age, plan = baseline.features
    assert (age.kind, age.edges[1:], age.counts, age.missing) == ("numeric", (20.0, 30.0, 50.0), (0, 1, 1, 1, 0), 1)
    assert (plan.kind, plan.categories, plan.counts, plan.missing) == ("categorical", ("a", "b"), (2, 1, 0), 1)
    assert baseline.rows == 4


def test_an_array_takes_its_names_from_the_caller() -> None:
    baseline = Baseline.from_data(np.arange(200.0).reshape(100, 2), names=["a", "b"], output=np.arange(100.0))

    assert baseline.names == ("a", "b")
    assert baseline.output is not None
    assert baseline.output.role == "output"


def test_edges_are_quantiles_and_tails_of_the_data() -> None:
    column = Baseline.from_data({"x": [float(n) for n in range(1, 10_001)]}).features[0]

    assert column.edges == (10, 100, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 9900, 9990)
    assert column.counts == (10, 90, 900, *[1000] * 8, 900, 90, 10)


@pytest.mark.parametrize("outlier", [1e300, -1e300, 1.7976931348623157e308, 5e-324, math.inf, -math.inf])
def test_outliers_change_no_edge_but_their_own(outlier: float) -> None:
    values = [float(n) for n in range(10_000)]

    column = Baseline.from_data({"x": [*values, outlier]}).features[0]

    assert len(column.edges) == 13
    assert all(-1 <= edge <= 10_000 for edge in column.edges)
    assert column.total == 10_001


def test_spiky_data_gets_deduplicated_right_closed_bins_and_one_beyond_the_spike() -> None:
    values = [0.0] * 700 + [float(n) for n in range(1, 301)]

    column = Baseline.from_data({"x": values}).features[0]

    below, at_zero = column.edges[:2]
    assert -1e-300 < below < 0
    assert at_zero == 0
    assert column.counts[:2] == (0, 700)


def test_a_constant_shows_values_on_both_sides() -> None:
    column = Baseline.from_data({"x": [5.5] * 100}, kinds={"x": "numeric"}).features[0]

    assert len(column.edges) == 2
    assert column.counts == (0, 100, 0)


def test_a_column_without_values_has_one_bin() -> None:
    column = Baseline.from_data({"x": [None, math.nan], "y": [1.5, 2.5]}, kinds={"x": "numeric"}).features[0]

    assert (column.edges, column.counts, column.missing) == ((), (0,), 2)


numbers = st.floats(allow_nan=True, allow_infinity=True) | st.none() | st.sampled_from([0.0, -0.0, 1.0, 1e300, 5e-324])


@given(st.lists(numbers, min_size=1, max_size=200))
def test_bins_hold_every_value_once_for_any_data(values: list[float | None]) -> None:
    column = Baseline.from_data({"x": values}, kinds={"x": "numeric"}).features[0]

    present = [value for value in values if value is not None and not math.isnan(value)]
    naive = [0] * len(column.counts)
    for value in present:
        naive[next((i for i, edge in enumerate(column.edges) if value <= edge), len(column.edges))] += 1
    assert list(column.counts) == naive
    assert column.missing == len(values) - len(present)
    assert list(column.edges) == sorted(set(column.edges))
    assert all(map(math.isfinite, column.edges))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0.5 * n for n in range(100)], "numeric"),
        (list(range(1000)), "numeric"),
        ([0, 1] * 50, "categorical"),
        ([0, 1, None], "categorical"),
        ([n % 10 for n in range(1000)], "categorical"),
        ([n % 11 for n in range(1000)], "numeric"),
        ([n % 10 for n in range(100)], "numeric"),
        ([True, False], "categorical"),
        (["x", "y"], "categorical"),
        (["1.5", "2.5"], "categorical"),
        ([math.inf, 1.0], "numeric"),
        (pd.Series([1, 0, 1], dtype="category"), "categorical"),
        (pd.Series([1, 2, 3] * 20, dtype="Int64"), "categorical"),
        (pd.Series([True, None], dtype="boolean"), "categorical"),
    ],
)
def test_the_kind_follows_a_rule_that_never_varies(values: list[object], kind: str) -> None:
    kinds = {Baseline.from_data({"x": values}).features[0].kind for _ in range(5)}

    assert kinds == {kind}


def test_rare_categories_share_a_bin_and_labels_are_bounded() -> None:
    values = ["common"] * 50 + ["second"] * 20 + [f"rare {n}" for n in range(30)] + ["y" * 10**6] * 10

    column = Baseline.from_data({"x": values}, max_categories=3).features[0]

    assert column.categories[:2] == ("common", "second")
    assert len(column.categories[2]) == 120
    assert column.counts == (50, 20, 10, 30)
    assert column.labels[-1] == OTHER


def test_a_category_called_other_is_in_the_other_bin() -> None:
    column = Baseline.from_data({"x": [OTHER, "a", "a"]}).features[0]

    assert (column.categories, column.counts) == (("a",), (2, 1))


@pytest.mark.parametrize("value", [1, 1.0, True, np.int64(1), np.float32(1), np.bool_(True), np.array(1), [1], "1"])
def test_equal_values_have_one_label(value: object) -> None:
    assert to_label(value) == "1"


@pytest.mark.parametrize("value", [None, math.nan, np.float64("nan"), pd.NA, pd.NaT])
def test_missing_is_missing_on_both_readings(value: object) -> None:
    assert to_label(value) is None
    assert math.isnan(to_number(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2.5", 2.5),
        ("Infinity", math.inf),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        (Decimal("0.5"), 0.5),
        ([3], 3.0),
        (np.array([[4]]), 4.0),
    ],
)
def test_numbers_are_read_from_what_is_a_number(value: object, expected: float) -> None:
    assert to_number(value) == expected


@pytest.mark.parametrize("value", ["x", "", b"1", 1j, [1, 2], [], {}, object(), {"a": 1}])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        to_number(value)


@pytest.mark.parametrize(
    ("edge", "text"),
    [
        (1.0, "1.0"), (-1.0, "-1.0"), (2.5, "2.5"), (0.0, "0.0"), (-0.0, "0.0"), (999999.5, "999999.5"),
        (1e6, "1e+06"), (-1234567.0, "-1.234567e+06"), (1100578.27, "1.10057827e+06"), (1e15, "1e+15"),
        (1e100, "1e+100"), (0.0001, "0.0001"), (0.00001, "1e-05"), (1.5e-7, "1.5e-07"), (5e-324, "5e-324"),
        (math.inf, "+Inf"), (-math.inf, "-Inf"),
    ],
)  # fmt: skip
def test_edges_are_spelled_as_prometheus_does(edge: float, text: str) -> None:
    assert format_edge(edge) == text


@given(st.floats(allow_nan=False))
def test_a_spelled_edge_is_the_same_number_again(edge: float) -> None:
    assert float(format_edge(edge)) == edge


def saved(tmp_path: Path) -> tuple[Baseline, Path]:
    baseline = Baseline.from_data(
        {"x": [0.1, 1e300, -1e-300, None], "c": ["a", 'ü\n"', None, "a"]},
        output=["no", "no", "yes", None],
        model_version="3",
    )
    return baseline, baseline.save(tmp_path / "baseline.json")


def test_a_saved_baseline_comes_back_exactly(tmp_path: Path) -> None:
    baseline, path = saved(tmp_path)

    assert Baseline.load(path) == baseline
    assert json.loads(path.read_bytes())["version"] == 1
    assert [item.name for item in tmp_path.iterdir()] == ["baseline.json"]


def test_a_save_that_fails_leaves_the_old_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    baseline, path = saved(tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _descriptor: (_ for _ in ()).throw(OSError("full")))

    with pytest.raises(OSError, match="full"):
        baseline.save(path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["baseline.json"]


def test_a_saved_baseline_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    _, path = saved(tmp_path)

    other = tmp_path / "other"
    other.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d.update(format="pmml"), "not a baseline but 'pmml'"),
        (lambda d: d.update(version=2), "version 2"),
        (lambda d: d.pop("format"), "format"),
        (lambda d: d["features"][0].pop("counts"), r"features\[0\]"),
        (lambda d: d["features"][0]["counts"].pop(), "feature 'x': 3 counts for 4 bins|feature 'x'"),
        (lambda d: d["features"][0]["edges"].reverse(), "edges that do not rise"),
        (lambda d: d["features"][0].update(missing=-1), "negative"),
        (lambda d: d["features"][0].update(kind="text"), "kind"),
        (lambda d: d["features"].append(d["features"][0]), "twice"),
        (lambda d: d["features"][0].update(edges="x"), "edges"),
        (lambda d: d.update(rows=1), "1 rows, and "),
        (lambda d: d.update(rows=-1), "-1 rows, and "),
    ],
)
def test_a_damaged_baseline_is_a_clear_error(tmp_path: Path, change: object, told: str) -> None:
    _, path = saved(tmp_path)
    document = json.loads(path.read_bytes())
    change(document)  # type: ignore[operator]
    path.write_text(json.dumps(document))

    with pytest.raises(BaselineError, match=told) as raised:
        Baseline.load(path)
    assert "baseline.json" in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"# HELP feature_0"])
def test_what_is_no_baseline_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(content)

    with pytest.raises(BaselineError, match=r"baseline\.json"):
        Baseline.load(path)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="No such file"):
        Baseline.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("data", "options", "told"),
    [
        ({}, {}, "no columns"),
        ({"a": []}, {}, "no data"),
        ({"a": [1, 2], "b": [1]}, {}, "different length"),
        ([("a", [1]), ("a", [2])], {}, "twice"),
        ({"a": [1]}, {"kinds": {"z": "numeric"}}, r"no column: \['z'\]"),
        ({"a": [1]}, {"kinds": {"a": "number"}}, "'numeric' or 'categorical'"),
        ({"a": [1]}, {"output": [1, 2]}, "different length"),
        ({"a": np.zeros((2, 2))}, {}, "column 'a'"),
        (np.zeros((2, 2)), {}, "as many names"),
        (np.zeros((2, 2)), {"names": ["a"]}, "as many names"),
        (5, {}, "frame"),
        ({"a": [1]}, {"bins": 1}, "bins"),
    ],
)
def test_data_that_makes_no_baseline_is_a_clear_error(data: object, options: dict[str, object], told: str) -> None:
    with pytest.raises(BaselineError, match=told):
        Baseline.from_data(data, **options)  # type: ignore[arg-type]
