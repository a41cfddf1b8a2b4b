"""Data files of ``modelport drift``, and the options of the commands that read them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelport._extras import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport.drift import Baseline

data_file = click.Path(exists=True, path_type=Path)
output_option = click.option("--output-column", metavar="NAME", help="The column that holds the model's output.")


def baseline_from(data: Path, output_column: str | None, model_version: str | None) -> Baseline:
    """The baseline of a data file."""
    from modelport.drift import Baseline

    frame, output = read(data, output_column)
    return Baseline.from_data(frame, output=output, model_version=model_version)


def read(path: Path, output_column: str | None) -> tuple[Any, Any]:
    """The features and the output of a data file."""
    pandas: Any = require("pandas", "training")
    readers: dict[str, Callable[[Path], Any]] = {
        ".csv": pandas.read_csv,
        ".parquet": pandas.read_parquet,
        ".jsonl": lambda file: pandas.read_json(file, lines=True),
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise click.UsageError(f"{path}: not a kind of data that is known here: {', '.join(readers)}")
    try:
        frame = reader(path)
    except (ValueError, OSError) as error:
        raise click.UsageError(f"{path} cannot be read: {error}") from error
    if output_column is None:
        return frame, None
    if output_column not in frame:
        raise click.UsageError(f"{path} has no column {output_column!r}; it has: {', '.join(map(str, frame))}")
    return frame.drop(columns=output_column), frame[output_column]
