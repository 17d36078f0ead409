"""What is wrong with a workspace, as static HTML."""

from __future__ import annotations

from modelops_jupyter.diagnosis import Diagnosis
from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html, element
from modelops_jupyter.display.tables import badge, block, facts, fold, heading, table


def diagnosis(shown: Diagnosis) -> Html:
    """Show every problem with what fixes it; what was looked at is behind a fold."""
    answer = badge("✓", "whole", palette.GREEN) if shown.ok else badge("✕", shown.headline, palette.RED)
    rows = [[problem.part, problem.where, problem.what, problem.fix] for problem in shown.problems]
    return block(
        heading(f"Examination of {shown.workspace}"),
        element("p", answer, style="font-size:16px;margin:2px 0 6px"),
        table(("Part", "Where", "What is wrong", "What to do"), rows) if rows else None,
        fold("What was looked at", facts(list(shown.examined.items()))),
    )
