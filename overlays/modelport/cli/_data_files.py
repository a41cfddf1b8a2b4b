"""Data files that commands read: CSV, Parquet and JSON lines, batch by batch, so that one of any size passes."""

from __future__ import annotations

import codecs
import io
from abc import ABC, abstractmethod
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

import click
import msgspec

from modelport._extras import require, require_all
from modelport.drift import _csv_text

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from modelport.drift._csv_text import Form

__all__ = ["DataFile", "open_data"]

Batch: TypeAlias = "dict[str, Any]"
"""A column of some rows, by name."""

_ROWS_AT_ONCE = 1 << 16
_READ_BYTES = 1 << 20
_COMPRESSED = {".gz", ".bz2", ".zst"}


def open_data(path: Path) -> DataFile:
    """The file as one of the kinds known, by the end of its name (CSV and JSON lines also compressed: ``.csv.gz``).

    Raises:
        click.UsageError: Another kind, or a file that cannot be read.
    """
    require_all({"numpy": "drift", "pyarrow": "parquet"})
    kinds: dict[str, type[DataFile]] = {
        ".csv": _CsvFile, ".parquet": _ParquetFile, ".jsonl": _JsonLinesFile, ".ndjson": _JsonLinesFile,
    }  # fmt: skip
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    kind = kinds.get(suffixes[-1] if suffixes else "")
    if kind is None:
        what = "a directory, and not" if path.is_dir() else "not"
        raise click.UsageError(
            f"{path}: {what} a kind of data that is known here: {', '.join(kinds)} "
            f"(all but Parquet also {', '.join(sorted(_COMPRESSED))}); a saved baseline is .json or .prom"
        )
    file = kind(path)
    twice = {name for name in file.names if file.names.count(name) > 1}
    if twice:
        raise click.UsageError(f"{path}: column {min(twice)!r} occurs twice")
    return file


class DataFile(ABC):
    """Rows in a file.

    Attributes:
        path: Where it is.
        names: Its columns, in order.
        rows: How many rows it has; of CSV only known once it is measured.
    """

    names: Sequence[str]
    rows: int = 0

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._reading():
            self._open()
        if not self.names:
            raise click.UsageError(f"{path} holds no rows")

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """The named columns, as the file has them."""
        with self._reading():
            yield from self._batches(names)

    def measure(self, names: Sequence[str]) -> int:
        """Find out what `typed` has to know of the columns; how many rows there are."""
        del names
        return self.rows

    def typed(self, names: Sequence[str]) -> Iterator[Batch]:
        """The named columns with a type that holds for the whole file; `measure` them first."""
        return self.batches(names)

    def numbers(self, column: Any) -> Any:
        """A column of a batch, where numbers are expected."""
        return column

    def labels(self, column: Any, known: AbstractSet[str]) -> Any:
        """A column of a batch, where categories are expected."""
        del known
        return column

    @abstractmethod
    def _open(self) -> None: ...

    @abstractmethod
    def _batches(self, names: Sequence[str]) -> Iterator[Batch]: ...

    @contextmanager
    def _reading(self) -> Generator[None]:
        try:
            yield
        except (ValueError, OSError, EOFError, msgspec.DecodeError) as error:
            raise click.UsageError(f"{self.path} cannot be read: {self._told(error)}") from error

    def _told(self, error: Exception) -> str:
        return str(error) or type(error).__name__


class _CsvFile(DataFile):
    """Read as text, since the type of a column shows only at its end. An empty cell is a missing value."""

    _forms: dict[str, Form]

    def _open(self) -> None:
        self.names = _csv_text.csv_names(self.path)

    def _told(self, error: Exception) -> str:
        return _csv_text.csv_fault(error)

    def _batches(self, names: Sequence[str]) -> Iterator[Batch]:
        with _csv_text.open_csv(self.path, self.names, names) as reader:
            for batch in reader:
                yield dict(zip(names, batch.columns, strict=True))

    def measure(self, names: Sequence[str]) -> int:
        found: dict[str, set[Form]] = {name: set() for name in names}
        self.rows = 0
        for batch in self.batches(names):
            self.rows += len(batch[names[0]])
            for name, column in batch.items():
                if "text" not in found[name]:
                    found[name] |= _csv_text.forms(column)
        self._forms = {name: _csv_text.common_form(forms) for name, forms in found.items()}
        return self.rows

    def typed(self, names: Sequence[str]) -> Iterator[Batch]:
        for batch in self.batches(names):
            yield {name: _csv_text.as_typed(column, self._forms[name]) for name, column in batch.items()}

    def numbers(self, column: Any) -> Any:
        return _csv_text.as_numbers(column)

    def labels(self, column: Any, known: AbstractSet[str]) -> Any:
        return _csv_text.as_labels(column, known)


class _ParquetFile(DataFile):
    def _open(self) -> None:
        with self._file() as file:
            self.names, self.rows = list(file.schema_arrow.names), file.metadata.num_rows

    def _batches(self, names: Sequence[str]) -> Iterator[Batch]:
        with self._file() as file:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(names)):
                yield {name: batch.column(name) for name in names}

    def _file(self) -> Any:
        parquet: Any = require("pyarrow.parquet", "parquet")
        # Reading ahead, its default, keeps the whole file in memory.
        return parquet.ParquetFile(self.path, pre_buffer=False, buffer_size=_READ_BYTES)


class _JsonLinesFile(DataFile):
    def _open(self) -> None:
        names: dict[str, None] = {}
        self.rows = 0
        for row in self._rows():
            names.update(dict.fromkeys(row))
            self.rows += 1
        self.names = list(names)

    def _batches(self, names: Sequence[str]) -> Iterator[Batch]:
        rows = self._rows()
        while chunk := list(islice(rows, _ROWS_AT_ONCE)):
            yield {name: [row.get(name) for row in chunk] for name in names}

    def _rows(self) -> Iterator[dict[str, Any]]:
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        with self._lines() as lines:
            for number, text in enumerate(lines, 1):
                line = text.removeprefix(codecs.BOM_UTF8) if number == 1 else text
                if line.strip():
                    try:
                        yield decode(line)
                    except msgspec.DecodeError as error:
                        raise ValueError(f"line {number}: {error}") from error

    def _lines(self) -> Any:
        if self.path.suffix.lower() in _COMPRESSED:
            pa: Any = require("pyarrow", "parquet")
            return io.BufferedReader(pa.input_stream(self.path, compression="detect"))
        return self.path.open("rb")
