"""The Codex document names every operation of the platform, and tools of others take it whole."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

ROOT = Path(__file__).resolve().parents[3]
SPEC = ROOT / "openapi" / "codex" / "v1" / "spec.yaml"
METHODS = ("get", "post", "patch", "delete")
EVIDENCE = {"seen", "docs", "inferred"}

# Method, path, and what a user of the client writes for it.
OPERATIONS = """
GET /health health.get_health
POST /login auth.login
GET /groups groups.list_groups
POST /groups groups.create_group
GET /groups/refresh/{name} groups.refresh_group_token
POST /training/register/{group} training.register_training
GET /training/search training.search_trainings
GET /training/describe/{group}/{training_hash} training.describe_training
GET /training/describe/{group}/{training_hash}/{execution_id} training.describe_training_execution
POST /training/upload/{group}/{training_hash} training.upload_training_execution
GET /training/execute/{group}/{training_hash}/{execution_id} training.start_training_execution
GET /training/status/{group}/{execution_id} training.get_training_execution_status
GET /training/result/{group}/{execution_id} training.get_training_execution_result
POST /training/promote/{group}/{training_hash}/{execution_id} training.promote_training_execution
POST /v2/training/{group} training_v2.create_training
POST /v2/training/{training_hash}/execution training_v2.create_execution
PATCH /v2/training/execution/{execution_id}/input/file training_v2.set_execution_input
PATCH /v2/training/execution/{execution_id}/requirements-file training_v2.set_execution_requirements
PATCH /v2/training/execution/{execution_id}/script-file training_v2.set_execution_script
PATCH /v2/training/execution/{execution_id}/extra-file training_v2.add_execution_extra_file
PATCH /v2/training/execution/{execution_id}/env/file training_v2.set_execution_env
PATCH /v2/training/execution/{execution_id}/conf-dict/file training_v2.set_execution_conf_dict
PATCH /v2/training/execution/{execution_id}/features/file training_v2.set_execution_features
PATCH /v2/training/execution/{execution_id}/target/file training_v2.set_execution_target
PATCH /v2/training/execution/{execution_id}/output/file training_v2.set_execution_output
PATCH /v2/training/execution/{execution_id}/metrics/file training_v2.set_execution_metrics
PATCH /v2/training/execution/{execution_id}/parameters/file training_v2.set_execution_parameters
PATCH /v2/training/execution/{execution_id}/model/file training_v2.set_execution_model
PATCH /v2/training/execution/{execution_id}/python-version training_v2.set_execution_python_version
PATCH /v2/training/execution/{execution_id} training_v2.start_execution
GET /v2/training/execution/{execution_id}/status training_v2.get_execution_status
POST /v2/training/execution/{execution_id}/copy training_v2.copy_execution
PATCH /v2/training/execution/{execution_id}/promote training_v2.promote_execution
POST /model/upload/{group} models.upload_model
GET /model/{operation}/host/{group}/{model_hash} models.host_model
GET /model/status/{group}/{model_hash} models.get_model_status
GET /model/describe/{group}/{model_hash} models.describe_model
GET /model/describe/{group}/{model_hash}/{execution_id} models.describe_model_execution
GET /model/search models.search_models
GET /model/sync/health/{group}/{model_hash} models.get_model_health
GET /model/restart/{group}/{model_hash} models.restart_model
GET /model/sync/restart/{group}/{model_hash} models.restart_sync_model
POST /model/disable/{group}/{model_hash} models.disable_model
DELETE /model/delete/{group}/{model_hash} models.delete_model
GET /model/logs/{group}/{model_hash} models.get_model_logs
GET /model/logs/{model_hash} models.get_logs_of_model
GET /model/{operation}/docs/{group}/{model_hash} models.get_model_docs
POST /model/sync/run/{group}/{model_hash} predictions.predict
POST /model/async/run/{group}/{model_hash} predictions.submit_prediction
GET /model/async/status/{group}/{execution_id} predictions.get_prediction_status
GET /model/async/result/{group}/{execution_id} predictions.get_prediction_result
GET /model/async/status/{execution_id} predictions.get_prediction_status_without_group
GET /model/async/result/{execution_id} predictions.get_prediction_result_without_group
POST /preprocessing/register/{group} preprocessing.register_preprocessing
GET /preprocessing/{operation}/host/{group}/{script_hash} preprocessing.host_preprocessing
GET /preprocessing/status/{group}/{script_hash} preprocessing.get_preprocessing_status
GET /preprocessing/describe/{group}/{script_hash} preprocessing.describe_preprocessing
GET /preprocessing/search preprocessing.search_preprocessings
POST /preprocessing/sync/run/{group}/{script_hash} preprocessing.run_preprocessing
POST /preprocessing/async/run/{group}/{script_hash} preprocessing.submit_preprocessing
GET /preprocessing/async/status/{group}/{execution_id} preprocessing.get_preprocessing_run_status
GET /preprocessing/async/result/{group}/{execution_id} preprocessing.get_preprocessing_run_result
GET /preprocessing/logs/{group}/{script_hash} preprocessing.get_preprocessing_logs
GET /preprocessing/logs/{script_hash} preprocessing.get_logs_of_preprocessing
GET /v2/preprocessing preprocessing_v2.list_preprocessings
POST /v2/preprocessing/{group_or_hash} preprocessing_v2.create_preprocessing
GET /v2/preprocessing/{group_or_hash} preprocessing_v2.get_preprocessing
PATCH /v2/preprocessing/{script_hash}/schema preprocessing_v2.set_schema
PATCH /v2/preprocessing/{script_hash}/script-file preprocessing_v2.set_script
PATCH /v2/preprocessing/{script_hash}/requirements-file preprocessing_v2.set_requirements
PATCH /v2/preprocessing/{script_hash}/env-file preprocessing_v2.set_env
PATCH /v2/preprocessing/{script_hash}/extra-file preprocessing_v2.add_extra_file
PATCH /v2/preprocessing/{script_hash}/status preprocessing_v2.start_preprocessing_host
GET /v2/preprocessing/{script_hash}/status preprocessing_v2.get_preprocessing_host_status
POST /v2/preprocessing/{script_hash}/execution preprocessing_v2.create_preprocessing_execution
PATCH /v2/preprocessing/{script_hash}/execution/{execution_id}/input preprocessing_v2.set_preprocessing_input
PATCH /v2/preprocessing/{script_hash}/execution/{execution_id}/run preprocessing_v2.start_preprocessing_execution
GET /v2/preprocessing/{script_hash}/execution/{execution_id}/status preprocessing_v2.get_preprocessing_execution_status
GET /v2/preprocessing/{script_hash}/execution/{execution_id} preprocessing_v2.describe_preprocessing_execution
GET /v2/preprocessing/{script_hash}/execution/{execution_id}/result preprocessing_v2.get_preprocessing_execution_result
GET /datasets/list datasets.list_datasets
GET /datasets/status/{group}/{dataset_hash} datasets.get_dataset_status
GET /datasets/result/{group}/{dataset_hash} datasets.download_dataset
DELETE /datasets/{group}/{dataset_hash} datasets.delete_dataset
POST /datasource/register/{group} datasources.register_datasource
GET /datasource/list datasources.list_datasources
POST /datasource/import/{group}/{name} datasources.import_dataset
DELETE /datasources/{group}/{name} datasources.delete_datasource
POST /monitoring/register/{group}/{model_hash} monitoring.register_monitoring
GET /monitoring/host/{group}/{model_hash}/{period} monitoring.host_monitoring
GET /monitoring/status/{group}/{model_hash}/{period} monitoring.get_monitoring_status
GET /monitoring/host/{group}/{model_hash} monitoring.host_monitoring_without_period
GET /monitoring/status/{group}/{model_hash} monitoring.get_monitoring_status_without_period
GET /monitoring/search/records/{group}/{monitored_hash} monitoring.search_monitoring_records
GET /external-monitoring external_monitoring.list_external_monitorings
POST /external-monitoring external_monitoring.register_external_monitoring
POST /external-monitoring/{group} external_monitoring.register_external_monitoring_in_group
PATCH /external-monitoring/{external_monitoring_hash}/model-file external_monitoring.set_monitoring_model
PATCH /external-monitoring/{external_monitoring_hash}/requirements-file external_monitoring.set_monitoring_requirements
PATCH /external-monitoring/{external_monitoring_hash}/script-file external_monitoring.set_monitoring_script
PATCH /external-monitoring/{external_monitoring_hash}/status external_monitoring.host_external_monitoring
GET /external-monitoring/{external_monitoring_hash}/status external_monitoring.get_external_monitoring_status
"""
EXPECTED = {(method, path): name for method, path, name in map(str.split, OPERATIONS.strip().splitlines())}

GROUP_TOKEN = {
    "get_model_health",
    "predict",
    "submit_prediction",
    "get_prediction_status",
    "get_prediction_result",
    "get_prediction_status_without_group",
    "get_prediction_result_without_group",
    "run_preprocessing",
    "submit_preprocessing",
    "get_preprocessing_run_status",
    "get_preprocessing_run_result",
}
NO_TOKEN = {"get_health", "login", "get_model_docs"}
DEPRECATED = {
    "restart_sync_model",
    "get_prediction_status_without_group",
    "get_prediction_result_without_group",
    "host_monitoring_without_period",
    "get_monitoring_status_without_period",
    "register_external_monitoring_in_group",
}
CAN_BE_GONE = {
    "get_training_execution_status",
    "get_training_execution_result",
    "get_model_status",
    "get_prediction_status",
    "get_prediction_result",
    "get_prediction_status_without_group",
    "get_prediction_result_without_group",
    "get_preprocessing_status",
    "get_preprocessing_run_status",
    "get_preprocessing_run_result",
}
# What the success code is where it is not 200.
SUCCESS = {
    "create_group": ["201"],
    "refresh_group_token": ["201"],
    "register_training": ["201"],
    "upload_training_execution": ["201"],
    "promote_training_execution": ["201"],
    "promote_execution": ["201"],
    "start_execution": ["202"],
    "copy_execution": ["200", "201"],
    "upload_model": ["201"],
    "host_model": ["202"],
    "submit_prediction": ["202"],
    "register_preprocessing": ["201"],
    "host_preprocessing": ["202"],
    "submit_preprocessing": ["200", "202"],
    "create_preprocessing_execution": ["201"],
    "start_preprocessing_host": ["202"],
    "register_monitoring": ["201"],
    "register_external_monitoring": ["201"],
    "register_external_monitoring_in_group": ["201"],
    "host_external_monitoring": ["202"],
    "create_training": ["201"],
    "create_execution": ["201"],
    "create_preprocessing": ["201"],
}


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    return loaded


def _operations(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def _by_id(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {operation["operationId"]: operation for _, _, operation in _operations(spec)}


def _resolve(spec: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _body(operation: dict[str, Any]) -> tuple[str, str]:
    """The media type of the request body and the name of its component."""
    ((media_type, media),) = operation["requestBody"]["content"].items()
    return media_type, media["schema"]["$ref"].rsplit("/", 1)[1]


def test_the_document_has_exactly_the_operations_of_the_platform(spec: dict[str, Any]) -> None:
    actual = {(method, path): f"{o['tags'][0]}.{o['operationId']}" for method, path, o in _operations(spec)}

    assert len(EXPECTED) == 102
    assert actual == EXPECTED


def test_path_items_hold_nothing_but_the_methods_looked_at(spec: dict[str, Any]) -> None:
    assert {key for item in spec["paths"].values() for key in item} == set(METHODS)


def test_the_readme_tells_the_same_count() -> None:
    readme = (ROOT / "openapi" / "codex" / "README.md").read_text(encoding="utf-8")

    assert f"**{len(EXPECTED)} operations**" in readme


def test_the_document_is_valid_openapi(spec: dict[str, Any]) -> None:
    validate(spec)


def test_every_operation_has_one_tag_that_is_described(spec: dict[str, Any]) -> None:
    described = {tag["name"]: tag["description"] for tag in spec["tags"]}
    used = [operation["tags"] for _, _, operation in _operations(spec)]

    assert all(described.values())
    assert {tag for tags in used for tag in tags} == set(described)
    assert {len(tags) for tags in used} == {1}


def test_operation_ids_are_unique_snake_case(spec: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in _operations(spec)]

    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []


def test_tokens_go_where_the_platform_takes_them(spec: dict[str, Any]) -> None:
    for name, operation in _by_id(spec).items():
        schemes = [scheme for requirement in operation["security"] for scheme in requirement]
        expected = [] if name in NO_TOKEN else ["groupToken"] if name in GROUP_TOKEN else ["userToken"]

        assert schemes == expected, name


def test_success_codes_are_those_the_client_waits_for(spec: dict[str, Any]) -> None:
    for name, operation in _by_id(spec).items():
        codes = [code for code in operation["responses"] if code.startswith("2")]
        part = name.startswith(("set_", "add_")) or name == "start_preprocessing_execution"

        assert codes == SUCCESS.get(name, ["201"] if part else ["200"]), name


def test_only_status_and_result_calls_answer_that_a_thing_is_gone(spec: dict[str, Any]) -> None:
    operations = _by_id(spec)

    assert {name for name, operation in operations.items() if "410" in operation["responses"]} == CAN_BE_GONE
    for name in CAN_BE_GONE:
        responses = operations[name]["responses"]
        gone = responses["410"]["content"]["application/json"]["schema"]
        success = responses["200"]["content"].get("application/json", {}).get("schema", gone)

        assert gone == success, name


def test_older_addresses_are_deprecated(spec: dict[str, Any]) -> None:
    assert {name for name, operation in _by_id(spec).items() if operation.get("deprecated")} == DEPRECATED


def test_errors_share_one_body(spec: dict[str, Any]) -> None:
    for name, operation in _by_id(spec).items():
        for code, response in operation["responses"].items():
            if code[0] in "45" and code != "410":
                content = _resolve(spec, response)["content"]
                assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorBody"}, name
        # A page to share asks for no token; health and login may be refused without one.
        assert ("401" in operation["responses"]) == (name != "get_model_docs"), name
        assert "500" in operation["responses"], name
    assert "409" in _by_id(spec)["create_group"]["responses"]


def test_response_codes_are_text(spec: dict[str, Any]) -> None:
    assert {type(code) for _, _, operation in _operations(spec) for code in operation["responses"]} == {str}


def test_every_operation_says_how_it_is_known(spec: dict[str, Any]) -> None:
    assert {operation["x-modelport-evidence"] for _, _, operation in _operations(spec)} <= EVIDENCE


def test_every_get_that_changes_something_says_so(spec: dict[str, Any]) -> None:
    marked = {operation["operationId"] for _, _, operation in _operations(spec) if operation.get("x-modelport-mutates")}

    assert marked == {
        "host_model",
        "host_monitoring",
        "host_monitoring_without_period",
        "host_preprocessing",
        "refresh_group_token",
        "restart_model",
        "restart_sync_model",
        "start_training_execution",
    }


@pytest.mark.parametrize(
    ("operation", "media_type", "required"),
    [
        ("login", "application/x-www-form-urlencoded", {"user", "password"}),
        ("create_group", "application/x-www-form-urlencoded", {"name", "description"}),
        ("register_training", "application/x-www-form-urlencoded", {"experiment_name", "model_type"}),
        ("import_dataset", "application/x-www-form-urlencoded", {"uri", "name"}),
        ("upload_training_execution", "multipart/form-data", {"run_name", "training_type"}),
        ("promote_training_execution", "multipart/form-data", {"name", "operation"}),
        (
            "upload_model",
            "multipart/form-data",
            {
                "input_type",
                "model",
                "model_reference",
                "name",
                "operation",
                "python_version",
                "requirements",
                "source",
            },
        ),
        ("submit_prediction", "multipart/form-data", set()),
        ("register_monitoring", "multipart/form-data", {"preprocess_reference", "shap_reference", "configuration"}),
        ("predict", "application/json", {"Input"}),
        ("create_preprocessing", "application/json", {"Name", "Operation"}),
        ("set_execution_python_version", "application/json", {"PythonVersion"}),
        (
            "register_external_monitoring",
            "application/json",
            {
                "DataSourceName",
                "DataSourceUri",
                "ExtractionType",
                "Group",
                "InputCols",
                "Name",
                "OutputCols",
                "Period",
                "TrainingExecutionId",
            },
        ),
    ],
)
def test_bodies_have_the_media_type_and_fields_the_client_sends(
    spec: dict[str, Any], operation: str, media_type: str, required: set[str]
) -> None:
    actual, name = _body(_by_id(spec)[operation])

    assert actual == media_type
    assert set(spec["components"]["schemas"][name].get("required", [])) == required


def test_states_are_spelt_as_the_platform_spells_them(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]

    assert schemas["ModelState"]["enum"] == [
        "Ready",
        "Building",
        "Recovering",
        "FailedRecovery",
        "Failed",
        "Deployed",
        "Disabled",
        "DisabledRecovery",
        "DisabledFailed",
        "Deleted",
    ]
    assert schemas["ExecutionState"]["enum"] == ["Uploaded", "Requested", "Running", "Succeeded", "Failed"]
    assert schemas["MonitoringState"]["enum"] == ["Unvalidated", "Validating", "Validated", "Invalidated"]


def test_members_of_an_enum_stay_apart_as_constants(spec: dict[str, Any]) -> None:
    for name, schema in spec["components"]["schemas"].items():
        members = [value.upper() for value in schema.get("enum", [])]

        assert len(set(members)) == len(members), name


def test_schemas_are_named_once_described_and_open(spec: dict[str, Any]) -> None:
    def walk(node: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(node, dict):
            if "type" in node and isinstance(node["type"], str):
                yield where, node
            for key, value in node.items():
                yield from walk(value, f"{where}/{key}") if key != "example" else ()
        elif isinstance(node, list):
            for index, value in enumerate(node):
                yield from walk(value, f"{where}/{index}")

    for name, schema in spec["components"]["schemas"].items():
        assert schema["description"], name
        assert "title" not in schema, name
        assert schema.get("x-modelport-evidence", "seen") in EVIDENCE, name
        for property_name, value in schema.get("properties", {}).items():
            assert "$ref" in value or value["description"], f"{name}.{property_name}"
        # An object below the top level would become a class with a made-up name.
        nested = [where for where, node in walk(schema, name) if node["type"] == "object" and where != name]
        assert nested == []
        assert schema.get("additionalProperties") is not False, name
    for path, method in ((path, method) for path, item in spec["paths"].items() for method in item):
        inline = [where for where, node in walk(spec["paths"][path][method], path) if node["type"] == "object"]
        assert inline == []


def test_conditional_fields_name_real_fields_and_values(spec: dict[str, Any]) -> None:
    for name, schema in spec["components"]["schemas"].items():
        for field, cases in schema.get("x-modelport-required-when", {}).items():
            values = _resolve(spec, schema["properties"][field])["enum"]

            assert set(cases) <= set(values), name
            assert {needed for case in cases.values() for needed in case} <= set(schema["properties"]), name


def test_links_lead_to_operations_and_fill_their_parameters(spec: dict[str, Any]) -> None:
    operations = _by_id(spec)
    linked = 0
    for name, operation in operations.items():
        own = {_resolve(spec, parameter)["name"] for parameter in operation.get("parameters", [])}
        for code, response in operation["responses"].items():
            for link in response.get("links", {}).values():
                target = operations[link["operationId"]]
                wanted = {
                    parameter["name"]
                    for parameter in (_resolve(spec, p) for p in target["parameters"])
                    if parameter["in"] == "path"
                }
                assert set(link["parameters"]) == wanted, (name, code, link)
                for expression in link["parameters"].values():
                    _check_expression(spec, operation, response, own, expression)
                linked += 1
    assert linked > 50


def _check_expression(
    spec: dict[str, Any], operation: dict[str, Any], response: dict[str, Any], own: set[str], expression: str
) -> None:
    if expression.startswith("$request.path."):
        assert expression.removeprefix("$request.path.") in own
    elif expression.startswith("$request.body#/"):
        body = spec["components"]["schemas"][_body(operation)[1]]
        assert expression.removeprefix("$request.body#/") in body["properties"]
    elif expression.startswith("$response.body#/"):
        field = expression.removeprefix("$response.body#/").split("/")[0]
        assert field in _resolve(spec, response["content"]["application/json"]["schema"])["properties"]
    else:
        assert not expression.startswith("$")


def _address_pattern(spec: dict[str, Any], path: str, operation: dict[str, Any]) -> str:
    values = {}
    for parameter in (_resolve(spec, p) for p in operation.get("parameters", [])):
        schema = _resolve(spec, parameter["schema"])
        choices = "|".join(schema.get("enum", []))
        pattern = schema.get("pattern", "^[^/]+$").removeprefix("^").removesuffix("$")
        values[parameter["name"]] = choices or (r"[1-9]\d*" if schema["type"] == "integer" else pattern)
    return re.sub(r"\{(\w+)\}", lambda match: f"(?:{values[match[1]]})", path)


def _example_address(spec: dict[str, Any], path: str, operation: dict[str, Any]) -> str:
    values = {p["name"]: p["example"] for p in (_resolve(spec, q) for q in operation.get("parameters", []))}
    return re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), path)


def test_the_values_in_an_address_tell_which_operation_is_meant(spec: dict[str, Any]) -> None:
    everything = list(_operations(spec))
    for (method, path, operation), (other_method, other_path, other) in itertools.product(everything, repeat=2):
        matches = re.fullmatch(_address_pattern(spec, other_path, other), _example_address(spec, path, operation))
        if method == other_method:
            assert bool(matches) == (path == other_path), f"{method} {path} is read as {other_path}"


def test_the_generator_takes_every_operation_without_a_warning(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("post_hooks: []\n", encoding="utf-8")
    target = tmp_path / "generated"
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(SPEC), "--meta", "none"]
    command += ["--output-path", str(target), "--config", str(config), "--fail-on-warning"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    modules = {(file.parent.name, file.stem) for file in (target / "api").glob("*/*.py") if file.stem != "__init__"}
    assert modules == {tuple(name.split(".")) for name in EXPECTED.values()}
    # A digit at the end of a class is how the generator avoids a clash.
    assert [file.name for file in (target / "models").glob("*.py") if re.search(r"\d", file.stem)] == []


def test_the_linter_finds_nothing(node: str) -> None:
    redocly = ROOT / ".cache" / "node" / "node_modules" / ".bin" / "redocly"
    if not redocly.exists():
        pytest.fail(f"{redocly.relative_to(ROOT)} is missing: run `make setup-test` (npm package @redocly/cli)")
    command = [node, str(redocly), "lint", str(SPEC), "--config", str(ROOT / "openapi" / "redocly.yaml")]
    done = subprocess.run(
        [*command, "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
    )

    assert done.stdout, done.stderr
    problems = json.loads(done.stdout)["problems"]
    assert [f"{problem['ruleId']}: {problem['message']}" for problem in problems] == []
    assert done.returncode == 0
