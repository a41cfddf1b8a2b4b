"""The work of monitoring: `parse` and `get_shap` on stored predictions, PSI against the training features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport.sandbox._errors import ScriptError
from modelport.sandbox.codex.context import (
    EXTERNAL,
    MODEL,
    PREDICTIONS,
    RECORDS,
    TRAINING_RUN,
    Context,
    RunFailedError,
    run_message,
)
from modelport.sandbox.codex.datasources import locate
from modelport.sandbox.codex.hosting import Hosting
from modelport.sandbox.codex.training_work import FEATURES_FILE

if TYPE_CHECKING:
    from modelport.sandbox.runner import Outcome
    from modelport.sandbox.store import Document

# How many stored predictions one record looks at, newest last.
PREDICTIONS_LIMIT = 20_000


class Watching:
    """Validates a monitoring and computes its records."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._hosting = Hosting(context)

    def validate(self, kind: str, digest: str) -> None:
        """Check the scripts in the background, and keep a first record when there are predictions."""

        def work() -> Document:
            body = self._context.find(kind, digest, "monitoring")
            if body["Source"] is None:
                raise RunFailedError("there is no script: upload a source with the functions that parse and explain")
            outcome = self._run(kind, body, "validate_monitoring", [])
            if not outcome.ok:
                raise RunFailedError(run_message(outcome))
            predictions = self._predictions(kind, body, 0.0, float("inf"))
            if not predictions:
                return {"Message": "validated; no prediction is stored yet"}
            self._keep(body, self._compute(kind, body, predictions))
            return {"Message": "validated", "Seen": _seen(predictions, 0.0, float("inf"))}

        self._context.start(kind, digest, work, states=("Validating", "Validated", "Invalidated"))

    def record(self, kind: str, body: Document, since: float, until: float) -> None:
        """Compute a record for the predictions in a span, unless it was computed for the same ones before."""
        predictions = self._predictions(kind, body, since, until)
        seen = _seen(predictions, since, until)
        if not predictions or body.get("Seen") == seen:
            return
        try:
            record = self._compute(kind, body, predictions)
        except RunFailedError as error:
            raise ScriptError(str(error)) from None
        self._keep(body, record)
        self._context.store.patch(kind, body["Hash"], Seen=seen)

    def _compute(self, kind: str, body: Document, predictions: list[Document]) -> Document:
        outcome = self._run(kind, body, "monitor", predictions)
        self._context.log_outcome(body["Hash"], "Run", outcome, "monitoring computed")
        if not outcome.ok:
            raise RunFailedError(run_message(outcome))
        return measures(outcome.value)

    def _keep(self, body: Document, value: Document) -> None:
        record = {"Hash": body["Hash"], "Period": body["Period"], **value}
        self._context.store.append(RECORDS, body["Hash"], record)

    def _run(self, kind: str, body: Document, task: str, predictions: list[Document]) -> Outcome:
        folder = self._context.folder(*body["Folder"])
        configuration = body["Configuration"]
        model_folder = folder if kind == EXTERNAL else folder.parent
        model = self._context.store.get(MODEL, body["Hash"]) or {}
        message: dict[str, Any] = {
            "do": task,
            "source": str(folder / str(body["Source"])),
            "base_path": f"{folder}/",
            "parse": body["Parse"],
            "shap": body["Shap"],
            "model_path": f"{model_folder}/",
            "features": self._features(body),
            "predictions": predictions,
            "input_columns": configuration["InputCols"],
            "output_columns": configuration["OutputCols"],
            "operation": "External" if kind == EXTERNAL else model.get("Operation", "Sync"),
        }
        variables = {
            "modelFileName": str(model.get("ModelFile") or body.get("ModelFile") or ""),
            "BASE_PATH": str(folder),
        }
        environment = self._hosting.environment(folder, body.get("PythonVersion"))
        return self._context.runner.run(environment, message, cwd=folder, variables=variables)

    def _features(self, body: Document) -> str | None:
        run = self._context.store.get(TRAINING_RUN, str(body["TrainingExecution"]))
        if run is None:
            return None
        path = self._context.folder(*run["Folder"], "output") / FEATURES_FILE
        return str(path) if path.is_file() else None

    def _predictions(self, kind: str, body: Document, since: float, until: float) -> list[Document]:
        if kind == EXTERNAL:
            given = body["Configuration"]
            return [{"path": str(locate(self._context, given["DataSourceUri"], given["DataSourceName"]))}]
        rows = self._context.store.rows(PREDICTIONS, body["Hash"], since=since, until=until)[-PREDICTIONS_LIMIT:]
        return [self._prediction(body, row) for _, row in rows]

    def _prediction(self, body: Document, row: Document) -> Document:
        if "Execution" not in row:
            return {"input": row["Input"], "output": row["Output"]}
        folder = self._context.folder("models", body["Hash"], "executions", str(row["Execution"]))
        return {"input_path": str(folder / row["File"]), "output_path": str(folder / row["Result"])}


def _seen(predictions: list[Document], since: float, until: float) -> str:
    return f"{len(predictions)}@{since}-{until}"


def measures(value: Document) -> Document:
    """PSI per feature from the counts, mean absolute SHAP per feature, and the average of each."""
    from modelport.drift.divergence import psi  # pure Python; only monitoring needs it

    found = {name: psi(both["training"], both["serving"], rule="clamp") for name, both in value["counts"].items()}
    shap: dict[str, float] = value["shap"]
    return {
        "Rows": value["rows"],
        "Psi": found,
        "MeanPsi": sum(found.values()) / len(found) if found else None,
        "Shap": shap,
        "MeanShap": sum(shap.values()) / len(shap) if shap else None,
    }
