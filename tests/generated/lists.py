"""A document of lists in pages and of work to wait for, and the client that is generated from it."""

from __future__ import annotations

from typing import Any

KEY = "s3cr3t"
TEXT, INTEGER = {"type": "string"}, {"type": "integer"}
LIST_EVENT = {"type": "array", "items": {"$ref": "#/components/schemas/Event"}}
LIST_PET = {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}


def query(name: str, schema: dict[str, Any] = TEXT, **rest: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, **rest}


def answers(schema: Any, links: dict[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    return {"200": {**found, "links": links} if links else found}


def listing(operation_id: str, schema: Any, parameters: list[Any], pages: Any, **rest: Any) -> dict[str, Any]:
    found = {"operationId": operation_id, "tags": ["pets"], "parameters": parameters, "responses": answers(schema)}
    return {"get": {**found, "x-modelport-pagination": pages, **rest}}


def pets(**more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"pets": LIST_PET, **more}}


SEARCH = {
    "operationId": "search_pets",
    "tags": ["pets"],
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Search"}}}},
    "responses": answers(pets(after={"type": ["string", "integer", "null"]})),
    "x-modelport-pagination": {
        "style": "token",
        "next": "after",
        "parameter": "$request.body#/page/after",
        "size": "$request.body#/page/size",
    },
}
JOB: dict[str, Any] = {"$ref": "#/components/schemas/Job"}
JOB_ID = {"name": "id", "in": "path", "required": True, "schema": TEXT}
CREATE = {
    "operationId": "create_job",
    "tags": ["jobs"],
    "parameters": [query("region")],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Plan"}}},
    },
    "responses": {
        "202": {
            "description": "taken",
            "content": {"application/json": {"schema": JOB}},
            "links": {
                "job": {
                    "operationId": "get_job",
                    "parameters": {
                        "id": "$response.body#/id",
                        "region": "$request.query.region",
                        "view": "for {$request.body#/name}",
                    },
                }
            },
        }
    },
}
POLLING = {
    "state": "status",
    "success": ["done"],
    "failure": ["failed", "cancelled"],
    "message": "/error/text",
    "interval": 2,
}


def reading(operation_id: str, polling: Any, **rest: Any) -> dict[str, Any]:
    found = {"operationId": operation_id, "tags": ["jobs"], "responses": answers(JOB), "x-modelport-polling": polling}
    return {"get": {**found, **rest}, "parameters": [JOB_ID]}


TOKEN = query("page_token")
LISTS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Lists", "version": "1"},
    "security": [{"key": []}],
    "paths": {
        "/pets": listing(
            "list_pets",
            {"$ref": "#/components/schemas/PetList"},
            [TOKEN, query("limit", INTEGER), {"name": "X-Trace", "in": "header", "schema": TEXT}],
            {"style": "token", "next": "/meta/next", "parameter": "page_token", "size": "limit", "more": "has_more"},
        ),
        "/search": {"post": SEARCH},
        "/linked": {
            "get": {
                "operationId": "listLinked",
                "tags": ["pets"],
                "parameters": [{"name": "X-Cursor", "in": "header", "schema": TEXT}],
                "responses": answers(
                    LIST_PET,
                    {
                        "next": {
                            "operationId": "listLinked",
                            "parameters": {"header.X-Cursor": "$response.header.X-Next"},
                        }
                    },
                ),
            }
        },
        "/events": listing(
            "events",
            {"type": "object", "properties": {"data": LIST_EVENT}},
            [query("since", {"type": "string", "format": "date-time"})],
            {"style": "cursor", "next": "at", "parameter": "since", "items": "data"},
        ),
        "/paged": listing(
            "list_paged",
            pets(total=INTEGER, page_count=INTEGER),
            [query("page", INTEGER, required=True), query("size", INTEGER)],
            {"style": "page", "parameter": "page", "size": "size", "total": "total", "pages": "page_count"},
        ),
        "/plain": listing(
            "list_plain", LIST_PET, [query("page", {"type": "integer", "default": 0})],
            {"style": "page", "parameter": "page"},
        ),
        "/names": listing(
            "list_names", {"type": "array", "items": TEXT}, [query("offset", INTEGER), query("limit", INTEGER)],
            {"style": "offset", "parameter": "offset", "total": "$response.header.X-Total-Count"},
        ),
        "/web/{name}": listing(
            "list_web", LIST_PET,
            [query("page", INTEGER), {"name": "name", "in": "path", "required": True, "schema": TEXT}],
            {"style": "link"},
        ),
        "/urls": listing(
            "list_urls", pets(next={"type": ["string", "null"]}), [], {"style": "link", "next": "next"}
        ),
        "/jobs": {"post": CREATE},
        "/text": {
            "post": {
                "operationId": "start_job",
                "tags": ["jobs"],
                "responses": {
                    "201": {
                        "description": "the id",
                        "content": {"text/plain": {"schema": TEXT}},
                        "links": {"job": {"operationId": "get_job", "parameters": {"id": "$response.body"}}},
                    },
                    "202": {
                        "description": "elsewhere",
                        "links": {"job": {"operationId": "get_job", "parameters": {"id": "$response.body"}}},
                    },
                },
            }
        },
        "/jobs/{id}": reading("get_job", POLLING, parameters=[query("region"), query("view")]),
        "/strict/{id}": reading("get_strict", {**POLLING, "pending": ["queued"]}),
        "/status/{id}": reading("get_by_status", {"state": "$statusCode", "success": [200], "failure": []}),
        "/google/{id}": reading(
            "get_operation", {"state": "done", "success": [True], "error": "error", "message": "/error/text"}
        ),
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "api key"}},
        "schemas": {
            "Pet": {"type": "object", "required": ["id"], "properties": {"id": INTEGER}},
            "Event": {
                "type": "object", "required": ["at"], "properties": {"at": {"type": "string", "format": "date-time"}}
            },
            "PetList": {
                "type": "object",
                "properties": {
                    "pets": LIST_PET,
                    "has_more": {"type": "boolean"},
                    "meta": {"type": "object", "properties": {"next": {"type": ["string", "null"]}}},
                },
            },
            "Search": {
                "type": "object",
                "properties": {
                    "name": TEXT,
                    "page": {
                        "type": "object", "properties": {"after": {"type": ["string", "integer"]}, "size": INTEGER}
                    },
                },
            },
            "Plan": {"type": "object", "required": ["name"], "properties": {"name": TEXT}},
            "Job": {
                "type": "object",
                "properties": {
                    "id": TEXT,
                    "status": TEXT,
                    "done": {"type": "boolean"},
                    "error": {"type": "object", "properties": {"text": TEXT}},
                },
            },
        },
    },
}  # fmt: skip
