"""The logged rows of chosen windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import decoded
from modelops_jupyter.errors import NotFound
from modelops_jupyter.log import PredictionSource
from modelops_jupyter.monitoring.figures.ranking import Array
from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.roles import SERVICE, Series


def rows_of(
    log: PredictionSource,
    model: str,
    good: Sequence[WindowResult],
    bad: Sequence[WindowResult],
    series: Series = SERVICE,
) -> tuple[pa.Table, Array, Array]:
    """Return the rows of the windows, the number of each row's window, and whether each window is a bad one."""
    chosen = [*good, *bad]
    starts = [datetime.fromisoformat(w.window_start) for w in chosen]
    ends = [datetime.fromisoformat(w.window_end) for w in chosen]
    table = log.read(model, starts[0], ends[-1], series=series)
    if table is None:
        raise NotFound(f"There is no prediction of {model!r} any more.")
    table = pa.table([decoded(column) for column in table.columns], names=table.column_names)
    micros = table["timestamp"].cast(pa.int64()).to_numpy()
    begin, end = (np.array([int(at.timestamp() * 1e6) for at in side]) for side in (starts, ends))
    number = np.searchsorted(begin, micros, side="right") - 1
    inside = (number >= 0) & (micros < end[np.maximum(number, 0)])
    now = np.array([False] * len(good) + [True] * len(bad))
    return table.filter(pa.array(inside)), number[inside], now
