"""One peer in an interpreter of its own: ``python worker.py MODULE`` answers "run this case" until its input ends.

Everything in this directory runs in the environment of one peer, so it knows the standard library and that peer and
nothing of the checkout: modules are imported by their bare names, because a peer may install a package ``tests``.

A question is a line of JSON ``{"case": ..., "n": ..., "options": {...}}``, an answer one with the case's figures or
with ``error``. A MODULE has ``CASES``, a name and what makes the case; a case is made when it is first asked for,
stays, and runs with n predictions. So rounds of all peers can take turns, and set-up is on nobody's account.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeAlias

Case: TypeAlias = Callable[..., dict[str, Any]]


def main(module: str) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a peer prints is not an answer
    cases: dict[str, Callable[[], Case]] = importlib.import_module(module).CASES
    made: dict[str, Case] = {}
    _say(answers, {"cases": list(cases)})
    for line in sys.stdin:
        question = json.loads(line)
        try:
            name = question["case"]
            if name not in made:
                made[name] = cases[name]()
            gc.collect()
            answer = made[name](question["n"], **question["options"])
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way, and the parent tells it
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        _say(answers, answer)


def _say(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
