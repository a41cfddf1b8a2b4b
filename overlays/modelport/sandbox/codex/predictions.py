"""Predictions: sync answers from a warm worker, async executions with a result archive."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from modelport.sandbox._errors import BadRequestError, NotFoundError
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.context import DATASET, MODEL, MODEL_RUN, PREDICTIONS, Context
from modelport.sandbox.codex.executions import archive_reply, run_status
from modelport.sandbox.codex.files import save_table

if TYPE_CHECKING:
    from pathlib import Path

    from modelport.sandbox.codex.hosting import Hosting
    from modelport.sandbox.codex.preprocessing import Preprocessing
    from modelport.sandbox.store import Document

MODEL_RUN_IDS = "codex/model-execution"


class Predictions:
    """Run deployed models."""

    def __init__(self, context: Context, hosting: Hosting, preprocessing: Preprocessing) -> None:
        self._context = context
        self._hosting = hosting
        self._preprocessing = preprocessing

    def predict(self, call: Call) -> Reply:
        """One input, answered at once with what the script returned."""
        model = self._deployed(call, "Sync")
        raw = call.json["Input"]
        script = call.json.get("ScriptHash")
        value = raw if script is None else self._preprocessing.apply(str(script), model["Group"], raw)
        answer = self._hosting.score(self._hosting.hosted(model), value)
        self._context.store.append(PREDICTIONS, model["Hash"], {"Input": json.dumps(raw), "Output": answer})
        return Reply(content=answer.encode())

    def submit_prediction(self, call: Call) -> Reply:
        """A file to score in the background."""
        model = self._deployed(call, "Async")
        identifier = self._context.store.next_id(MODEL_RUN_IDS)
        folder = self._context.folder(*model["Folder"], "executions", identifier)
        name = self._input(call, folder, model["Group"])
        run = {
            "Id": identifier,
            "Parent": model["Hash"],
            "Group": model["Group"],
            "State": "Requested",
            "Message": None,
            "InputFile": name,
            "CreatedAt": self._context.now(),
        }
        self._context.store.put(MODEL_RUN, str(identifier), run, parent=model["Hash"])
        self._context.start(MODEL_RUN, str(identifier), lambda: self._run(model["Hash"], folder, identifier, name))
        return Reply({"ExecutionId": identifier, "Message": "Execution requested"}, 202)

    def _run(self, digest: str, folder: Path, identifier: int, name: str) -> Document:
        model = self._context.find(MODEL, digest, "model")
        fields = self._hosting.run_file(self._hosting.hosted(model), folder, str(identifier), name)
        self._context.store.append(
            PREDICTIONS, digest, {"Execution": identifier, "File": name, "Result": fields["OutputFile"]}
        )
        return fields

    def _input(self, call: Call, folder: Path, group: str) -> str:
        upload = call.file("input")
        if upload is not None:
            return save_table(upload, folder, "input")
        digest = call.text("dataset_hash")
        if digest is None:
            raise BadRequestError("send the data as the file 'input', or the hash of a dataset as 'dataset_hash'")
        dataset = self._context.find(DATASET, digest, "dataset", group=group)
        source = self._context.folder("datasets", digest) / dataset["File"]
        shutil.copyfile(source, folder / dataset["File"])
        return str(dataset["File"])

    # -- executions -------------------------------------------------------------------------------------------------

    def get_prediction_status(self, call: Call) -> Reply:
        """Where an execution stands."""
        return Reply(run_status(self._execution(call)))

    get_prediction_status_without_group = get_prediction_status

    def get_prediction_result(self, call: Call) -> Reply:
        """The archive of an execution that succeeded."""
        run = self._execution(call)
        folder = self._context.folder("models", run["Parent"], "executions", run["Id"], "output")
        return archive_reply(run, folder / f"{run['Id']}.zip")

    get_prediction_result_without_group = get_prediction_result

    def _execution(self, call: Call) -> Document:
        return self._context.find(MODEL_RUN, call.values["execution_id"], "execution", group=call.principal)

    def _deployed(self, call: Call, operation: str) -> Document:
        group, digest = str(call.values["group"]), str(call.values["model_hash"])
        model = self._context.find(MODEL, digest, "model", group=group)
        if model["Operation"] != operation:
            raise BadRequestError(
                f"model {digest} is {model['Operation']}: run it at /model/{model['Operation'].lower()}/run"
            )
        if model["State"] == "Deleted":
            raise NotFoundError(f"model {digest} was deleted")
        if model["State"] != "Deployed":
            raise BadRequestError(f"model {digest} is {model['State']}, not Deployed: host it and wait until it is")
        return model
