"""Drift of a deployed model: what it was asked since it runs here, against the data of its training."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.sandbox.codex.context import MODEL, MONITORING, PREDICTIONS, TRAINING_RUN, Context, run_message
from modelport.sandbox.codex.hosting import Hosting
from modelport.sandbox.codex.training_work import FEATURES_FILE, OUTPUT_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from modelport.drift import Baseline, DriftReport, DriftSlice
    from modelport.sandbox.store import Document

# How many stored predictions a report looks at, newest last.
PREDICTIONS_LIMIT = 20_000
# The shortest of these that cuts the time served into few enough windows.
WINDOW_SECONDS = (1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400)
MOST_WINDOWS = 24
NANOSECONDS = 1_000_000_000

NO_TRAINING = (
    "No training data is known: the model was uploaded rather than promoted from a training execution, and no "
    "monitoring that is registered for it names one."
)
NO_FEATURES = "The training execution kept no features, so there is nothing to compare with."


@dataclass(frozen=True, slots=True)
class ModelDrift:
    """A deployed model, with its report or the reason why there is none.

    `note` says what of the data was looked at.
    """

    model: Document
    report: DriftReport | None
    reason: str = ""
    note: str = ""


class DriftData:
    """Makes reports and keeps the last one of each model until it has new predictions."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._hosting = Hosting(context)
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[object, ModelDrift]] = {}

    def deployed(self) -> list[Document]:
        """The models that are deployed now, in order of creation."""
        return [model for model in self._context.store.all(MODEL) if model["State"] == "Deployed"]

    def of(self, model: Document) -> ModelDrift:
        """The drift of one model, computed now unless nothing has changed.

        Raises:
            MissingExtraError: numpy is not installed where the sandbox runs.
        """
        require("numpy", "drift")
        digest = str(model["Hash"])
        # One at a time: two visitors of a page must not start two workers for the same work.
        with self._lock:
            rows = self._context.store.newest(PREDICTIONS, digest, PREDICTIONS_LIMIT)
            monitoring = self._context.store.get(MONITORING, digest) or {}
            run = self._training_run(model, monitoring)
            state = (len(rows), rows[-1][0] if rows else 0.0, run and run["Id"], monitoring.get("RegisteredAt"))
            kept = self._kept.get(digest)
            if kept is not None and kept[0] == state:
                return kept[1]
            made = self._make(model, monitoring, run, rows)
            self._kept[digest] = (state, made)
            return made

    def reset(self) -> None:
        """Forget the reports."""
        with self._lock:
            self._kept.clear()

    def _training_run(self, model: Document, monitoring: Document) -> Document | None:
        identifier = monitoring.get("TrainingExecution") or model.get("TrainingExecution")
        return None if identifier is None else self._context.store.get(TRAINING_RUN, str(identifier))

    def _make(
        self, model: Document, monitoring: Document, run: Document | None, rows: Sequence[tuple[float, Document]]
    ) -> ModelDrift:
        if run is None:
            return ModelDrift(model, None, NO_TRAINING)
        features, outputs = self._training_files(run)
        if features is None:
            return ModelDrift(model, None, NO_FEATURES)
        folder = self._context.folder(*model["Folder"], "drift")
        target = folder / "columns.json"
        predictions = [self._prediction(model, at, row) for at, row in rows]
        message = {
            **self._script(monitoring),
            "do": "drift_columns",
            "features": str(features),
            "outputs": None if outputs is None else str(outputs),
            "predictions": predictions,
            "target": str(target),
        }
        hosted = self._hosting.hosted(model)
        environment = self._hosting.environment(hosted.folder, hosted.python_version)
        try:
            outcome = self._context.runner.run(environment, message, cwd=folder, variables=hosted.variables)
            if not outcome.ok:
                return ModelDrift(model, None, f"The data could not be read: {run_message(outcome)}")
            columns = json.loads(target.read_text("utf-8"))
        finally:
            target.unlink(missing_ok=True)
        return ModelDrift(model, report_of(columns, model, outcome.value), note=_note(outcome.value, len(rows)))

    def _training_files(self, run: Document) -> tuple[Path | None, Path | None]:
        folder = self._context.folder(*run["Folder"], "output")
        given = run.get("Files", {})
        names = (given.get("features", FEATURES_FILE), given.get("output", OUTPUT_FILE))
        features, outputs = (folder / str(name) for name in names)
        return features if features.is_file() else None, outputs if outputs.is_file() else None

    def _script(self, monitoring: Document) -> Document:
        """What the monitoring says about reading predictions; without one they are read as they are."""
        configuration = monitoring.get("Configuration", {})
        validated = monitoring.get("State") == "Validated"
        folder = self._context.folder(*monitoring["Folder"]) if validated else None
        return {
            "source": str(folder / str(monitoring["Source"])) if folder else None,
            "base_path": f"{folder}/",
            "parse": monitoring["Parse"] if validated else None,
            "input_columns": configuration.get("InputCols"),
            "output_columns": configuration.get("OutputCols"),
        }

    def _prediction(self, model: Document, at: float, row: Document) -> Document:
        if "Execution" not in row:
            return {"at": at, "input": row["Input"], "output": row["Output"]}
        folder = self._context.folder("models", model["Hash"], "executions", str(row["Execution"]))
        return {"at": at, "input_path": str(folder / row["File"]), "output_path": str(folder / row["Result"])}


def report_of(columns: dict[str, Any], model: Document, counted: dict[str, Any]) -> DriftReport:
    """The report of columns of training and serving, with windows of time."""
    import msgspec

    from modelport.drift import Baseline

    baseline = Baseline.from_data(columns["training"], output=columns["training_output"], model_version=model["Hash"])
    whole = _compared(baseline, columns, range(len(columns["times"])))
    return msgspec.structs.replace(
        whole,
        endpoint=str(model["Name"]),
        baseline_rows=counted["training_rows"] if counted["step"] == 1 else whole.baseline_rows,
        uncounted=counted["unreadable"],
        windows=_windows(baseline, columns),
    )


def window_seconds(times: Sequence[float]) -> int:
    """Length of a window that cuts this span of time into few enough of them."""
    span = max(times) - min(times)
    return next((size for size in WINDOW_SECONDS if span / size < MOST_WINDOWS - 1), WINDOW_SECONDS[-1])


def _windows(baseline: Baseline, columns: dict[str, Any]) -> tuple[DriftSlice, ...]:
    """A window for each stretch of the clock in which something was served; nothing before there are two."""
    from modelport.drift import DriftSlice

    times: list[float] = columns["times"]
    if not times:
        return ()
    size = window_seconds(times)
    members: dict[int, list[int]] = {}
    for index, at in enumerate(times):
        members.setdefault(int(at // size), []).append(index)
    if len(members) == 1:
        return ()
    return tuple(
        DriftSlice(
            kind="window",
            name="",
            value=datetime.fromtimestamp(number * size, UTC).isoformat(),
            records=len(indexes),
            features=_compared(baseline, columns, indexes).features,
            start_ns=number * size * NANOSECONDS,
            end_ns=(number + 1) * size * NANOSECONDS,
        )
        for number, indexes in sorted(members.items())
    )


def _compared(baseline: Baseline, columns: dict[str, Any], indexes: Sequence[int]) -> DriftReport:
    from modelport.drift import drift_report

    output = columns["serving_output"]
    return drift_report(
        baseline,
        {name: [values[index] for index in indexes] for name, values in columns["serving"].items()},
        output=None if output is None else [output[index] for index in indexes],
    )


def _note(counted: dict[str, Any], predictions: int) -> str:
    parts = [
        f"the newest {PREDICTIONS_LIMIT:,} predictions" if predictions == PREDICTIONS_LIMIT else "",
        f"every {counted['step']}th of {counted['training_rows']:,} training rows" if counted["step"] > 1 else "",
    ]
    told = " and ".join(filter(None, parts))
    return f"Compared are {told}." if told else ""
