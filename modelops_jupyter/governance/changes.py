"""What became what: how often one version's decision turned into another's, overall and by segment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.wording import count as counted

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

MOST_PAIRS = 100  # of one segment, on record
MOST_DECISIONS = 8  # of either version, in a table
MOST_LINES = 20
MOST_IN_SEGMENT = 3


@dataclass(frozen=True)
class DecisionChange:
    """Rows of a segment (``""`` is all) that version a decides as `a` and version b as `b`.

    Attributes
    ----------
    a, b : str or None
        The two decisions, equal where nothing changed; None for all pairs beyond the 100 most frequent.
    rows : int
    share : float
        Of the segment's rows.
    """

    segment: str
    a: str | None
    b: str | None
    rows: int
    share: float

    @property
    def changed(self) -> bool:
        """Whether the two versions decide differently."""
        return self.a != self.b


def decision_changes(slices: Iterable[tuple[str, Array]], a: Array, b: Array) -> tuple[DecisionChange, ...]:
    """Return every pair of decisions in every segment, the most frequent first.

    Parameters
    ----------
    slices
        Name and row numbers of each segment.
    a, b
        Decisions as text, shape (n,).
    """
    return tuple(change for segment, rows in slices for change in _of_segment(segment, a[rows], b[rows]))


def _of_segment(segment: str, a: Array, b: Array) -> list[DecisionChange]:
    counts = Counter(zip(a.tolist(), b.tolist(), strict=True))
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    changes = [DecisionChange(segment, *names, rows, rows / len(a)) for names, rows in pairs[:MOST_PAIRS]]
    rest = sum(rows for _, rows in pairs[MOST_PAIRS:])
    if rest:
        changes.append(DecisionChange(segment, None, None, rest, rest / len(a)))
    return changes


def crosstab(changes: Sequence[DecisionChange]) -> pd.DataFrame | None:
    """Return one segment's changes as a table: a's decisions down, b's across, the most frequent first; rows in cells.

    None where there are more decisions than a table on a page has room for.
    """
    import pandas as pd

    rows = Counter[str]()
    cells = {}
    for change in changes:
        if change.a is None or change.b is None:
            return None
        cells[change.a, change.b] = change.rows
        rows.update({change.a: change.rows})
        rows.update({change.b: change.rows})
    order = [name for name, _ in rows.most_common()]
    down, across = ([name for name in order if any(pair[side] == name for pair in cells)] for side in (0, 1))
    if max(len(down), len(across)) > MOST_DECISIONS:
        return None
    return pd.DataFrame([[cells.get((a, b), 0) for b in across] for a in down], index=down, columns=across)


def changes_text(changes: Sequence[DecisionChange], a: str, b: str) -> str:
    """Return what became what as lines of text: a table of all rows, then the most frequent changes by segment."""
    whole = [change for change in changes if not change.segment]
    table = crosstab(whole)
    lines = [f"Decisions of {a} (down) and {b} (across), rows:"]
    if table is None:
        lines = [
            f"Decisions of {a} that {b} changes:",
            *(f"  {sentence(change)}" for change in _most(whole, MOST_LINES)),
        ]
    else:
        lines.append(table.to_string())
    for segment in dict.fromkeys(change.segment for change in changes if change.segment):
        most = _most([change for change in changes if change.segment == segment], MOST_IN_SEGMENT)
        lines.append(f"{segment}: {', '.join(map(sentence, most)) or 'no change'}")
    return "\n".join(lines)


def _most(changes: Sequence[DecisionChange], count: int) -> list[DecisionChange]:
    return [change for change in changes if change.changed][:count]


def sentence(change: DecisionChange) -> str:
    """Return one change in words."""
    return f"{change.a!r} became {change.b!r} in {counted(change.rows, 'row')} ({change.share:.1%})"
