"""Polars as engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.drift.offline._columns import VIEW, Column, ColumnKind, ViewColumn
from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._literals import ESCAPES
from modelport.drift.offline._sources import ArrowSource, FileSource, is_hive

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PolarsTable"]


class PolarsTable:
    """Files or an Arrow table in Polars, scanned by its streaming engine."""

    def __init__(self, source: FileSource | ArrowSource) -> None:
        """Open `source`.

        Raises:
            MissingExtraError: Polars is not installed.
            OfflineError: Polars cannot read it.
        """
        self._polars: Any = require("polars", "polars")
        self._errors = (self._polars.exceptions.PolarsError, OSError)
        try:
            self._frame = self._open(source)
            schema: dict[str, Any] = dict(self._frame.collect_schema())
        except self._errors as error:
            raise OfflineError(f"Polars: {error}") from error
        names = source.table.schema.names if isinstance(source, ArrowSource) else schema
        self.columns = [Column(name, self._kind(kind)) for name, kind in zip(names, schema.values(), strict=True)]

    def query(self, sql: str, view: Sequence[ViewColumn]) -> list[tuple[Any, ...]]:
        """The rows of `sql`."""
        shown = [self._shown(column).alias(f"k{place}") for place, column in enumerate(view)]
        context = self._polars.SQLContext({VIEW: self._frame.select(shown)})
        try:
            rows: list[tuple[Any, ...]] = context.execute(sql).collect(engine="streaming").rows()
        except self._errors as error:
            raise OfflineError(f"Polars: {error}") from error
        return rows

    def _open(self, source: FileSource | ArrowSource) -> Any:
        polars = self._polars
        if isinstance(source, ArrowSource):
            # By place: Polars gives a column without a name one of its own.
            places = [f"x{place}" for place in range(source.table.num_columns)]
            return polars.from_arrow(source.table.rename_columns(places)).lazy()
        # The files are known; a name that looks like a pattern is none.
        options: dict[str, Any] = {"glob": False}
        if source.is_remote:
            options["storage_options"] = dict(source.options) or None
        return polars.scan_parquet(
            list(source.files),
            hive_partitioning=is_hive(source.files),
            missing_columns="insert",
            extra_columns="ignore",
            **options,
        )

    def _shown(self, wanted: ViewColumn) -> Any:
        polars = self._polars
        # Not col(name) with a name such as "^.*$", which is a pattern.
        column = polars.nth([known.name for known in self.columns].index(wanted.column.name))
        if wanted.kind == "other":
            return column.is_not_null()
        if wanted.kind == "time":
            return column.cast(polars.Datetime("ns")).dt.epoch("ns") if wanted.column.kind == "time" else column
        if wanted.kind != "text":
            return column
        shown = column.cast(polars.String)
        for letter, spelling in ESCAPES if wanted.escaped else ():
            shown = shown.str.replace_all(letter, spelling, literal=True)
        return shown

    def _kind(self, kind: Any) -> ColumnKind:
        polars, base = self._polars, kind.base_type()
        if base == polars.Boolean:
            return "boolean"
        if base.is_integer():
            return "float" if base == polars.Int128 else "integer"
        if base.is_numeric():
            return "float"
        if base in {polars.String, polars.Categorical, polars.Enum}:
            return "text"
        return "time" if base in {polars.Date, polars.Datetime} else "other"
