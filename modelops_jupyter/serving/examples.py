"""Rows that a version's contract would take, and what a reader types to send one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelops_jupyter.serving.live import LiveModel


def example_row(live: LiveModel) -> dict[str, Any]:
    """Return a value for each of a version's columns, as JSON has them; by the contract where there is one."""
    contract = {str(column["name"]): column for column in live.contract}
    return {name: _example(contract.get(name, {"dtype": "float64"})) for name in live.names}


def column_schema(column: Mapping[str, Any]) -> dict[str, Any]:
    """Return what JSON Schema says of a column; values that the contract does not know are referred, not refused."""
    kind = _kind(str(column["dtype"]))
    schema: dict[str, Any] = {} if kind is None else {"type": [kind, "null"] if column["missing"] else kind}
    if "minimum" in column:
        schema["description"] = f"in training from {column['minimum']} to {column['maximum']}"
    if kind == "string" and ("categories" in column or "values" in column):
        schema["examples"] = list(column.get("categories", column.get("values", ())))[:10]
    return schema


def snippets(url: str, live: LiveModel, *, token: bool, several: bool, certificate: str = "") -> str:
    """Return a line for a shell and some for Python that send one row."""
    path = f"{url}/models/{live.name}/invocations" if several else f"{url}/invocations"
    body = json.dumps({"dataframe_records": [example_row(live)]})
    shell = f"'{body.replace(chr(39), chr(39) + chr(92) + chr(39) + chr(39))}'"
    header = ' -H "Authorization: Bearer $MODELOPS_SERVE_TOKEN"' if token else ""
    trusted = f" --cacert {certificate}" if certificate else ""
    headers = ", headers={'Authorization': 'Bearer ' + os.environ['MODELOPS_SERVE_TOKEN']}" if token else ""
    verify = f", verify={certificate!r}" if certificate else ""
    return (
        f"curl{trusted} {path}{header} -H 'Content-Type: application/json' -d {shell}\n\n"
        f"import {'os, ' if token else ''}httpx\n"
        f"httpx.post({path!r}, json={json.loads(body)!r}{headers}{verify}).json()"
    )


def _example(column: Mapping[str, Any]) -> Any:
    for name in ("categories", "values"):
        if column.get(name):
            return column[name][0]
    kind = _kind(str(column["dtype"]))
    if kind in ("number", "integer"):
        return column.get("minimum", 0)
    if kind == "boolean":
        return True
    return "2026-01-01T00:00:00Z" if str(column["dtype"]).startswith(("datetime", "timestamp")) else "text"


def _kind(dtype: str) -> str | None:
    lower = dtype.lower()
    if lower.startswith("bool"):
        return "boolean"
    if lower.startswith(("int", "uint")):
        return "integer"
    if lower.startswith(("float", "double")):
        return "number"
    return "string" if lower.startswith(("str", "datetime", "timestamp", "large_string")) else None
