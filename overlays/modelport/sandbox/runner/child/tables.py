"""Data files as frames and back; pandas is imported only when one of these is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .heavy import heavy
from .problems import ContractError


def read_table(path: str | Path, sep: str | None = None) -> Any:
    """A csv, parquet or json file as a DataFrame with at least one row."""
    pd = heavy("pandas")

    path = Path(path)
    try:
        if path.suffix.lower() == ".parquet":
            frame = pd.read_parquet(path)
        elif path.suffix.lower() == ".json":
            frame = pd.read_json(path)
        else:
            frame = pd.read_csv(path, sep=sep or ",")
    except pd.errors.EmptyDataError:
        raise ContractError(f"the file {path.name!r} is empty: it has neither a header nor rows", "data") from None
    except Exception as error:  # noqa: BLE001 - whatever the reader or writer raises, the data is at fault
        raise ContractError(
            f"the file {path.name!r} cannot be read as {path.suffix or 'csv'}: {error}", "data"
        ) from None
    if len(frame) == 0:
        raise ContractError(f"the file {path.name!r} has no rows", "data")
    return frame


def as_frame(value: Any, name: str) -> Any:
    """Frames, series, arrays and lists as a DataFrame with text column names."""
    pd = heavy("pandas")

    if isinstance(value, pd.DataFrame):
        frame = value.copy(deep=False)
    elif isinstance(value, pd.Series):
        frame = value.to_frame(name=value.name if value.name is not None else name)
    else:
        try:
            frame = pd.DataFrame(value)
        except Exception as error:  # noqa: BLE001 - whatever the reader or writer raises, the data is at fault
            raise ContractError(f"{name} cannot be made a table: {type(value).__name__}: {error}") from None
        if frame.shape[1] == 1:
            frame.columns = [name]
    frame.columns = [str(column) for column in frame.columns]
    return frame


def write_parquet(value: Any, path: Path, name: str) -> None:
    """Write what `as_frame` makes of a value."""
    frame = as_frame(value, name)
    try:
        frame.to_parquet(path, index=False)
    except Exception as error:  # noqa: BLE001 - whatever the reader or writer raises, the data is at fault
        raise ContractError(f"{name} cannot be written as parquet: {error}") from None
