"""CSV files: all text, each cell read as what the text says, in the same way wherever one is counted."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from modelport._extras import require
from modelport.drift._values import to_label, to_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet

__all__ = [
    "BLOCK_BYTES",
    "Form",
    "as_labels",
    "as_numbers",
    "as_times",
    "as_truths",
    "as_typed",
    "common_form",
    "csv_fault",
    "csv_names",
    "forms",
    "open_csv",
    "split_numbers",
]

Form: TypeAlias = Literal["whole", "number", "flag", "text"]
"""What a column's cells are: ``whole`` numbers, numbers, true or false, or anything."""

BLOCK_BYTES = 1 << 22
"""How much of a file is read at once."""

_FLAGS = {"true": True, "false": False}
_UNEVEN = re.compile(r"Expected \d+ columns, got \d+")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def csv_names(source: Any) -> list[str]:
    """The columns of a path or a stream: commas, a header, UTF-8.

    Raises:
        ValueError: Not CSV.
        OSError: It cannot be read.
    """
    with _reader(source, (), None) as reader:
        return list(reader.schema.names)


def open_csv(source: Any, known: Iterable[str], names: Sequence[str], block_bytes: int | None = None) -> Any:
    """A reader of record batches with the columns `names` of all those `known`, as text; an empty cell is null.

    Raises:
        ValueError: Not CSV; while reading too.
        OSError: It cannot be read; while reading too.
    """
    return _reader(source, known, list(names), block_bytes)


def csv_fault(error: Exception) -> str:
    """What is wrong with a file, in a line that quotes no cell of it."""
    told = str(error).partition("\n")[0] or type(error).__name__
    uneven = _UNEVEN.search(told)
    if uneven is not None:
        return f"CSV parse error: {uneven[0]}"
    if "UTF8" in told or isinstance(error, UnicodeDecodeError):
        return "not UTF-8, which CSV has to be here"
    return told


def forms(array: Any) -> set[Form]:
    """What the cells are that are not empty: one form or none, but both flag and number are possible over batches."""
    present = array.drop_null()
    if not len(present):
        return set()
    # Floats first: Arrow alone reads 0x10 as a whole number, and neither Python nor the counting does.
    numbers = _cast(present, "float64")
    if numbers is not None and _cast(present, "int64") is not None:
        return {"whole"}
    distinct = present.unique().to_pylist()
    if all(_whole(cell) is not None for cell in distinct):
        return {"whole"}
    if numbers is not None or all(_number(cell) is not None for cell in distinct):
        return {"number"}
    return {"flag"} if all(_flag(cell) is not None for cell in distinct) else {"text"}


def common_form(found: AbstractSet[Form]) -> Form:
    """The form of a column whose batches have these."""
    if not found or "text" in found or ("flag" in found and len(found) > 1):
        return "text"
    if "flag" in found:
        return "flag"
    return "number" if "number" in found else "whole"


def as_typed(array: Any, form: Form) -> Any:
    """The column as what it is."""
    if form == "whole":
        cast = _cast(array, "int64")
        # Beyond 64 bits they are numbers of Python, which keep every digit.
        return [None if cell is None else int(cell) for cell in array.to_pylist()] if cast is None else cast
    if form == "number":
        return as_numbers(array)
    return _mapped(array, _flag) if form == "flag" else array


def as_numbers(array: Any) -> Any:
    """The column as floats if all cells are numbers; else as it is, for each cell to be looked at."""
    cast = _cast(array, "float64")
    if cast is not None:
        return cast
    numbers, bad = split_numbers(array)
    return numbers if bad is None else array


def split_numbers(array: Any) -> tuple[Any, Any]:
    """The column as floats, null where a cell is no number; and where that is so, None if nowhere."""
    cast = _cast(array, "float64")
    if cast is not None:
        return cast, None
    pc: Any = require("pyarrow.compute", "parquet")
    numbers = _mapped(array, _number, "float64")
    bad = pc.and_(array.is_valid(), numbers.is_null())
    return numbers, bad if pc.any(bad).as_py() else None


def as_truths(array: Any) -> Any:
    """The column as floats, true and false as 1 and 0, null where a cell is neither."""
    cast = _cast(array, "float64")
    return _mapped(array, _number_or_flag, "float64") if cast is None else cast


def as_labels(array: Any, known: AbstractSet[str]) -> Any:
    """The column as labels: a cell itself, or else the number or flag that it spells, whichever is known."""

    def label(cell: str) -> str:
        return next((form for form in (to_label(cell), _spelled(cell)) if form in known and form), cell)

    return _mapped(array, label, "string")


def as_times(array: Any) -> Any:
    """The column as nanoseconds since 1970: whole numbers of them, or ISO timestamps, in UTC where they name no zone.

    Raises:
        ValueError: A cell is neither, or beyond what 64 bits hold.
    """
    pa: Any = require("pyarrow", "parquet")
    for kind in (pa.int64(), pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        cast = _cast(array, kind)
        if cast is not None:
            return cast.cast("int64")
    try:
        return _mapped(array, _nanoseconds, "int64")
    except OverflowError as error:
        message = "a time beyond 64 bits of nanoseconds"
        raise ValueError(message) from error


def _reader(source: Any, known: Iterable[str], names: list[str] | None, block_bytes: int | None = None) -> Any:
    csv: Any = require("pyarrow.csv", "parquet")
    text: Any = require("pyarrow", "parquet").string()
    return csv.open_csv(
        source,
        read_options=csv.ReadOptions(block_size=block_bytes or BLOCK_BYTES),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(known, text), include_columns=names, null_values=[""], strings_can_be_null=True
        ),
    )


def _spelled(cell: str) -> str | None:
    value: float | None = _flag(cell)
    for read in (_whole, _number):
        value = read(cell) if value is None else value
    return None if value is None else to_label(value)


def _number_or_flag(cell: str) -> float | None:
    number = _number(cell)
    return _flag(cell) if number is None else number


def _flag(cell: str) -> bool | None:
    return _FLAGS.get(cell.strip().lower())


def _whole(cell: str) -> int | None:
    try:
        return int(cell)
    except ValueError:
        return None


def _number(cell: str) -> float | None:
    try:
        return to_number(cell)
    except ValueError:
        return None


def _nanoseconds(cell: str) -> int:
    whole = _whole(cell)
    if whole is not None:
        return whole
    moment = dt.datetime.fromisoformat(cell.strip())
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return (moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000


def _mapped(array: Any, change: Callable[[str], object], kind: str | None = None) -> Any:
    pa: Any = require("pyarrow", "parquet")
    encoded = array.dictionary_encode()
    values = pa.array([change(cell) for cell in encoded.dictionary.to_pylist()], kind)
    return values.take(encoded.indices)


def _cast(array: Any, to: Any) -> Any:
    pa: Any = require("pyarrow", "parquet")
    try:
        return array.cast(to)
    except pa.ArrowInvalid:
        return None
