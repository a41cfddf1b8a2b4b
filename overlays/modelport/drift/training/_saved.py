"""Baselines in files: their JSON, and reading them with a word on what is wrong with them."""

from __future__ import annotations

import codecs
import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modelport.drift._baseline import Baseline, BaselineError

if TYPE_CHECKING:
    import os

    from modelport.drift._baseline import FeatureBaseline

__all__ = ["FORMAT", "VERSION", "load", "read", "to_json"]

FORMAT = "modelport.baseline"
VERSION = 1


class _Document(msgspec.Struct, kw_only=True):
    format: str
    version: int


def to_json(baseline: Baseline) -> bytes:
    """The JSON form, for people to read too."""
    document = {"format": FORMAT, "version": VERSION, **msgspec.structs.asdict(baseline)}
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def load(path: str | os.PathLike[str]) -> Baseline:
    """Read either form: see `Baseline.load`."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise BaselineError(message) from error
    try:
        return read(content)
    except BaselineError as error:
        message = f"{path}: {error}"
        raise BaselineError(message) from error


def read(content: bytes) -> Baseline:
    """The baseline in the content of a file of either form.

    Raises:
        BaselineError: As `Baseline.load`, without the path.
    """
    try:
        baseline = _read(content.removeprefix(codecs.BOM_UTF8).lstrip())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BaselineError(str(error)) from error
    _check(baseline)
    return baseline


def _read(content: bytes) -> Baseline:
    if not content:
        message = "the file is empty"
        raise BaselineError(message)
    if content.startswith(b"#"):
        return _from_text(content)
    if not content.startswith(b"{"):
        message = "not a saved baseline: neither JSON nor Prometheus text"
        raise BaselineError(message)
    return _from_json(content)


def _from_text(content: bytes) -> Baseline:
    from modelport.drift.training._prometheus_read import from_text

    return from_text(content.decode())


def _from_json(content: bytes) -> Baseline:
    head = msgspec.json.decode(content, type=_Document)
    if head.format != FORMAT:
        message = f"not a baseline but {head.format!r}"
        raise BaselineError(message)
    if head.version != VERSION:
        message = f"version {head.version} of the format; this modelport reads version {VERSION}"
        raise BaselineError(message)
    return msgspec.json.decode(content, type=Baseline)


def _check(baseline: Baseline) -> None:
    if not baseline.features:
        message = "no features"
        raise BaselineError(message)
    seen: set[tuple[str, str]] = set()
    for column in baseline.columns:
        key = (column.role, column.name)
        problem = "its name occurs twice" if key in seen else _problem(column)
        if problem:
            message = f"{column.role} {column.name!r}: {problem}"
            raise BaselineError(message)
        seen.add(key)
    # 0 where nobody said how many there were.
    most = max(column.total + column.missing + column.unseen for column in baseline.features)
    if baseline.rows and baseline.rows < most:
        message = f"{baseline.rows} rows, and {most} values in a feature"
        raise BaselineError(message)


def _problem(column: FeatureBaseline) -> str | None:
    bins = 1 + (len(column.edges) if column.kind == "numeric" else len(column.categories))
    if len(column.counts) != bins:
        return f"{len(column.counts)} counts for {bins} bins"
    if min((*column.counts, column.missing, column.unseen)) < 0:
        return "a negative count"
    if not 0 <= (column.absolute_sum or 0.0) < math.inf:
        return "a sum of absolute values that is none"
    if any(low >= high for low, high in pairwise(column.edges)) or not all(map(math.isfinite, column.edges)):
        return "edges that do not rise"
    if len(set(column.categories)) != len(column.categories):
        return "a category occurs twice"
    return None
