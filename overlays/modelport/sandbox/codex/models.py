"""Models: upload, host, describe, search, restart, disable, delete, logs."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.context import MODEL, MODEL_RUN, Context, RunFailedError, like
from modelport.sandbox.codex.files import ENV_FILE, REQUIREMENTS, read_json, save_extras, save_optional, save_source
from modelport.sandbox.codex.hosting import Hosting

if TYPE_CHECKING:
    from modelport.sandbox.store import Document

RESTARTABLE = frozenset({"Deployed", "Disabled", "DisabledRecovery", "FailedRecovery"})
HOSTABLE = frozenset({"Ready", "Failed"})
SCHEMA_FILE = "schema"


class Models:
    """The life of a model."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.hosting = Hosting(context)

    # -- upload -----------------------------------------------------------------------------------------------------

    def upload_model(self, call: Call) -> Reply:
        """Take the files of a model trained elsewhere."""
        group = str(call.values["group"])
        self._context.group(group)
        digest = self._context.new_hash("M")
        folder = self._context.folder("models", digest)
        try:
            body = self._receive(call, digest, group, folder)
        except Exception:
            self._context.store.drop_folder("codex", "models", digest)
            raise
        self._context.store.put(MODEL, digest, body, parent=group)
        return Reply({"ModelHash": digest, "Message": f"Model {body['Name']!r} uploaded"}, 201)

    def _receive(self, call: Call, digest: str, group: str, folder: Path) -> Document:
        operation, input_type = call.need_text("operation"), call.need_text("input_type")
        if operation == "Sync" and input_type != "json":
            raise BadRequestError(f"form field 'input_type': a Sync model takes json, not {input_type!r}")
        source = save_source(call.need_file("source"), folder, "source")
        model = call.need_file("model")
        if model.name == source:
            raise BadRequestError(f"form field 'model': the name {model.name!r} is that of the source file")
        model.save(folder / model.name)
        save_optional(call, "requirements", folder, REQUIREMENTS)
        save_optional(call, "env", folder, ENV_FILE)
        sample = receive_schema(call, folder, operation)
        save_extras(call, folder, {source, model.name, REQUIREMENTS, ENV_FILE})
        return new_model(
            self._context,
            digest,
            group,
            Name=call.need_text("name"),
            Operation=operation,
            InputType=input_type,
            Reference=call.need_text("model_reference"),
            PythonVersion=call.need_text("python_version"),
            Source=source,
            ModelFile=model.name,
            Sample=sample,
            Origin="Upload",
        )

    # -- host -------------------------------------------------------------------------------------------------------

    def host_model(self, call: Call) -> Reply:
        """Start the build."""
        model = self._model(call)
        operation = str(call.values["operation"])
        if model["Operation"].lower() != operation:
            raise BadRequestError(
                f"model {model['Hash']} is {model['Operation']}: host it at /model/{model['Operation'].lower()}/host"
            )
        if model["State"] == "Deployed":
            return Reply({"Message": "Model is deployed already"}, 202)
        self._step(model, HOSTABLE, "hosted", Message=None, Stamp=secrets.token_hex(8), State="Building")
        self._build(model["Hash"], ("Building", "Deployed", "Failed"))
        return Reply({"Message": f"Model host in progress - Hash: {model['Hash']}"}, 202)

    def _build(self, digest: str, states: tuple[str, str, str]) -> None:
        def work() -> Document:
            model = self._context.store.get(MODEL, digest)
            if model is None:
                raise RunFailedError("the model is gone")
            message = self.hosting.build(
                self.hosting.hosted(model), sample=model.get("Sample") and json.dumps(model["Sample"])
            )
            now = self._context.store.get(MODEL, digest)
            if now is None or now["State"] == "Deleted":
                self._context.runner.cool(digest)
                raise RunFailedError("the model was deleted while it was built")
            return {"Message": message}

        self._context.start(MODEL, digest, work, states=states)

    def restart_model(self, call: Call) -> Reply:
        """Bring a deployed or disabled model back with a new worker."""
        model = self._model(call)
        # Clients wait while a model is Building, not while it is Recovering: that is for a second try.
        running = "Recovering" if model["State"].endswith("Recovery") else "Building"
        self._step(model, RESTARTABLE, "restarted", State=running, Stamp=secrets.token_hex(8), Message=None)
        self._context.runner.cool(model["Hash"])
        self._build(model["Hash"], (running, "Deployed", "FailedRecovery"))
        return Reply({"Message": "Model is restarting"})

    restart_sync_model = restart_model

    def disable_model(self, call: Call) -> Reply:
        """Stop a deployed model; restart brings it back."""
        model = self._model(call)
        state = "DisabledRecovery" if model["State"] == "FailedRecovery" else "Disabled"
        self._step(model, frozenset({"Deployed", "FailedRecovery"}), "disabled", State=state, Message=None)
        self._context.runner.cool(model["Hash"])
        return Reply({"Message": f"Model {model['Hash']} disabled"})

    def delete_model(self, call: Call) -> Reply:
        """Delete for good; the description stays and says so."""
        model = self._model(call)
        everything = frozenset({model["State"]}) - {"Deleted"}
        self._step(model, everything, "deleted", State="Deleted", Message=None)
        self._context.runner.cool(model["Hash"])
        self._context.store.drop_folder("codex", "models", model["Hash"])
        return Reply({"Message": f"Model {model['Hash']} deleted"})

    def _step(self, model: Document, allowed: frozenset[str], verb: str, **fields: object) -> None:
        def change(body: Document) -> None:
            if body["State"] not in allowed:
                raise BadRequestError(f"model {body['Hash']} is {body['State']} and cannot be {verb}")
            body.update(fields)

        self._context.store.update(MODEL, model["Hash"], change)

    # -- reading ----------------------------------------------------------------------------------------------------

    def get_model_status(self, call: Call) -> Reply:
        """State and, when it failed, why."""
        model = self._model(call)
        return Reply({"Status": model["State"], "Message": model.get("Message")})

    def get_model_health(self, call: Call) -> Reply:
        """OK when the model would answer."""
        model = self._model(call)
        if model["Operation"] != "Sync":
            raise BadRequestError(f"model {model['Hash']} is Async; health is for Sync models")
        return Reply({"Message": "OK" if model["State"] == "Deployed" else f"Model is {model['State']}"})

    def describe_model(self, call: Call) -> Reply:
        """All that is known about a model."""
        return Reply({"Description": describe(self._model(call))})

    def describe_model_execution(self, call: Call) -> Reply:
        """All that is known about one async prediction."""
        model = self._model(call)
        run = self._context.find(MODEL_RUN, call.values["execution_id"], "model execution", group=model["Group"])
        if run["Parent"] != model["Hash"]:
            raise BadRequestError(f"execution {run['Id']} is not one of model {model['Hash']}")
        return Reply({"Description": {**describe(model), **describe_run(run, self._context.settings.tenant)}})

    def search_models(self, call: Call) -> Reply:
        """Models whose name, state and group fit."""
        found = [
            {**{key: value for key, value in describe(model).items() if key in _SUMMARY}, "Schema": model_schema(model)}
            for model in self._context.store.all(MODEL)
            if like(model["Name"], call.query("name"))
            and like(model["State"], call.query("state"))
            and like(model["Group"], call.query("group"))
        ]
        return Reply({"Count": len(found), "Results": found})

    def get_model_logs(self, call: Call) -> Reply:
        """Lines of host and run."""
        return Reply(self._context.read_logs(self._model(call)["Hash"], call.values))

    get_logs_of_model = get_model_logs

    def _model(self, call: Call) -> Document:
        return self._context.find(MODEL, call.values["model_hash"], "model", group=call.values.get("group"))


_SUMMARY = frozenset({"ModelHash", "Name", "Group", "Operation", "Status", "UploadedAt", "PythonVersion"})


def receive_schema(call: Call, folder: Path, operation: str) -> object:
    """The schema sample: parsed for Sync, where it is mandatory; kept as a file for Async."""
    upload = call.file("schema")
    if operation == "Sync":
        if upload is None:
            raise BadRequestError(
                "form field 'schema' is missing: a Sync model needs a JSON file with one sample of its input"
            )
        sample = read_json(upload, "schema")
        if not isinstance(sample, dict):
            raise BadRequestError(f"form field 'schema': the sample is a JSON object, not a {type(sample).__name__}")
        upload.save(folder / "schema.json")
        return sample  # pyright: ignore[reportUnknownVariableType]
    if upload is not None:
        upload.save(folder / (SCHEMA_FILE + Path(upload.name).suffix.lower()))
    return None


def new_model(context: Context, digest: str, group: str, **fields: object) -> Document:
    """The document of a model that was just received."""
    body: Document = {
        "Hash": digest,
        "Group": group,
        "Folder": ["models", digest],
        "State": "Ready",
        "Message": None,
        "UploadedAt": context.now(),
        "Stamp": "",
        "TrainingHash": None,
        "TrainingExecution": None,
        "RunName": None,
        "ExperimentName": None,
    }
    return {**body, **fields}


def model_schema(model: Document) -> str | None:
    """The schema sample as JSON text."""
    return json.dumps(model["Sample"]) if model.get("Sample") is not None else None


def describe(model: Document) -> Document:
    """The description of a model in the platform's words."""
    names = (
        "Operation",
        "PythonVersion",
        "Name",
        "Group",
        "UploadedAt",
        "TrainingHash",
        "TrainingExecution",
        "RunName",
    )
    return {
        "ModelHash": model["Hash"],
        **{name: model.get(name) for name in names},
        "Status": model["State"],
        "ModelReference": model["Reference"],
        "Input": model.get("InputType"),
        "Origin": model.get("Origin"),
        "ExperimentName": model.get("ExperimentName"),
        "Schema": model_schema(model),
        "ExecutionType": model["Operation"],
    }


def describe_run(run: Document, tenant: str) -> Document:
    """The description of one execution in the platform's words."""
    identifier = str(run["Id"])
    path = f"{run['Parent']}/executions/{identifier}"
    messages = [text for text in (run.get("Message"), run.get("Output")) if text]
    return {
        "ExecutionId": run["Id"],
        "RunAt": run["CreatedAt"],
        "ExecutionState": run["State"],
        "InputPayload": {
            "executionType": "Async",
            "basePath": run["Parent"],
            "neomarilExecutionId": identifier,
            "tenantUser": tenant,
            "defaultEnvVars": {"identifier": identifier, "inputFileName": run["InputFile"]},
        },
        "OutputPayload": {
            "outputMessage": messages,
            "outputPath": f"{path}/output/{identifier}.zip" if run["State"] == "Succeeded" else None,
        },
    }
