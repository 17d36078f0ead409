"""The OpenAPI document: valid, complete, and true of what the routes answer."""

from pathlib import Path
from typing import Any

import pandas as pd
from asking import Ask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from modelops_jupyter.server.openapi import document
from modelops_jupyter.server.routes import routes
from modelops_jupyter.server.served import plain
from modelops_jupyter.verbs import VERBS
from modelops_jupyter.workspace import Workspace


async def test_the_document_is_valid_and_has_every_route(get: Ask) -> None:
    served = await get("openapi.json")
    validate(served)
    assert served["servers"][0]["url"].endswith("/modelops/api/v1")
    assert {(route.method.lower(), route.path) for route in routes()} == {
        (method, path) for path, methods in served["paths"].items() for method in methods
    }
    assert {f"/{verb.name}" for verb in VERBS} <= set(served["paths"])
    promote = served["paths"]["/promote"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert promote["required"] == ["version", "reason"]
    assert promote["properties"]["alias"]["default"] == "champion"
    assert promote["additionalProperties"] is False


def conforms(answer: Any, path: str, method: str = "get", status: str = "200") -> None:
    """Fail where an answer is not what the document says."""
    whole = document(routes())
    schema = whole["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    errors = list(Draft202012Validator({**schema, "components": whole["components"]}).iter_errors(answer))
    assert not errors, f"{path}: {errors[0].json_path} {errors[0].message}"


async def test_answers_are_what_the_document_says(get: Ask, post: Ask, model: Workspace, jp_root_dir: Path) -> None:
    frame = pd.DataFrame({"wind": [0.5, -1.0] * 30, "at": pd.date_range("2026-01-01", periods=60, freq="1h", tz="UTC")})
    frame["id"], frame["said"] = [str(n) for n in range(60)], frame["wind"] > 0
    model.log_predictions("delay/1", frame, id="id", time="at", prediction="said")
    model.log_labels("delay", frame.assign(late=1), id="id", label="late")
    report = model.monitor("delay")
    reads = {
        "/models": {},
        "/status": {},
        "/versions": {"name": "delay"},
        "/version": {"version": "delay/2"},
        "/overview": {"name": "delay"},
        "/distribution": {"name": "delay", "column": "wind"},
        "/curves": {"name": "delay"},
        "/gate": {"version": "delay/2"},
        "/card": {"version": "delay/1"},
        "/alerts": {},
        "/audit": {},
        "/verify-audit": {},
        "/jobs": {},
    }
    for path, query in reads.items():
        conforms(await get(path.strip("/"), **query), path)
    conforms(await get("models/delay"), "/models/{name}")
    for path, body in (
        ("/approve", {"version": "delay/2", "reason": "ok"}),
        ("/check", {"version": "delay/2"}),
        ("/promote", {"version": "delay/2", "reason": "ok"}),
        ("/rollback", {"name": "delay", "reason": "ok"}),
    ):
        conforms(await post(path.strip("/"), body), path, "post")
    job = await post("monitor", {"name": "delay"})
    conforms(job, "/monitor", "post", "202")
    conforms(await get(f"jobs/{job['id']}"), "/jobs/{id}")
    whole = document(routes())
    result = whole["paths"]["/monitor"]["post"]["responses"]["202"]["x-job-result"]
    Draft202012Validator({**result, "components": whole["components"]}).validate(plain(report))
