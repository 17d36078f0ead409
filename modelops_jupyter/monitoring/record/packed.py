"""Figures of many columns on record: an array per metric, so that a year is read without an object per figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any

import numpy as np

from modelops_jupyter.profiles.packing import pack_floats, unpack_bytes, unpack_floats

Array = np.ndarray[Any, Any]
Figures = Mapping[str, Mapping[str, Any]]
# What a figure may say beside its value; None is NaN on record, as no figure is NaN.
MORE = ("low", "high", "p_value", "degrees", "error")
# What a figure is of beside its column: another column, or values.
WITH = "with"


class PackedFigures(Mapping[str, Mapping[str, Any]]):
    """Figures by column, then by metric, as `pack_figures` wrote them; unpacked when they are looked at."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.columns = _alike(tuple(body["columns"]))

    @property
    def held(self) -> tuple[str, ...]:
        """The columns that figures are of."""
        return self.columns

    def __getitem__(self, column: str) -> Mapping[str, Any]:
        return self._whole[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def __repr__(self) -> str:
        return repr(self._whole)

    def numbers(self, columns: Sequence[str], metric: str, word: str = "value") -> Array:
        """Return a metric's values, or what else is said of them, shape (columns,); NaN where there is none."""
        table = self.table_of(metric)
        if table is None or word not in table:
            return np.full(len(columns), np.nan)
        held = tuple(self.columns[place] for place in table["at"]) if "at" in table else self.columns
        places = _places(held, tuple(columns))
        found = np.full(len(columns), np.nan)
        found[places[places >= 0]] = _values(table[word], len(held))[places >= 0]
        return found

    def table_of(self, metric: str) -> Mapping[str, Any] | None:
        """Return what is on record of a metric; None where there is nothing."""
        found: Mapping[str, Any] | None = self.body["metrics"].get(metric)
        return found

    @cached_property
    def _whole(self) -> Mapping[str, Mapping[str, Any]]:
        names = self.columns
        found: dict[str, dict[str, Any]] = {name: {} for name in names}
        for metric in self.body["metrics"]:
            table = self.table_of(metric)
            if table is None:
                continue
            places = table.get("at", range(len(names)))
            for place, figure in zip(places, self._cells(table, len(places)), strict=True):
                found[names[place]][metric] = figure
        return found

    @staticmethod
    def _cells(table: Mapping[str, Any], count: int) -> list[Any]:
        reasons = table.get("reasons", {})
        values = _values(table["value"], count).tolist()
        figures: list[dict[str, Any]] = [
            {"value": value if value == value else None, "reason": reasons.get(str(n))}
            for n, value in enumerate(values)
        ]
        for word in MORE:
            known = _values(table[word], count).tolist() if word in table else ()
            for figure, value in zip(figures, known, strict=False):
                if value == value:
                    figure[word] = int(value) if word == "degrees" else value
        for figure, name in zip(figures, table.get(WITH, ()), strict=False):
            if name:
                figure[WITH] = name
        return figures


class PackedNumbers(PackedFigures):
    """Bare numbers by column, then by name."""

    @staticmethod
    def _cells(table: Mapping[str, Any], count: int) -> list[Any]:
        numbers: list[Any] = _values(table["value"], count).tolist()
        return numbers


@lru_cache(maxsize=256)
def _alike(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return one object for all equal ones, as the columns of hundreds of windows are compared again and again."""
    return columns


@lru_cache(maxsize=256)
def _places(known: tuple[str, ...], columns: tuple[str, ...]) -> Array:
    """Return where each of the known columns is among `columns`, -1 for nowhere."""
    place = {name: n for n, name in enumerate(columns)}
    return np.array([place.get(name, -1) for name in known], dtype="int64")


def numbers(
    figures: Mapping[str, Mapping[str, Any]], columns: Sequence[str], metric: str, word: str = "value"
) -> Array:
    """Return a metric's values of some columns, or what else is said of them; NaN where there is none."""
    if isinstance(figures, PackedFigures):
        return figures.numbers(columns, metric, word)
    found = [figures.get(name, {}).get(metric) for name in columns]
    values = [figure.get(word) if isinstance(figure, Mapping) else figure for figure in found]
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def table(windows: Sequence[Mapping[str, Mapping[str, Any]]], columns: Sequence[str], metric: str) -> Array:
    """Return a metric's values of many windows, shape (windows, columns); NaN where there is none.

    Windows in a row mostly have the same columns on record: theirs are unpacked together.
    """
    found = np.full((len(windows), len(columns)), np.nan)
    for held, alike in groupby(enumerate(windows), lambda item: _layout(item[1], metric)):
        places = [place for place, _ in alike]
        if held is None:
            for place in places:
                found[place] = numbers(windows[place], columns, metric)
            continue
        tables = [windows[place].table_of(metric) for place in places]  # type: ignore[attr-defined]
        values = np.frombuffer(b"".join(_bytes(each["value"]) for each in tables), dtype="<f8").reshape(len(places), -1)
        known, at = held
        target = _places(known if at is None else tuple(known[place] for place in at), tuple(columns))
        found[np.array(places)[:, None], target[target >= 0]] = values[:, target >= 0]
    return found


def _layout(figures: Mapping[str, Mapping[str, Any]], metric: str) -> tuple[tuple[str, ...], list[int] | None] | None:
    """Return the columns and which of them a metric's values are of; None where they are no array of their own."""
    if not isinstance(figures, PackedFigures):
        return None
    column = figures.table_of(metric)
    if column is None or isinstance(column["value"], float):
        return None
    return figures.columns, column.get("at")


def by_window(
    windows: Sequence[Mapping[str, Mapping[str, Any]]], metric: str
) -> tuple[list[str], dict[str, tuple[float | None, ...]]]:
    """Return all columns, and a metric's values by column, one per window; None where there is none."""
    # Mostly all have the same: then no name is looked at window by window.
    alike = dict.fromkeys(figures.held if isinstance(figures, PackedFigures) else tuple(figures) for figures in windows)
    names = list(dict.fromkeys(name for held in alike for name in held))
    values = table(windows, names, metric)
    known = values.astype(object)
    known[np.isnan(values)] = None
    return names, {name: tuple(values) for name, values in zip(names, known.T.tolist(), strict=True)}


def pack_figures(figures: Mapping[str, Figures]) -> Mapping[str, Any]:
    """Return figures by column, then by metric, as JSON data."""
    if type(figures) is PackedFigures:
        return figures.body
    return _pack(figures, lambda cells: figure_table(cells))


def pack_numbers(figures: Mapping[str, Mapping[str, float]]) -> Mapping[str, Any]:
    """Return bare numbers by column, then by name, as JSON data."""
    if type(figures) is PackedNumbers:
        return figures.body
    return _pack(figures, lambda cells: number_table(cells))


def _pack(figures: Mapping[str, Mapping[str, Any]], table_of: Any) -> Mapping[str, Any]:
    names = list(figures)
    metrics: dict[str, Any] = {}
    for metric in dict.fromkeys(metric for of_column in figures.values() for metric in of_column):
        places = [place for place, name in enumerate(names) if metric in figures[name]]
        metrics[metric] = table_of([figures[names[place]][metric] for place in places])
        if len(places) < len(names):
            metrics[metric]["at"] = places
    return {"columns": names, "metrics": metrics}


def number_table(cells: Sequence[float | None]) -> dict[str, Any]:
    """Return bare numbers as JSON data."""
    return {"value": _column(cells)}


def figure_table(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return figures as JSON data."""
    table: dict[str, Any] = {"value": _column([cell["value"] for cell in cells])}
    said = set().union(*cells)
    if unknown := said - {"value", "reason", WITH, *MORE}:
        raise ValueError(f"A figure says {min(unknown)!r}, which the record has no place for.")
    for word in MORE:
        if word in said:
            table[word] = _column([cell.get(word) for cell in cells])
    if WITH in said:
        table[WITH] = [cell.get(WITH, "") for cell in cells]
    reasons = {str(n): cell["reason"] for n, cell in enumerate(cells) if cell.get("reason") is not None}
    return {**table, "reasons": reasons} if reasons else table


def _column(values: Sequence[float | None]) -> str | float:
    """Return some values; one where all are the same."""
    first = values[0] if values else None
    if first is not None and math.isfinite(first) and all(value == first for value in values):
        return float(first)
    return pack_floats([np.nan if value is None else value for value in values])


def _values(column: str | float | Array, count: int) -> Array:
    if isinstance(column, np.ndarray):
        return column
    return unpack_floats(column) if isinstance(column, str) else np.full(count, column)


def _bytes(column: str | Array) -> bytes:
    return unpack_bytes(column) if isinstance(column, str) else column.tobytes()
