"""What the training data looked like: bins fixed with the model, and how many values fell into each."""

from __future__ import annotations

import math
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import msgspec

from modelport._extras import require
from modelport.drift._values import OTHER, format_edge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["Baseline", "BaselineError", "FeatureBaseline", "Kind", "Role"]

Kind: TypeAlias = Literal["numeric", "categorical"]
Role: TypeAlias = Literal["feature", "output", "attribution"]

_FORMAT = "modelport.baseline"
_VERSION = 1
_OUTPUT_NAME = "output"
_DEFAULT_BINS = 10
_DEFAULT_MAX_CATEGORIES = 50


class BaselineError(ValueError):
    """A baseline that cannot be made, read or used; the text says which part of it."""


class FeatureBaseline(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the training data.

    Attributes:
        name: The feature's name.
        kind: ``numeric`` or ``categorical``.
        counts: Values per bin: one more than `edges`, or one more than `categories`.
        edges: Upper edges (``le``, inclusive) of all numeric bins but the last, which is open.
        categories: Labels of all categorical bins but the last, which holds every other category.
        missing: Values that are null or NaN, in no bin.
        unseen: Values of the wrong kind, in no bin.
        sum: Sum of the finite values of a numeric column.
        role: Whether it is a feature, the model's output, or an attribution: what a feature adds to the output (SHAP).
    """

    name: str
    kind: Kind
    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    missing: int = 0
    unseen: int = 0
    sum: float = 0.0
    role: Role = "feature"

    @property
    def labels(self) -> tuple[str, ...]:
        """The text of each bin: its upper edge or its category."""
        if self.kind == "numeric":
            return tuple(map(format_edge, (*self.edges, math.inf)))
        return (*self.categories, OTHER)

    @property
    def total(self) -> int:
        """Values in bins."""
        return sum(self.counts)


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The training side of every comparison; saved next to the model.

    Attributes:
        features: The model's features in the order of its input vector.
        output: The model's output on that data, if it was given.
        attributions: What each feature adds to the output (SHAP values), if it was given; named as the features.
        model_version: The version it belongs to, if it was given.
        rows: Rows of the training data.
    """

    features: tuple[FeatureBaseline, ...]
    output: FeatureBaseline | None = None
    attributions: tuple[FeatureBaseline, ...] = ()
    model_version: str | None = None
    rows: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def columns(self) -> tuple[FeatureBaseline, ...]:
        """The features, then the output if there is one, then the attributions."""
        output = () if self.output is None else (self.output,)
        return (*self.features, *output, *self.attributions)

    @classmethod
    def from_data(
        cls,
        data: object,
        *,
        output: object = None,
        names: Sequence[str] | None = None,
        kinds: Mapping[str, Kind] | None = None,
        model_version: str | None = None,
        bins: int = _DEFAULT_BINS,
        max_categories: int = _DEFAULT_MAX_CATEGORIES,
    ) -> Baseline:
        """Summarise training data. The whole of it is counted; nothing is sampled.

        Args:
            data: A pandas or polars frame, a mapping of name to column, pairs of name and column, or a numpy array
                of shape (rows, features) with `names`.
            output: The model's outputs on the same rows, one value each.
            names: The columns' names for an array without any.
            kinds: ``"numeric"`` or ``"categorical"`` by name (``"output"`` for the output), for columns where the
                rule would err: text, booleans and whole numbers with few distinct values are categorical.
            model_version: Stored with the baseline and put on its metrics.
            bins: Quantile bins of a numeric column, before tail edges are added and equal edges removed.
            max_categories: Categories with a bin of their own; the rest share one.

        Raises:
            BaselineError: Nothing to summarise, columns of different length, names twice, or a kind for no column.
            MissingExtraError: numpy is not installed.
        """
        require("numpy", "drift")
        if bins < 2 or max_categories < 1:  # noqa: PLR2004 - two bins are the fewest that can differ
            message = "bins must be at least 2 and max_categories at least 1"
            raise BaselineError(message)
        pairs = column_pairs(data, names)
        summarise = _Summary(dict(kinds or {}), bins, max_categories)
        features = tuple(summarise(name, column, "feature") for name, column in pairs)
        target = None if output is None else summarise(_OUTPUT_NAME, cast("Iterable[object]", output), "output")
        summarise.check(features, target)
        return cls(features=features, output=target, model_version=model_version, rows=summarise.rows)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write JSON to `path`, whole or not at all; a baseline already there is only replaced by a complete one.

        Raises:
            OSError: The directory cannot be written.
        """
        target = Path(path)
        document = {"format": _FORMAT, "version": _VERSION, **msgspec.structs.asdict(self)}
        content = msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
        # Not tempfile: its files are for the owner only, and a baseline is often read by another user than it was made.
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Baseline:
        """Read what `save` wrote.

        Raises:
            BaselineError: No such file, not a baseline, of a newer version, or damaged; the text says where.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            message = f"{path}: {error.strerror or error}"
            raise BaselineError(message) from error
        return _decode(content, str(path))


class _Document(msgspec.Struct, kw_only=True):
    format: str
    version: int


def _decode(content: bytes, where: str) -> Baseline:
    try:
        head = msgspec.json.decode(content, type=_Document)
        if head.format != _FORMAT:
            message = f"{where}: not a baseline but {head.format!r}"
            raise BaselineError(message)
        if head.version != _VERSION:
            message = f"{where}: version {head.version} of the format; this modelport reads version {_VERSION}"
            raise BaselineError(message)
        baseline = msgspec.json.decode(content, type=Baseline)
        _check(baseline)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"{where}: {error}"
        raise BaselineError(message) from error
    except _DamageError as error:
        message = f"{where}: {error}"
        raise BaselineError(message) from None
    return baseline


class _DamageError(Exception):
    pass


def _check(baseline: Baseline) -> None:
    seen: set[str] = set()
    for column in baseline.columns:
        bounds: Sequence[object] = column.edges if column.kind == "numeric" else column.categories
        rising = all(low < high for low, high in zip(column.edges, column.edges[1:], strict=False))
        problem = (
            (column.name in seen and column.role == "feature" and "its name occurs twice")
            or (len(column.counts) != len(bounds) + 1 and f"{len(column.counts)} counts for {len(bounds) + 1} bins")
            or (min((*column.counts, column.missing, column.unseen)) < 0 and "a negative count")
            or (not rising and "edges that do not rise")
            or (len(set(column.categories)) != len(column.categories) and "a category occurs twice")
        )
        if problem:
            message = f"feature {column.name!r}: {problem}"
            raise _DamageError(message)
        seen.add(column.name)


class _Summary:
    def __init__(self, kinds: dict[str, Kind], bins: int, max_categories: int) -> None:
        self._kinds = kinds
        self._bins = bins
        self._max_categories = max_categories
        self._lengths: dict[str, int] = {}

    @property
    def rows(self) -> int:
        return max(self._lengths.values(), default=0)

    def __call__(self, name: str, column: Iterable[object], role: Role) -> FeatureBaseline:
        # Here, because numpy is an extra.
        from modelport.drift import _kernel

        column = column if hasattr(column, "__len__") else list(column)
        kind = self._kinds.get(name)
        if kind not in {None, "numeric", "categorical"}:
            message = f"kinds[{name!r}] is 'numeric' or 'categorical', not {kind!r}"
            raise BaselineError(message)
        try:
            categorical = _kernel.looks_categorical(column) if kind is None else kind == "categorical"
            made = self._categorical(name, column) if categorical else self._numeric(name, column)
        except (TypeError, ValueError) as error:
            message = f"column {name!r}: {error}"
            raise BaselineError(message) from error
        self._lengths[f"{role} {name!r}"] = made.total + made.missing + made.unseen
        return msgspec.structs.replace(made, role=role)

    def check(self, features: tuple[FeatureBaseline, ...], output: FeatureBaseline | None) -> None:
        names = [feature.name for feature in features]
        known = {*names, *([_OUTPUT_NAME] if output is not None else [])}
        problem = (
            (not self.rows and "no data")
            or (len(set(names)) != len(names) and "a name occurs twice")
            or (len(set(self._lengths.values())) > 1 and f"columns of different length: {self._lengths}")
            or (set(self._kinds) - known and f"kinds for no column: {sorted(set(self._kinds) - known)}")
        )
        if problem:
            raise BaselineError(problem)

    def _numeric(self, name: str, column: Iterable[object]) -> FeatureBaseline:
        from modelport.drift import _kernel

        numbers, unseen = _kernel.number_column(column)
        edges = _kernel.quantile_edges(numbers, self._bins)
        counts = _kernel.count_numbers(numbers, edges)
        total = _kernel.finite_sum(numbers)
        missing = len(numbers) - sum(counts) - unseen
        return FeatureBaseline(
            name=name, kind="numeric", counts=counts, edges=edges, missing=missing, unseen=unseen,
            sum=total if math.isfinite(total) else 0.0,
        )  # fmt: skip

    def _categorical(self, name: str, column: Iterable[object]) -> FeatureBaseline:
        from modelport.drift import _kernel

        found, missing, unseen = _kernel.category_counts(column)
        categories = _kernel.top_categories(found, self._max_categories)
        counts = [found[label] for label in categories]
        counts.append(sum(found.values()) - sum(counts))
        return FeatureBaseline(
            name=name, kind="categorical", counts=tuple(counts), categories=categories, missing=missing, unseen=unseen
        )


def column_pairs(data: object, names: Sequence[str] | None) -> list[tuple[str, Iterable[object]]]:
    """Name and column of each column of `data`: see `Baseline.from_data`."""
    loose = cast("Any", data)
    columns: Any
    if hasattr(data, "get_columns"):
        columns = [(column.name, column) for column in loose.get_columns()]
    elif (items := cast("Callable[[], Iterable[Any]] | None", getattr(data, "items", None))) is not None:
        columns = items()
    elif hasattr(data, "ndim"):
        columns = _array_columns(loose, names)
    else:
        columns = data
    try:
        pairs = [(str(name), cast("Iterable[object]", column)) for name, column in columns]
    except (TypeError, ValueError) as error:
        message = "data is a frame, a mapping, pairs of name and column, or an array with names"
        raise BaselineError(message) from error
    if not pairs:
        message = "data has no columns"
        raise BaselineError(message)
    return pairs


def _array_columns(array: Any, names: Sequence[str] | None) -> Iterable[tuple[str, object]]:
    if names is None or array.ndim != 2 or array.shape[1] != len(names):  # noqa: PLR2004 - rows and columns
        message = f"an array needs the shape (rows, features) and as many names; it has {tuple(array.shape)}"
        raise BaselineError(message)
    return zip(names, array.T, strict=True)
