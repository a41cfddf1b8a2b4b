"""The request model refuses what some library would change, and whatever carries a secret."""

from __future__ import annotations

import json
import pickle
import re
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.predict_code import (
    Auth,
    InvalidRequestError,
    Job,
    JsonBody,
    MultipartBody,
    PredictCodeError,
    PredictRequest,
    SecretLeakError,
    UnknownLanguageError,
    UnsupportedRequestError,
)

URL = "http://127.0.0.1:8787/run"


def job(**changes: Any) -> Job:
    arguments: dict[str, Any] = {
        "id_at": "ExecutionId",
        "status_url": URL + "/status/{id}",
        "status_at": "Status",
        "result_url": URL + "/result/{id}",
        "succeeded": "Succeeded",
        "failed": "Failed",
    }
    return Job(**arguments | changes)


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", '{"a": Infinity}', "{'a': 1}", "[1,]", "1 2", '"\ud800"', "[" * 100_000, '"a\nb"']
)
def test_a_body_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="JSON"):
        JsonBody(text)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"x"])
def test_a_value_that_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be written as JSON"):
        JsonBody.of(value)


@pytest.mark.parametrize(
    "text",
    ["12345678901234567890", "1.0", "1e5", '{"a":{},"b":[],"c":[[1.50,-0.0],{"d":null}]}', '"a{b}[c],:\\""', " 1 "],
)
def test_indenting_changes_no_token(text: str) -> None:
    indented = JsonBody(text).indented().text

    assert re.sub(r"\s", "", indented) == re.sub(r"\s", "", text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@given(JSON_VALUES, st.booleans())
def test_indenting_keeps_the_value(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        body = JsonBody(text)
    except InvalidRequestError:
        assert not ascii_only
        return

    assert json.loads(body.indented().text) == value


def test_indenting_reads_well() -> None:
    text = JsonBody.of({"Input": {"a": [1, 2.0], "b": {}, "c": [{"d": []}]}}).text

    assert text.splitlines() == [
        "{",
        '  "Input": {',
        '    "a": [1, 2.0],',
        '    "b": {},',
        '    "c": [',
        "      {",
        '        "d": []',
        "      }",
        "    ]",
        "  }",
        "}",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host/x",
        "/relative",
        "http://",
        "http://host/with space",
        "http://host/ünï",
        "http://münchen/x",
        "http://host/a'b",
        'http://host/a"b',
        "http://host/a#b",
        "http://host/[a]",
        "http://host/%zz",
        "http://host/a/../b",
        "http://host/a/%2e%2e/b",
        "http://host/a\nb",
        "http://host\\evil/x",
        "http://[::1",
    ],
)
def test_a_url_that_libraries_read_differently_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequestError):
        PredictRequest(url=url)


@pytest.mark.parametrize(
    "headers",
    [
        {"A b": "c"},
        {"A": "line\nbreak"},
        {"A": "ünï"},
        {"A": " space"},
        {"A": ""},
        {"": "x"},
        {"Content-Length": "1"},
        {"Content-Type": "text/plain"},
        [("A", "1"), ("a", "2")],
    ],
)
def test_a_header_that_libraries_send_differently_is_refused(headers: Any) -> None:
    with pytest.raises(InvalidRequestError):
        PredictRequest(url=URL, headers=headers, body=JsonBody("{}"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: PredictRequest(url="http://user:pw@host/x"),
        lambda: PredictRequest(url="http://host/x?access_token=abc"),
        lambda: PredictRequest(url="http://host/x?a=b&SIG=abc"),
        lambda: PredictRequest(url=URL, headers={"authorization": "x"}),
        lambda: PredictRequest(url=URL, headers={"Cookie": "x"}),
        lambda: PredictRequest(url=URL, headers={"X-Custom": "Bearer abc"}),
        lambda: job(status_url="http://user@host/{id}"),
    ],
)
def test_a_field_that_would_carry_a_secret_is_refused(make: Any) -> None:
    with pytest.raises(SecretLeakError) as caught:
        make()

    assert "abc" not in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"status_url": URL},
        {"result_url": URL},
        {"id_at": ()},
        {"succeeded": ()},
        {"result_filename": "../x"},
        {"result_filename": "-rf"},
        {"result_filename": "{id}."[:0]},
        {"deadline_seconds": 0},
        {"first_delay_seconds": 0},
        {"max_delay_seconds": 0.5},
        {"readable_statuses": (200,)},
        {"failed": ("a\nb",)},
    ],
)
def test_a_job_that_cannot_work_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        job(**changes)


@pytest.mark.parametrize(
    "arguments",
    [
        {"fields": {"": "x"}},
        {"fields": {'a"b': "x"}},
        {"fields": {"a": "\0"}},
        {"file_field": "a=b"},
        {"content_type": "text"},
        {"content_type": "text/csv; charset=utf-8"},
    ],
)
def test_a_form_that_cannot_be_sent_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        MultipartBody(**arguments)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Auth(variable="MY-TOKEN"),
        lambda: Auth(variable="T", scheme="two words"),
        lambda: Auth(variable="T", header="a b"),
        lambda: PredictRequest(url=URL, method=cast("Any", "BREW")),
        lambda: PredictRequest(url=URL, method="GET", body=JsonBody("{}")),
        lambda: PredictRequest(url=URL, timeout_seconds=0),
        lambda: PredictRequest(url=URL, timeout_seconds=float("nan")),
        lambda: PredictRequest(url=URL, max_retries=-1),
        lambda: PredictRequest(url=URL, title="\ud800"),
    ],
)
def test_other_nonsense_is_refused(make: Any) -> None:
    with pytest.raises(InvalidRequestError):
        make()


def test_a_request_is_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        PredictRequest(url=URL).url = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequestError("url", "no"),
        UnknownLanguageError("a", ["b"], ["c"]),
        UnsupportedRequestError("a", "b"),
        SecretLeakError("x"),
    ],
)
def test_errors_survive_pickling_and_share_a_root(error: PredictCodeError) -> None:
    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again)) == (type(error), str(error))
    assert isinstance(again, PredictCodeError)
    assert isinstance(again, ValueError)
