"""The OpenAPI document of an endpoint: its routes, and what each model's rows are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelops_jupyter._version import __version__
from modelops_jupyter.serving.examples import column_schema, example_row
from modelops_jupyter.serving.live import LiveModel

_REFUSALS = {
    "400": "the body is not as MLflow has it",
    "401": "the token is missing or wrong",
    "404": "the model is not served here",
    "408": "the body came too slowly",
    "413": "too many bytes or rows",
    "415": "the content type is not JSON",
    "421": "the request names another host",
    "422": "the rows break the model's contract; the field is named",
}
_ERROR = {
    "type": "object",
    "required": ["error_code", "message"],
    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}, "field": {"type": "string"}},
}
_ANSWER = {
    "type": "object",
    "required": ["predictions", "model", "version", "request_ids", "verdicts"],
    "properties": {
        "predictions": {"type": "array"},
        "model": {"type": "string"},
        "version": {"type": "integer"},
        "request_ids": {"type": "array", "items": {"type": "string"}},
        "verdicts": {"type": "array", "items": {"enum": ["score", "refer"]}},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "scores": {"type": "array", "items": {"type": ["number", "null"]}},
    },
}
_LABELS = {
    "type": "object",
    "required": ["labels"],
    "properties": {
        "model": {"type": "string"},
        "labels": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["request_id", "label"],
                "additionalProperties": False,
                "properties": {
                    "request_id": {"type": "string", "minLength": 1, "maxLength": 200},
                    "label": {"type": ["string", "number", "boolean"]},
                    "event_time": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
}


def document(models: Sequence[LiveModel], *, token: bool, most_rows: int) -> dict[str, Any]:
    """Return the document of an endpoint that serves these versions."""
    paths: dict[str, Any] = {
        f"/models/{live.name}/invocations": _invocations(live, most_rows, f"invoke_{live.name}") for live in models
    }
    if len(models) == 1:
        paths["/invocations"] = _invocations(models[0], most_rows, "invoke")
    paths["/labels"] = {
        "post": _operation("send_labels", "labels of requests that were answered", _LABELS, {"type": "object"})
    }
    for path, summary in (("/ping", "whether it lives"), ("/version", "the release that serves")):
        paths[path] = {
            "get": {"operationId": path[1:], "summary": summary, "responses": {"200": {"description": "yes"}}}
        }
    health = {"description": "models, log, problems", "content": {"application/json": {"schema": {"type": "object"}}}}
    paths["/health"] = {"get": {"operationId": "health", "summary": "how it does", "responses": {"200": health}}}
    content: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": ", ".join(live.name for live in models), "version": __version__},
        "paths": paths,
    }
    if token:
        content["components"] = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
        content["security"] = [{"token": []}]
    return content


def _invocations(live: LiveModel, most_rows: int, operation: str) -> dict[str, Any]:
    contract = {str(column["name"]): column for column in live.contract}
    optional = {name for name, column in contract.items() if column["missing"]}
    row = {
        "type": "object",
        "required": [name for name in live.names if name not in optional],
        "properties": {name: column_schema(contract[name]) if name in contract else {} for name in live.names},
    }
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": most_rows}
    ids = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 200}}
    method = {"type": "object", "properties": {"response_method": {"enum": list(live.methods)}}}
    more = {"request_ids": ids, **({"params": method} if live.methods else {})}
    split = {
        "type": "object",
        "required": ["columns", "data"],
        "properties": {"columns": {"type": "array", "items": {"type": "string"}}, "data": {"type": "array"}},
    }
    columns = {"type": "object", "additionalProperties": {"type": "array"}}
    forms = {"dataframe_records": rows, "dataframe_split": split, "instances": {"type": "array"}, "inputs": columns}
    body = {
        "oneOf": [
            {"type": "object", "required": [form], "properties": {form: schema, **more}}
            for form, schema in forms.items()
        ],
        "example": {"dataframe_records": [example_row(live)]},
    }
    return {"post": _operation(operation, f"predictions of {live.name}", body, _ANSWER)}


def _operation(name: str, summary: str, body: Any, answer: Any) -> dict[str, Any]:
    refusals = {
        status: {"description": text, "content": {"application/json": {"schema": _ERROR}}}
        for status, text in _REFUSALS.items()
    }
    done = {"description": "done", "content": {"application/json": {"schema": answer}}}
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": done, **refusals},
    }
