"""Sinks from environment variables, so that an operator chooses them and not the program."""

from __future__ import annotations

import difflib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from modelport.predictions._address import fluent_address
from modelport.predictions._file_sink import FileSink
from modelport.predictions._fluent_sink import FluentSink
from modelport.predictions._sink_config import SinkConfigError
from modelport.predictions._stdout_sink import StdoutSink
from modelport.predictions.rolling import ParquetSink, S3Sink

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport.predictions._sink import Sink

__all__ = ["sinks_from_env"]

_VARIABLE = "MODELPORT_PREDICTION_SINKS"
_JOURNAL = "MODELPORT_PREDICTION_JOURNAL"
_COLLECTOR = "BEDROCK_FLUENTD_ADDR"
_FORMATS = ("txt", "txt.gz", "parquet")
# So close are names that differ in a letter or two, and the three above not to each other.
_LIKE = 0.9

_logger = logging.getLogger("modelport.predictions")


def sinks_from_env() -> list[Sink]:
    """The sinks that the environment asks for; none if it asks for nothing.

    ``MODELPORT_PREDICTION_SINKS`` is a list, parted by commas, of ``file:DIRECTORY``, ``parquet:DIRECTORY``,
    ``fluent://HOST:PORT``, ``fluent+unix:PATH``, ``s3://BUCKET/PREFIX``, ``s3+parquet://...``, ``s3+txt.gz://...``,
    ``stdout:`` and ``stderr:``. A comma inside a path is written ``%2C``. Where it is not set, but
    ``BEDROCK_FLUENTD_ADDR`` is, that collector is the only sink; set and empty, it means none.
    ``MODELPORT_PREDICTION_JOURNAL`` is the journal directory of the ``s3`` sinks. A variable that looks like one of
    these misspelt is logged.

    Raises:
        SinkConfigError: An entry that is none of these, an address that is no address, or a directory that can neither
            be made nor written.
        MissingExtraError: A sink needs a package that is not installed.
    """
    _tell_misspelt()
    text = os.environ.get(_VARIABLE)
    if text is None:
        return [FluentSink()] if os.environ.get(_COLLECTOR) else []
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if entries and os.environ.get(_JOURNAL) and not any(entry.lower().startswith("s3") for entry in entries):
        _logger.warning("%s is of no use: %s asks for no s3 sink", _JOURNAL, _VARIABLE)
    return _with_different_names([_sink(entry) for entry in entries])


def _tell_misspelt() -> None:
    known = (_VARIABLE, _JOURNAL, _COLLECTOR)
    others = {name.upper(): name for name in os.environ if name not in known}
    for name in known:
        if name not in os.environ:
            for like in difflib.get_close_matches(name, others, n=1, cutoff=_LIKE):
                _logger.warning("%s is not set, but %s is: is that misspelt?", name, others[like])


def _sink(entry: str) -> Sink:
    scheme, colon, rest = entry.partition(":")
    make = _MAKERS.get(scheme.lower())
    if not colon or make is None:
        # Not the entry itself: it may carry a password.
        raise SinkConfigError(_VARIABLE, f"a sink begins with one of {', '.join(sorted(_MAKERS))}, then a colon")
    try:
        return make(rest)
    except SinkConfigError:
        raise
    except (ValueError, TypeError) as error:
        raise SinkConfigError(_VARIABLE, f"{scheme}: {error}") from None


def _directory(rest: str) -> str:
    path = _path(rest, "a directory is needed, such as file:/var/log/predictions")
    _check_writable(path)
    return path


def _socket(rest: str) -> str:
    return _path(rest, "the path of a socket is needed, such as fluent+unix:/run/fluent.sock")


def _path(rest: str, needed: str) -> str:
    path = unquote(rest.removeprefix("//") if rest.startswith("///") else rest)
    if path.startswith("//"):
        message = f"no host can be named after the colon: {needed}"
        raise ValueError(message)
    if not path:
        raise ValueError(needed)
    return path


def _check_writable(path: str) -> None:
    """Refuse a directory that no process of this user could write or make: a log is not to be missed at its first use.

    Raises:
        ValueError: There is a file in its place, or it may not be written.
    """
    whole = Path(path)
    place = next((place for place in (whole, *whole.parents) if os.access(place, os.F_OK)), whole)
    if not place.is_dir():
        message = f"{place} is no directory"
        raise ValueError(message)
    if not os.access(place, os.W_OK | os.X_OK):
        message = f"nothing may be written in {place}"
        raise ValueError(message)


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
        journal = _journal()
        if form == "parquet":
            return ParquetSink(f"s3:{rest}", journal=journal, name="s3")
        return S3Sink(f"s3:{rest}", format="txt.gz" if form == "txt.gz" else "txt", journal=journal)

    return make


def _journal() -> str | None:
    path = os.environ.get(_JOURNAL)
    if not path:
        return None
    try:
        _check_writable(path)
    except ValueError as error:
        raise SinkConfigError(_JOURNAL, str(error)) from None
    return path


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
    "fluent+unix": lambda rest: FluentSink("unix://" + _socket(rest)),
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
