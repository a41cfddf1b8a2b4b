"""Promotion: a training execution that succeeded becomes a model."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.context import MODEL, TRAINING, TRAINING_RUN, Context
from modelport.sandbox.codex.files import ENV_FILE, REQUIREMENTS, save_extras, save_optional, save_source
from modelport.sandbox.codex.models import new_model, receive_schema
from modelport.sandbox.codex.training_work import MODEL_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from modelport.sandbox.store import Document

# What an AutoML model is served by; the training wrote the sample and the pipeline.
AUTOML_SOURCE = """\
import json
import os
import pickle

import pandas as pd


def _answer(model, frame):
    columns = {"pred": model.predict(frame)}
    if hasattr(model, "predict_proba"):
        columns["proba"] = model.predict_proba(frame)[:, 1]
    return columns


def _load(path):
    with open(os.path.join(path, os.environ["modelFileName"]), "rb") as file:
        return pickle.load(file)


def score(data, base_path):
    frame = pd.DataFrame([json.loads(data)])
    return {name: values.tolist()[0] for name, values in _answer(_load(base_path), frame).items()}


def score_file(data_path, model_path):
    name = os.environ["inputFileName"]
    path = os.path.join(data_path, name)
    frame = pd.read_parquet(path) if name.endswith(".parquet") else pd.read_csv(path)
    result = frame.assign(**_answer(_load(model_path), frame))
    output = os.path.join(data_path, "output.csv")
    result.to_csv(output, index=False)
    return output
"""


class Promotion:
    """Both generations of the call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def promote_training_execution(self, call: Call) -> Reply:
        """Make a model of an execution of the first generation's path."""
        key, group = call.values["execution_id"], call.values["group"]
        run = self._context.find(TRAINING_RUN, key, "training execution", group=group)
        if run["Parent"] != call.values["training_hash"]:
            self._context.find(TRAINING_RUN, "", f"execution {key} of training {call.values['training_hash']}")
        return self._promote(call, run)

    def promote_execution(self, call: Call) -> Reply:
        """Make a model of an execution of the second generation's path."""
        return self._promote(call, self._context.find(TRAINING_RUN, call.values["execution_id"], "training execution"))

    def _promote(self, call: Call, run: Document) -> Reply:
        if run["State"] != "Succeeded":
            raise BadRequestError(f"execution {run['Id']} is {run['State']}: only one that Succeeded can be promoted")
        digest = self._context.new_hash("M")
        folder = self._context.folder("models", digest)
        try:
            body = self._build(call, run, digest, folder)
        except Exception:
            self._context.store.drop_folder("codex", "models", digest)
            raise
        self._context.store.put(MODEL, digest, body, parent=run["Group"])
        return Reply({"ModelHash": digest, "Message": f"Model {body['Name']!r} promoted"}, 201)

    def _build(self, call: Call, run: Document, digest: str, folder: Path) -> Document:
        operation, automl = call.need_text("operation"), run["TrainingType"] == "AutoML"
        model = self._take_training(run, folder)
        if automl:
            source, reference = "app.py", "score" if operation == "Sync" else "score_file"
            (folder / source).write_text(AUTOML_SOURCE, "utf-8")
            sample = self._automl_sample(call, run, folder, operation)
        else:
            reference = call.need_text("model_reference")
            source = save_source(call.need_file("source"), folder, "source")
            sample = receive_schema(call, folder, operation)
        save_optional(call, "requirements", folder, REQUIREMENTS)
        save_optional(call, "env", folder, ENV_FILE)
        save_extras(call, folder, {source, model or "", REQUIREMENTS, ENV_FILE})
        experiment = self._context.find(TRAINING, run["Parent"], "training")
        return new_model(
            self._context,
            digest,
            run["Group"],
            Name=call.need_text("name"),
            Operation=operation,
            InputType=call.text("input_type") or ("json" if operation == "Sync" else "csv"),
            Reference=reference,
            PythonVersion=run.get("PythonVersion") or "Python310",
            Source=source,
            ModelFile=model,
            Sample=sample,
            Origin="Training",
            TrainingHash=run["Parent"],
            TrainingExecution=run["Id"],
            RunName=run["RunName"],
            ExperimentName=experiment["Name"],
        )

    def _take_training(self, run: Document, folder: Path) -> str | None:
        """Copy the model and its surroundings; the name of the model's file."""
        output = self._context.folder(*run["Folder"], "output")
        received = self._context.folder(*run["Folder"])
        model = MODEL_FILE if run["TrainingType"] != "External" else run["Files"].get("model")
        for name in {*run["Extras"], REQUIREMENTS, ENV_FILE}:
            if (received / name).is_file():
                shutil.copyfile(received / name, folder / name)
        if model is not None and (output / model).is_file():
            shutil.copyfile(output / model, folder / model)
        return model

    def _automl_sample(self, call: Call, run: Document, folder: Path, operation: str) -> object:
        if call.file("schema") is not None:
            return receive_schema(call, folder, operation)
        sample = self._context.folder(*run["Folder"], "output") / "sample.json"
        return json.loads(sample.read_text("utf-8")) if operation == "Sync" and sample.is_file() else None
