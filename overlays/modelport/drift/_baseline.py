"""What the training data looked like: bins fixed with the model, and how many values fell into each."""

from __future__ import annotations

import math
from os import PathLike
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import msgspec

from modelport._extras import require
from modelport.drift._errors import BaselineError
from modelport.drift._values import OTHER, format_edge

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["OUTPUT_NAME", "Baseline", "BaselineError", "FeatureBaseline", "Kind", "Role"]

Kind: TypeAlias = Literal["numeric", "categorical"]
Role: TypeAlias = Literal["feature", "output", "attribution"]

OUTPUT_NAME = "output"
"""The name of the model's output among the columns."""

_DEFAULT_BINS = 10
_DEFAULT_MAX_CATEGORIES = 50


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
        absolute_sum: Of an attribution: sum of the finite values without their signs; None where it was not measured.
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
    absolute_sum: float | None = None

    @property
    def bins(self) -> tuple[str, str, Kind, tuple[float, ...], tuple[str, ...]]:
        """What its counts are of: those of two columns can be compared if this is the same."""
        return self.role, self.name, self.kind, self.edges, self.categories

    @property
    def mean_absolute(self) -> float | None:
        """Mean of the values without their signs: of an attribution, mean |SHAP|; None where it was not measured."""
        return None if self.absolute_sum is None or not self.total else self.absolute_sum / self.total

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

    @property
    def strangers(self) -> int:
        """Values that the baseline does not know when it sees them again: in no bin, or in that of all others."""
        return self.unseen + (self.counts[-1] if self.kind == "categorical" else 0)


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
    def of(cls, baseline: Baseline | str | os.PathLike[str]) -> Baseline:
        """The baseline itself, or the one saved at a path.

        Raises:
            BaselineError: As `load`; or it is neither.
        """
        if isinstance(baseline, (str, PathLike)):
            return cls.load(baseline)
        if not isinstance(cast("object", baseline), Baseline):
            message = f"a baseline, or the path of a saved one, not {type(baseline).__name__}"
            raise BaselineError(message)
        return baseline

    @classmethod
    def from_data(
        cls,
        data: object,
        *,
        output: object = None,
        attributions: object = None,
        names: Sequence[str] | None = None,
        kinds: Mapping[str, Kind] | None = None,
        model_version: str | None = None,
        bins: int = _DEFAULT_BINS,
        max_categories: int = _DEFAULT_MAX_CATEGORIES,
        aligned: bool = True,
    ) -> Baseline:
        """Summarise training data. The whole of it is counted; nothing is sampled.

        Data that comes in batches or rows is read once and need not fit into memory as it is: what is kept is 8 bytes
        for each number, and one count for each distinct label of a categorical column.

        Args:
            data: A pandas or polars frame; an Arrow table, batch or reader of batches, or any object with the Arrow C
                stream interface; a mapping or pairs of name and column; a numpy array with named fields, or of shape
                (rows, features) with `names`; an iterable of rows: mappings by name, sequences with `names`, or
                logged predictions. A name that a row lacks is missing there.
            output: The model's outputs on the same rows, one value each, or the name of the column of `data` that
                holds them. Logged predictions bring their own.
            attributions: What each feature adds to the output (SHAP values) on the same rows: columns by feature name
                in any form that `data` may have, or an array of shape (rows, features).
            names: The columns' names where the data has none; of rows as mappings, those to take.
            kinds: ``"numeric"`` or ``"categorical"`` by name (``"output"`` for the output), for columns where the
                rule would err: text, booleans and whole numbers with few distinct values are categorical.
            model_version: Stored with the baseline and put on its metrics.
            bins: Quantile bins of a numeric column, before tail edges are added and equal edges removed.
            max_categories: Categories with a bin of their own; the rest share one.
            aligned: Refuse columns of different length. Boxkite does not, and takes outputs of another data set.

        Raises:
            BaselineError: Nothing to summarise, columns of different length, names twice, a kind for no column, or
                dates and times without ``kinds`` saying that they are categorical.
            MissingExtraError: numpy is not installed.
        """
        require("numpy", "drift")
        # Here, because numpy is an extra.
        from modelport.drift.training._summary import Limits, summarise

        return summarise(
            data,
            output=output,
            attributions=attributions,
            names=names,
            kinds=kinds or {},
            model_version=model_version,
            limits=Limits(bins, max_categories, aligned),
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write JSON to `path`, whole or not at all; a baseline already there is only replaced by a complete one.

        Raises:
            OSError: The file cannot be written.
        """
        from modelport._files import write_whole
        from modelport.drift.training._saved import to_json

        return write_whole(path, to_json(self))

    def save_prometheus(self, path: str | os.PathLike[str]) -> Path:
        """Write the file ``histogram.prom`` in Boxkite's form to `path`, as whole as `save` does; `load` reads it.

        What Prometheus text has no place for is in comments, so nothing is lost.

        Raises:
            OSError: The file cannot be written.
        """
        from modelport._files import write_whole
        from modelport.drift.training._prometheus_write import to_text

        return write_whole(path, to_text(self).encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Baseline:
        """Read what `save` or `save_prometheus` wrote, or Boxkite's ``histogram.prom``.

        In a file of Boxkite's, all that is in the bucket ``+Inf`` alone counts as missing.

        Raises:
            BaselineError: No such file, not a baseline, of a newer version, or damaged; the text says where.
            MissingExtraError: Prometheus text, and prometheus-client is not installed.
        """
        from modelport.drift.training._saved import load

        return load(path)
