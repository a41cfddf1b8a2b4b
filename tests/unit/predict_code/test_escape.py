"""Every literal evaluates to the text it was made from, in the language it was made for."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelport.predict_code import _escape

HOSTILE = [
    "",
    "plain",
    "it's \"quoted\" and 'so on'",
    "back\\slash \\\\ \\n \\",
    "$HOME `id` $(id) ${x} #{x} %s %(x)s {{x}} {% x %} !! !$",
    "one\ntwo\n",
    "\r\n\rtab\tvertical\x0bform\x0cbell\x07escape\x1b",
    "ünï 漢字 🎉 👩‍👩‍👧 \u202e reversed \u2028 line \u2029 paragraph \ufeff",
    '{"a": "b"}\n{"c": """d"""}',
    '"starts and ends"',
    "'''\n'''",
    "*/ // -- # <!-- </script>",
    "\x7f\x80\x9f\xa0\u200b",
    "\U000e0001 tag",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(TEXT)
@settings(max_examples=300)
def test_python_literals_evaluate_to_the_text(text: str) -> None:
    assert ast.literal_eval(_escape.python_text(text)) == text
    assert ast.literal_eval(_escape.python_block(text)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_python_literals_evaluate_hostile_text(text: str) -> None:
    assert ast.literal_eval(_escape.python_text(text)) == text
    assert ast.literal_eval(_escape.python_block("first\n" + text)) == "first\n" + text


def test_python_block_keeps_plain_lines_readable() -> None:
    assert _escape.python_block('{\n  "a": 1\n}') == '"""{\n  "a": 1\n}"""'
    assert _escape.python_block('{\n  "a": "\\n"\n}') == 'r"""{\n  "a": "\\n"\n}"""'


def _javascript_values(node: str, texts: list[str]) -> list[str]:
    literals = [f"[{_escape.javascript_text(text)}, {_escape.javascript_block(text)}]" for text in texts]
    program = f"process.stdout.write(JSON.stringify([{','.join(literals)}].flat()))"
    run = subprocess.run([node, "-"], input=program.encode(), capture_output=True, check=True, timeout=30)
    values: list[str] = json.loads(run.stdout)
    return values


def test_javascript_literals_evaluate_hostile_text(node: str) -> None:
    assert _javascript_values(node, HOSTILE) == [text for text in HOSTILE for _ in range(2)]


@given(texts=st.lists(TEXT, min_size=50, max_size=100))
@settings(max_examples=5)
def test_javascript_literals_evaluate_to_the_text(node: str, texts: list[str]) -> None:
    assert _javascript_values(node, texts) == [text for text in texts for _ in range(2)]


def _shell_values(texts: list[str]) -> list[str]:
    program = "printf '%s\\0' " + " ".join(_escape.shell_text(text) for text in texts)
    run = subprocess.run(["bash"], input=program.encode(), capture_output=True, check=True, timeout=30)
    return run.stdout.decode().split("\0")[:-1]


def test_shell_literals_evaluate_hostile_text() -> None:
    assert _shell_values(HOSTILE) == HOSTILE


@given(texts=st.lists(TEXT, min_size=50, max_size=100))
@settings(max_examples=10)
def test_shell_literals_evaluate_to_the_text(texts: list[str]) -> None:
    assert _shell_values(texts) == texts


@pytest.mark.parametrize("path", [("ExecutionId",), ("a b", 'c"d', "e'f"), ("\\(1+1)", "$x"), ("ünï",)])
def test_jq_paths_find_their_place(path: tuple[str, ...]) -> None:
    document: object = "found"
    for name in reversed(path):
        document = {name: document}
    program = f"jq -r {_escape.jq_path(path)}"
    given_json = json.dumps(document).encode()
    run = subprocess.run(["bash", "-c", program], check=True, input=given_json, capture_output=True, timeout=30)

    assert run.stdout.decode() == "found\n"


@given(TEXT)
@example("end */ of\n comment \u2028 here")
def test_a_comment_stays_on_its_line(text: str) -> None:
    assert _escape.comment(text).isprintable()


@pytest.mark.parametrize("bad", ["", "1A", "A-B", "A B", "A;id", "Ä"])
def test_an_identifier_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        _escape.name(bad)


@pytest.mark.parametrize(
    ("escape", "value", "expected"),
    [
        (_escape.number, 60.0, "60"),
        (_escape.number, 0.25, "0.25"),
        (_escape.whole, 0.2, "1"),
        (_escape.whole, 2.1, "3"),
    ],
)
def test_numbers_are_written_plainly(escape: Callable[[float], str], value: float, expected: str) -> None:
    assert escape(value) == expected
