"""What every group of operations needs: documents by kind, hashes, times, logs, and the life of an execution."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from modelport.sandbox._errors import BadRequestError, NotFoundError
from modelport.sandbox._shapes import as_object

if TYPE_CHECKING:
    from pathlib import Path

    from modelport.sandbox.platform import Services
    from modelport.sandbox.runner import Outcome
    from modelport.sandbox.store import Document

GROUP = "codex/group"
GROUP_TOKEN = "codex/group-token"  # noqa: S105 - the name of a kind of document
USER_TOKEN = "codex/user-token"  # noqa: S105 - the name of a kind of document
TRAINING = "codex/training"
TRAINING_RUN = "codex/training-execution"
MODEL = "codex/model"
MODEL_RUN = "codex/model-execution"
SCRIPT = "codex/preprocessing"
SCRIPT_RUN = "codex/preprocessing-execution"
DATASET = "codex/dataset"
DATASOURCE = "codex/datasource"
MONITORING = "codex/monitoring"
EXTERNAL = "codex/external-monitoring"

LOGS = "codex/log"
PREDICTIONS = "codex/prediction"
RECORDS = "codex/monitoring-record"

INTERRUPTED = "the sandbox ended before this was finished"
LOG_CHARACTERS = 20_000


class RunFailedError(Exception):
    """A run ended badly, for a reason that its owner may read."""


class Context:
    """Shared by all groups of operations."""

    def __init__(self, services: Services) -> None:
        self.settings = services.settings
        self.store = services.store
        self.runner = services.runner
        self.environments = services.environments

    # -- looking things up ------------------------------------------------------------------------------------------

    def group(self, name: str) -> Document:
        """The group, or 404."""
        found = self.store.get(GROUP, name)
        if found is None:
            raise NotFoundError(f"there is no group {name!r}: create it with POST /groups")
        return found

    def find(self, kind: str, key: object, what: str, *, group: str | None = None) -> Document:
        """A document by key, which must belong to the group where one is given; else 404."""
        found = self.store.get(kind, str(key))
        if found is None or (group is not None and found.get("Group") != group):
            where = f" in group {group!r}" if group is not None else ""
            raise NotFoundError(f"there is no {what} {key}{where}")
        return found

    def folder(self, *parts: object) -> Path:
        """A folder for files of this platform."""
        return self.store.folder("codex", *map(str, parts))

    # -- small makers -----------------------------------------------------------------------------------------------

    @staticmethod
    def new_hash(letter: str) -> str:
        """A letter and 63 hexadecimal digits."""
        return letter + secrets.token_hex(32)[:63]

    @staticmethod
    def now() -> str:
        """The time as the platform writes it."""
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # -- logs -------------------------------------------------------------------------------------------------------

    def log(self, owner: str, routine: str, kind: str, text: str) -> None:
        """One line of a model's or script's log; `kind` is Ok, Error, Debug or Warning."""
        if text.strip():
            body = {"Routine": routine, "OutputType": kind, "OutputData": text[:LOG_CHARACTERS]}
            self.store.append(LOGS, owner, body)

    def log_outcome(self, owner: str, routine: str, outcome: Outcome, success: str) -> None:
        """What a worker printed and how it ended."""
        self.log(owner, routine, "Debug", outcome.output)
        value = as_object(outcome.value) or {}
        for level, text in value.get("logs", []):
            self.log(owner, routine, str(level), str(text))
        self.log(owner, routine, "Ok" if outcome.ok else "Error", success if outcome.ok else outcome.error)

    def read_logs(self, owner: str, values: dict[str, Any]) -> Document:
        """The log answer for the query parameters start, end, routine and type."""
        since, until = span(values.get("start"), values.get("end"))
        lines = [
            {"Hash": owner, "RegisteredAt": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"), **body}
            for at, body in self.store.rows(LOGS, owner, since=since, until=until)
        ]
        wanted = {"Routine": values.get("routine"), "OutputType": values.get("type")}
        return {
            "Results": [
                line for line in lines if all(value is None or line[key] == value for key, value in wanted.items())
            ]
        }

    # -- executions -------------------------------------------------------------------------------------------------

    def start(
        self, kind: str, key: str, work: Callable[[], Document], *, states: tuple[str, str, str] | None = None
    ) -> None:
        """Run `work` in the background and walk the document through its states.

        `states` are the names while it runs, when it went well and when it failed; the default is that of executions.
        What `work` returns is merged into the document; RunFailedError gives the message of a failure.
        """
        running, good, bad = states or ("Running", "Succeeded", "Failed")
        self.store.begin(kind, key, on_crash={"State": bad, "Message": INTERRUPTED})

        def job() -> None:
            started = time.monotonic()
            result: Document
            self.store.patch(kind, key, State=running)
            try:
                result = {"Message": None, **work(), "State": good}
            except RunFailedError as error:
                result = {"State": bad, "Message": str(error)}
            except Exception:
                self.store.patch(kind, key, State=bad, Message="the sandbox failed here; its own log has the reason")
                raise
            finally:
                self.store.finish(kind, key)
            result = {**result, "TimeElapsed": int((time.monotonic() - started) * 1000)}
            if self.runner.closed and result["State"] == bad:
                result["Message"] = INTERRUPTED
            self.store.patch(kind, key, **result)

        self.runner.submit(job)


def run_message(outcome: Outcome) -> str:
    """The failure of a run in words."""
    tail = outcome.output.strip()[-2000:]
    return outcome.error + (f"\nPrinted before the end:\n{tail}" if tail and outcome.kind != "contract" else "")


def span(start: str | None, end: str | None, days: int | None = None) -> tuple[float, float]:
    """Two dates, both included, as a half-open span of time. `dd-mm-yyyy` and `yyyy-mm-dd` are both known."""
    last = _day(end, "end") if end else None
    first = _day(start, "start") if start else None
    if first is not None and last is not None and first > last:
        raise BadRequestError(f"start {start} is after end {end}")
    if days is not None and first is None and last is not None:
        first = last - timedelta(days=days)
    return (
        0.0 if first is None else datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp(),
        float("inf") if last is None else datetime(last.year, last.month, last.day, tzinfo=UTC).timestamp() + 86400.0,
    )


def _day(text: str, name: str) -> date:
    for layout in ("%d-%m-%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text[:10], layout).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise BadRequestError(f"query parameter {name!r}: {text[:40]!r} is not a date like 31-12-2025 or 2025-12-31")


def like(text: object, part: str | None) -> bool:
    """A LIKE-style filter: no filter fits everything."""
    return part is None or part.lower() in str(text or "").lower()
