"""Training executions, second generation: one call per part, then the start."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox.call import Call, Reply, Upload
from modelport.sandbox.codex.context import TRAINING, TRAINING_RUN, Context
from modelport.sandbox.codex.files import ENV_FILE, REQUIREMENTS, bare, read_json, save_source, save_table
from modelport.sandbox.codex.training_work import copy_dataset

if TYPE_CHECKING:
    from modelport.sandbox.codex.training import Training
    from modelport.sandbox.store import Document


class TrainingV2:
    """The parts of an execution, set one by one while it is Uploaded."""

    def __init__(self, context: Context, training: Training) -> None:
        self._context = context
        self._training = training

    def create_training(self, call: Call) -> Reply:
        """A new experiment."""
        body = self._training.register(str(call.values["group"]), str(call.json["Name"]), str(call.json["Type"]))
        return Reply({"TrainingHash": body["Hash"], "Message": "Training registered"}, 201)

    def create_execution(self, call: Call) -> Reply:
        """A new execution without files."""
        body = self._context.find(TRAINING, call.values["training_hash"], "training")
        wanted = call.json
        run = self._training.new_run(
            body, str(wanted["TrainingType"]), str(wanted["RunName"]), wanted.get("Description")
        )
        self._save(run | {"State": "Uploaded", "Reference": None, "PythonVersion": None})
        return Reply({"ExecutionId": run["Id"], "Message": "Execution created"}, 201)

    # -- parts ------------------------------------------------------------------------------------------------------

    def set_execution_input(self, call: Call) -> Reply:
        """The training data."""
        return self._table(call, "train_data", "input", None)

    def set_execution_features(self, call: Call) -> Reply:
        """The features of an External execution."""
        return self._table(call, "features", "features", "features.parquet")

    def set_execution_target(self, call: Call) -> Reply:
        """The target of an External execution."""
        return self._table(call, "target", "target", "target.parquet")

    def set_execution_output(self, call: Call) -> Reply:
        """The predictions of an External execution."""
        return self._table(call, "output", "output", "predictions.parquet")

    def set_execution_requirements(self, call: Call) -> Reply:
        """The requirements file."""
        return self._file(call, "requirements", REQUIREMENTS)

    def set_execution_env(self, call: Call) -> Reply:
        """The environment file."""
        return self._file(call, "env", ENV_FILE)

    def set_execution_model(self, call: Call) -> Reply:
        """The model of an External execution."""
        return self._file(call, "model", call.need_file("model").name)

    def set_execution_conf_dict(self, call: Call) -> Reply:
        """The AutoML configuration."""
        return self._json(call, "conf_dict", "conf.json")

    def set_execution_metrics(self, call: Call) -> Reply:
        """The metrics of an External execution."""
        return self._json(call, "metrics", "metrics.json")

    def set_execution_parameters(self, call: Call) -> Reply:
        """The parameters of an External execution."""
        return self._json(call, "parameters", "params.json")

    def set_execution_script(self, call: Call) -> Reply:
        """The training script with its function and Python version."""
        run = self._open(call)
        name = save_source(call.need_file("script"), self._context.folder(*run["Folder"]), "script")
        run["Files"]["source"] = name
        run |= {"Reference": call.need_text("training_reference"), "PythonVersion": call.text("python_version")}
        return self._saved(run)

    def add_execution_extra_file(self, call: Call) -> Reply:
        """One more file beside the script."""
        run = self._open(call)
        name = bare(call.need_text("file_name"), "extra")
        if name in {*run["Files"].values(), REQUIREMENTS, ENV_FILE, "conf.json"}:
            raise BadRequestError(
                f"form field 'file_name': the name {name!r} is taken by another file of the execution"
            )
        call.need_file("extra").save(self._context.folder(*run["Folder"]) / name)
        run["Extras"] = sorted({*run["Extras"], name})
        return self._saved(run)

    def set_execution_python_version(self, call: Call) -> Reply:
        """The Python version."""
        run = self._open(call)
        return self._saved(run | {"PythonVersion": call.json["PythonVersion"]})

    # -- life -------------------------------------------------------------------------------------------------------

    def start_execution(self, call: Call) -> Reply:
        """Start, once every part that the type needs is there."""
        run = self._open(call)
        self._training.work.begin(run)
        return Reply({"Message": f"Execution {run['Id']} started"}, 202)

    def get_execution_status(self, call: Call) -> Reply:
        """Where an execution stands."""
        run = self._run(call)
        return Reply({"ExecutionId": run["Id"], "Status": run["State"], "Message": run.get("Message")})

    def copy_execution(self, call: Call) -> Reply:
        """A new execution with the same parts."""
        run = self._run(call)
        body = self._context.find(TRAINING, run["Parent"], "training")
        twin = self._training.new_run(body, run["TrainingType"], run["RunName"], run["Description"])
        kept = {
            name: json.loads(json.dumps(run.get(name))) for name in ("Files", "Extras", "Reference", "PythonVersion")
        }
        twin |= {"State": "Uploaded", **kept}
        source, target = self._context.folder(*run["Folder"]), self._context.folder(*twin["Folder"])
        for path in source.iterdir():
            if path.is_file():
                shutil.copyfile(path, target / path.name)
        self._save(twin)
        return Reply({"TrainingHash": twin["Parent"], "ExecutionId": twin["Id"]})

    # -- helpers ----------------------------------------------------------------------------------------------------

    def _run(self, call: Call) -> Document:
        return self._context.find(TRAINING_RUN, call.values["execution_id"], "training execution")

    def _open(self, call: Call) -> Document:
        run = self._run(call)
        if run["Started"]:
            raise BadRequestError(
                f"execution {run['Id']} is {run['State']}: its parts cannot be changed any more; copy it"
            )
        return run

    def _table(self, call: Call, part: str, field: str, name: str | None) -> Reply:
        run = self._open(call)
        folder, upload = self._context.folder(*run["Folder"]), call.file(field)
        if upload is not None:
            kept = save_table(upload, folder, field, name=name)
        elif (digest := call.text("dataset_hash")) is not None:
            kept = copy_dataset(self._context, digest, run["Group"], folder, name=name)
        else:
            raise BadRequestError(f"send the data as the file {field!r}, or the hash of a dataset as 'dataset_hash'")
        run["Files"][part] = kept
        return self._saved(run)

    def _file(self, call: Call, field: str, name: str) -> Reply:
        run = self._open(call)
        call.need_file(field).save(self._context.folder(*run["Folder"]) / name)
        run["Files"][field] = name
        return self._saved(run)

    def _json(self, call: Call, field: str, name: str) -> Reply:
        upload: Upload = call.need_file(field)
        value: Any = read_json(upload, field)
        if not isinstance(value, dict):
            raise BadRequestError(f"form field {field!r}: {upload.name!r} holds no JSON object")
        return self._file(call, field, name)

    def _saved(self, run: Document) -> Reply:
        self._save(run)
        return Reply({"Message": f"Execution {run['Id']} updated"}, 201)

    def _save(self, run: Document) -> None:
        self._context.store.put(TRAINING_RUN, str(run["Id"]), run, parent=run["Parent"])
