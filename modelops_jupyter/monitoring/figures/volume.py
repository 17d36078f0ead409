"""Windows with too few rows to be judged, and which length of window would have enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS
from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.profiles import window_length
from modelops_jupyter.wording import UNITS, count


def volume(windows: Sequence[WindowResult]) -> dict[str, float]:
    """Return how many windows there are, and how many of them are too small to be judged or several together.

    With the rows per day, and of the last window that is several together their number (0: there is none) and its rows.
    Windows without a row do not exist, but their days count.
    """
    if not windows:
        return {"windows": 0, "small": 0, "pooled": 0, "rows_per_day": 0.0, "last_windows": 0, "last_rows": 0}
    pools = [window for window in windows if window.pooled > 1]
    begin = datetime.fromisoformat(windows[0].window_start)
    days = (datetime.fromisoformat(windows[-1].window_end) - begin) / timedelta(days=1)
    small = sum(window.rows < FEWEST_ROWS for window in windows)
    return {
        "windows": len(windows),
        "small": small,
        "pooled": len(pools),
        "rows_per_day": sum(window.rows for window in windows) / days,
        "last_windows": pools[-1].pooled if pools else 0,
        "last_rows": pools[-1].rows if pools else 0,
    }


def small_windows_sentence(volume: Mapping[str, Any], every: str) -> str:
    """Return that windows are too small and what is done or to do, where it is at least every second one; else nothing.

    >>> few = {"windows": 40, "small": 40, "pooled": 0, "rows_per_day": 15.0}
    >>> small_windows_sentence(few, "1D")
    '40 of the last 40 days have fewer than 30 rows, too few to be judged: monitor by week (1W), about 105 rows each.'
    >>> pools = {"windows": 20, "small": 0, "pooled": 20, "rows_per_day": 24.0, "last_windows": 3, "last_rows": 72}
    >>> small_windows_sentence(pools, "1D").partition(": ")[2].partition(". ")[0]
    'days are judged together, the last time 3 days, 72 rows'
    """
    pooled = volume.get("pooled", 0)  # there is none on records of before
    if 2 * max(volume["small"], pooled) < volume["windows"] or not volume["windows"]:
        return ""
    lengths = [length for length in UNITS if window_length(length) > window_length(every)]
    rows = {length: volume["rows_per_day"] * (window_length(length) / timedelta(days=1)) for length in lengths}
    enough = next((length for length in lengths if rows[length] >= FEWEST_ROWS), None)
    if 2 * volume["small"] < volume["windows"]:
        unit, each = UNITS[every], volume["rows_per_day"] * (window_length(every) / timedelta(days=1))
        suits = f"windows of a {UNITS[enough]} ({enough}), about {rows[enough]:,.0f} rows each" if enough else ""
        return (
            f"About {each:,.0f} rows {'an' if every == '1h' else 'a'} {unit} are too few to judge each alone "
            f"({FEWEST_ROWS} are needed): {unit}s are judged together, the last time "
            f"{count(volume['last_windows'], unit)}, {volume['last_rows']:,} rows."
            f"{f' The volume suits {suits}.' if suits else ''}"
        )
    way = "wait until more rows are logged"
    if enough is not None:
        way = f"monitor by {UNITS[enough]} ({enough}), about {rows[enough]:,.0f} rows each"
    windows = count(volume["windows"], "window" if pooled else UNITS[every])
    return f"{volume['small']:,} of the last {windows} have fewer than {FEWEST_ROWS} rows, too few to be judged: {way}."


def nothing_is_judged(volume: Mapping[str, Any]) -> bool:
    """Tell whether every window is too small to be judged."""
    return bool(volume["windows"]) and volume["small"] == volume["windows"]
