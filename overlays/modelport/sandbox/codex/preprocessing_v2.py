"""Preprocessing scripts, second generation: several datasets, one call per part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport.sandbox._errors import BadRequestError, NotFoundError
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.context import DATASET, SCRIPT, SCRIPT_RUN, Context, like
from modelport.sandbox.codex.datasets import keep_dataset, keep_file
from modelport.sandbox.codex.files import ENV_FILE, REQUIREMENTS, bare, save_source
from modelport.sandbox.codex.hosting import Hosting
from modelport.sandbox.codex.preprocessing import (
    RESULT_FILE,
    build_run,
    deployed,
    host_script,
    new_script,
    new_script_run,
)
from modelport.sandbox.codex.training_work import copy_dataset

if TYPE_CHECKING:
    from modelport.sandbox.store import Document


class PreprocessingV2:
    """Create, set parts, host, run on datasets."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._hosting = Hosting(context)

    def list_preprocessings(self, call: Call) -> Reply:
        """Scripts of this generation with their datasets."""
        found = [
            {
                "ScriptHash": script["Hash"],
                "ScriptGroupName": script["Group"],
                "UploadedDatasets": script["Datasets"],
                "GeneratedDatasets": self._generated(script["Hash"]),
            }
            for script in self._context.store.all(SCRIPT)
            if "Datasets" in script
            and like(script["State"], call.query("state"))
            and like(script["Group"], call.query("group"))
        ]
        return Reply({"Result": found})

    def _generated(self, digest: str) -> list[Document]:
        datasets = self._context.store.all(DATASET)
        return [{"DatasetHash": d["Hash"], "DatasetName": d["Name"]} for d in datasets if d.get("OriginId") == digest]

    def create_preprocessing(self, call: Call) -> Reply:
        """A new script without files. The path names a group here."""
        group = str(call.values["group_or_hash"])
        self._context.group(group)
        if call.json["Operation"] != "Async":
            raise BadRequestError(
                "body field 'Operation': only Async scripts are made here; Sync ones at /preprocessing/register"
            )
        digest = self._context.new_hash("S")
        body = new_script(self._context, digest, group, str(call.json["Name"]), "Async")
        body |= {"Datasets": [], "Source": None, "Reference": None, "PythonVersion": None}
        self._context.store.put(SCRIPT, digest, body, parent=group)
        return Reply({"PreprocessHash": digest, "Message": "Preprocessing created"}, 201)

    def get_preprocessing(self, call: Call) -> Reply:
        """A script, by hash. The same path with POST takes a group."""
        script = self._find(str(call.values["group_or_hash"]))
        runs = self._context.store.all(SCRIPT_RUN, parent=script["Hash"])
        body = {
            "State": script["State"],
            "Name": script["Name"],
            "Group": script["Group"],
            "NumOfExecutions": len(runs),
        }
        return Reply(body)

    # -- parts ------------------------------------------------------------------------------------------------------

    def set_schema(self, call: Call) -> Reply:
        """A sample of one of the datasets the script takes."""
        script = self._open(call)
        dataset = self._dataset(call, script, "schema_file", "schema of")
        reference = {"DatasetHash": dataset["Hash"], "DatasetName": dataset["Name"]}
        kept = [entry for entry in script["Datasets"] if entry["DatasetName"] != dataset["Name"]]
        self._context.store.patch(SCRIPT, script["Hash"], Datasets=[*kept, reference])
        return Reply(reference, 201)

    def set_script(self, call: Call) -> Reply:
        """The script with its function and Python version."""
        script = self._open(call)
        name = save_source(call.need_file("script"), self._context.folder(*script["Folder"]), "script")
        reference, version = call.need_text("preprocess_reference"), call.text("python_version")
        self._context.store.patch(SCRIPT, script["Hash"], Source=name, Reference=reference, PythonVersion=version)
        return Reply({"Message": "Script uploaded"}, 201)

    def set_requirements(self, call: Call) -> Reply:
        """The requirements file."""
        return self._file(call, "requirements", REQUIREMENTS)

    def set_env(self, call: Call) -> Reply:
        """The environment file."""
        return self._file(call, "env", ENV_FILE)

    def add_extra_file(self, call: Call) -> Reply:
        """One more file beside the script."""
        script = self._open(call)
        name = bare(call.need_text("extra_file_name"), "extra")
        if name in {script["Source"], REQUIREMENTS, ENV_FILE}:
            raise BadRequestError(
                f"form field 'extra_file_name': the name {name!r} is taken by another file of the script"
            )
        return self._file(call, "extra_file", name)

    def _file(self, call: Call, field: str, name: str) -> Reply:
        script = self._open(call)
        call.need_file(field).save(self._context.folder(*script["Folder"]) / name)
        return Reply({"Message": f"{name} uploaded"}, 201)

    # -- host -------------------------------------------------------------------------------------------------------

    def start_preprocessing_host(self, call: Call) -> Reply:
        """Start the build."""
        script = self._script(call)
        if script["Source"] is None:
            raise BadRequestError(f"script {script['Hash']} has no script file yet: PATCH .../script-file first")
        host_script(self._context, self._hosting, script)
        return Reply({"Message": "Preprocessing host in progress"}, 202)

    def get_preprocessing_host_status(self, call: Call) -> Reply:
        """State, and the hash of the first dataset once deployed, or why it failed."""
        script = self._script(call)
        body: dict[str, Any] = {"Status": script["State"]}
        if script["State"] == "Deployed":
            body["DatasetHash"] = script["Datasets"][0]["DatasetHash"] if script["Datasets"] else None
        else:
            body["Message"] = script.get("Message")
        return Reply(body)

    # -- executions -------------------------------------------------------------------------------------------------

    def create_preprocessing_execution(self, call: Call) -> Reply:
        """A new execution without input; its id stands in quotes in the message, where clients look for it."""
        script = deployed(self._script(call), "Async")
        run = new_script_run(self._context, script)
        self._context.folder(*script["Folder"], "executions", run["Id"])
        self._context.store.put(SCRIPT_RUN, str(run["Id"]), run, parent=script["Hash"])
        return Reply({"Message": f"Execution '{run['Id']}' created"}, 201)

    def set_preprocessing_input(self, call: Call) -> Reply:
        """One dataset to run on."""
        script, run = self._script(call), self._run(call)
        if run["Started"]:
            raise BadRequestError(f"execution {run['Id']} is {run['State']}: its input cannot be changed any more")
        dataset = self._dataset(call, script, "input", "input of")
        folder = self._context.folder(*script["Folder"], "executions", run["Id"])
        entry = {"Name": dataset["Name"], "File": copy_dataset(self._context, dataset["Hash"], script["Group"], folder)}
        inputs = [kept for kept in run["Inputs"] if kept["Name"] != dataset["Name"]]
        self._context.store.patch(SCRIPT_RUN, str(run["Id"]), Inputs=[*inputs, entry])
        return Reply({"DatasetHash": dataset["Hash"], "DatasetName": dataset["Name"]}, 201)

    def start_preprocessing_execution(self, call: Call) -> Reply:
        """Run on the datasets that were set."""
        script, key = deployed(self._script(call), "Async"), str(self._run(call)["Id"])

        def change(body: Document) -> None:
            if body["Started"]:
                raise BadRequestError(f"execution {key} was started already; it is {body['State']}")
            if not body["Inputs"]:
                raise BadRequestError(f"execution {key} has no input: PATCH .../input first")
            # Clients compare with Running only: Requested would look like the end to them.
            body["Started"], body["State"] = True, "Running"

        run = self._context.store.update(SCRIPT_RUN, key, change) or {}
        hosted = self._hosting.hosted(script)

        def work() -> Document:
            fields = build_run(self._context, self._hosting, hosted, run)
            path = hosted.folder / "executions" / key / "output" / RESULT_FILE
            name = f"{script['Name']} {key}"
            dataset = keep_file(
                self._context, path, name, script["Group"], origin="Preprocessing", origin_id=script["Hash"]
            )
            return {**fields, "OutputDatasetHash": dataset["Hash"]}

        self._context.start(SCRIPT_RUN, key, work)
        return Reply({"Message": f"Execution '{key}' started"}, 201)

    def get_preprocessing_execution_status(self, call: Call) -> Reply:
        """Where an execution stands."""
        run = self._run(call)
        body = {
            "Status": run["State"],
            "Message": run.get("Message"),
            "OutputDatasetHash": run.get("OutputDatasetHash"),
        }
        return Reply(body)

    def describe_preprocessing_execution(self, call: Call) -> Reply:
        """All that is known about an execution."""
        run = self._run(call)
        output = run.get("OutputDatasetHash")
        return Reply({"ExecutionId": run["Id"], "State": run["State"], "OutputDatasetHash": output})

    def get_preprocessing_execution_result(self, call: Call) -> Reply:
        """The parquet file of an execution that succeeded."""
        run = self._run(call)
        folder = self._context.folder("preprocessing", run["Parent"], "executions", run["Id"], "output")
        if run["State"] == "Failed":
            raise NotFoundError(f"execution {run['Id']} failed: it has no result")
        if run["State"] != "Succeeded" or not (folder / RESULT_FILE).is_file():
            raise BadRequestError(f"execution {run['Id']} is {run['State']}: it has no result yet")
        headers = {"content-disposition": f'attachment; filename="{RESULT_FILE}"'}
        return Reply(file=folder / RESULT_FILE, media_type="application/octet-stream", headers=headers)

    # -- helpers ----------------------------------------------------------------------------------------------------

    def _dataset(self, call: Call, script: Document, field: str, what: str) -> Document:
        digest = call.text("dataset_hash")
        if (upload := call.file(field)) is not None:
            name = call.text("dataset_name") or f"{what} {script['Name']}"
            return keep_dataset(self._context, upload, name, script["Group"], field=field, origin="Preprocessing")
        if digest is None:
            raise BadRequestError(
                f"send the data as the file {field!r} with 'dataset_name', or a hash as 'dataset_hash'"
            )
        return self._context.find(DATASET, digest, "dataset", group=script["Group"])

    def _find(self, digest: str) -> Document:
        script = self._context.find(SCRIPT, digest, "preprocessing script")
        if "Datasets" not in script:
            raise NotFoundError(f"script {digest} is of the first generation: use /preprocessing")
        return script

    def _script(self, call: Call) -> Document:
        return self._find(str(call.values["script_hash"]))

    def _open(self, call: Call) -> Document:
        script = self._script(call)
        if script["State"] not in {"Ready", "Failed"}:
            raise BadRequestError(f"script {script['Hash']} is {script['State']}: its parts cannot be changed any more")
        return script

    def _run(self, call: Call) -> Document:
        key, digest = call.values["execution_id"], call.values["script_hash"]
        run = self._context.find(SCRIPT_RUN, key, "execution")
        if run["Parent"] != digest:
            raise NotFoundError(f"there is no execution {key} of script {digest}")
        return run
