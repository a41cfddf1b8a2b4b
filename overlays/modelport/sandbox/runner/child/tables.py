"""Data files as frames and back; pandas is imported only when one of these is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .problems import Problem


def read_table(path: str | Path, sep: str | None = None) -> Any:
    """A csv, parquet or json file as a DataFrame with at least one row."""
    import pandas as pd  # heavy, and only needed here

    path = Path(path)
    try:
        if path.suffix.lower() == ".parquet":
            frame = pd.read_parquet(path)
        elif path.suffix.lower() == ".json":
            frame = pd.read_json(path)
        else:
            frame = pd.read_csv(path, sep=sep or ",")
    except pd.errors.EmptyDataError:
        raise Problem(f"the file {path.name!r} is empty: it has neither a header nor rows", "data") from None
    except Exception as error:
        raise Problem(f"the file {path.name!r} cannot be read as {path.suffix or 'csv'}: {error}", "data") from None
    if len(frame) == 0:
        raise Problem(f"the file {path.name!r} has no rows", "data")
    return frame


def as_frame(value: Any, name: str) -> Any:
    """Frames, series, arrays and lists as a DataFrame with text column names."""
    import pandas as pd  # heavy, and only needed here

    if isinstance(value, pd.DataFrame):
        frame = value.copy(deep=False)
    elif isinstance(value, pd.Series):
        frame = value.to_frame(name=value.name if value.name is not None else name)
    else:
        try:
            frame = pd.DataFrame(value)
        except Exception as error:
            raise Problem(f"{name} cannot be made a table: {type(value).__name__}: {error}") from None
        if frame.shape[1] == 1:
            frame.columns = [name]
    frame.columns = [str(column) for column in frame.columns]
    return frame


def write_parquet(value: Any, path: Path, name: str) -> None:
    """Write what `as_frame` makes of a value."""
    frame = as_frame(value, name)
    try:
        frame.to_parquet(path, index=False)
    except Exception as error:
        raise Problem(f"{name} cannot be written as parquet: {error}") from None
