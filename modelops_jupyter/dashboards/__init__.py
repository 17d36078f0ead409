"""Pages for people who do not write code: the fleet, one model, alerts, governance. Read only.

In a notebook: ``from modelops_jupyter.dashboards import fleet; fleet()``. For everybody else: ``modelops dashboard``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

__all__ = ["alerts", "fleet", "governance", "model"]


def fleet() -> Any:
    """Return the page of every model in the workspace."""
    return _dashboard("fleet")


def model(name: str | None = None) -> Any:
    """Return the page of one model: `name`, or the one that the page's address asks for, or the first."""
    return _dashboard("model", **({} if name is None else {"model": name}))


def alerts() -> Any:
    """Return the page of alerts, of every model."""
    return _dashboard("alerts")


def governance() -> Any:
    """Return the page of who decided what, and what waits for whom."""
    return _dashboard("governance")


def _dashboard(page: str, **query: str) -> Any:
    from modelops_jupyter.dashboards.page import read_request

    request = read_request()
    from modelops_jupyter.dashboards.app import Dashboard

    return Dashboard(replace(request, query={**request.query, **query}), page).root
