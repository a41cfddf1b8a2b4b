"""DuckDB as engine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.drift.offline._columns import VIEW, Column, ColumnKind, ViewColumn
from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._literals import ESCAPES
from modelport.drift.offline._sources import ArrowSource, FileSource, parquet_names

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DuckTable"]

_SOURCE = "modelport_source"
_MAGIC = re.compile(r"[*?\[]")
_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
_FLOATS = frozenset({"FLOAT", "DOUBLE", "HUGEINT", "UHUGEINT"})


class DuckTable:
    """Files or an Arrow table in DuckDB."""

    def __init__(self, source: FileSource | ArrowSource, connection: Any = None) -> None:
        """Open `source`, in `connection` or a database of its own in memory.

        Raises:
            MissingExtraError: DuckDB is not installed.
            OfflineError: DuckDB cannot read it.
        """
        duckdb: Any = require("duckdb", "offline")
        self._error: type[Exception] = duckdb.Error
        # A cursor is a connection to the same database; what is registered with it goes with it.
        self._connection = duckdb.connect() if connection is None else connection.cursor()
        self._known: list[str] = []
        self._from = self._open(source)
        described = self._rows(f"DESCRIBE SELECT * FROM {self._from}")
        # Names that differ only in case are renamed by DuckDB; the files know them as they are.
        known = parquet_names(source) or self._known
        names = [*known, *(str(row[0]) for row in described[len(known) :])]
        self._names = names
        self.columns = [Column(name, _kind(str(row[1]))) for name, row in zip(names, described, strict=True)]

    def query(self, sql: str, view: Sequence[ViewColumn]) -> list[tuple[Any, ...]]:
        """The rows of `sql`."""
        shown = ", ".join(f"{self._shown(column)} AS k{place}" for place, column in enumerate(view))
        names = ", ".join(f"x{place}" for place in range(len(self._names)))
        self._rows(
            f"CREATE OR REPLACE TEMP VIEW {VIEW} AS SELECT {shown} FROM (SELECT * FROM {self._from}) AS t({names})"
        )
        return self._rows(sql)

    def _open(self, source: FileSource | ArrowSource) -> str:
        if isinstance(source, ArrowSource):
            self._connection.register(_SOURCE, source.table)
            return _SOURCE
        if source.is_remote:
            dataset = source.dataset()
            self._known = list(dataset.schema.names)
            self._connection.register(_SOURCE, dataset)
            return _SOURCE
        files = ", ".join(f"'{_quoted(_literally(path))}'" for path in source.files)
        # A file's least and greatest value leave NaN out. By itself DuckDB takes them for a fact of all values, and
        # then counts NaN as below an edge.
        return f"read_parquet([{files}], hive_partitioning = true, union_by_name = true, can_have_nan = true)"

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            # Always fetched to the end: an open result would refuse the next statement.
            rows: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        except self._error as error:
            # What follows is the statement, with a mark below it.
            told, _, _ = str(error).partition("\n")
            raise OfflineError(f"DuckDB: {told}") from error
        return rows

    def _shown(self, wanted: ViewColumn) -> str:
        name = f"x{self._names.index(wanted.column.name)}"
        if wanted.kind == "other":
            return f"({name} IS NOT NULL)"
        if wanted.kind == "time":
            # Not cast before, which would make a moment the clock time of this machine's zone.
            return f"epoch_ns({name})" if wanted.column.kind == "time" else name
        if wanted.kind != "text":
            return name
        shown = f"CAST({name} AS VARCHAR)"
        for letter, spelling in ESCAPES if wanted.escaped else ():
            shown = f"replace({shown}, '{_quoted(letter)}', '{spelling}')"
        return shown


def _literally(path: str) -> str:
    """A path that is known, as a pattern that nothing else matches."""
    return _MAGIC.sub(r"[\g<0>]", path)


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _kind(name: str) -> ColumnKind:
    if name in _INTEGERS:
        return "integer"
    if name in _FLOATS or name.startswith("DECIMAL"):
        return "float"
    if name == "BOOLEAN":
        return "boolean"
    if name == "VARCHAR" or name.startswith("ENUM"):
        return "text"
    return "time" if name == "DATE" or name.startswith("TIMESTAMP") else "other"
