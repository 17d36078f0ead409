"""Pages for people who do not write code: the fleet, and one model. Read only.

In a notebook: ``from modelops_jupyter.dashboards import fleet; fleet()``. For everybody else: ``modelops dashboard``.
"""

from __future__ import annotations

from typing import Any

__all__ = ["fleet", "model"]


def fleet() -> Any:
    """Return the page of every model in the workspace."""
    from modelops_jupyter.dashboards.page import guarded_page, read_request

    request = read_request()
    from modelops_jupyter.dashboards.fleet_page import fleet_page

    return guarded_page(lambda: fleet_page(request))


def model(name: str | None = None) -> Any:
    """Return the page of one model: `name`, or the one that the page's address asks for, or the first."""
    from modelops_jupyter.dashboards.page import guarded_page, read_request

    request = read_request()
    from modelops_jupyter.dashboards.model_page import model_page

    return guarded_page(lambda: model_page(request, name))
