"""The rich display of every result: text, and static HTML that reads well on GitHub, in nbconvert and in e-mail."""

from __future__ import annotations

from functools import singledispatch
from html import escape
from typing import Any

from modelops_jupyter.governance import ModelCard
from modelops_jupyter.monitoring import MonitorReport
from modelops_jupyter.presentable import Presentable

SHOWN_ALERTS = 50


def mimebundle(result: Presentable) -> dict[str, Any]:
    """Return what Jupyter shows of `result`: ``text/plain`` and ``text/html``."""
    return {"text/plain": str(result), "text/html": static_html(result)}


@singledispatch
def static_html(result: Any) -> str:
    """Return a result as HTML without script; whatever users wrote is escaped."""
    return str(result.to_frame().to_html(index=False, escape=True, border=0))


@static_html.register
def _(card: ModelCard) -> str:
    parts = [f"<h2>{escape(card.title)}</h2>"]
    for name, rows in card.sections:
        cells = "".join(
            f'<tr><th style="text-align:left">{escape(label)}</th><td style="text-align:left">{escape(value)}</td></tr>'
            for label, value in rows
        )
        parts.append(f"<h3>{escape(name)}</h3><table>{cells}</table>" if rows else f"<h3>{escape(name)}</h3>")
    return "".join(parts)


@static_html.register
def _(report: MonitorReport) -> str:
    import pandas as pd

    shown = pd.DataFrame([alert.to_dict() for alert in report.alerts[-SHOWN_ALERTS:]])
    table = "" if shown.empty else shown.to_html(index=False, escape=True, border=0)
    return f"<p>{escape(str(report).splitlines()[0])}</p>{table}"
