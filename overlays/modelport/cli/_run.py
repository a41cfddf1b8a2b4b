"""Run the root command: what went wrong becomes one line on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.exceptions import NoArgsIsHelpError

from modelport.cli._root import cli

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
_OURS = ("modelport", "modelport_api", "modelport_tools")
_WRONG_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError, FileExistsError)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _open_closed_streams()
    try:
        result = cli.main(args=given, prog_name="modelport", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort) as error:
        return _stopped(error)
    except NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return BAD_INPUT
    except Exception as error:  # noqa: BLE001 (the outermost frame: everything becomes a line and a code)
        return _hang_up() if _reader_left(error) else _report(error, given)
    return result if isinstance(result, int) else DONE


def exit_code(error: BaseException) -> int:
    """2 for what the caller can mend in the command line, its environment or its files; 1 for what went wrong after."""
    if isinstance(error, (click.ClickException, *_WRONG_FILE)):
        return BAD_INPUT
    mendable = _is_ours(error) and isinstance(error, (ValueError, ImportError)) and not _came_from_server(error)
    return BAD_INPUT if mendable else FAILED


def message(error: BaseException) -> str:
    """The error in one line."""
    if isinstance(error, click.UsageError):
        where = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
        text = error.format_message().rstrip(".") + where
    elif isinstance(error, click.ClickException):
        text = error.format_message()
    elif isinstance(error, OSError) and error.strerror and not _is_ours(error):
        text = ": ".join([str(error.filename), error.strerror] if error.filename else [error.strerror])
    elif _is_ours(error):
        text = str(error) or type(error).__name__
    else:
        text = f"unexpected {type(error).__name__}: {error} (a fault of modelport: `modelport --debug` shows where)"
    # What the library had done on the server before it failed.
    text = "; ".join([text, *getattr(error, "__notes__", [])])
    # What a file or a server holds must not be able to drive the terminal.
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _report(error: BaseException, arguments: Sequence[str]) -> int:
    if _debugging(arguments):
        traceback.print_exception(error)
    if "--json" in arguments:
        click.echo(_as_json(error), err=True)
    else:
        click.echo(f"modelport: error: {message(error)}", err=True)
    return exit_code(error)


def _as_json(error: BaseException) -> str:
    """The error as one line of JSON; of a document also the place."""
    import json

    told: dict[str, object] = {"type": type(error).__name__, "message": message(error)}
    if type(error).__module__.startswith("modelport_tools."):
        told |= {name: getattr(error, name, None) or None for name in ("source", "line", "pointer", "reason")}
    return json.dumps({"error": told}, ensure_ascii=False)


def _debugging(arguments: Sequence[str]) -> bool:
    """Whether the root option stands before the command, or in the environment."""
    options = [argument for argument in arguments if argument.startswith("-")]
    return "--debug" in options or os.environ.get("MODELPORT_DEBUG", "0").lower() in {"1", "true", "yes", "on"}


def _is_ours(error: BaseException) -> bool:
    return any(base.__module__.partition(".")[0] in _OURS for base in type(error).__mro__)


def _came_from_server(error: BaseException) -> bool:
    """Whether a bad value is the server's: a ValueError too, but not the caller's to mend."""
    from modelport.errors import APIProtocolError, UnsafeArchiveError

    return isinstance(error, (APIProtocolError, UnsafeArchiveError))


def _stopped(error: BaseException) -> int:
    """Ctrl-C, or a question that was answered with no (or could not be asked)."""
    if KeyboardInterrupt in {type(error), type(error.__cause__), type(error.__context__)}:
        return INTERRUPTED
    click.echo("modelport: error: not confirmed, nothing was done", err=True)
    return FAILED


def _open_closed_streams() -> None:
    """A stream that was closed before the start (``>&-``) takes all and keeps nothing."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the end


def _reader_left(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EPIPE and not _is_ours(error)


def _hang_up() -> int:
    """The reader of our output went away (``modelport ... | head``): end without a word, now and at shutdown."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE
