"""Spark as engine, where data outgrows one machine."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.drift.offline._columns import VIEW, Column, ColumnKind, ViewColumn
from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._literals import ESCAPES
from modelport.drift.offline._sources import ArrowSource, FileSource, SparkSource, is_hive

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = ["SparkTable", "spark_session"]

# The last is how Spark reads whole numbers of 64 bits without a sign.
_INTEGERS = frozenset({"tinyint", "smallint", "int", "bigint", "decimal(20,0)"})
_FLOATS = frozenset({"float", "double"})
_CASE_SENSITIVE = "spark.sql.caseSensitive"
_TEXTS = ("string", "varchar", "char")


class SparkTable:
    """Files, an Arrow table or a DataFrame in Spark. Nothing is computed by Python workers."""

    def __init__(self, source: FileSource | ArrowSource | SparkSource, session: Any = None) -> None:
        """Open `source` in `session`, by default in the one that is running or on this machine.

        Raises:
            MissingExtraError: pyspark is not installed.
            OfflineError: Spark cannot read it.
        """
        require("pyspark.sql", "spark")
        if isinstance(source, SparkSource):
            self._session, frame = source.frame.sparkSession, source.frame
        else:
            self._session = session if session is not None else spark_session()
            frame = self._asked(lambda: _open(self._session, source))
        types = [(str(name), str(kind)) for name, kind in frame.dtypes]
        self.columns = [Column(name, _kind(kind)) for name, kind in types]
        self._types = [kind for _, kind in types]
        # By place, because Spark does not tell names apart that differ only in case.
        self._frame = frame.toDF(*(f"x{place}" for place in range(len(types))))

    def query(self, sql: str, view: Sequence[ViewColumn]) -> list[tuple[Any, ...]]:
        """The rows of `sql`."""
        shown = [self._shown(column).alias(f"k{place}") for place, column in enumerate(view)]
        rows: list[tuple[Any, ...]] = self._asked(lambda: self._run(sql, shown))
        return rows

    def _run(self, sql: str, shown: list[Any]) -> list[tuple[Any, ...]]:
        self._frame.select(*shown).createOrReplaceTempView(VIEW)
        try:
            return [tuple(row) for row in self._session.sql(sql).collect()]
        finally:
            self._session.catalog.dropTempView(VIEW)

    def _asked(self, ask: Any) -> Any:
        errors: Any = require("pyspark.errors", "spark")
        try:
            with _exact_names(self._session):
                return ask()
        except errors.PySparkException as error:
            raise OfflineError(f"Spark: {str(error).partition(chr(10))[0]}") from error

    def _shown(self, wanted: ViewColumn) -> Any:
        functions: Any = require("pyspark.sql.functions", "spark")
        place = [known.name for known in self.columns].index(wanted.column.name)
        column = functions.col(f"x{place}")
        if wanted.kind == "other":
            return column.isNotNull()
        if wanted.kind == "time":
            return _nanoseconds(functions, column, self._types[place]) if wanted.column.kind == "time" else column
        if wanted.kind != "text":
            return column
        shown = column.cast("string")
        for letter, spelling in ESCAPES if wanted.escaped else ():
            shown = functions.replace(shown, functions.lit(letter), functions.lit(spelling))
        return shown


@contextmanager
def _exact_names(session: Any) -> Generator[None]:
    """Columns whose names differ only in case are two, as they are everywhere else; the session's way is given back."""
    before = session.conf.get(_CASE_SENSITIVE, None)
    session.conf.set(_CASE_SENSITIVE, "true")
    try:
        yield
    finally:
        if before is None:
            session.conf.unset(_CASE_SENSITIVE)
        else:
            session.conf.set(_CASE_SENSITIVE, before)


def spark_session(master: str | None = None) -> Any:
    """The session that is running; else a new one at `master`, by default on all cores of this machine.

    Raises:
        MissingExtraError: pyspark is not installed.
        OfflineError: It cannot start: no Java, or no such master.
    """
    sql: Any = require("pyspark.sql", "spark")
    builder = sql.SparkSession.builder.appName("modelport").master(master or "local[*]")
    active = sql.SparkSession.getActiveSession()
    if active is not None and master is None:
        return active
    try:
        return builder.config("spark.ui.enabled", "false").getOrCreate()
    except Exception as error:
        raise OfflineError(f"Spark did not start: {str(error).partition(chr(10))[0]}") from error


def _open(session: Any, source: FileSource | ArrowSource) -> Any:
    if isinstance(source, ArrowSource):
        return session.createDataFrame(_zoned(source.table))
    files, base = source.files, source.root
    if source.is_remote:
        # Spark reaches S3 by s3a://, and only with the hadoop-aws package among its jars.
        files = tuple(file.replace("s3://", "s3a://", 1) for file in files)
        base = "/".join(files[0].split("/")[:3])
    options = {"basePath": base} if is_hive(files) and "*" not in base else {}
    return session.read.options(**options).option("mergeSchema", "true").parquet(*files)


def _zoned(table: Any) -> Any:
    """Times that name no zone are UTC; Spark would read them in the session's."""
    pa: Any = require("pyarrow", "parquet")
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz is None:
            kind = pa.timestamp(field.type.unit, "UTC")
            table = table.set_column(place, field.name, table.column(place).cast(kind))
    return table


def _nanoseconds(functions: Any, column: Any, kind: str) -> Any:
    if kind == "timestamp_ntz":
        # Cast to a timestamp it would be read in the session's time zone.
        start = functions.expr("TIMESTAMP_NTZ '1970-01-01 00:00:00'")
        return functions.timestamp_diff("MICROSECOND", start, column) * 1000
    if kind == "date":
        return functions.unix_date(column).cast("bigint") * 86_400_000_000_000
    return functions.unix_micros(column) * 1000


def _kind(name: str) -> ColumnKind:
    if name in _INTEGERS:
        return "integer"
    if name in _FLOATS or name.startswith("decimal"):
        return "float"
    if name == "boolean":
        return "boolean"
    if name.startswith(_TEXTS):
        return "text"
    return "time" if name in {"date", "timestamp", "timestamp_ntz"} else "other"
