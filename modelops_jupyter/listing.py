"""A table of things of one kind, as `Workspace.models()` and its like return it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.presentable import Presentable
from modelops_jupyter.wording import figure_text

if TYPE_CHECKING:
    import pandas as pd

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?(?:\+00:00|Z)")


@dataclass(frozen=True)
class Listing(Presentable):
    """Rows of one kind, in order.

    Attributes
    ----------
    title : str
        What the rows are, for people.
    columns : tuple of str
        The fields shown in tables; `rows` may hold more.
    rows : tuple of mapping
    empty : str
        What to say, and to do next, when there is nothing.
    note : str
        What else there is to know, or nothing.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    empty: str = "Nothing yet."
    note: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self.rows[index]

    def to_dict(self) -> dict[str, Any]:
        """Return the rows as plain data."""
        return {"title": self.title, "rows": [dict(row) for row in self.rows]}

    def to_frame(self) -> pd.DataFrame:
        """Return the shown columns as a pandas DataFrame, a row per item."""
        import pandas as pd

        return pd.DataFrame(
            [{name: row.get(name) for name in self.columns} for row in self.rows], columns=[*self.columns]
        )

    def __str__(self) -> str:
        if not self.rows:
            return "\n".join(filter(None, (self.empty, self.note)))
        table = [list(self.columns), *([_cell(row.get(name)) for name in self.columns] for row in self.rows)]
        widths = [max(len(row[place]) for row in table) for place in range(len(self.columns) - 1)]
        lines = ["  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in table]
        return "\n".join([self.title, *lines, *([self.note] if self.note else [])])


def _cell(value: Any) -> str:
    """Write one value for a terminal: days as days, times to the minute, four digits of a figure, a dash for none."""
    if value is None or value != value or value == "":
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 or value.is_integer() else figure_text(value, 4)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    moment = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if moment is None:
        return " ".join(str(value).split())  # a remark may have lines
    return moment[1] if moment[2] == "00:00" else f"{moment[1]} {moment[2]}"
