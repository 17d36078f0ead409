"""The rich display of every result: text, static HTML that reads well everywhere, and where it pays a plotly chart."""

from __future__ import annotations

import json
from functools import singledispatch
from typing import Any

from modelops_jupyter.actions.adopted import Adoption
from modelops_jupyter.actions.batch_scoring import ScoredTable
from modelops_jupyter.actions.board import Board
from modelops_jupyter.actions.casework import Incident
from modelops_jupyter.actions.catalogue import Status
from modelops_jupyter.actions.overview import Distribution, ModelOverview
from modelops_jupyter.actions.versions import RegisteredVersion
from modelops_jupyter.diagnosis import Diagnosis
from modelops_jupyter.display import (
    adoption,
    backtests,
    boards,
    cases,
    diagnoses,
    explanations,
    governance,
    listings,
    models,
    scored,
)
from modelops_jupyter.display.html import Html
from modelops_jupyter.display.tables import block, facts
from modelops_jupyter.display.words import value_text
from modelops_jupyter.governance import Comparison, Decision, GateReport, ModelCard, Transition
from modelops_jupyter.listing import Listing
from modelops_jupyter.monitoring import Backtest, Explanation, MonitorReport
from modelops_jupyter.monitoring.explaining.multivariate import MultivariateDrift
from modelops_jupyter.monitoring.figures.curves import PerformanceCurves
from modelops_jupyter.pipelines import PipelineRun
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.written import printable

PLOTLY = "application/vnd.plotly.v1+json"
LARGEST_CHART = 200_000


def mimebundle(result: Presentable) -> dict[str, Any]:
    """Return what Jupyter shows of `result`: always ``text/plain`` and ``text/html``, a chart where there is one."""
    bundle: dict[str, Any] = {"text/plain": printable(str(result)), "text/html": str(static_html(result))}
    chart = plotly_chart(result)
    if chart is not None:
        bundle[PLOTLY] = chart
    return bundle


def plotly_chart(result: Presentable) -> dict[str, Any] | None:
    """Return the chart of a model's overview or monitor report; None if there is nothing to draw or it is too big."""
    if not isinstance(result, ModelOverview | MonitorReport) or not result.windows:
        return None
    from modelops_jupyter.display import figures

    text = figures.model_figure(result).to_json()
    return None if len(text) > LARGEST_CHART else dict(json.loads(text))


@singledispatch
def static_html(result: Any) -> Html:
    """Return a result as HTML without script; whatever users wrote is escaped."""
    rows = [(str(name).replace("_", " ").capitalize(), value_text(value)) for name, value in result.to_dict().items()]
    return block(facts(rows))


static_html.register(Listing, listings.listing)
static_html.register(Diagnosis, diagnoses.diagnosis)
static_html.register(Status, listings.status)
static_html.register(RegisteredVersion, listings.version)
static_html.register(PipelineRun, listings.pipeline_run)
static_html.register(GateReport, governance.gate)
static_html.register(Comparison, governance.comparison)
static_html.register(ModelCard, governance.card)
static_html.register(Transition, governance.transition)
static_html.register(Decision, governance.decision)
static_html.register(ModelOverview, models.overview)
static_html.register(MonitorReport, models.monitor_report)
static_html.register(ScoredTable, scored.scored_table)
static_html.register(Adoption, adoption.adoption)
static_html.register(Board, boards.board)
static_html.register(Incident, cases.incident)
static_html.register(Distribution, models.distribution)
static_html.register(Backtest, backtests.backtest)
static_html.register(Explanation, explanations.explanation)
static_html.register(MultivariateDrift, explanations.multivariate)
static_html.register(PerformanceCurves, models.curves)
