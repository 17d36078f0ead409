"""Data quality, from profiles alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from modelops_jupyter.monitoring.figures.deciding import RELATIVE
from modelops_jupyter.monitoring.figures.figure import Figure, figure
from modelops_jupyter.profiles import ColumnProfile, Profile
from modelops_jupyter.written import printable

# So many values that are new are named, and so much of each.
NAMED, LONGEST_VALUE = 3, 40
# A category of which so many rows were to come and none did is gone: chance leaves it out once in 20,000 windows.
LEAST_EXPECTED = 10.0
# Of a window alone; those before may teach one.
NO_USUAL_VOLUME = Figure(None, "no usual volume known")


def column_quality(before: ColumnProfile, now: ColumnProfile) -> dict[str, Figure]:
    """Return what is kept of a column per window; `mistyped_rate` only where it is not zero."""
    found = {"null_rate": null_rate(now)}
    if now.mistyped:
        found["mistyped_rate"] = mistyped_rate(now)
    if now.kind == "numeric":
        found |= {"out_of_range_rate": out_of_range_rate(before, now), "zero_rate": zero_rate(now)}
    else:
        found |= {"unseen_rate": unseen_rate(now), "mean_length": mean_length(now)}
    return found


def null_rate(column: ColumnProfile) -> Figure:
    """Share of rows without a usable value: null, NaN or infinite."""
    return figure(column.missing / column.n) if column.n else Figure(None, "no rows")


def mistyped_rate(column: ColumnProfile) -> Figure:
    """Share of rows with a value of another type than the reference's column: text for numbers, numbers for text."""
    return figure(column.mistyped / column.n) if column.n else Figure(None, "no rows")


def unseen_rate(column: ColumnProfile) -> Figure:
    """Share of values that are no category of the reference."""
    if column.kind != "category":
        return Figure(None, "numbers have no categories")
    return _of_present(column.unseen, column)


def new_values(column: ColumnProfile) -> str:
    """Name the values that are no category of the reference, the commonest first; nothing where there are none.

    >>> from modelops_jupyter.profiles.column import UnseenCategory
    >>> new_values(ColumnProfile("category", 200, 0, (190,), unseen=10, others=(UnseenCategory(7, "50%", 10),)))
    '`50%` (5 % of rows)'
    """
    present = max(column.n - column.missing, 1)
    commonest = sorted(column.others, key=lambda other: (-other.count, other.text))
    named = [f"`{_one_line(other.text)}` ({100 * other.count / present:.2g} % of rows)" for other in commonest[:NAMED]]
    more = len(commonest) - NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def vanished_values(before: ColumnProfile, now: ColumnProfile, categories: Sequence[str]) -> str:
    """Name the categories of the reference that do not come any more, the commonest first; nothing where all do.

    Such that come so often in the reference that by chance the window would have some.

    >>> vanished_values(
    ...     ColumnProfile("category", 1000, 0, (880, 120)), ColumnProfile("category", 300, 0, (300, 0)), ("A", "B")
    ... )
    '`B` (12 % of rows in training)'
    """
    present, rows = before.n - before.missing, now.n - now.missing
    if now.kind != "category" or not present:
        return ""
    gone = [
        (hits, name)
        for name, hits, left in zip(categories, before.counts, now.counts, strict=False)
        if not left and hits * rows >= LEAST_EXPECTED * present
    ]
    commonest = sorted(gone, key=lambda one: (-one[0], one[1]))
    named = [f"`{_one_line(name)}` ({100 * hits / present:.2g} % of rows in training)" for hits, name in commonest]
    more = len(commonest) - NAMED
    return ", ".join(named[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _one_line(text: str) -> str:
    """Return a value as a sentence can hold it: data may hold what texts may not."""
    line = printable(" ".join(text.split()).replace("`", "'"))
    return line if len(line) <= LONGEST_VALUE else f"{line[: LONGEST_VALUE - 1]}…"


def zero_rate(column: ColumnProfile) -> Figure:
    """Share of values that are zero."""
    if column.kind != "numeric":
        return Figure(None, "categories have no zero")
    return _of_present(column.zeros, column)


def mean_length(column: ColumnProfile) -> Figure:
    """Mean number of characters of the texts."""
    if column.kind != "category":
        return Figure(None, "numbers have no length")
    return _of_present(column.characters, column)


def out_of_range_rate(before: ColumnProfile, now: ColumnProfile) -> Figure:
    """Share of values below the reference's least or above its greatest.

    Zero is exact. Otherwise the outermost bins tell no value beyond the reference's extreme from one just inside it:
    the figure is what they hold above their share of the reference, one value at least; `low` and `high` are what is
    certain: at least one value, at most the whole bin.
    """
    present = now.n - now.missing
    if now.kind != "numeric":
        return Figure(None, "categories have no range")
    if not present:
        return Figure(None, "all missing" if now.n else "no rows")
    if before.minimum is None or before.maximum is None or now.minimum is None or now.maximum is None:
        return Figure(None, "no values in the reference")
    usual = before.n - before.missing
    low = high = value = 0.0
    rounding = RELATIVE * max(abs(before.minimum), abs(before.maximum))
    for beyond, place in (
        (now.minimum < before.minimum - rounding, 0),
        (now.maximum > before.maximum + rounding, -1),
    ):
        if beyond:
            held = now.counts[place] / present
            low += 1 / present
            high += held
            value += max(1 / present, held - before.counts[place] / usual)
    # With one bin alone both sides are the same rows.
    return figure(min(value, 1.0), low=min(low, 1.0), high=min(high, 1.0))


def window_quality(current: Profile, end: datetime) -> dict[str, Figure]:
    """Return the figures of a window as a whole: `volume`, `freshness` and `mean_gap`."""
    return {
        "volume": NO_USUAL_VOLUME,
        "freshness": freshness(current.last, end),
        "mean_gap": mean_gap(current),
    }


def freshness(last: int | None, until: datetime) -> Figure:
    """Seconds from the last prediction to `until`."""
    return figure(max(0.0, until.timestamp() - last / 1e6)) if last is not None else Figure(None, "no prediction time")


def mean_gap(current: Profile) -> Figure:
    """Mean number of seconds between one prediction and the next."""
    if current.first is None or current.last is None or current.rows < 2:
        return Figure(None, "too few rows")
    return figure((current.last - current.first) / 1e6 / (current.rows - 1))


def _of_present(count: float, column: ColumnProfile) -> Figure:
    present = column.n - column.missing
    return figure(count / present) if present else Figure(None, "all missing" if column.n else "no rows")
