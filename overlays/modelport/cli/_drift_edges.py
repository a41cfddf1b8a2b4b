"""The file that ``modelport drift compare --edges`` takes: bins that both sides are counted in."""

from __future__ import annotations

import codecs
import json
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import click
import msgspec

from modelport.drift._values import OTHER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from modelport.drift import Baseline, FeatureBaseline

__all__ = ["bins_differ", "read_edges"]

_Bounds: TypeAlias = list[float | str]


class _Explicit(msgspec.Struct, forbid_unknown_fields=True):
    """Bounds with a word on what they are."""

    edges: _Bounds | None = None
    categories: list[str] | None = None


def read_edges(path: Path, output_column: str | None) -> Baseline:
    """A baseline of the file's bins; its counts mean nothing.

    Args:
        path: A saved baseline, or JSON: by feature a list of edges (numbers) or of categories (text), or such a list
            as ``{"edges": ...}`` or ``{"categories": ...}``. Infinities at the ends may be left out or be text.
        output_column: The name under which the output's bins are, if there are any; ``output`` will also do.

    Raises:
        click.UsageError: Not such a file.
    """
    from modelport.drift import Baseline

    try:
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
        if path.suffix.lower() == ".prom" or b'"modelport.baseline"' in content[:200]:
            return Baseline.load(path)
        found = msgspec.json.decode(content, type=dict[str, _Explicit | _Bounds])
        json.loads(content, object_pairs_hook=_once)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path} holds no edges: {error}") from error
    columns = {name: _column(path, name, bounds) for name, bounds in found.items()}
    name = output_column if output_column in columns else "output"
    output = columns.pop(name, None) if output_column is not None else None
    if output is not None:
        output = msgspec.structs.replace(output, name="output", role="output")
    if not columns:
        raise click.UsageError(f"{path} holds no edges")
    return Baseline(features=tuple(columns.values()), output=output)


def _once(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice!r} occurs twice")


def bins_differ(one: Sequence[FeatureBaseline], other: Sequence[FeatureBaseline]) -> str | None:
    """The first column whose bins are not the same in both, or that is not in the other."""
    known = {column.bins for column in other}
    return next((column.name for column in one if column.bins not in known), None)


def _column(path: Path, name: str, given: _Explicit | _Bounds) -> FeatureBaseline:
    from modelport.drift import FeatureBaseline

    edges, categories = _told_apart(given)
    if (edges is None) == (categories is None):
        raise click.UsageError(f"{path}: {name!r} has neither or both of edges and categories")
    if categories is not None:
        # The last bin is there anyway, as the open ends are.
        categories = categories[:-1] if categories[-1:] == [OTHER] else categories
        if OTHER in categories:
            raise click.UsageError(f"{path}: {OTHER!r}, which all other categories are in, is not the last of {name!r}")
        if len(set(categories)) != len(categories):
            raise click.UsageError(f"{path}: a category of {name!r} occurs twice")
        counts = (0,) * (len(categories) + 1)
        return FeatureBaseline(name=name, kind="categorical", categories=tuple(categories), counts=counts)
    try:
        numbers = list(map(float, cast("list[Any]", edges)))
    except ValueError as error:
        raise click.UsageError(f"{path}: an edge of {name!r} is no number: {error}") from error
    numbers = _without_ends(numbers)
    if not all(map(math.isfinite, numbers)):
        raise click.UsageError(f"{path}: an edge of {name!r} is not finite")
    if any(low >= high for low, high in pairwise(numbers)):
        raise click.UsageError(f"{path}: the edges of {name!r} do not rise")
    return FeatureBaseline(name=name, kind="numeric", edges=tuple(numbers), counts=(0,) * (len(numbers) + 1))


def _told_apart(given: _Explicit | _Bounds) -> tuple[_Bounds | None, list[str] | None]:
    if isinstance(given, _Explicit):
        return given.edges, given.categories
    texts = [bound for bound in given if isinstance(bound, str)]
    if len(texts) == len(given) and texts:
        return None, texts
    return given, None


def _without_ends(numbers: list[float]) -> list[float]:
    """The outer bins are open anyway."""
    first = 1 if numbers[:1] == [-math.inf] else 0
    last = len(numbers) - 1 if numbers[first:][-1:] == [math.inf] else len(numbers)
    return numbers[first:last]
