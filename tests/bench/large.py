"""A made document as large as those of real platforms: 200 operations and 1,200 models by default."""

from __future__ import annotations

from typing import Any

OPERATIONS = 200
TAGS = 10

TEXT: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}


def document(operations: int = OPERATIONS) -> dict[str, Any]:
    """An OpenAPI document; every operation sends an object and gets one, of six schemas of its own."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for index in range(operations):
        schemas |= _schemas(index)
        paths[f"/things{index}/{{thing_id}}"] = {"post": _operation(index)}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Large", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(index: int) -> dict[str, Any]:
    return {
        "operationId": f"update_thing{index}",
        "tags": [f"group{index % TAGS}"],
        "summary": f"Update the thing {index}.",
        "parameters": [
            {"name": "thing_id", "in": "path", "required": True, "schema": TEXT, "description": "Which one."},
            {"name": "limit", "in": "query", "schema": INTEGER},
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _of(f"Thing{index}In")}}},
        "responses": {
            "200": {"description": "The thing.", "content": {"application/json": {"schema": _of(f"Thing{index}Out")}}}
        },
    }


def _schemas(index: int) -> dict[str, Any]:
    thing = f"Thing{index}"
    return {
        f"{thing}In": _object(
            ["DisplayName"],
            DisplayName={**TEXT, "description": "The name for people."},
            Owner=_of(f"{thing}Owner"),
            State=_of(f"{thing}State"),
            Labels={"type": "array", "items": _of(f"{thing}Label")},
        ),
        f"{thing}Out": _object(
            ["ThingId", "DisplayName", "CreatedAt"],
            ThingId=TEXT,
            DisplayName=TEXT,
            CreatedAt={"type": "string", "format": "date-time"},
            Owner=_of(f"{thing}Owner"),
            State=_of(f"{thing}State"),
            Metrics={"type": "array", "items": _of(f"{thing}Metric")},
            Count=INTEGER,
            Ratio={"type": "number"},
        ),
        f"{thing}Owner": _object(["PersonName"], PersonName=TEXT, EMail=TEXT),
        f"{thing}State": {"type": "string", "enum": ["pending", "ready", "failed"]},
        f"{thing}Label": _object(["Key"], Key=TEXT, Value=TEXT),
        f"{thing}Metric": _object(["MetricName"], MetricName=TEXT, MetricValue={"type": "number"}),
    }


def _of(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}
