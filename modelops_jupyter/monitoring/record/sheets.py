"""Figures of a window's segments on record: those of all segments in one array per metric.

A year of ten segments is thousands of results. As arrays for all segments of a window they are read in a tenth of the
time that an object per segment and metric takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.record.packed import (
    MORE,
    WITH,
    Array,
    PackedFigures,
    PackedNumbers,
    figure_table,
    number_table,
)
from modelops_jupyter.profiles.packing import unpack_floats

Sheets = Sequence[Mapping[str, Mapping[str, Any]]]
_NO_FIGURE = {"value": None, "reason": None}


class Block:
    """Figures of some sheets by column, then by metric, as `pack_sheets` wrote them."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self._known: dict[str, MetricTable] = {}

    def table_of(self, metric: str) -> MetricTable | None:
        """Return what is on record of a metric, of all sheets."""
        if metric not in self.body["metrics"]:
            return None
        if metric not in self._known:
            self._known[metric] = MetricTable(self.body["metrics"][metric], len(self.body["columns"]))
        return self._known[metric]


class MetricTable:
    """One metric of some sheets."""

    def __init__(self, body: Mapping[str, Any], columns: int) -> None:
        self._body = body
        self._at: Sequence[int] = body.get("at", range(columns))
        self._arrays: dict[str, Array | float] = {
            word: unpack_floats(body[word]).reshape(-1, len(self._at)) if isinstance(body[word], str) else body[word]
            for word in ("value", *MORE)
            if word in body
        }

    @cached_property
    def _absent(self) -> Mapping[int, frozenset[int]]:
        return {sheet: frozenset(places) for sheet, places in self._by_sheet(self._body.get("absent", ())).items()}

    @cached_property
    def _reasons(self) -> Mapping[int, Mapping[str, str]]:
        reasons = self._body.get("reasons", {})
        found = self._by_sheet(map(int, reasons))
        width = len(self._at)
        return {sheet: {str(n): reasons[str(sheet * width + n)] for n in places} for sheet, places in found.items()}

    def _by_sheet(self, flat: Any) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for place in flat:
            sheet, n = divmod(place, len(self._at))
            found.setdefault(sheet, []).append(n)
        return found

    @property
    def at(self) -> Array:
        """The columns, by place, that it is of in any sheet."""
        return np.asarray(self._at, dtype="int64")

    @property
    def values(self) -> Array | float:
        """The values, shape (sheets, columns that it is of), NaN where there is none; or the one that all have."""
        return self._arrays["value"]

    def of(self, sheet: int) -> Mapping[str, Any] | None:
        """Return the table of one sheet, as `PackedFigures` reads it."""
        width = len(self._at)
        found: dict[str, Any] = {
            word: values[sheet] if isinstance(values, np.ndarray) else values for word, values in self._arrays.items()
        }
        if "at" in self._body:
            found["at"] = self._at
        if WITH in self._body:
            found[WITH] = self._body[WITH][sheet * width : (sheet + 1) * width]
        if "reasons" in self._body and sheet in self._reasons:
            found["reasons"] = self._reasons[sheet]
        return found if "absent" not in self._body else self._present(found, self._absent.get(sheet, frozenset()))

    def _present(self, table: dict[str, Any], absent: frozenset[int]) -> Mapping[str, Any] | None:
        """Return the table of a sheet without the columns that it has no figure of."""
        kept = [n for n in range(len(self._at)) if n not in absent]
        if not kept:
            return None
        found = {word: values[kept] if isinstance(values, np.ndarray) else values for word, values in table.items()}
        found["at"] = [self._at[n] for n in kept]
        if WITH in table:
            found[WITH] = [table[WITH][n] for n in kept]
        if "reasons" in table:
            found["reasons"] = {
                str(k): table["reasons"][str(n)] for k, n in enumerate(kept) if str(n) in table["reasons"]
            }
        return found


class SheetFigures(PackedFigures):
    """Figures of one sheet of a block."""

    def __init__(self, block: Block, sheet: int) -> None:
        super().__init__(block.body)
        self.block, self.sheet = block, sheet
        without = block.body["without"].get(str(sheet))
        self._held = tuple(np.delete(self.columns, without).tolist()) if without else self.columns

    @property
    def held(self) -> tuple[str, ...]:
        """The columns that figures are of."""
        return self._held

    def __getitem__(self, column: str) -> Mapping[str, Any]:
        if column not in self._held:
            raise KeyError(column)
        return super().__getitem__(column)

    def table_of(self, metric: str) -> Mapping[str, Any] | None:
        """Return what is on record of a metric; None where there is nothing."""
        table = self.block.table_of(metric)
        return None if table is None else table.of(self.sheet)


class SheetNumbers(SheetFigures, PackedNumbers):
    """Bare numbers of one sheet of a block."""


def pack_sheets(sheets: Sheets) -> Mapping[str, Any]:
    """Return figures of sheets, by column, then by metric, as JSON data."""
    first = sheets[0]
    if isinstance(first, SheetFigures) and _is_whole(first.block, sheets):
        return first.block.body
    return _pack(sheets, figure_table, _NO_FIGURE)


def pack_number_sheets(sheets: Sheets) -> Mapping[str, Any]:
    """Return bare numbers of sheets, by column, then by name, as JSON data."""
    return _pack(sheets, number_table, None)


def _is_whole(block: Block, sheets: Sheets) -> bool:
    """Tell whether sheets are all those of a block, in its order."""
    return len(sheets) == block.body["sheets"] and all(
        isinstance(sheet, SheetFigures) and sheet.block is block and sheet.sheet == n for n, sheet in enumerate(sheets)
    )


def _pack(sheets: Sheets, table_of: Callable[[Any], dict[str, Any]], nothing: Any) -> Mapping[str, Any]:
    columns = list(dict.fromkeys(name for sheet in sheets for name in sheet))
    whole = [{name: sheet.get(name, {}) for name in columns} for sheet in sheets]
    metrics: dict[str, Any] = {}
    for metric in dict.fromkeys(metric for sheet in whole for figures in sheet.values() for metric in figures):
        at = [place for place, name in enumerate(columns) if any(metric in sheet[name] for sheet in whole)]
        cells = [sheet[columns[place]].get(metric, nothing) for sheet in whole for place in at]
        absent = [n for n, cell in enumerate(cells) if cell is nothing]
        metrics[metric] = table_of(cells)
        if len(at) < len(columns):
            metrics[metric]["at"] = at
        if absent:
            metrics[metric]["absent"] = absent
    without = {str(n): [k for k, name in enumerate(columns) if name not in sheet] for n, sheet in enumerate(sheets)}
    left_out = {sheet: places for sheet, places in without.items() if places}
    return {"columns": columns, "sheets": len(sheets), "without": left_out, "metrics": metrics}
