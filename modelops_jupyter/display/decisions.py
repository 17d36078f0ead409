"""What became what, as static HTML: the decisions of two versions on the same rows."""

from __future__ import annotations

from collections.abc import Sequence

from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.tables import fold, heading, note, steady, table
from modelops_jupyter.display.words import NOTHING, percent
from modelops_jupyter.governance import Comparison, DecisionChange, crosstab
from modelops_jupyter.wording import count

CHANGES = 20
BY_SEGMENT = 60


def changes(shown: Comparison) -> Html | None:
    """Return a table of both versions' decisions, and the changes by segment behind a fold; None without decisions."""
    if not shown.changes:
        return None
    whole = [change for change in shown.changes if not change.segment]
    parts = [change for change in shown.changes if change.segment and change.changed]
    segments = dict.fromkeys(change.segment for change in shown.changes if change.segment)
    by_segment = None
    if segments:
        parts.sort(key=lambda change: -change.share)
        rows = [[change.segment, *_became(change)] for change in parts]
        listed = table(("Segment", shown.a, shown.b, "Rows", "Share"), rows, right=(3, 4), most=BY_SEGMENT)
        by_segment = fold(f"Changes by segment: {len(segments)}", listed if parts else note("No decision changed."))
    return join(heading("What became what"), _crosstab(shown, whole) or _list(shown, whole), by_segment)


def _crosstab(shown: Comparison, whole: Sequence[DecisionChange]) -> Html | None:
    """Return rows and shares in a table with a's decisions down and b's across; changed cells are marked."""
    counts = crosstab(whole)
    if counts is None:
        return None
    total = sum(change.rows for change in whole)

    def cell(rows: int, changed: bool) -> Html:
        mark = f"color:{palette.ORANGE};font-weight:600" if changed else None
        return steady(join(element("span", f"{rows:,}", style=mark), f" · {percent(rows / total)}"))

    head = (f"{shown.a} ↓ {shown.b} →", *counts.columns, "All")
    rows: list[list[str]] = []
    for a, cells in zip(counts.index, counts.to_numpy().tolist(), strict=True):
        pairs = zip(counts.columns, cells, strict=True)
        rows.append([a, *(cell(rows_of, a != b) if rows_of else NOTHING for b, rows_of in pairs), f"{sum(cells):,}"])
    rows.append(["All", *(f"{number:,}" for number in counts.sum().tolist()), f"{total:,}"])
    return table(head, rows, right=tuple(range(1, len(head))))


def _list(shown: Comparison, whole: Sequence[DecisionChange]) -> Html:
    """Return the most frequent changes, where there are more decisions than a table across has room for."""
    changed = [change for change in whole if change.changed]
    rest = sum(change.rows for change in whole if change.a is None)
    rarer = note(f"{count(rest, 'row')} in rarer pairs of decisions") if rest else None
    if not changed:
        return join(note("No decision changed."), rarer)
    head = (shown.a, shown.b, "Rows", "Share")
    return join(table(head, [_became(change) for change in changed], right=(2, 3), most=CHANGES), rarer)


def _became(change: DecisionChange) -> list[str]:
    return [change.a or "", change.b or "", f"{change.rows:,}", percent(change.share)]
