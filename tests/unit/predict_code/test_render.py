"""Rendering: names, escapes by construction, secrets."""

from __future__ import annotations

import base64
import sys
from urllib.parse import quote

import attrs
import pytest
from jinja2 import UndefinedError

from modelport import predict_code
from modelport._extras import MissingExtraError
from modelport.predict_code import (
    Auth,
    Job,
    JsonBody,
    MultipartBody,
    PredictRequest,
    SecretLeakError,
    UnknownLanguageError,
    UnsupportedRequestError,
    _escape,
    _render,
)

LANGUAGES = predict_code.languages()
SYNC = PredictRequest(
    url="http://127.0.0.1:8787/run",
    auth=Auth(variable="MLOPS_GROUP_TOKEN"),
    headers={"X-Origin": "tests"},
    body=JsonBody.of({"Input": {"mean_radius": 17.99}}),
    title="a model",
)
ASYNC = attrs.evolve(
    SYNC,
    body=MultipartBody(file_field="input", fields={"kind": "csv"}),
    job=Job(
        id_at="ExecutionId",
        status_url="http://127.0.0.1:8787/status/{id}",
        status_at="Status",
        message_at="Message",
        succeeded="Succeeded",
        failed=("Failed", "Cancelled"),
        result_url="http://127.0.0.1:8787/result/{id}",
    ),
)
KINDS = {
    "sync": SYNC,
    "async": ASYNC,
    "upload": attrs.evolve(ASYNC, job=None),
    "job": attrs.evolve(ASYNC, body=SYNC.body),
    "get": PredictRequest(url="http://h/", method="GET"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_program_is_rendered_the_same_every_time(language: str, kind: str) -> None:
    program = predict_code.render(KINDS[kind], language)

    assert program == predict_code.render(KINDS[kind], language)
    assert program.endswith("\n")
    assert not program.endswith("\n\n")
    assert "\n\n\n\n" not in program
    assert not [line for line in program.splitlines() if line != line.rstrip()]
    assert max(map(len, program.splitlines())) <= 130


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["python-requests", "python-httpx"])
def test_python_programs_compile_on_old_versions_too(language: str, kind: str) -> None:
    import ast

    ast.parse(predict_code.render(KINDS[kind], language), feature_version=(3, 9))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("python", "python-requests"),
        ("Python", "python-requests"),
        ("python requests", "python-requests"),
        ("python_httpx", "python-httpx"),
        ("javascript", "javascript-fetch"),
        ("JS", "javascript-fetch"),
        ("node", "javascript-fetch"),
        ("bash", "curl"),
        ("curl", "curl"),
    ],
)
def test_languages_are_found_by_their_aliases(given: str, name: str) -> None:
    assert predict_code.target(given).name == name


def test_names_and_aliases_are_unique() -> None:
    names = [name for target in predict_code.targets() for name in (target.name, *target.aliases)]

    assert sorted(set(names)) == sorted(names)
    assert [target.name for target in predict_code.targets()] == LANGUAGES


def test_an_unknown_language_is_told_the_near_ones() -> None:
    with pytest.raises(UnknownLanguageError, match="did you mean") as caught:
        predict_code.render(SYNC, "pyton")

    assert "python" in caught.value.near
    assert list(caught.value.known) == LANGUAGES


def test_a_request_that_a_language_cannot_send_is_refused() -> None:
    request = attrs.evolve(ASYNC, body=MultipartBody(fields={"note": "two\nlines"}))

    with pytest.raises(UnsupportedRequestError, match="line breaks"):
        predict_code.render(request, "javascript")
    assert predict_code.render(request, "curl")


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_cannot_write_what_no_escape_function_made(language: str) -> None:
    environment = _render._environment(predict_code.target(language).dialect)

    with pytest.raises(TypeError, match="no escape function"):
        environment.from_string("{{ value }}").render(value="x")
    with pytest.raises(TypeError, match="no escape function"):
        environment.from_string("{{ 'a' ~ (value | text) }}").render(value="x")
    with pytest.raises((UndefinedError, TypeError)):
        environment.from_string("{{ missing }}").render()
    assert environment.from_string("{{ value | text }}").render(value="x") in {'"x"', "'x'"}


def test_only_escape_functions_are_filters() -> None:
    for target in predict_code.targets():
        assert set(_render._environment(target.dialect).filters) == set(target.dialect.filters)
        assert type(target.dialect.filters["text"]("x")) is _escape.Code


SECRET = "29d9-d82e+09bb'4c\"11$b9"


@pytest.mark.parametrize(
    "request_with_secret",
    [
        attrs.evolve(SYNC, title=f"token {SECRET}"),
        attrs.evolve(SYNC, headers={"X-Note": SECRET}),
        attrs.evolve(SYNC, body=JsonBody.of({"a": SECRET})),
        attrs.evolve(SYNC, url=f"http://h/{quote(SECRET, safe='')}"),
        attrs.evolve(SYNC, headers={"X-Note": base64.b64encode(f"user:{SECRET}".encode()).decode()}),
        attrs.evolve(ASYNC, body=MultipartBody(fields={"a": f"x{SECRET}y"})),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_known_secret_never_leaves(language: str, request_with_secret: PredictRequest) -> None:
    with pytest.raises(SecretLeakError) as caught:
        predict_code.render(request_with_secret, language, secrets=["another-one", SECRET])

    assert SECRET not in str(caught.value)
    assert "number 2" in str(caught.value)


def test_the_program_itself_is_searched_too() -> None:
    with pytest.raises(SecretLeakError, match="the program"):
        predict_code.render(SYNC, "python", secrets=["import requests"])


def test_a_short_secret_counts_as_a_whole_word_only() -> None:
    request = attrs.evolve(SYNC, title="a demonstration")

    assert predict_code.render(request, secrets=["demo", ""])
    with pytest.raises(SecretLeakError):
        predict_code.render(attrs.evolve(SYNC, title="the demo model"), secrets=["demo"])


def test_without_jinja2_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    _render._environment.cache_clear()

    with pytest.raises(MissingExtraError, match=r"modelport\[predict-code\]"):
        predict_code.render(SYNC)
