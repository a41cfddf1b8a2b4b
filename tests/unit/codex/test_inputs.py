from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelport.codex import _files as files_of
from modelport.codex import _inputs as inputs
from modelport.codex._monitoring_config import monitoring_config
from modelport.codex._predict_input import predict_input
from modelport.errors import InvalidInputError
from modelport_api.codex.v1 import File
from tests.unit.codex.conftest import CONFIGURATION, HASH


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        (inputs.check_operation, "sync", "Sync"),
        (inputs.check_operation, "Async", "Async"),
        (inputs.check_model_type, "classification", "Classification"),
        (inputs.check_python_version, "3.10", "Python310"),
        (inputs.check_python_version, "3.8", "Python38"),
        (inputs.check_python_version, "Python39", "Python39"),
        (inputs.check_experiment_name, "Análise de risco 2", "Análise de risco 2"),
        (inputs.check_new_group, "risk_2", "risk_2"),
        (inputs.check_url, "http://h", "http://h/api"),
        (inputs.check_url, "http://h/", "http://h/api"),
        (inputs.check_url, "http://h/api", "http://h/api"),
        (inputs.check_url, "http://h/codex/api/", "http://h/codex/api"),
        (lambda value: inputs.check_hash(value, "M"), f"M{HASH} ", f"M{HASH}"),
        (lambda value: inputs.check_hash(value, "S"), f"E{HASH}", f"E{HASH}"),
        (lambda value: inputs.check_day(value, "start"), "2025-03-04", "04-03-2025"),
        (lambda value: inputs.check_day(value, "start"), "04-03-2025", "04-03-2025"),
        (lambda value: inputs.check_day(value, "start"), dt.date(2025, 3, 4), "04-03-2025"),
        (lambda value: inputs.check_day(value, "start"), dt.datetime(2025, 3, 4, tzinfo=dt.UTC), "04-03-2025"),
    ],
)
def test_good_arguments_are_given_in_the_words_of_the_wire(
    check: Callable[[Any], str], value: Any, expected: str
) -> None:
    assert check(value) == expected


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (inputs.check_operation, "batch", "operation must be one of Sync, Async, not 'batch'"),
        (inputs.check_model_type, "Klassification", "model_type must be one of"),
        (inputs.check_python_version, "3.11", "python_version must be one of 3.8, 3.9, 3.10, not '3.11'"),
        (inputs.check_python_version, "2.7", "python_version"),
        (inputs.check_python_version, 3.1, "must be text such as '3.10'"),
        (inputs.check_experiment_name, "ab", "3 to 32"),
        (inputs.check_experiment_name, "a-b-c", "3 to 32"),
        (inputs.check_experiment_name, "x" * 33, "3 to 32"),
        (inputs.check_new_group, "my group!", "'my_group' would do"),
        (inputs.check_new_group, "g" * 33, "1 to 32"),
        (inputs.check_new_group, "", "1 to 32"),
        (inputs.check_group, " ", "group is empty"),
        (inputs.check_name, "x" * 32, "32 characters; the limit is 31"),
        (inputs.check_name, "", "empty"),
        (inputs.check_name, "a\nb", "cannot be printed"),
        (inputs.check_url, "codex.test", "absolute"),
        (inputs.check_url, "file:///etc", "absolute"),
        (lambda value: inputs.check_hash(value, "D"), f"M{HASH}", "hash of a model; a dataset hash begins with D"),
        (lambda value: inputs.check_hash(value, "M"), "M123", "63 hexadecimal digits"),
        (lambda value: inputs.check_hash(value, "M"), f"../{HASH}", "63 hexadecimal digits"),
        (lambda value: inputs.check_function(value, "function"), "app.score", "name of a function"),
        (lambda value: inputs.check_day(value, "start"), "March", "start must be a date"),
        (lambda value: inputs.check_input_type(value, "Sync"), "csv", "a Sync model takes json"),
        (lambda value: inputs.check_input_type(value, "Async"), "xlsx", "input_type must be one of"),
        (inputs.check_group_token, "secret token", "the group token is empty or holds"),
        (inputs.check_group_token, "secret\n", "the group token is empty or holds"),
        (inputs.check_group_token, "", "the group token is empty or holds"),
    ],
)
def test_bad_arguments_are_named(check: Callable[[Any], str], value: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check(value)


def test_a_bad_group_token_is_not_repeated() -> None:
    with pytest.raises(InvalidInputError) as caught:
        inputs.check_group_token("hush hush")

    assert "hush" not in str(caught.value)


def test_input_error_is_a_value_error() -> None:
    assert issubclass(InvalidInputError, ValueError)


def test_logs_are_of_the_last_seven_days_by_default() -> None:
    assert inputs.day_range(None, None, today=dt.date(2025, 3, 7)) == ("01-03-2025", "07-03-2025")
    assert inputs.day_range(None, "2025-01-10") == ("04-01-2025", "10-01-2025")
    with pytest.raises(InvalidInputError, match="is after end"):
        inputs.day_range("2025-02-01", "2025-01-01")


# --- files


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: files_of.plain_file("no.pkl", "model"), "model: there is no file 'no.pkl'"),
        (lambda: files_of.plain_file(".", "model"), "is not a file"),
        (lambda: files_of.source_file("data.csv", "score"), "source must be a .py or .ipynb file, not 'data.csv'"),
        (lambda: files_of.source_file("app.py", "scoring"), "no function 'scoring'; it defines: score"),
        (lambda: files_of.source_file("broken.py", "score"), "'broken.py' is not Python, line 1"),
        (lambda: files_of.source_file("broken.ipynb", "score"), "'broken.ipynb' is not JSON"),
        (lambda: files_of.sample_file("broken.json", "Sync"), "schema: 'broken.json' is not JSON"),
        (lambda: files_of.sample_file("list.json", "Sync"), "must hold a JSON object, not a list"),
        (lambda: files_of.sample_file("data.csv", "Sync"), "schema must be a .json file"),
        (lambda: files_of.sample_file("app.py", "Async"), "schema must be a .csv or .parquet or .json file"),
        (lambda: files_of.sample_file({"x": float("nan")}, "Sync"), "cannot be written as JSON"),
        (lambda: files_of.sample_file({"x": object()}, "Sync"), "cannot be written as JSON"),
        (lambda: files_of.table_file("sample.json", "data"), "data must be a .csv or .parquet file"),
        (lambda: files_of.table_file("empty.csv", "data"), "'empty.csv' has no rows"),
        (lambda: files_of.table_file("header.csv", "data"), "'header.csv' has no rows"),
        (lambda: files_of.env_file("requirements.txt"), "must end in .env"),
        (lambda: files_of.env_file({"A": "1\nB=2"}), "'A' is not a variable, or its value has a line end"),
        (lambda: files_of.requirements_file("no.txt"), "requirements: there is no file"),
        (lambda: files_of.requirements_file("binary.txt"), "not a text file in UTF-8"),
        (lambda: files_of.extra_files("utils.py"), "extra must be a list of files"),
        (lambda: files_of.extra_files(["utils.py", "deep/utils.py"]), "two files are named 'utils.py'"),
        (lambda: files_of.extra_files(["utils.py"], ["utils.py"]), "two files are named 'utils.py'"),
    ],
)
def test_bad_files_are_named(files: Path, call: Callable[[], object], message: str) -> None:
    (files / "broken.py").write_text("def score(:\n")
    (files / "broken.ipynb").write_text("{")
    (files / "broken.json").write_text("{'x': 1}")
    (files / "list.json").write_text("[1]")
    (files / "empty.csv").write_text("")
    (files / "header.csv").write_text("x,y\n\n")
    (files / "binary.txt").write_bytes(b"\xff\xfe\x00")
    (files / "deep").mkdir()
    (files / "deep" / "utils.py").write_text("")

    with pytest.raises(InvalidInputError, match=message):
        call()


def test_an_unreadable_file_is_named(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)

    with pytest.raises(InvalidInputError, match=r"'model.pkl' cannot be read; check its permissions"):
        files_of.plain_file("model.pkl", "model")


@pytest.mark.parametrize(
    "text",
    [
        "from elsewhere import score\n",
        "from elsewhere import *\n",
        "if True:\n    def score(): pass\n",
        "try:\n    from a import score\nexcept ImportError:\n    score = None\n",
        "score = lambda data, path: {}\n",
        "async def score(): pass\n",
    ],
)
def test_a_function_may_come_into_a_script_in_any_way(files: Path, text: str) -> None:
    (files / "other.py").write_text(text)

    assert files_of.source_file("other.py", "score").name == "other.py"


def test_a_function_inside_another_is_none(files: Path) -> None:
    (files / "other.py").write_text("def outer():\n    def score(): pass\n")

    with pytest.raises(InvalidInputError, match="it defines: outer"):
        files_of.source_file("other.py", "score")


def content(file: File) -> bytes:
    return file.content if isinstance(file.content, bytes) else Path(file.content).read_bytes()  # type: ignore[arg-type]


def test_mappings_and_lists_become_files(files: Path) -> None:
    assert content(files_of.sample_file({"x": 1.5}, "Sync")) == b'{"x": 1.5}'
    assert content(files_of.env_file({"A": 1, "B": "b c"})) == b"A=1\nB=b c\n"
    assert content(files_of.requirements_file(["a==1", "b==2"])) == b"a==1\nb==2\n"
    assert content(files_of.json_file("conf.json", "config", "conf.json")) == b'{"target": "y"}'


def test_files_have_the_names_the_platform_reads(files: Path) -> None:
    assert files_of.sample_file("sample.json", "Sync").name == "schema.json"
    assert files_of.sample_file("data.csv", "Async").name == "schema.csv"
    assert files_of.env_file("my.env").name == ".env"
    assert files_of.requirements_file("requirements.txt").name == "requirements.txt"
    assert files_of.plain_file("model.pkl", "model").name == "model.pkl"


def test_data_frames_become_files() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1, 2]})

    assert content(files_of.table_file(frame, "data", frame=".csv")) == b"x\n1\n2\n"
    assert content(files_of.table_file(frame, "data")).startswith(b"PAR1")
    assert content(files_of.table_file(frame, "data", frame=".json")) == b'[{"x":1},{"x":2}]'
    assert files_of.table_file(frame["x"], "target").name == "data.parquet"
    with pytest.raises(InvalidInputError, match="data has no rows"):
        files_of.table_file(frame.head(0), "data")
    with pytest.raises(InvalidInputError, match="a file, a DataFrame, a Series or an array"):
        files_of.table_file(3, "data")


# --- one input of a Sync model


def test_an_input_may_hold_what_data_scientists_have() -> None:
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    row = {"a": numpy.float64(1.5), "b": numpy.int64(2), "c": numpy.array([1, 2])}

    assert predict_input(row) == {"a": 1.5, "b": 2, "c": [1, 2]}
    assert predict_input(pandas.DataFrame({"a": [1.5]})) == {"a": 1.5}
    assert predict_input(pandas.Series({"a": 1.5})) == {"a": 1.5}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": float("nan")}, "cannot be written as JSON"),
        ({"a": object()}, "cannot be written as JSON"),
        ([{"a": 1}], "must be one input"),
        ("text", "must be one input"),
        (None, "must be one input"),
    ],
)
def test_what_is_no_input_is_refused(data: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        predict_input(data)


def test_two_rows_are_not_one_input() -> None:
    pandas = pytest.importorskip("pandas")

    with pytest.raises(InvalidInputError, match="a DataFrame of one row"):
        predict_input(pandas.DataFrame({"a": [1, 2]}))


# --- configuration of a monitoring


def test_a_configuration_may_be_written_in_snake_case() -> None:
    config = monitoring_config(
        {"period": "week", "train_data": {"train_date_ref": "2022-09-01"}, "input_cols": ["x"], "output_cols": ["p"]}
    )

    assert config == {
        "Period": "Week", "TrainData": {"TrainDateRef": "2022-09-01"}, "InputCols": ["x"], "OutputCols": ["p"],
    }  # fmt: skip


def test_a_configuration_is_given_a_training_and_not_changed() -> None:
    before = repr(CONFIGURATION)

    assert monitoring_config(CONFIGURATION, training_execution="7")["TrainData"]["MLOpsTrainingExecution"] == "7"
    assert repr(CONFIGURATION) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Period": "Fortnight"}, "Period must be one of Day, Week, Month, Year"),
        ({"InputCols": "x"}, "InputCols must be a list"),
        ({"OutputCols": []}, "OutputCols must be a list"),
        ({"TrainData": "x"}, "TrainData must be an object"),
        ({"TrainData": {}}, "TrainDateRef .a date. and TrainDateCol"),
    ],
)
def test_a_configuration_that_is_wrong_says_where(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        monitoring_config({**CONFIGURATION, **change})


def test_everything_missing_in_a_configuration_is_named_at_once() -> None:
    with pytest.raises(InvalidInputError, match="Period is missing; TrainData is missing; InputCols is missing"):
        monitoring_config({})
