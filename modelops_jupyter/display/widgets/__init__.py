"""Live views for notebooks and Voila, on one small anywidget; each shows its static HTML where no script runs.

>>> from modelops_jupyter.display.widgets import ModelBrowser, MonitorView  # doctest: +SKIP
>>> browser, monitor = ModelBrowser(ws), MonitorView(ws)  # doctest: +SKIP
>>> traitlets.link((browser, "model"), (monitor, "model"))  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelops_jupyter.display.widgets.actions import GateView, RunView
from modelops_jupyter.display.widgets.inbox import AlertInbox
from modelops_jupyter.display.widgets.live import Live
from modelops_jupyter.display.widgets.views import CardView, ComparisonView, ModelBrowser, MonitorView
from modelops_jupyter.errors import InvalidInput

if TYPE_CHECKING:
    from modelops_jupyter.workspace import Workspace

__all__ = [
    "AlertInbox",
    "CardView",
    "ComparisonView",
    "GateView",
    "Live",
    "ModelBrowser",
    "MonitorView",
    "RunView",
    "widget_of",
]


def widget_of(result: Any, workspace: Workspace | None = None) -> Live:
    """Return the live view of a result.

    Parameters
    ----------
    workspace
        Where the result comes from; a comparison and a card need none.

    Raises
    ------
    InvalidInput
        If a result of this kind has no live view, or its view needs the workspace.
    """
    from modelops_jupyter.actions.casework import Incident
    from modelops_jupyter.actions.overview import ModelOverview
    from modelops_jupyter.governance import Comparison, GateReport, ModelCard
    from modelops_jupyter.monitoring import MonitorReport

    if isinstance(result, Comparison):
        return ComparisonView(result)
    if isinstance(result, ModelCard):
        return CardView(result)
    kind = type(result).__name__
    if not isinstance(result, ModelOverview | MonitorReport | GateReport | Incident):
        raise InvalidInput(f"A {kind} has no live view: show it as it is.")
    if workspace is None:
        raise InvalidInput(f"The live view of a {kind} reads on: call .widget(workspace).")
    if isinstance(result, GateReport):
        return GateView(workspace, f"{result.model}/{result.version}", result.alias)
    if isinstance(result, Incident):
        inbox = AlertInbox(workspace, result.model)
        inbox.act(f"incident {result.id}")
        return inbox
    if isinstance(result, MonitorReport):
        return MonitorView(workspace, result.model, result.every)
    return MonitorView(workspace, result.name)
