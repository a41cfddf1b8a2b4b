"""Training experiments and their executions, first generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.context import TRAINING, TRAINING_RUN, Context, like, span
from modelport.sandbox.codex.executions import archive_reply, run_status
from modelport.sandbox.codex.files import (
    ENV_FILE,
    REQUIREMENTS,
    read_json,
    save_extras,
    save_optional,
    save_source,
    save_table,
)
from modelport.sandbox.codex.training_work import TrainingWork, archive_path

if TYPE_CHECKING:
    from pathlib import Path

    from modelport.sandbox.store import Document

RUN_IDS = "codex/training-execution"
# Files of an External execution: form field and the name it is kept under.
EXTERNAL_FILES = {
    "features": "features.parquet",
    "target": "target.parquet",
    "output": "predictions.parquet",
    "parameters": "params.json",
    "metrics": "metrics.json",
}
REQUIRED = {
    "Custom": ("source", "requirements", "training_reference", "python_version"),
    "AutoML": ("conf_dict",),
    "External": ("features", "target", "python_version"),
}


class Training:
    """Register, upload, execute, describe, result."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.work = TrainingWork(context)

    # -- experiments ------------------------------------------------------------------------------------------------

    def register_training(self, call: Call) -> Reply:
        """A new experiment."""
        body = self.register(str(call.values["group"]), call.need_text("experiment_name"), call.need_text("model_type"))
        return Reply({"TrainingHash": body["Hash"], "Message": "Training registered"}, 201)

    def register(self, group: str, name: str, model_type: str) -> Document:
        """Write the document of an experiment."""
        self._context.group(group)
        digest = self._context.new_hash("T")
        body = {"Hash": digest, "Group": group, "Name": name, "ModelType": model_type, "CreatedAt": self._context.now()}
        self._context.store.put(TRAINING, digest, body, parent=group)
        return body

    def search_trainings(self, call: Call) -> Reply:
        """Experiments whose name, group and type fit."""
        first, last = call.query("start"), call.query("end")
        span(first, last)
        found = [
            _summary(body)
            for body in self._context.store.all(TRAINING)
            if like(body["Name"], call.query("name"))
            and like(body["Group"], call.query("group"))
            and call.query("model_type") in {None, body["ModelType"]}
        ]
        return Reply({"Results": found})

    def describe_training(self, call: Call) -> Reply:
        """An experiment with its executions."""
        body = self._experiment(call)
        runs = self._context.store.all(TRAINING_RUN, parent=body["Hash"])
        executions = [{"Id": run["Id"], "RunName": run["RunName"], "State": run["State"]} for run in runs]
        return Reply({"Description": {**_summary(body), "Executions": executions}})

    def describe_training_execution(self, call: Call) -> Reply:
        """All that is known about an execution."""
        body, run = self._experiment(call), self._run(call)
        return Reply({"Description": {**_summary(body), **describe_run(run)}})

    # -- executions -------------------------------------------------------------------------------------------------

    def upload_training_execution(self, call: Call) -> Reply:
        """Take the files of an execution; it starts with the next call."""
        body = self._experiment(call)
        kind = call.need_text("training_type")
        _check_required(call, kind)
        run = self.new_run(body, kind, call.need_text("run_name"), call.text("description"))
        folder = self._context.folder(*run["Folder"])
        try:
            run |= self._receive(call, kind, folder, body["Group"])
        except Exception:
            self._context.store.drop_folder("codex", *map(str, run["Folder"]))
            raise
        self._context.store.put(TRAINING_RUN, str(run["Id"]), run, parent=body["Hash"])
        # The vendor's client takes the first number in this text for the id, so the id comes first.
        return Reply({"ExecutionId": run["Id"], "Message": "Training files uploaded"}, 201)

    def new_run(self, body: Document, kind: str, name: str, description: str | None) -> Document:
        """The document of an execution without its files."""
        identifier = self._context.store.next_id(RUN_IDS)
        return {
            "Id": identifier,
            "Parent": body["Hash"],
            "Group": body["Group"],
            "Folder": ["training", body["Hash"], str(identifier)],
            "RunName": name,
            "TrainingType": kind,
            "Description": description,
            "State": "Requested",
            "Started": False,
            "Message": None,
            "CreatedAt": self._context.now(),
            "Files": {},
            "Extras": [],
            "Metrics": [],
            "Params": [],
        }

    def _receive(self, call: Call, kind: str, folder: Path, group: str) -> Document:
        files: dict[str, str] = {}
        if kind != "External":
            files["train_data"] = self.work.receive_data(call, folder, group, "train_data")
        if kind == "Custom":
            files["source"] = save_source(call.need_file("source"), folder, "source")
        if kind == "AutoML":
            read_json(call.need_file("conf_dict"), "conf_dict")
            call.need_file("conf_dict").save(folder / "conf.json")
            files["conf_dict"] = "conf.json"
        if kind == "External":
            files |= _receive_external(call, folder)
        save_optional(call, "requirements", folder, REQUIREMENTS)
        save_optional(call, "env", folder, ENV_FILE)
        extras = save_extras(call, folder, {*files.values(), REQUIREMENTS, ENV_FILE, "conf.json"})
        return {
            "Files": files,
            "Extras": extras,
            "Reference": call.text("training_reference"),
            "PythonVersion": call.text("python_version"),
            "ModelHash": call.text("model_hash"),
        }

    def start_training_execution(self, call: Call) -> Reply:
        """Start an uploaded execution."""
        self._experiment(call)
        run = self._run(call)
        self.work.begin(run)
        return Reply({"Message": f"Training execution {run['Id']} started"})

    def get_training_execution_status(self, call: Call) -> Reply:
        """Where an execution stands."""
        return Reply(run_status(self._run(call)))

    def get_training_execution_result(self, call: Call) -> Reply:
        """The archive with what the training made."""
        run = self._run(call)
        return archive_reply(run, archive_path(self._context, run))

    def _experiment(self, call: Call) -> Document:
        return self._context.find(TRAINING, call.values["training_hash"], "training", group=call.values["group"])

    def _run(self, call: Call) -> Document:
        key, group = call.values["execution_id"], call.values["group"]
        run = self._context.find(TRAINING_RUN, key, "training execution", group=group)
        wanted = call.values.get("training_hash", run["Parent"])
        if run["Parent"] != wanted:
            return self._context.find(TRAINING_RUN, "", f"execution {key} of training {wanted}")
        return run


def _summary(body: Document) -> Document:
    return {
        "TrainingHash": body["Hash"],
        "ExperimentName": body["Name"],
        "GroupName": body["Group"],
        "ModelType": body["ModelType"],
    }


def describe_run(run: Document) -> Document:
    """The description of an execution in the platform's words."""
    return {
        "TrainingType": run["TrainingType"],
        "ExecutionId": run["Id"],
        "RunName": run["RunName"],
        "ExecutionState": run["State"],
        "TimeElapsed": run.get("TimeElapsed"),
        "Description": run["Description"],
        "Deployable": run["State"] == "Succeeded",
        "RunData": {"metrics": run["Metrics"], "params": run["Params"], "tags": []},
    }


def _check_required(call: Call, kind: str) -> None:
    for field in REQUIRED[kind]:
        if call.file(field) is None and not call.text(field):
            raise BadRequestError(f"form field {field!r} is missing: a training of type {kind} needs it")


def _receive_external(call: Call, folder: Path) -> dict[str, str]:
    files: dict[str, str] = {}
    for field, name in EXTERNAL_FILES.items():
        upload = call.file(field)
        if upload is None:
            continue
        if name.endswith(".json"):
            if not isinstance(read_json(upload, field), dict):
                raise BadRequestError(f"form field {field!r}: {upload.name!r} holds no JSON object")
            upload.save(folder / name)
        else:
            save_table(upload, folder, field, (".parquet",), name=name)
        files[field] = name
    if (model := call.file("model")) is not None:
        model.save(folder / model.name)
        files["model"] = model.name
    return files
