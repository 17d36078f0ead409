"""A table of things of one kind, as `Workspace.models()` and its like return it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.presentable import Presentable

if TYPE_CHECKING:
    import pandas as pd


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
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    empty: str = "Nothing yet."

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
        return f"{self.title}\n{self.to_frame().to_string(index=False)}" if self.rows else self.empty
