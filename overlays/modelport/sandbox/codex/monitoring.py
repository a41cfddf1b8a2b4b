"""Monitoring of hosted models: register, host (validate), status, records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelport.sandbox._errors import BadRequestError, NotFoundError
from modelport.sandbox._shapes import as_names, as_object
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.context import EXTERNAL, MODEL, MONITORING, RECORDS, TRAINING_RUN, Context, span
from modelport.sandbox.codex.files import REQUIREMENTS, read_json, save_optional, save_source
from modelport.sandbox.codex.watching import Watching

if TYPE_CHECKING:
    from modelport.sandbox.store import Document

PERIODS = ("Day", "Week", "Month", "Year")
# The sample of older releases spells the key with the older name of the product.
EXECUTION_KEYS = ("MLOpsTrainingExecution", "NeomarilTrainingExecution")


class Monitoring:
    """What watches a hosted model."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._watching = Watching(context)

    def register_monitoring(self, call: Call) -> Reply:
        """Take the configuration and the scripts."""
        model = self._model(call)
        configuration = read_json(call.need_file("configuration"), "configuration")
        period, run = check_configuration(self._context, configuration, model)
        folder = self._context.folder(*model["Folder"], "monitoring")
        source = call.file("source")
        body: Document = {
            "Hash": model["Hash"],
            "Group": model["Group"],
            "Configuration": configuration,
            "Period": period,
            "TrainingExecution": run,
            "Folder": [*model["Folder"], "monitoring"],
            "Source": save_source(source, folder, "source") if source is not None else None,
            "Parse": call.need_text("preprocess_reference"),
            "Shap": call.need_text("shap_reference"),
            "State": "Unvalidated",
            "Message": None,
            "RegisteredAt": self._context.now(),
        }
        save_optional(call, "requirements", folder, REQUIREMENTS)
        self._context.store.put(MONITORING, model["Hash"], body, parent=model["Group"])
        return Reply({"ModelHash": model["Hash"], "Message": "Model monitoring registered"}, 201)

    def host_monitoring(self, call: Call) -> Reply:
        """Start the validation, which also computes a first record when there are predictions."""
        body = self._monitoring(call)
        if body["State"] == "Validating":
            return Reply({"Message": "Monitoring validation is under way"})
        self._watching.validate(MONITORING, body["Hash"])
        return Reply({"Message": f"Monitoring validation started - Hash: {body['Hash']}"})

    host_monitoring_without_period = host_monitoring

    def get_monitoring_status(self, call: Call) -> Reply:
        """State and, when invalidated, why."""
        body = self._monitoring(call)
        return Reply({"Status": body["State"], "Message": body.get("Message")})

    get_monitoring_status_without_period = get_monitoring_status

    def search_monitoring_records(self, call: Call) -> Reply:
        """PSI and mean SHAP, computed now from the predictions in the span, after the records kept earlier."""
        digest, group = str(call.values["monitored_hash"]), str(call.values["group"])
        kind = MONITORING if self._context.store.get(MONITORING, digest) is not None else EXTERNAL
        body = self._context.find(kind, digest, "monitored model", group=group)
        since, until = span(call.query("start"), call.query("end"))
        if body["State"] == "Validated":
            self._watching.record(kind, body, since, until)
        rows = self._context.store.rows(RECORDS, digest, since=since, until=until)
        results = [
            {"RegisteredAt": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"), **row}
            for at, row in rows
        ]
        return Reply({"Results": results})

    def _model(self, call: Call) -> Document:
        model = self._context.find(MODEL, call.values["model_hash"], "model", group=call.values["group"])
        if model["State"] == "Deleted":
            raise NotFoundError(f"model {model['Hash']} was deleted")
        return model

    def _monitoring(self, call: Call) -> Document:
        model = self._model(call)
        body = self._context.find(MONITORING, model["Hash"], "monitoring of model", group=model["Group"])
        period = call.values.get("period")
        if period is not None and period != body["Period"]:
            raise NotFoundError(f"model {model['Hash']} is monitored by {body['Period']}, not by {period}")
        return body


def check_configuration(context: Context, configuration: Any, model: Document) -> tuple[str, int | None]:
    """The period and the training execution of a configuration.json; BadRequestError names what is wrong."""
    given = as_object(configuration)
    if given is None:
        raise BadRequestError("form field 'configuration': the file holds no JSON object")
    period = str(given.get("Period", "")).title()
    if period not in PERIODS:
        raise BadRequestError(f"configuration key 'Period' must be one of {', '.join(PERIODS)}, whatever the case")
    for key in ("InputCols", "OutputCols"):
        if as_names(given.get(key)) is None:
            raise BadRequestError(f"configuration key {key!r} must be a list of column names")
    wanted = as_object(given.get("TrainData"))
    if wanted is None:
        raise BadRequestError("configuration key 'TrainData' must be an object")
    identifier = next((wanted[key] for key in EXECUTION_KEYS if key in wanted), model.get("TrainingExecution"))
    if identifier is None:
        return period, None
    if not str(identifier).isdigit():
        raise BadRequestError(
            f"configuration key 'TrainData.MLOpsTrainingExecution' is {identifier!r}, not the id of an execution"
        )
    run = context.store.get(TRAINING_RUN, str(identifier))
    if run is None or run["Group"] != model["Group"] or run["State"] != "Succeeded":
        raise BadRequestError(f"training execution {identifier} is not one of group {model['Group']!r} that Succeeded")
    return period, int(identifier)
