"""The predict programs: written to the output folder, and each one run as a person would."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from modelport import predict_code
from modelport.demo._story import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from modelport.predict_code import Target

_SECONDS = 60
_AT_ONCE = 3
_SHOWN_CHARACTERS = 600
_VARIABLE = "MLOPS_GROUP_TOKEN"
# What a program needs beside the interpreter.
_TOOLS = {"curl": ("curl", "jq")}


class Programs:
    """Writes programs below `folder` and runs them with `token` in their environment."""

    def __init__(self, folder: Path, token: str) -> None:
        self._folder = folder
        self._token = token
        self._running: set[subprocess.Popen[str]] = set()
        self._ending = False

    def run_all(
        self, texts: dict[tuple[str, str], str], file: Path, on_done: Callable[[Program], None]
    ) -> list[Program]:
        """Run the programs, by kind ("sync", "async") and language; those of the async kind are given `file`."""
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="modelport-demo")
        try:
            waiting = [
                pool.submit(
                    self._one, kind, predict_code.target(language), text, [str(file)] if kind == "async" else []
                )
                for (kind, language), text in texts.items()
            ]
            done: list[Program] = []
            for future in waiting:
                done.append(future.result())
                on_done(done[-1])
            return done
        finally:
            # After Ctrl-C nothing new starts, and what runs is ended with its children.
            self._ending = True
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(self._running):
                _kill(process)
            pool.shutdown()

    def _one(self, kind: str, target: Target, text: str, arguments: Sequence[str]) -> Program:
        folder = self._folder / kind / target.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / target.filename).write_text(text, "utf-8", newline="")
        missing = _missing(target)
        began = time.monotonic()
        ran, outcome = (
            (None, f"not run: this machine lacks {missing}") if missing else self._run(target, folder, arguments)
        )
        return Program(
            kind=kind,
            language=target.name,
            label=target.label,
            filename=target.filename,
            text=text,
            ran=ran,
            seconds=time.monotonic() - began,
            outcome=outcome,
        )

    def _run(self, target: Target, folder: Path, arguments: Sequence[str]) -> tuple[bool, str]:
        interpreter = sys.executable if target.command[0] == "python" else target.command[0]
        process = subprocess.Popen(
            [interpreter, *target.command[1:], *arguments],
            cwd=folder,
            env={**os.environ, _VARIABLE: self._token},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._running.add(process)
        if self._ending:
            _kill(process)
        try:
            answer, errors = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            _kill(process)
            process.communicate()
            return False, f"no answer within {_SECONDS} seconds"
        finally:
            self._running.discard(process)
        good = process.returncode == 0
        said = (answer if good else errors or answer).strip()
        return good, said[:_SHOWN_CHARACTERS] or f"ended with status {process.returncode}"


def _missing(target: Target) -> str:
    """What the machine lacks to run a program of this kind; empty when nothing."""
    interpreter = [] if target.command[0] == "python" else [target.command[0]]
    absent = [tool for tool in (*interpreter, *_TOOLS.get(target.name, ())) if shutil.which(tool) is None]
    packages = [package.split(">")[0] for package in target.packages] if target.command[0] == "python" else []
    absent += [package for package in packages if importlib.util.find_spec(package) is None]
    return ", ".join(absent)


def _kill(process: subprocess.Popen[str]) -> None:
    """End a program with everything that it started: it leads a session of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
