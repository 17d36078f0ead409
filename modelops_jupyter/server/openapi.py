"""The OpenAPI document, written from the table of routes and the dataclasses that verbs return."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from pydantic import TypeAdapter

from modelops_jupyter import workspace
from modelops_jupyter._version import __version__
from modelops_jupyter.listing import Listing
from modelops_jupyter.server.dashboard import DashboardAddress
from modelops_jupyter.server.fields import Field
from modelops_jupyter.server.jobs import Job
from modelops_jupyter.server.routes import PREFIX, RESOURCE, Route

_ROW = {"type": "object"}
_LISTING = {
    "type": "object",
    "required": ["title", "rows"],
    "properties": {"title": {"type": "string"}, "rows": {"type": "array", "items": _ROW}},
}
_ERROR = {
    "type": "object",
    "required": ["message", "code"],
    "properties": {
        "message": {"type": "string", "description": "What was wrong, with which value, and what to do next."},
        "code": {"type": "string", "description": "Stable: the shell and the user interfaces share it."},
    },
}
_METRICS = {"type": "object", "additionalProperties": {"type": "number"}}
_TEXT_OR_NULL = {"type": ["string", "null"]}
# What a version's record says of its metrics, also in the rows of `versions` and of `overview`.
_EVIDENCE = {
    "metrics": {**_METRICS, "description": "What counts: a measured metric takes the place of a claimed one."},
    "claimed": {**_METRICS, "description": "What the caller said when the version was registered."},
    "measured": {
        "type": ["object", "null"],
        "description": "What was measured by modelops-jupyter, on which rows, when and by what.",
        "required": ["metrics", "rows", "fingerprint", "at", "by"],
        "properties": {
            "metrics": _METRICS,
            "rows": {"type": "integer"},
            "fingerprint": {**_TEXT_OR_NULL, "description": "SHA-256 of the labels of the rows."},
            "at": {"type": "string", "format": "date-time"},
            "by": {"type": "string"},
        },
    },
    "measured_reason": {**_TEXT_OR_NULL, "description": "Why nothing, or not everything, was measured."},
}
_VERSION = {
    "type": "object",
    "required": ["name", "version", "aliases", "evaluation"],
    "properties": {
        "name": {"type": "string"},
        "version": {"type": "integer"},
        "aliases": {"type": "string"},
        "evaluation": {"type": "string", "description": "The metrics on one line, as measured or claimed."},
        **_EVIDENCE,
    },
}
# Results whose `to_dict` is not simply their fields.
_OWN_FORM: Mapping[str, Mapping[str, Any]] = {
    "Listing": _LISTING,
    "RegisteredVersion": {
        "type": "object",
        "required": ["name", "version", "aliases", *_EVIDENCE],
        "properties": {
            "name": {"type": "string"},
            "version": {"type": "integer"},
            "aliases": {"type": "array", "items": {"type": "string"}},
            **_EVIDENCE,
        },
    },
    "ModelCard": {
        "type": "object",
        "required": ["title", "sections", "code"],
        "properties": {
            "title": {"type": "string"},
            "sections": {
                "type": "object",
                "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "code": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "The text of each file of the project that the version runs.",
            },
        },
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name for this click: sent again within a day, nothing is done twice.",
    "schema": {"type": "string", "maxLength": 200},
}


def document(routes: tuple[Route, ...], base_url: str = "/") -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of `routes` as they are served under `base_url`."""
    schemas: dict[str, Any] = {"Error": _ERROR, **{name: dict(form) for name, form in _OWN_FORM.items()}}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ModelOps",
            "version": __version__,
            "description": "Models, gates, monitoring and pipelines of the workspace that this Jupyter server serves.",
        },
        "servers": [{"url": f"{base_url.rstrip('/')}{PREFIX}"}],
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token ` and Jupyter Server's token.",
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-XSRFToken",
                    "description": "With the login cookie, the value of the `_xsrf` cookie.",
                },
            },
        },
    }


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    in_query = () if route.method == "POST" else route.fields
    parameters = [_parameter(field, route) for field in in_query]
    found: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "x-jupyter-authorization": {"action": route.action, "resource": RESOURCE},
        "responses": {
            **_success(route, schemas),
            "default": {"description": "It was refused or failed.", "content": _json(_ref("Error"))},
        },
    }
    if route.method == "POST":
        parameters.append(_KEY)
        found["requestBody"] = {"required": bool(route.fields), "content": _json(_body(route.fields))}
    if parameters:
        found["parameters"] = parameters
    return found


def _operation_id(route: Route) -> str:
    return f"{route.operation}_of" if route.in_path and route.answer == "read" else route.operation


def _parameter(field: Field, route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": field.name,
        "in": "path" if field.name in route.in_path else "query",
        "required": field.required,
        "description": field.help,
        "schema": dict(field.schema),
    }
    return found


def _body(fields: tuple[Field, ...]) -> dict[str, Any]:
    properties = {
        field.name: {**(field.schema if field.required else _nullable(field.schema)), "description": field.help}
        for field in fields
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": [field.name for field in fields if field.required],
    }


def _nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _success(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    if route.answer == "start":
        header = {"Location": {"schema": {"type": "string"}, "description": "Where the job is."}}
        content = _json(_schema_of((Job,), schemas))
        result = _schema_of(returned(route.operation), schemas)
        text = "The job has begun; `x-job-result` is what its `result` will be."
        return {"202": {"description": text, "headers": header, "content": content, "x-job-result": result}}
    if route.answer == "events":
        stream = {"text/event-stream": {"schema": {"type": "string"}}}
        text = "Events `state`, `step` and `cell`, each with a JSON object; `end` with the job closes the stream."
        return {"200": {"description": text, "content": stream}}
    return {"200": {"description": "What was asked for.", "content": _json(_answer(route, schemas))}}


def _answer(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    if route.answer in ("job", "cancel"):
        return _schema_of((Job,), schemas)
    if route.answer == "jobs":
        return _schema_of((Listing,), schemas)
    if route.answer == "log":
        return {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
    if route.answer == "dashboard":
        return _schema_of((DashboardAddress,), schemas)
    if route.answer == "openapi":
        return {"type": "object"}
    if route.operation == "versions":
        return {"allOf": [_schema_of((Listing,), schemas), {"properties": {"rows": {"items": _VERSION}}}]}
    return _schema_of(returned(route.operation), schemas)


def returned(operation: str) -> tuple[type, ...]:
    """Return the dataclasses that a method of `Workspace` may return."""
    annotation = str(inspect.signature(getattr(workspace.Workspace, operation)).return_annotation)
    return tuple(_KNOWN[name] for name in re.findall(r"\w+", annotation) if name != "None")


def _imported(source: ModuleType) -> dict[str, Any]:
    """Return what a part of the facade imports for its annotations alone; a module that it imports is no type."""
    found: dict[str, Any] = {}
    for node in ast.walk(ast.parse(inspect.getsource(source))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("modelops_jupyter."):
            module = import_module(str(node.module))
            names = (alias.name for alias in node.names)
            found |= {name: getattr(module, name) for name in names if hasattr(module, name)}
    return found


# Made while this module is imported, so that a thread that writes the document imports nothing: see `imports`. Pydantic
# imports the rest of itself with its first schemas of records and sequences.
_KNOWN: dict[str, Any] = {}
for _part in (import_module(parent.__module__) for parent in reversed(workspace.Workspace.__mro__[:-1])):
    _KNOWN |= {**_imported(_part), **vars(_part)}
for _kind in (Job, Sequence[str]):
    TypeAdapter(_kind).json_schema()


def _schema_of(classes: tuple[type, ...], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of one of `classes`; their own go into `schemas`."""
    for cls in classes:
        if cls.__name__ not in schemas:
            schema = TypeAdapter(cls).json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
            schemas |= {name: _untitled(form) for name, form in schema.pop("$defs", {}).items()}
            schemas.setdefault(cls.__name__, _untitled(schema))  # one that holds its own kind is among its definitions
    references = [_ref(cls.__name__) for cls in classes]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _untitled(schema: Any) -> Any:
    """Leave out the titles that pydantic makes of names."""
    if isinstance(schema, list):
        return [_untitled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _untitled(form) for name, form in value.items()} if key == "properties" else _untitled(value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": dict(schema)}}
