"""The documentation page of a model: HTML that works offline, and the OpenAPI document in it."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox._shapes import as_list, as_object
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.context import MODEL, Context

if TYPE_CHECKING:
    from modelport.sandbox.store import Document

_STYLE = """
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font-family:ui-monospace,monospace}pre{background:#8881;border-radius:.5rem;padding:1rem;overflow:auto}
.verb{background:#2563eb;color:#fff;border-radius:.3rem;padding:.1rem .5rem;font-weight:700}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #8885;padding:.3rem .6rem;text-align:left}
"""


class Docs:
    """One page per model."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def get_model_docs(self, call: Call) -> Reply:
        """The page; or the OpenAPI document alone, for who accepts JSON and no HTML."""
        model = self._context.find(MODEL, call.values["model_hash"], "model", group=call.values["group"])
        operation = str(call.values["operation"])
        if model["Operation"].lower() != operation:
            raise BadRequestError(
                f"model {model['Hash']} is {model['Operation']}: its page is under {model['Operation'].lower()}"
            )
        document = openapi_of(model, f"{call.base_url}")
        accept = call.headers.get("accept", "")
        if "application/json" in accept and "text/html" not in accept:
            return Reply(document)
        return Reply(content=_page(model, document).encode(), media_type="text/html; charset=utf-8")


def openapi_of(model: Document, base_url: str) -> Document:
    """An OpenAPI document for the prediction of one model, its schema made from the sample."""
    paths = _sync_paths(model) if model["Operation"] == "Sync" else _async_paths(model)
    return {
        "openapi": "3.0.3",
        "info": {"title": model["Name"], "version": model["UploadedAt"], "description": f"Model {model['Hash']}"},
        "servers": [{"url": base_url}],
        "components": {"securitySchemes": {"groupToken": {"type": "http", "scheme": "bearer"}}},
        "security": [{"groupToken": []}],
        "paths": paths,
    }


def _sync_paths(model: Document) -> Document:
    sample: Document = model.get("Sample") or {}
    body = {"type": "object", "required": ["Input"], "properties": {"Input": schema_of(sample)}}
    content: Document = {"application/json": {"schema": body, "example": {"Input": sample}}}
    post: Document = {
        "operationId": "predict",
        "summary": "Score one input",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {"description": "What the model returned", "content": {"application/json": {"schema": {}}}}
        },
    }
    return {f"/model/sync/run/{model['Group']}/{model['Hash']}": {"post": post}}


def _async_paths(model: Document) -> Document:
    upload = {"type": "object", "properties": {"input": {"type": "string", "format": "binary"}}}
    identifier = {"name": "execution_id", "in": "path", "required": True, "schema": {"type": "integer"}}
    started = {"202": {"description": "The execution's id"}}
    return {
        f"/model/async/run/{model['Group']}/{model['Hash']}": {
            "post": {
                "operationId": "submit",
                "summary": "Score a file",
                "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": upload}}},
                "responses": started,
            }
        },
        f"/model/async/status/{model['Group']}/{{execution_id}}": {
            "get": {"operationId": "status", "parameters": [identifier], "responses": {"200": {"description": "State"}}}
        },
        f"/model/async/result/{model['Group']}/{{execution_id}}": {
            "get": {
                "operationId": "result",
                "parameters": [identifier],
                "responses": {"200": {"description": "Zip archive"}},
            }
        },
    }


def schema_of(value: Any) -> Document:
    """A JSON schema that fits a sample value."""
    if (entries := as_object(value)) is not None:
        return {"type": "object", "properties": {key: schema_of(item) for key, item in entries.items()}}
    if (items := as_list(value)) is not None:
        return {"type": "array", "items": schema_of(items[0]) if items else {}}
    if value is None:
        return {"nullable": True}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": kinds[type(value)], "example": value}


def _page(model: Document, document: Document) -> str:
    name, sample = html.escape(str(model["Name"])), model.get("Sample")
    routes = "".join(
        f'<tr><td><span class="verb">{verb.upper()}</span></td><td><code>{html.escape(path)}</code></td>'
        f"<td>{html.escape(str(operation.get('summary', operation['operationId'])))}</td></tr>"
        for path, item in document["paths"].items()
        for verb, operation in item.items()
    )
    example = f"<h2>Sample</h2><pre>{html.escape(json.dumps({'Input': sample}, indent=2))}</pre>" if sample else ""
    text = html.escape(json.dumps(document, indent=2))
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{name}</title><style>{_STYLE}</style></head><body><h1>{name}</h1>"
        f"<p>{html.escape(str(model['Operation']))} model <code>{model['Hash']}</code> of group "
        f"<code>{html.escape(str(model['Group']))}</code>, {html.escape(str(model['State']))}. Send the group token as "
        f"<code>Authorization: Bearer ...</code> to <code>{html.escape(document['servers'][0]['url'])}</code>.</p>"
        f"<p><a href='/codex/drift/{model['Hash']}'>Drift since training</a></p>"
        f"<table>{routes}</table>{example}<h2>OpenAPI</h2><pre id=openapi>{text}</pre></body></html>"
    )
