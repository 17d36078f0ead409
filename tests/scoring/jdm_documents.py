"""JDM documents, written short."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

Rule = tuple[Sequence[str], Sequence[str]]


def table_node(
    name: str, inputs: Sequence[str | None], outputs: Sequence[str], rules: Sequence[Rule], **content: Any
) -> dict[str, Any]:
    """Return a decision table: a rule is its input cells and its output cells; an input None has conditions alone."""
    return {
        "id": name,
        "name": name,
        "type": "decisionTableNode",
        "content": {
            "hitPolicy": "first",
            "inputs": [
                {"id": f"i{n}", "name": f"In {n}", **({} if f is None else {"field": f})} for n, f in enumerate(inputs)
            ],
            "outputs": [{"id": f"o{n}", "name": f"Out {n}", "field": field} for n, field in enumerate(outputs)],
            "rules": [
                {"_id": str(number)}
                | {f"i{n}": cell for n, cell in enumerate(conditions)}
                | {f"o{n}": cell for n, cell in enumerate(answers)}
                for number, (conditions, answers) in enumerate(rules)
            ],
            **content,
        },
    }


def document(*nodes: Mapping[str, Any], edges: Sequence[tuple[str, str]] = (), **members: Any) -> str:
    """Return a document of an input, `nodes` and an output, one after the other unless `edges` says otherwise."""
    inner = list(nodes)
    first = {"id": "in", "name": "Request", "type": "inputNode"}
    last = {"id": "out", "name": "Answer", "type": "outputNode"}
    names = ["in", *(str(node["id"]) for node in inner), "out"]
    pairs = edges or list(pairwise(names))
    return json.dumps(
        {
            "nodes": [first, *inner, last],
            "edges": [
                {"id": f"e{n}", "sourceId": source.partition(":")[0], "targetId": target}
                | ({"sourceHandle": source.partition(":")[2]} if ":" in source else {})
                for n, (source, target) in enumerate(pairs)
            ],
            **members,
        }
    )


def one_table(inputs: Sequence[str | None], outputs: Sequence[str], rules: Sequence[Rule], **content: Any) -> str:
    """Return a document of one decision table, `care`."""
    return document(table_node("care", inputs, outputs, rules, **content))
