"""What `modelport.predict_code` must know to write a program that calls a model of this platform."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from modelport.codex._records import known
from modelport.codex._states import EXECUTION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelport_api.codex.v1 import models

__all__ = ["TOKEN_VARIABLE", "predict_code", "sample_of"]

TOKEN_VARIABLE = "MLOPS_GROUP_TOKEN"  # noqa: S105 - the name of a variable
_PLACEHOLDER = {"name": "value"}


def sample_of(found: Sequence[models.ModelSummary], model_hash: str) -> str | None:
    """The sample input of a model, as JSON text, out of a list of models."""
    return next((known(model.schema) for model in found if model.model_hash == model_hash), None)


def predict_code(
    language: str,
    *,
    api_url: str,
    group: str,
    model_hash: str,
    operation: str,
    name: str,
    sample: Mapping[str, Any] | str | None,
    secrets: Sequence[str],
) -> str:
    """The program, as text."""
    from modelport import predict_code as room

    def url(operation_id: str) -> str:
        return api_url + _filled(_paths()[operation_id], group, model_hash)

    auth = room.Auth(variable=TOKEN_VARIABLE)
    title = f"{name or model_hash} ({operation.lower()})"
    if operation == "Sync":
        text = sample if isinstance(sample, str) else json.dumps(sample or _PLACEHOLDER, ensure_ascii=False)
        request = room.PredictRequest(
            url=url("predict"), auth=auth, body=room.JsonBody(f'{{"Input": {text}}}').indented(), title=title
        )
    else:
        job = room.Job(
            id_at=("ExecutionId",),
            status_url=url("get_prediction_status"),
            status_at=("Status",),
            message_at=("Message",),
            succeeded=tuple(sorted(EXECUTION.done)),
            failed=tuple(sorted(EXECUTION.failed)),
            readable_statuses=(410,),
            result_url=url("get_prediction_result"),
            result_filename="prediction-{id}.zip",
            archive="zip",
        )
        body = room.MultipartBody(file_field="input")
        request = room.PredictRequest(url=url("submit_prediction"), auth=auth, body=body, job=job, title=title)
    return room.render(request, language, secrets=secrets)


@cache
def _paths() -> dict[str, str]:
    """The path of every operation of predictions, by its id."""
    text = (files("modelport_api.codex.v1") / "operations.json").read_text(encoding="utf-8")
    operations = json.loads(text)["operations"]
    return {entry["operation_id"]: entry["path"] for entry in operations if entry["tag"] == "predictions"}


def _filled(path: str, group: str, model_hash: str) -> str:
    filled = path.replace("{group}", quote(group, safe="")).replace("{model_hash}", model_hash)
    return filled.replace("{execution_id}", "{id}")
