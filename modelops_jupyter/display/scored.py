"""What became of a table that was scored, as static HTML."""

from __future__ import annotations

from modelops_jupyter.actions.batch_scoring import MOST_RULES, ScoredTable
from modelops_jupyter.display.html import Html
from modelops_jupyter.display.tables import block, facts, heading, note, table


def scored_table(done: ScoredTable) -> Html:
    """Show what was written, and how rows break the contract."""
    known = [("Version", done.version), ("Rows", f"{done.rows:,}"), ("Scored", f"{done.scored:,}")]
    known += [("Logged", f"{done.logged:,}")] if done.logged is not None else []
    most = sorted(done.broken, key=lambda rule: -rule.rows)
    rules = [[rule.column, str(rule), f"{rule.rows:,}"] for rule in most]
    return block(
        heading(f"{done.source} scored into {done.output}", level=3),
        facts(known),
        heading("Rows that break the contract") if rules else None,
        note(done.summary) if rules else None,
        table(("Column", "How", "Rows"), rules, right=(2,), most=MOST_RULES) if rules else None,
        *(note(text) for text in done.notes),
    )
