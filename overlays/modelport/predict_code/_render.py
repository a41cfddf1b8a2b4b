"""From a request to a program: the template, with every value forced through the target's escape functions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from modelport._extras import require
from modelport.predict_code._escape import Code
from modelport.predict_code._model import JsonBody, MultipartBody, PredictRequest
from modelport.predict_code._secrets import refuse_secrets
from modelport.predict_code._targets import target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Environment

    from modelport.predict_code._escape import Dialect

_EXTRA = "predict-code"


def render(request: PredictRequest, language: str = "curl", *, secrets: Iterable[str] = ()) -> str:
    """The whole program for `request` in `language`, ready to be saved and run.

    `secrets` are values (tokens, passwords) that must not be found in it.

    Raises UnknownLanguageError, UnsupportedRequestError, SecretLeakError.
    """
    known = tuple(secrets)
    chosen = target(language)
    chosen.check(request)
    refuse_secrets("the request", _texts_of(request), known)
    template = _environment(chosen.dialect).get_template(chosen.template)
    program = template.render(
        request=request,
        auth=request.auth,
        job=request.job,
        json_body=request.body if isinstance(request.body, JsonBody) else None,
        form=request.body if isinstance(request.body, MultipartBody) else None,
        target=chosen,
    )
    refuse_secrets("the program", (program,), known)
    return program


@cache
def _environment(dialect: Dialect) -> Environment:
    """A template environment whose output is either the template's own text or the result of an escape function."""
    require("jinja2", _EXTRA)
    # Only rendering needs jinja2, which comes with an extra.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("modelport.predict_code", "templates"),
        autoescape=False,  # noqa: S701 - programs, not HTML; _refuse_unescaped is stricter than autoescape
        undefined=StrictUndefined,
        finalize=_refuse_unescaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters = dict(dialect.filters)
    return environment


def _refuse_unescaped(value: object) -> Code:
    if not isinstance(value, Code):
        message = f"a template writes a {type(value).__name__} that went through no escape function"
        raise TypeError(message)
    return value


def _texts_of(request: PredictRequest) -> list[str]:
    """Every text a caller put into the request, as it stood before any escaping."""
    texts = [request.url, request.title, *(text for pair in request.headers for text in pair)]
    if request.auth:
        texts += [request.auth.variable, request.auth.scheme, request.auth.header]
    if isinstance(request.body, JsonBody):
        texts.append(request.body.text)
    if isinstance(request.body, MultipartBody):
        texts += [request.body.file_field, *(text for pair in request.body.fields for text in pair)]
    if request.job:
        job = request.job
        texts += [job.status_url, job.result_url, job.result_filename]
        texts += [*job.id_at, *job.status_at, *job.message_at, *job.succeeded, *job.failed]
    return texts
