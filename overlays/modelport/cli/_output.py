"""What commands print: tables for people, JSON for programs, progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from modelport._plain import plain

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for programs."
)


def printable(value: object) -> Any:
    """The value in JSON's own types: paths as text, records by the names that they have in Python."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): printable(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [printable(item) for item in cast("Iterable[Any]", value)]
    names = _field_names(value)
    return _record(value, names) if names else plain(value)


def _record(value: object, names: Iterable[str]) -> dict[str, Any]:
    """An object's fields, without those that the server left out, with those that its document does not know."""
    from modelport_api._runtime.types import Unset

    record = {name.rstrip("_"): getattr(value, name) for name in names if not name.startswith("_")}
    record |= record.pop("additional_properties", {})
    return {name: printable(field) for name, field in record.items() if not isinstance(field, Unset)}


def _field_names(value: object) -> list[str]:
    """The fields of an attrs object or a dataclass."""
    kind: Any = type(value)
    fields: Iterable[Any] = getattr(kind, "__attrs_attrs__", ()) or getattr(kind, "__dataclass_fields__", ())
    return [str(getattr(field, "name", field)) for field in fields]


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    # msgspec's encoder, because it writes NaN (a divergence of nothing) as null, which JSON has.
    click.echo(msgspec.json.format(msgspec.json.encode(printable(value)), indent=2))


def print_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, empty: str = "nothing found") -> None:
    """A table of these columns: with lines on a terminal, aligned text elsewhere."""
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    if not cells:
        note(empty)
    elif sys.stdout.isatty():
        _print_rich(cells, columns)
    else:
        _print_aligned([[column.upper() for column in columns], *cells])


def print_record(record: Mapping[str, Any]) -> None:
    """One thing, a line a field."""
    width = max((len(name) for name in record), default=0)
    for name, value in record.items():
        click.echo(f"{name:<{width}}  {_cell(value)}".rstrip())


def show(value: Any, *, as_json: bool, columns: Sequence[str] = ()) -> None:
    """A list as a table, anything else as a record; or either as JSON."""
    flat = printable(value)
    if as_json:
        print_json(flat)
    elif isinstance(flat, list):
        rows = cast("list[Mapping[str, Any]]", flat)
        print_table(rows, columns or (list(rows[0]) if rows else []))
    elif isinstance(flat, dict):
        print_record(cast("Mapping[str, Any]", flat))
    else:
        click.echo(flat)


def write_file(path: Path, text: str) -> None:
    """Write the file, whole or not at all."""
    from modelport._files import write_whole

    write_whole(path, text.encode())


def note(text: str) -> None:
    """A line for the person at the terminal; programs that read stdout never see it."""
    click.echo(text, err=True)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case dict() | list():
            return msgspec.json.encode(value).decode()
        case float():
            return f"{value:.6g}"
        case _:
            # A server's text must not be able to drive the terminal or to break the table.
            return "".join(letter if letter.isprintable() else " " for letter in str(value))


def _print_rich(cells: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.upper(), overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _print_aligned(cells: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
