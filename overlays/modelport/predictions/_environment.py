"""Sinks from environment variables, so that an operator chooses them and not the program."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from modelport.predictions._address import fluent_address
from modelport.predictions._file_sink import FileSink
from modelport.predictions._fluent_sink import FluentSink
from modelport.predictions._stdout_sink import StdoutSink
from modelport.predictions.rolling import ParquetSink, S3Sink

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport.predictions._sink import Sink

__all__ = ["SinkConfigError", "sinks_from_env"]

_VARIABLE = "MODELPORT_PREDICTION_SINKS"
_JOURNAL = "MODELPORT_PREDICTION_JOURNAL"
_FORMATS = ("txt", "txt.gz", "parquet")


class SinkConfigError(ValueError):
    """An environment variable that describes sinks cannot be understood.

    Attributes:
        variable: Its name.
    """

    def __init__(self, variable: str, problem: str) -> None:
        self.variable = variable
        super().__init__(f"{variable}: {problem}")


def sinks_from_env() -> list[Sink]:
    """The sinks that the environment asks for; none if it asks for nothing.

    ``MODELPORT_PREDICTION_SINKS`` is a list, parted by commas, of ``file:DIRECTORY``, ``parquet:DIRECTORY``,
    ``fluent://HOST:PORT``, ``fluent+unix:PATH``, ``s3://BUCKET/PREFIX``, ``s3+parquet://...``, ``s3+txt.gz://...``,
    ``stdout:`` and ``stderr:``. A comma inside a path is written ``%2C``. Where it is not set, but
    ``BEDROCK_FLUENTD_ADDR`` is, that collector is the only sink; set and empty, it means none.
    ``MODELPORT_PREDICTION_JOURNAL`` is the journal directory of the ``s3`` sinks.

    Raises:
        SinkConfigError: An entry that is none of these, or an address that is no address.
        MissingExtraError: A sink needs a package that is not installed.
    """
    text = os.environ.get(_VARIABLE)
    if text is None:
        return [_guides_collector()] if os.environ.get("BEDROCK_FLUENTD_ADDR") else []
    sinks = [_sink(entry.strip()) for entry in text.split(",") if entry.strip()]
    return _with_different_names(sinks)


def _guides_collector() -> Sink:
    try:
        return FluentSink()
    except ValueError as error:
        raise SinkConfigError("BEDROCK_FLUENTD_ADDR", str(error)) from None


def _sink(entry: str) -> Sink:
    scheme, colon, rest = entry.partition(":")
    make = _MAKERS.get(scheme.lower())
    if not colon or make is None:
        # Not the entry itself: it may carry a password.
        raise SinkConfigError(_VARIABLE, f"a sink begins with one of {', '.join(sorted(_MAKERS))}, then a colon")
    try:
        return make(rest)
    except (ValueError, TypeError) as error:
        raise SinkConfigError(_VARIABLE, f"{scheme}: {error}") from None


def _directory(rest: str) -> str:
    path = unquote(rest.removeprefix("//") if rest.startswith("///") else rest)
    if not path or path.startswith("//"):
        message = "a directory is needed, such as file:/var/log/predictions"
        raise ValueError(message)
    return path


def _fluent(rest: str) -> Sink:
    # Looked for before it is taken apart: what urlsplit does not like it quotes.
    parts = None if "@" in rest else urlsplit(f"//{rest.removeprefix('//')}")
    if parts is None or parts.path.strip("/") or parts.query:
        message = "an address is fluent://host:port, without user, password or path"
        raise ValueError(message)
    host, port = fluent_address(parts.netloc)
    return FluentSink(host, port)


def _s3(form: str) -> Callable[[str], Sink]:
    def make(rest: str) -> Sink:
        journal = os.environ.get(_JOURNAL) or None
        if form == "parquet":
            return ParquetSink(f"s3:{rest}", journal=journal, name="s3")
        return S3Sink(f"s3:{rest}", format="txt.gz" if form == "txt.gz" else "txt", journal=journal)

    return make


def _stream(kind: str) -> Callable[[str], Sink]:
    def make(rest: str) -> Sink:
        if rest.strip("/"):
            message = "nothing follows the colon"
            raise ValueError(message)
        return StdoutSink("stderr", name="stderr") if kind == "stderr" else StdoutSink("stdout")

    return make


_MAKERS: dict[str, Callable[[str], Sink]] = {
    "file": lambda rest: FileSink(_directory(rest)),
    "parquet": lambda rest: ParquetSink(_directory(rest)),
    "fluent": _fluent,
    "fluent+unix": lambda rest: FluentSink("unix://" + _directory(rest)),
    "s3": _s3("txt"),
    **{f"s3+{form}": _s3(form) for form in _FORMATS},
    "stdout": _stream("stdout"),
    "stderr": _stream("stderr"),
}


def _with_different_names(sinks: list[Sink]) -> list[Sink]:
    """Two sinks of one monitor need different names: the second ``file`` is ``file-2``."""
    seen: dict[str, int] = {}
    for sink in sinks:
        kind = sink.name
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] > 1:
            sink.name = f"{kind}-{seen[kind]}"
    return sinks
