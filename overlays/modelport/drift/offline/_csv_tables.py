"""CSV files as Arrow tables with a typed column per column of a baseline.

No engine reads CSV itself: each guesses the types in its own way, and a wrong guess looks like drift.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from modelport._extras import require
from modelport.drift import _csv_text
from modelport.drift.offline._columns import (
    ENDPOINT,
    SEGMENT_PREFIX,
    VERSION,
    Column,
    Layout,
    find_column,
    segment_column,
)
from modelport.drift.offline._errors import OfflineError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from modelport.drift._baseline import FeatureBaseline
    from modelport.drift.offline._sources import FileSource
    from modelport.drift.offline._wish import Wish

__all__ = ["CsvTables"]

_OUTPUT, _TRUTH, _TIME = "output", "truth", "timestamp_ns"
_NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"

_Make: TypeAlias = "Callable[[Any], Mapping[str, Any]]"


@dataclass(frozen=True, slots=True)
class _Read:
    """One column of the files, and the columns made of its text, by name."""

    column: str
    make: _Make


class CsvTables:
    """The files of a source, each cell read as `modelport drift compare` reads it.

    Attributes:
        wish: The wish, of the columns that the tables have.
    """

    def __init__(self, source: FileSource, wish: Wish) -> None:
        """Look at the headers of all files.

        Raises:
            OfflineError: A file is not CSV, or what is wished for has no column.
        """
        self._source = source
        self._headers = {file: self._header(file) for file in source.files}
        names = [name for header in self._headers.values() for name in header]
        folders = [name for file in source.files for name in _folders(file)]
        columns = [Column(name, "text") for name in dict.fromkeys([*names, *folders])]
        layout = Layout.find(wish.baseline, columns, wish.columns, wish.output)
        pairs = zip(wish.baseline.columns, layout.columns, strict=True)
        self._reads = [_of_baseline(known, place, found) for place, (known, found) in enumerate(pairs) if found]
        self._reads += [
            _copied(segment_column(columns, name).name, SEGMENT_PREFIX + name) for name in dict.fromkeys(wish.segments)
        ]
        self._reads += [_copied(name, name) for name in (ENDPOINT, VERSION) if find_column(columns, name)]
        time = wish.time_column(columns)
        if time is not None:
            self._reads.append(_of_time(time.name))
        self._reads += self._compared(wish, columns)
        places = tuple(None if found is None else f"c{place}" for place, found in enumerate(layout.columns))
        self.wish = replace(
            wish.at(places, tuple(f"u{place}" for place in range(len(places)))),
            output=_OUTPUT,
            label=None if wish.label is None else _TRUTH,
            time=None if time is None else _TIME,
        )

    def tables(self, block_bytes: int | None = None) -> Iterator[Any]:
        """A ``pyarrow.Table`` for each so many bytes of a file.

        Raises:
            OfflineError: A file cannot be read.
        """
        pa: Any = require("pyarrow", "parquet")
        for texts in self._texts([read.column for read in self._reads], block_bytes):
            made: dict[str, Any] = {}
            for read in self._reads:
                made |= read.make(texts[read.column])
            yield pa.table(made)

    def _header(self, file: str) -> list[str]:
        with _reading(file):
            names = _csv_text.csv_names(self._source.open(file))
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise OfflineError(f"{file}: column {twice!r} occurs twice")
        return names

    def _texts(self, names: Sequence[str], block_bytes: int | None = None) -> Iterator[dict[str, Any]]:
        """The named columns of each part of a file; null where a file has no such column."""
        pa: Any = require("pyarrow", "parquet")
        for file, header in self._headers.items():
            folders = _folders(file)
            present = [name for name in dict.fromkeys(names) if name in header]
            with (
                _reading(file),
                _csv_text.open_csv(self._source.open(file), header, present, block_bytes) as reader,
            ):
                for batch in reader:
                    texts = {name: batch.column(name) for name in present}
                    for name in set(names) - texts.keys():
                        texts[name] = pa.repeat(pa.scalar(folders.get(name), pa.string()), batch.num_rows)
                    yield texts

    def _compared(self, wish: Wish, columns: Sequence[Column]) -> list[_Read]:
        """Output and truth as numbers; as labels if the baseline has labels, or, without a say of it, they are text."""
        found = wish.compared_columns(columns)
        if found is None:
            return []
        names = [column.name for column in found]
        labels = wish.compares_labels
        if labels is None:
            labels = any(
                _csv_text.as_truths(array).null_count > array.null_count
                for texts in self._texts(names)
                for array in texts.values()
            )
        output = wish.baseline.output
        known = frozenset(() if output is None else output.categories)

        def read(array: Any) -> Any:
            return _csv_text.as_labels(array, known) if labels else _csv_text.as_truths(array)

        made = zip(names, (_OUTPUT, _TRUTH), strict=True)
        return [_made(name, to, read) for name, to in made]


def _of_baseline(known: FeatureBaseline, place: int, column: Column) -> _Read:
    if known.kind == "categorical":
        categories = frozenset(known.categories)
        return _made(column.name, f"c{place}", lambda array: _csv_text.as_labels(array, categories))

    def numbers(array: Any) -> dict[str, Any]:
        made, bad = _csv_text.split_numbers(array)
        return {f"c{place}": made} if bad is None else {f"c{place}": made, f"u{place}": bad}

    return _Read(column.name, numbers)


def _made(name: str, to: str, convert: Callable[[Any], Any]) -> _Read:
    return _Read(name, lambda array: {to: convert(array)})


def _copied(name: str, to: str) -> _Read:
    return _made(name, to, lambda array: array)


def _of_time(name: str) -> _Read:
    def times(array: Any) -> dict[str, Any]:
        try:
            return {_TIME: _csv_text.as_times(array)}
        except ValueError:
            raise OfflineError(
                f"the column {name!r} has a cell that is neither a timestamp nor whole nanoseconds since 1970"
            ) from None

    return _Read(name, times)


def _folders(file: str) -> dict[str, str | None]:
    """What folders called ``name=value`` say of a file."""
    parts = [part.partition("=") for part in file.split("/")[:-1] if "=" in part]
    return {unquote(name): None if value == _NULL_FOLDER else unquote(value) for name, _, value in parts}


@contextmanager
def _reading(file: str) -> Generator[None]:
    try:
        yield
    except OfflineError:
        raise
    except (ValueError, OSError, EOFError) as error:
        raise OfflineError(f"{file} cannot be read: {_csv_text.csv_fault(error)}") from None
