"""Monitoring of models that are served elsewhere: their predictions come from a data source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.context import DATASOURCE, EXTERNAL, TRAINING_RUN, Context
from modelport.sandbox.codex.files import REQUIREMENTS, save_source
from modelport.sandbox.codex.watching import Watching

if TYPE_CHECKING:
    from modelport.sandbox.store import Document


class ExternalMonitoring:
    """Register, set parts, host."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._watching = Watching(context)

    def list_external_monitorings(self, _: Call) -> Reply:
        """Every one."""
        found = [
            {"Hash": body["Hash"], "Group": body["Group"], "Name": body["Name"], "Status": body["State"]}
            for body in self._context.store.all(EXTERNAL)
        ]
        # Older clients read the count.
        return Reply({"Result": found, "Count": len(found)})

    def register_external_monitoring(self, call: Call) -> Reply:
        """A new one, of the group that the body names."""
        return self._register(call, str(call.json["Group"]))

    def register_external_monitoring_in_group(self, call: Call) -> Reply:
        """A new one; the group in the path must be that of the body."""
        group = str(call.values["group"])
        if call.json["Group"] != group:
            raise BadRequestError(f"body field 'Group' is {call.json['Group']!r}, the path says {group!r}")
        return self._register(call, group)

    def _register(self, call: Call, group: str) -> Reply:
        given, store = call.json, self._context.store
        self._context.group(group)
        run = store.get(TRAINING_RUN, str(given["TrainingExecutionId"]))
        if run is None or run["Group"] != group:
            raise BadRequestError(
                f"body field 'TrainingExecutionId': group {group!r} has no execution {given['TrainingExecutionId']}"
            )
        if store.get(DATASOURCE, f"{group}/{given['DataSourceName']}") is None:
            raise BadRequestError(
                f"body field 'DataSourceName': group {group!r} has no data source {given['DataSourceName']!r}"
            )
        digest = self._context.new_hash("X")
        body: Document = {
            "Hash": digest,
            "Group": group,
            "Name": given["Name"],
            "Configuration": given,
            "Period": given["Period"],
            "TrainingExecution": given["TrainingExecutionId"],
            "Folder": ["external-monitoring", digest],
            "Source": None,
            "Parse": None,
            "Shap": None,
            "ModelFile": None,
            "State": "Unvalidated",
            "Message": None,
            "RegisteredAt": self._context.now(),
        }
        store.put(EXTERNAL, digest, body, parent=group)
        return Reply({"ExternalMonitoringHash": digest, "Message": "External monitoring registered"}, 201)

    def set_monitoring_model(self, call: Call) -> Reply:
        """The model file."""
        body, upload = self._body(call), call.need_file("model")
        upload.save(self._context.folder(*body["Folder"]) / upload.name)
        return self._saved(body, ModelFile=upload.name)

    def set_monitoring_requirements(self, call: Call) -> Reply:
        """The requirements file."""
        body = self._body(call)
        call.need_file("requirements").save(self._context.folder(*body["Folder"]) / REQUIREMENTS)
        return self._saved(body)

    def set_monitoring_script(self, call: Call) -> Reply:
        """The script with its two functions."""
        body = self._body(call)
        name = save_source(call.need_file("script"), self._context.folder(*body["Folder"]), "script")
        parse, shap = call.need_text("preprocess_reference"), call.need_text("shap_reference")
        return self._saved(body, Source=name, Parse=parse, Shap=shap, PythonVersion=call.text("python_version"))

    def host_external_monitoring(self, call: Call) -> Reply:
        """Start the validation."""
        body = self._body(call)
        if body["State"] != "Validating":
            self._watching.validate(EXTERNAL, body["Hash"])
        return Reply({"Message": "External monitoring validation started"}, 202)

    def get_external_monitoring_status(self, call: Call) -> Reply:
        """State and, when invalidated, why."""
        body = self._body(call)
        return Reply({"Status": body["State"], "Message": body.get("Message")})

    def _body(self, call: Call) -> Document:
        return self._context.find(EXTERNAL, call.values["external_monitoring_hash"], "external monitoring")

    def _saved(self, body: Document, **fields: object) -> Reply:
        self._context.store.patch(EXTERNAL, body["Hash"], **fields)
        return Reply({"Message": f"External monitoring {body['Hash']} updated"}, 201)
