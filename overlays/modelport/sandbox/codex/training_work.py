"""The work of a training execution: data in, the user's code or AutoML, artifacts and metrics out."""

from __future__ import annotations

import json
import math
import shutil
import time
import zipfile
from typing import TYPE_CHECKING, Any

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox.codex.context import DATASET, LOGS, TRAINING_RUN, Context, RunFailedError, run_message
from modelport.sandbox.codex.files import ENV_FILE, save_table
from modelport.sandbox.codex.hosting import Hosting
from modelport.sandbox.runner import read_env_file

if TYPE_CHECKING:
    from pathlib import Path

    from modelport.sandbox.call import Call
    from modelport.sandbox.store import Document

MODEL_FILE = "model.pkl"
# What a training keeps of the data: its features, and what the model answers to them.
FEATURES_FILE = "features.parquet"
OUTPUT_FILE = "predictions.parquet"
# The parts without which an execution cannot start.
NEEDED = {
    "Custom": ("train_data", "source"),
    "AutoML": ("train_data", "conf_dict"),
    "External": ("features", "target"),
}


def archive_path(context: Context, run: Document) -> Path:
    """Where the result archive of an execution is."""
    return context.folder(*run["Folder"], "output") / f"{run['Id']}.zip"


class TrainingWork:
    """Starts executions and does them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._hosting = Hosting(context)

    def receive_data(self, call: Call, folder: Path, group: str, field: str) -> str:
        """The training data as a file in the folder: uploaded, or a copy of a dataset."""
        upload = call.file(field)
        if upload is not None:
            return save_table(upload, folder, field)
        digest = call.text("dataset_hash")
        if digest is None:
            raise BadRequestError(f"send the data as the file {field!r}, or the hash of a dataset as 'dataset_hash'")
        return copy_dataset(self._context, digest, group, folder)

    def begin(self, run: Document) -> None:
        """Mark as started, once, and run in the background."""
        key = str(run["Id"])
        missing = [part for part in NEEDED[run["TrainingType"]] if part not in run["Files"]]
        if missing:
            kind = run["TrainingType"]
            raise BadRequestError(
                f"execution {key} is not complete: a training of type {kind} needs {', '.join(missing)}"
            )

        def change(body: Document) -> None:
            if body["Started"]:
                raise BadRequestError(f"execution {key} was started already; it is {body['State']}")
            body["Started"], body["State"] = True, "Requested"

        self._context.store.update(TRAINING_RUN, key, change)
        self._context.start(TRAINING_RUN, key, lambda: self._do(key))

    def _do(self, key: str) -> Document:
        run = self._context.find(TRAINING_RUN, key, "training execution")
        folder = self._context.folder(*run["Folder"])
        output = self._context.folder(*run["Folder"], "output")
        if run["TrainingType"] == "External":
            fields = self._external(run, folder, output)
        else:
            fields = self._train(run, folder, output)
        self._pack(run, output)
        # The platform answers with the address of the artifacts; the notes of AutoML follow it.
        notes = fields.pop("Notes", [])
        return {"Message": "; ".join([f"sandbox://training/{run['Parent']}/{run['Id']}/output", *notes]), **fields}

    def _train(self, run: Document, folder: Path, output: Path) -> Document:
        custom = run["TrainingType"] == "Custom"
        environment = self._hosting.environment(folder, run.get("PythonVersion") if custom else None)
        message: dict[str, Any] = {
            "do": "train" if custom else "automl",
            "data": str(folder / run["Files"]["train_data"]),
            "base_path": f"{folder}/",
            "output": str(output),
        }
        if custom:
            message |= {"source": str(folder / run["Files"]["source"]), "reference": run["Reference"]}
        else:
            message |= {"configuration": json.loads((folder / "conf.json").read_text("utf-8-sig"))}
        variables = {"BASE_PATH": str(folder.parent), "EXECUTION_ID": str(run["Id"])}
        variables = {**read_env_file(folder / ENV_FILE), **variables, "inputFileName": run["Files"]["train_data"]}
        outcome = self._context.runner.run(environment, message, cwd=folder, variables=variables)
        self._context.log_outcome(f"training-{run['Id']}", "Run", outcome, "training succeeded")
        if not outcome.ok:
            unmet = "; ".join(environment.unmet)
            note = f"\nRequirements that the sandbox's own interpreter does not meet: {unmet}" if unmet else ""
            raise RunFailedError(run_message(outcome) + note)
        return {**_run_data(outcome.value["metrics"], outcome.value["params"]), "Notes": outcome.value.get("notes", [])}

    def _external(self, run: Document, folder: Path, output: Path) -> Document:
        for name in {*run["Files"].values(), *run["Extras"]}:
            shutil.copyfile(folder / name, output / name)
        metrics, params = (_read_object(folder / name) for name in ("metrics.json", "params.json"))
        return _run_data(metrics, params)

    def _pack(self, run: Document, output: Path) -> None:
        archive = output / f"{run['Id']}.zip"
        names = sorted(path.name for path in output.iterdir() if path.is_file() and path != archive)
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in names:
                packed.write(output / name, name)
            log = [body["OutputData"] for _, body in self._context.store.rows(LOGS, f"training-{run['Id']}")]
            packed.writestr("execution.log", "\n".join(log))


def copy_dataset(context: Context, digest: str, group: str, folder: Path, *, name: str | None = None) -> str:
    """Copy the file of a dataset into a folder; its name there."""
    dataset = context.find(DATASET, digest, "dataset", group=group)
    if dataset["State"] != "Succeeded":
        raise BadRequestError(f"dataset {digest} is {dataset['State']}: it holds no data")
    kept = name or str(dataset["File"])
    shutil.copyfile(context.folder("datasets", digest) / dataset["File"], folder / kept)
    return kept


def _read_object(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8-sig")) if path.is_file() else {}


def _run_data(metrics: dict[str, Any], params: dict[str, Any]) -> Document:
    stamp = int(time.time() * 1000)
    return {
        "Metrics": [
            {"key": key, "value": float(value), "timestamp": stamp, "step": 0}
            for key, value in metrics.items()
            if isinstance(value, int | float) and math.isfinite(value)
        ],
        "Params": [
            {"key": key, "value": value if isinstance(value, str) else json.dumps(value, default=str)}
            for key, value in params.items()
        ],
    }
