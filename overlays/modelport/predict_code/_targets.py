"""The languages and libraries that programs can be written for, and how each is found by name."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import attrs

from modelport.predict_code import _escape
from modelport.predict_code._errors import UnknownLanguageError, UnsupportedRequestError
from modelport.predict_code._model import MultipartBody, PredictRequest

if TYPE_CHECKING:
    from collections.abc import Callable


@attrs.frozen(kw_only=True)
class Target:
    """One language with one library: how its program is called, and what it needs to run.

    `command` is what starts the program saved as `filename`; `packages` are installed by the language's own installer.
    """

    name: str
    aliases: tuple[str, ...]
    label: str
    filename: str
    command: tuple[str, ...]
    highlight: str
    packages: tuple[str, ...] = ()
    template: str = attrs.field(repr=False)
    dialect: _escape.Dialect = attrs.field(repr=False)
    refuses: Callable[[PredictRequest], str | None] = attrs.field(default=lambda _: None, repr=False)

    def check(self, request: PredictRequest) -> None:
        """Raise UnsupportedRequestError when this target has no program for the request."""
        problem = self.refuses(request)
        if problem:
            raise UnsupportedRequestError(self.name, problem)


def _fetch_refuses(request: PredictRequest) -> str | None:
    body = request.body
    if isinstance(body, MultipartBody) and any(mark in text for _, text in body.fields for mark in "\r\n"):
        return "fetch rewrites line breaks in form fields, so the server would not get this value"
    return None


_ALL = (
    Target(
        name="curl",
        aliases=("bash", "shell", "sh"),
        label="curl",
        filename="predict.sh",
        command=("bash", "predict.sh"),
        highlight="bash",
        template="curl.sh.j2",
        dialect=_escape.SHELL,
    ),
    Target(
        name="python-requests",
        aliases=("python", "py", "requests"),
        label="Python (requests)",
        filename="predict.py",
        command=("python", "predict.py"),
        highlight="python",
        packages=("requests>=2.31",),
        template="python_requests.py.j2",
        dialect=_escape.PYTHON,
    ),
    Target(
        name="python-httpx",
        aliases=("httpx",),
        label="Python (httpx)",
        filename="predict.py",
        command=("python", "predict.py"),
        highlight="python",
        packages=("httpx>=0.27",),
        template="python_httpx.py.j2",
        dialect=_escape.PYTHON,
    ),
    Target(
        name="javascript-fetch",
        aliases=("javascript", "js", "node", "fetch"),
        label="JavaScript (fetch)",
        filename="predict.mjs",
        command=("node", "predict.mjs"),
        highlight="javascript",
        template="javascript_fetch.mjs.j2",
        dialect=_escape.JAVASCRIPT,
        refuses=_fetch_refuses,
    ),
)
_BY_NAME = {name: target for target in _ALL for name in (target.name, *target.aliases)}


def targets() -> tuple[Target, ...]:
    """Everything a program can be written for."""
    return _ALL


def languages() -> list[str]:
    """The names that `render` takes; each has aliases too (see `target`)."""
    return [target.name for target in _ALL]


def target(language: str) -> Target:
    """What is known of a language, found by its name or an alias, in any case."""
    wanted = "-".join(language.lower().replace("_", " ").replace("-", " ").split())
    found = _BY_NAME.get(wanted)
    if found is None:
        near = difflib.get_close_matches(wanted, _BY_NAME, n=3, cutoff=0.5)
        raise UnknownLanguageError(language, languages(), near)
    return found
