"""Which columns a table of records has, found by looking at the records."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from modelport.predictions._record import GroundTruth, Prediction
from modelport.predictions.columns._kinds import Kind, kind_of, shared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelport._plain import JsonValue
    from modelport.predictions._record import Record

__all__ = ["ATTRIBUTION", "FEATURE", "SEGMENT", "Layout", "named"]

FEATURE = "feature_"
SEGMENT = "segment_"
ATTRIBUTION = "attribution_"


# A value of this type leaves a column of this kind what it is: nearly always the case, and cheaper than a look at it.
_STAYS: dict[type, Kind] = {float: Kind.NUMBER, int: Kind.INT, str: Kind.TEXT, bool: Kind.BOOL}


def named(features: JsonValue) -> dict[str, JsonValue]:
    """The features by name; those of a list by position. Empty for a scalar, which has no columns."""
    if isinstance(features, dict):
        return features
    if isinstance(features, list):
        return {str(position): value for position, value in enumerate(features)}
    return {}


class Layout(msgspec.Struct, kw_only=True):
    """The columns of one table: what its records have shown so far.

    Attributes:
        labels: Whether there is a ``label`` column.
        predictions: False for a table of ground truth, which has neither features nor output.
        features: Kind by feature name.
        output: Kind of the output.
        label: Kind of the label.
        segments: Names of segments.
        attributions: Names of attributed features.
        rows: Predictions that were seen.
        lists: How many of them have lists of features that are not empty, by length.
        complete: Those with every feature that had been seen by then: nearly all, and counted for all features at once.
        present: How many others have a feature, by its name, less the complete ones before it was first seen.
        nulls: In how many of them it is null.
    """

    labels: bool = False
    predictions: bool = True
    features: dict[str, Kind] = msgspec.field(default_factory=dict[str, Kind])
    output: Kind = Kind.EMPTY
    label: Kind = Kind.EMPTY
    segments: set[str] = msgspec.field(default_factory=set[str])
    attributions: set[str] = msgspec.field(default_factory=set[str])
    rows: int = 0
    lists: Counter[int] = msgspec.field(default_factory=Counter[int])
    complete: int = 0
    present: Counter[str] = msgspec.field(default_factory=Counter[str])
    nulls: Counter[str] = msgspec.field(default_factory=Counter[str])

    @classmethod
    def of(cls, records: Iterable[Record], *, labels: bool = False, predictions: bool = True) -> Layout:
        """The layout that gives each of `records` its room."""
        layout = cls(labels=labels, predictions=predictions)
        for record in records:
            layout.observe(record)
        return layout

    def observe(self, record: Record) -> None:
        """Make room for `record`."""
        self.label = shared(self.label, kind_of(record.label))
        if isinstance(record, GroundTruth):
            return
        self.output = shared(self.output, kind_of(record.output))
        self._observe_features(record)
        if record.segments:
            self.segments.update(record.segments)
        if record.attributions:
            self.attributions.update(record.attributions)

    def _observe_features(self, record: Prediction) -> None:
        kinds, row = self.features, named(record.features)
        for name, value in row.items():
            known = kinds.get(name)
            if known is not None and _STAYS.get(type(value)) is known:
                continue
            if value is None:
                self.nulls[name] += 1
            kind = kind_of(value)
            if known is None:
                kinds[name] = kind
                self.present[name] = -self.complete
            elif known is not kind:
                kinds[name] = shared(known, kind)
        self.rows += 1
        if row and isinstance(record.features, list):
            self.lists[len(row)] += 1
        if len(row) == len(kinds):
            self.complete += 1
        else:
            # Not the row itself, whose values it would add up.
            self.present.update(row.keys())

    @property
    def list_length(self) -> int | None:
        """The length of the lists that columns tell; None where they tell mappings, as fewer rows are lists.

        A list of another length is no row of the same model, so that it must not look like one.
        """
        if self.lists.total() * 2 <= self.rows:
            return None
        return max(self.lists, key=lambda length: (self.lists[length], length))

    def sparse(self) -> set[str]:
        """Features in whose columns null means that they are not there, as is more often so than that they are null.

        So a feature of its own in one record, or a usual one that it lacks, does not make others be told twice.
        """
        length = self.list_length
        if length is not None:
            return self.features.keys() - set(map(str, range(length)))
        others = self.rows - self.complete
        return {name for name in self.features if others - self.present[name] > self.nulls[name]}

    def feature_names(self) -> list[str]:
        """Names of features in the order of their columns: positions by number, then names by spelling."""
        return sorted(self.features, key=_order)


def _order(name: str) -> tuple[int, int, str]:
    # The order must not depend on which record came first, else two files of one log would differ in it.
    if name.isascii() and name.isdecimal() and len(name) <= 6:  # noqa: PLR2004 - no list of features is longer
        return 0, int(name), name
    return 1, 0, name
