"""Columns of a table as the SQL sees them, and which of them hold what a baseline knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from modelport.drift._baseline import OUTPUT_NAME
from modelport.drift.offline._errors import OfflineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelport.drift._baseline import Baseline, FeatureBaseline

__all__ = [
    "ENDPOINT",
    "SEGMENT_PREFIX",
    "VERSION",
    "VIEW",
    "Column",
    "ColumnKind",
    "Layout",
    "Table",
    "View",
    "ViewColumn",
    "find_column",
    "is_of_sink",
    "segment_column",
]

ColumnKind: TypeAlias = Literal["integer", "float", "boolean", "text", "time", "other"]
"""What the SQL has to know of a type; ``time`` is a timestamp or a date, ``other`` is a list, bytes and the like."""

VIEW = "modelport_logs"
"""The name of the table in every SQL text."""

ENDPOINT, VERSION = "endpoint", "model_version"
"""The columns of whose predictions these are, and of which version of it."""

SEGMENT_PREFIX = "segment_"
"""What stands before a segment's name in tables made of logged predictions."""

_SINK_FEATURE = "feature_"
_FEATURE_PREFIXES = ("", _SINK_FEATURE, "feature.")
_ATTRIBUTION_PREFIXES = ("attribution_", "attribution.", "shap_", "shap.")
# A bare name last: in a table of predictions it may be that of an output or an endpoint.
_SEGMENT_PREFIXES = (SEGMENT_PREFIX, "segment.", "")
_OF_A_SINK = {"prediction_id", "timestamp_ns", ENDPOINT, "other_json"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name in the data, and its kind."""

    name: str
    kind: ColumnKind


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column as it is shown to the SQL, under the name ``k0``, ``k1``, ... by its place.

    No name of the data gets into the SQL, so none can break it.

    Attributes:
        column: The column of the table.
        kind: How it is shown: as it is, a ``time`` as nanoseconds since 1970 (UTC), ``other`` as whether it is null.
        escaped: Whether quotes and backslashes in a text column are spelled by other letters: see `escape_text`.
    """

    column: Column
    kind: ColumnKind
    escaped: bool = False


class View:
    """The columns that one SQL text asks for, collected while it is written."""

    def __init__(self) -> None:
        self.columns: list[ViewColumn] = []

    def add(self, column: Column, kind: ColumnKind, *, escaped: bool = False) -> str:
        """The name of `column` in the SQL."""
        wanted = ViewColumn(column, kind, escaped)
        if wanted not in self.columns:
            self.columns.append(wanted)
        return f"k{self.columns.index(wanted)}"


class Table(Protocol):
    """Data in an engine."""

    @property
    def columns(self) -> Sequence[Column]:
        """All columns that can be asked for."""
        ...

    def query(self, sql: str, view: Sequence[ViewColumn]) -> list[tuple[Any, ...]]:
        """The rows of `sql`, which reads `VIEW`."""
        ...


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a baseline's columns lie in a table.

    Attributes:
        columns: One per column of the baseline, in its order; None where the table has none.
        flags: By the same place: a boolean column that is true where a value was of the wrong kind.
    """

    columns: tuple[Column | None, ...]
    flags: tuple[Column | None, ...] = ()

    @classmethod
    def find(
        cls,
        baseline: Baseline,
        columns: Sequence[Column],
        names: Mapping[str, str] | None = None,
        output: str = OUTPUT_NAME,
    ) -> Layout:
        """Find the columns by name.

        Args:
            baseline: What to look for.
            columns: Where to look.
            names: Column by feature, where it is neither the feature's name nor that name behind ``feature_``.
            output: The column of the model's output.

        Raises:
            OfflineError: A feature has no column, or the output has none of a name that was chosen for it.
        """
        names = dict(names or {})
        if output != OUTPUT_NAME and find_column(columns, output) is None:
            raise OfflineError(f"there is no column {output!r} of outputs")
        found = tuple(_find(column, columns, names, output) for column in baseline.columns)
        absent = [
            f"{column.name} (as {names[column.name]!r})" if column.name in names else column.name
            for column, place in zip(baseline.columns, found, strict=True)
            if place is None and column.role == "feature"
        ]
        if absent:
            raise OfflineError(
                f"the data lacks features of the baseline: {', '.join(absent)}; "
                f"it has the columns {', '.join(column.name for column in columns)}"
            )
        return cls(found)


def find_column(columns: Iterable[Column], name: str, prefixes: Sequence[str] = ("",)) -> Column | None:
    """The first of `columns` called `name`, with one of the prefixes before it; earlier prefixes win."""
    by_name = {column.name: column for column in columns}
    return next((by_name[prefix + name] for prefix in prefixes if prefix + name in by_name), None)


def is_of_sink(columns: Iterable[Column]) -> bool:
    """Whether `ParquetSink` or a reader made the table, in which features are called ``feature_NAME`` and not else."""
    return {column.name for column in columns} >= _OF_A_SINK


def segment_column(columns: Iterable[Column], name: str) -> Column:
    """The column of a segment.

    Raises:
        OfflineError: There is none.
    """
    found = find_column(columns, name, _SEGMENT_PREFIXES)
    if found is None:
        raise OfflineError(f"no column for the segment {name!r}")
    return found


def _find(wanted: FeatureBaseline, columns: Sequence[Column], names: Mapping[str, str], output: str) -> Column | None:
    if wanted.role == "output":
        return find_column(columns, output)
    if wanted.role == "attribution":
        return find_column(columns, wanted.name, _ATTRIBUTION_PREFIXES)
    if wanted.name in names:
        return find_column(columns, names[wanted.name])
    return find_column(columns, wanted.name, (_SINK_FEATURE,) if is_of_sink(columns) else _FEATURE_PREFIXES)
