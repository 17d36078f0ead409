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
    """Return how many windows there are, how many of them are too small to be judged, and the rows per day.

    Windows without a row do not exist, but their days count.
    """
    if not windows:
        return {"windows": 0, "small": 0, "rows_per_day": 0.0}
    begin = datetime.fromisoformat(windows[0].window_start)
    days = (datetime.fromisoformat(windows[-1].window_end) - begin) / timedelta(days=1)
    small = sum(window.rows < FEWEST_ROWS for window in windows)
    return {"windows": len(windows), "small": small, "rows_per_day": sum(window.rows for window in windows) / days}


def small_windows_sentence(volume: Mapping[str, Any], every: str) -> str:
    """Return which windows are too small and what to do, where that is at least every second one; else nothing.

    >>> small_windows_sentence({"windows": 40, "small": 40, "rows_per_day": 15.0}, "1D")
    '40 of the last 40 days have fewer than 30 rows, too few to be judged: monitor by week (1W), about 105 rows each.'
    """
    if 2 * volume["small"] < volume["windows"] or not volume["windows"]:
        return ""
    lengths = [length for length in UNITS if window_length(length) > window_length(every)]
    rows = {length: volume["rows_per_day"] * (window_length(length) / timedelta(days=1)) for length in lengths}
    enough = next((length for length in lengths if rows[length] >= FEWEST_ROWS), None)
    way = "wait until more rows are logged"
    if enough is not None:
        way = f"monitor by {UNITS[enough]} ({enough}), about {rows[enough]:,.0f} rows each"
    windows = count(volume["windows"], UNITS[every])
    return f"{volume['small']:,} of the last {windows} have fewer than {FEWEST_ROWS} rows, too few to be judged: {way}."


def nothing_is_judged(volume: Mapping[str, Any]) -> bool:
    """Tell whether every window is too small to be judged."""
    return bool(volume["windows"]) and volume["small"] == volume["windows"]
