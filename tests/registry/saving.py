"""A model on its way into MLflow, as registration sends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from modelops_jupyter.registry import Registry


@dataclass(frozen=True)
class Saved:
    """What is known of a version once MLflow has it; `body` is what goes on record."""

    body: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.body[name]


def save(
    registry: Registry,
    model: Any,
    name: str,
    *,
    run_id: str | None = None,
    metrics: Mapping[str, float] | None = None,
    **drawn: Any,
) -> Saved:
    """Draft, upload and publish `model`."""
    with registry.draft(model, **drawn) as draft:
        facts = registry.upload(draft, name, run_id=run_id, metrics=metrics)
    return Saved({**facts, "version": registry.publish(facts, uuid4().hex)})
