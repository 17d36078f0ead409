"""What was adopted from an MLflow registry, as static HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelops_jupyter.display.html import Html
from modelops_jupyter.display.listings import rows_table
from modelops_jupyter.display.tables import block, heading, note
from modelops_jupyter.display.words import sentence

if TYPE_CHECKING:
    from modelops_jupyter.actions.adopted import Adoption


def adoption(shown: Adoption) -> Html:
    """Show what was left out and why first, then what is on record now."""
    columns = ["model", "version", "aliases", "flavor", "unsafe", "task", "reference"]
    if not any(row["unsafe"] for row in shown.adopted):
        columns.remove("unsafe")
    if any(row["note"] for row in shown.adopted):
        columns.append("note")
    return block(
        heading("Adopted from MLflow"),
        note(shown.headline),
        heading("Left out") if shown.left else None,
        rows_table(("model", "version", "reason"), shown.left) if shown.left else None,
        heading("On record, without the reference") if shown.without_reference else None,
        rows_table(("model", "version", "reason"), shown.without_reference) if shown.without_reference else None,
        heading("On record now") if shown.adopted else None,
        rows_table(columns, shown.adopted) if shown.adopted else None,
        *(note(sentence(text)) for text in shown.notes),
    )
