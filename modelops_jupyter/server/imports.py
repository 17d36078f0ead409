"""What requests use, imported by the server's own thread before one of its pool answers them.

Panels ask for several things at once, and each question goes to a thread of its own: see `modelops_jupyter.imports`.
Nothing is imported before the first question of its kind, and between two imports the server has its turn, so that
kernels and other pages wait for one library at a time, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from modelops_jupyter.imports import each_import

_STORE = ("modelops_jupyter.store", "modelops_jupyter.profiles")
_SUPPRESSIONS = "modelops_jupyter.monitoring.incidents.suppressions"
_HEALTH = (
    "modelops_jupyter.monitoring",
    "modelops_jupyter.monitoring.figures.cycle",  # whether a model still learns
    "modelops_jupyter.monitoring.figures.volume",
    "modelops_jupyter.monitoring.incidents.missing_rows",
    _SUPPRESSIONS,
)
_WINDOWS = (*_HEALTH, "modelops_jupyter.monitoring.kept", "modelops_jupyter.monitoring.record.packed")
_ROWS = ("modelops_jupyter.log", "modelops_jupyter.sources")
_CASES = ("modelops_jupyter.monitoring.incidents.cases",)
_CURVES = (*_WINDOWS, "modelops_jupyter.actions.inspection", "modelops_jupyter.monitoring.figures.curves")
# Whose results the document describes.
_RESULTS = ("modelops_jupyter.log", "modelops_jupyter.notifications", "modelops_jupyter.pipelines", "pydantic")
_GATE = ("modelops_jupyter.governance",)
_ALIASES = (*_GATE, *_CASES, "modelops_jupyter.registry")
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "status": (
        "modelops_jupyter.actions.adoption",
        *_HEALTH,
        *_GATE,  # what is said of a version that was rejected and serves
        "modelops_jupyter.notifications",
        "modelops_jupyter.log",
        "modelops_jupyter.registry",
        "modelops_jupyter.serving.state",
    ),
    "doctor": (
        "modelops_jupyter.diagnosis",
        *_ALIASES,
        "modelops_jupyter.actions.aliases",
        "modelops_jupyter.log",
        "modelops_jupyter.pipelines",
    ),
    "models": (*_HEALTH, *_GATE),
    "versions": _GATE,
    "audit": _GATE,
    "audit_head": (),
    "overview": (*_WINDOWS, *_GATE),
    "distribution": _CURVES,
    "curves": _CURVES,
    "alerts": (_SUPPRESSIONS,),
    "incidents": _CASES,
    "incident": _CASES,
    "acknowledge": _CASES,
    "resolve": _CASES,
    "assign": _CASES,
    "mute": (*_CASES, "modelops_jupyter.monitoring.kept"),
    "accept": (*_CASES, "modelops_jupyter.monitoring.kept"),
    "revoke": _CASES,
    "comment": (*_CASES, *_GATE),
    "board": _GATE,
    "card": _GATE,
    "check": _GATE,
    "gate": _GATE,
    "approve": _ALIASES,
    "reject": _ALIASES,
    "promote": _ALIASES,
    "rollback": _ALIASES,
    "reconcile": _ALIASES,
    "multivariate_drift": (*_WINDOWS, *_ROWS, "modelops_jupyter.monitoring.explaining.multivariate"),
    "runs": ("modelops_jupyter.pipelines",),  # whether one that has not ended goes on
    "notebook_parameters": ("modelops_jupyter.pipelines",),
    "openapi": (*_CURVES, *_GATE, *_RESULTS, "modelops_jupyter.server.openapi"),
    "open_dashboard": ("modelops_jupyter.dashboards.serve",),
}


async def import_for(operation: str) -> None:
    """Import what a request for `operation` needs; other requests have their turn between two imports."""
    for _ in each_import(needed(operation)):
        await asyncio.sleep(0)


def needed(operation: str) -> tuple[str, ...]:
    """Return what the answer to a request for `operation` uses."""
    return (*_STORE, *_NEEDED.get(operation, ()))
