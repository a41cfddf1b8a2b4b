"""Builds models and scripts: their environment, their import, their smoke test, and the warm worker that answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelport.sandbox._errors import ScriptError
from modelport.sandbox.codex.context import Context, RunFailedError, run_message
from modelport.sandbox.codex.files import ENV_FILE, REQUIREMENTS
from modelport.sandbox.runner import Environment, Outcome, Worker, read_env_file
from modelport.sandbox.runner.environment import EnvironmentBuildError

if TYPE_CHECKING:
    from pathlib import Path

    from modelport.sandbox.store import Document


@dataclass(frozen=True, slots=True)
class Hosted:
    """What is needed to run a hosted script."""

    key: str
    stamp: str
    folder: Path
    source: str
    reference: str
    python_version: str | None
    variables: Mapping[str, str]

    @property
    def base_path(self) -> str:
        """With a slash at its end, so that both `base_path + "/x"` and `base_path + "x"` are right."""
        return f"{self.folder}/"


class Hosting:
    """Environments and workers of hosted scripts."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def hosted(self, body: Document) -> Hosted:
        """The hosted script of a model or a preprocessing document."""
        folder = self._context.folder(*body["Folder"])
        variables = {"modelFileName": str(body.get("ModelFile") or ""), "BASE_PATH": f"{folder / 'executions'}"}
        return Hosted(
            key=str(body["Hash"]),
            stamp=str(body.get("Stamp", "")),
            folder=folder,
            source=str(body["Source"]),
            reference=str(body["Reference"]),
            python_version=body.get("PythonVersion"),
            variables={**read_env_file(folder / ENV_FILE), **variables},
        )

    def environment(self, folder: Path, python_version: str | None = None) -> Environment:
        """The environment for the requirements in a folder; RunFailedError when it cannot be made."""
        try:
            return self._context.environments.for_requirements(folder / REQUIREMENTS, python_version)
        except EnvironmentBuildError as error:
            raise RunFailedError(str(error)) from None

    def build(self, hosted: Hosted, *, sample: str | None) -> str:
        """Make the environment, import the script and, for a sample, call it once; the message for the owner."""
        owner, limits = hosted.key, self._context.settings.limits
        environment = self.environment(hosted.folder, hosted.python_version)
        notes = [*environment.notes]
        if environment.unmet:
            notes.append(
                f"requirements that the sandbox's own interpreter does not meet: {'; '.join(environment.unmet)}"
            )
        for note in notes:
            self._context.log(owner, "Host", "Warning", note)
        try:
            worker = self.worker(hosted, environment)
        except ScriptError as error:
            raise RunFailedError("\n".join([error.message, *notes])) from None
        if sample is not None:
            outcome = worker.request(score_message(hosted, sample), seconds=limits.predict_seconds)
            self._context.log_outcome(owner, "Host", outcome, "the smoke test with the schema sample went well")
            if not outcome.ok:
                self._context.runner.cool(owner)
                raise RunFailedError(f"the test with the schema sample failed: {run_message(outcome)}")
        return "; ".join(["Deployed", *notes])

    def worker(self, hosted: Hosted, environment: Environment | None = None) -> Worker:
        """The warm worker of a script, started when there is none; ScriptError when it cannot be imported."""

        def start() -> Worker:
            found = environment or self.environment(hosted.folder, hosted.python_version)
            worker = self._context.runner.spawn(found, cwd=hosted.folder, variables=hosted.variables)
            outcome = worker.request(load_message(hosted), seconds=self._context.settings.limits.build_seconds)
            self._context.log_outcome(hosted.key, "Host", outcome, f"imported {hosted.source}")
            if not outcome.ok:
                self._context.runner.dismiss(worker)
                raise ScriptError(f"{hosted.source} could not be imported: {run_message(outcome)}")
            return worker

        return self._context.runner.warm(hosted.key, hosted.stamp, start)

    def score(self, hosted: Hosted, value: Any) -> str:
        """Call a sync script on a JSON value; the JSON text of its answer, or ScriptError."""
        worker = self.worker(hosted)
        outcome = self._ask(worker, hosted, json.dumps(value))
        if not outcome.ok:
            raise ScriptError(run_message(outcome))
        return str(outcome.value["json"])

    def _ask(self, worker: Worker, hosted: Hosted, data: str) -> Outcome:
        outcome = worker.request(score_message(hosted, data), seconds=self._context.settings.limits.predict_seconds)
        if not outcome.ok or outcome.output or outcome.value.get("logs"):
            self._context.log_outcome(hosted.key, "Run", outcome, "")
        return outcome

    def run_file(self, hosted: Hosted, run_folder: Path, execution: str, input_name: str) -> Document:
        """Run an async script on the folder of an execution; fields for its document."""
        output = run_folder / "output"
        output.mkdir(exist_ok=True, mode=0o700)
        message = {
            **load_message(hosted),
            "do": "run_async",
            "data_path": f"{run_folder}/",
            "output": str(output),
            "archive": str(output / f"{execution}.zip"),
        }
        outcome = self._context.runner.run(
            self.environment(hosted.folder, hosted.python_version),
            message,
            cwd=run_folder,
            variables={**hosted.variables, "inputFileName": input_name, "EXECUTION_ID": execution},
        )
        self._context.log_outcome(hosted.key, "Run", outcome, f"execution {execution} succeeded")
        if not outcome.ok:
            raise RunFailedError(run_message(outcome))
        return {
            "OutputFile": outcome.value["file"],
            "OutputSize": outcome.value["size"],
            "Output": outcome.output[-4000:],
        }


def load_message(hosted: Hosted) -> Document:
    """The request that imports a script."""
    return {
        "do": "load",
        "source": str(hosted.folder / hosted.source),
        "reference": hosted.reference,
        "base_path": hosted.base_path,
    }


def score_message(hosted: Hosted, data: str) -> Document:
    """The request that calls the imported function."""
    return {"do": "score", "data": data, "base_path": hosted.base_path, "reference": hosted.reference}
