"""Preprocessing scripts, first generation: sync on JSON, async on one file."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.context import SCRIPT, SCRIPT_RUN, Context, RunFailedError, like, run_message
from modelport.sandbox.codex.executions import archive_reply, run_status
from modelport.sandbox.codex.files import ENV_FILE, REQUIREMENTS, save_extras, save_optional, save_source, save_table
from modelport.sandbox.codex.hosting import Hosted, Hosting
from modelport.sandbox.codex.models import receive_schema

if TYPE_CHECKING:
    from modelport.sandbox.store import Document

SCRIPT_RUN_IDS = "codex/preprocessing-execution"
RESULT_FILE = "preprocessed_data.parquet"


class Preprocessing:
    """Register, host, run."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._hosting = Hosting(context)

    def register_preprocessing(self, call: Call) -> Reply:
        """Take the files of a script."""
        group = str(call.values["group"])
        self._context.group(group)
        digest, operation = self._context.new_hash("S"), call.need_text("operation")
        folder = self._context.folder("preprocessing", digest)
        try:
            source = save_source(call.need_file("source"), folder, "source")
            call.need_file("schema")
            sample = receive_schema(call, folder, operation)
            save_optional(call, "requirements", folder, REQUIREMENTS)
            save_optional(call, "env", folder, ENV_FILE)
            save_extras(call, folder, {source, REQUIREMENTS, ENV_FILE})
        except Exception:
            self._context.store.drop_folder("codex", "preprocessing", digest)
            raise
        body = new_script(self._context, digest, group, call.need_text("name"), operation)
        body |= {"Source": source, "Reference": call.need_text("script_reference"), "Sample": sample}
        body |= {"PythonVersion": call.text("python_version")}
        self._context.store.put(SCRIPT, digest, body, parent=group)
        return Reply({"Hash": digest, "Message": "Preprocessing script uploaded"}, 201)

    def host_preprocessing(self, call: Call) -> Reply:
        """Start the build."""
        script = self._script(call)
        if script["Operation"].lower() != call.values["operation"]:
            raise BadRequestError(f"script {script['Hash']} is {script['Operation']}: host it on that path")
        host_script(self._context, self._hosting, script)
        return Reply({"Message": f"Preprocessing host in progress - Hash: {script['Hash']}"}, 202)

    def get_preprocessing_status(self, call: Call) -> Reply:
        """State and, when it failed, why."""
        script = self._script(call)
        return Reply({"Status": script["State"], "Message": script.get("Message")})

    def describe_preprocessing(self, call: Call) -> Reply:
        """All that is known about a script."""
        return Reply({"Description": _summary(self._script(call))})

    def search_preprocessings(self, call: Call) -> Reply:
        """Scripts whose name, state and group fit."""
        found = [
            _summary(script)
            for script in self._context.store.all(SCRIPT)
            if like(script["Name"], call.query("name"))
            and like(script["State"], call.query("state"))
            and like(script["Group"], call.query("group"))
        ]
        return Reply({"Results": found})

    def get_preprocessing_logs(self, call: Call) -> Reply:
        """Lines of host and run."""
        return Reply(self._context.read_logs(self._script(call)["Hash"], call.values))

    get_logs_of_preprocessing = get_preprocessing_logs

    # -- runs -------------------------------------------------------------------------------------------------------

    def run_preprocessing(self, call: Call) -> Reply:
        """One JSON input, answered at once."""
        script = deployed(self._script(call), "Sync")
        return Reply(content=self._hosting.score(self._hosting.hosted(script), call.json["Input"]).encode())

    def apply(self, digest: str, group: str, value: object) -> object:
        """What a sync script makes of an input, for a prediction that names the script."""
        script = deployed(self._context.find(SCRIPT, digest, "preprocessing script", group=group), "Sync")
        return json.loads(self._hosting.score(self._hosting.hosted(script), value))

    def submit_preprocessing(self, call: Call) -> Reply:
        """A file to prepare in the background."""
        script = deployed(self._script(call), "Async")
        run = new_script_run(self._context, script)
        folder = self._context.folder(*script["Folder"], "executions", run["Id"])
        name = save_table(call.need_file("dataset"), folder, "dataset")
        run |= {"State": "Requested", "Inputs": [{"Name": "dataset", "File": name}]}
        self._context.store.put(SCRIPT_RUN, str(run["Id"]), run, parent=script["Hash"])
        hosted = self._hosting.hosted(script)
        self._context.start(SCRIPT_RUN, str(run["Id"]), lambda: build_run(self._context, self._hosting, hosted, run))
        return Reply({"ExecutionId": run["Id"], "Message": "Execution requested"}, 202)

    def get_preprocessing_run_status(self, call: Call) -> Reply:
        """Where an execution stands."""
        return Reply(run_status(self._run(call)))

    def get_preprocessing_run_result(self, call: Call) -> Reply:
        """The archive of an execution that succeeded."""
        run = self._run(call)
        folder = self._context.folder("preprocessing", run["Parent"], "executions", run["Id"], "output")
        return archive_reply(run, folder / f"{run['Id']}.zip")

    def _run(self, call: Call) -> Document:
        return self._context.find(SCRIPT_RUN, call.values["execution_id"], "execution", group=call.principal)

    def _script(self, call: Call) -> Document:
        group = call.values.get("group")
        return self._context.find(SCRIPT, call.values["script_hash"], "preprocessing script", group=group)


def new_script(context: Context, digest: str, group: str, name: str, operation: str) -> Document:
    """The document of a script that was just received."""
    return {
        "Hash": digest,
        "Group": group,
        "Name": name,
        "Operation": operation,
        "Folder": ["preprocessing", digest],
        "State": "Ready",
        "Message": None,
        "Stamp": "",
        "UploadedAt": context.now(),
    }


def new_script_run(context: Context, script: Document) -> Document:
    """The document of an execution of a script."""
    return {
        "Id": context.store.next_id(SCRIPT_RUN_IDS),
        "Parent": script["Hash"],
        "Group": script["Group"],
        "State": "Uploaded",
        "Started": False,
        "Message": None,
        "Inputs": [],
        "CreatedAt": context.now(),
    }


def host_script(context: Context, hosting: Hosting, script: Document) -> None:
    """Build a script in the background."""
    if script["State"] == "Building":
        raise BadRequestError(f"script {script['Hash']} is being built already")
    digest = script["Hash"]
    context.store.patch(SCRIPT, digest, State="Building", Stamp=secrets.token_hex(8), Message=None)

    def work() -> Document:
        body = context.find(SCRIPT, digest, "preprocessing script")
        sample = json.dumps(body["Sample"]) if body.get("Sample") is not None else None
        return {"Message": hosting.build(hosting.hosted(body), sample=sample)}

    context.start(SCRIPT, digest, work, states=("Building", "Deployed", "Failed"))


def deployed(script: Document, operation: str) -> Document:
    """The script when it can run, else 400."""
    if script["Operation"] != operation:
        raise BadRequestError(f"script {script['Hash']} is {script['Operation']}, not {operation}")
    if script["State"] != "Deployed":
        raise BadRequestError(
            f"script {script['Hash']} is {script['State']}, not Deployed: host it and wait until it is"
        )
    return script


def build_run(context: Context, hosting: Hosting, hosted: Hosted, run: Document) -> Document:
    """Run `build_df` on the inputs of an execution; the result is a parquet file and its archive."""
    folder = hosted.folder / "executions" / str(run["Id"])
    output = folder / "output"
    output.mkdir(parents=True, exist_ok=True, mode=0o700)
    message = {
        "do": "build",
        "source": str(hosted.folder / hosted.source),
        "reference": hosted.reference,
        "base_path": hosted.base_path,
        "data_path": f"{folder}/",
        "inputs": run["Inputs"],
        "result": str(output / RESULT_FILE),
        "archive": str(output / f"{run['Id']}.zip"),
    }
    variables = {**hosted.variables, "EXECUTION_ID": str(run["Id"]), "inputFileName": str(run["Inputs"][0]["File"])}
    environment = hosting.environment(hosted.folder, hosted.python_version)
    outcome = context.runner.run(environment, message, cwd=folder, variables=variables)
    context.log_outcome(hosted.key, "Run", outcome, f"execution {run['Id']} succeeded")
    if not outcome.ok:
        raise RunFailedError(run_message(outcome))
    return {"Rows": outcome.value["rows"]}


def _summary(script: Document) -> Document:
    names = ("Hash", "Operation", "Group", "UploadedAt", "Name")
    python = script.get("PythonVersion")
    return {**{name: script[name] for name in names}, "Status": script["State"], "PythonVersion": python or "Python310"}
