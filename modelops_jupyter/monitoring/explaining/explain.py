"""Explaining a fall in performance: the rows of the bad windows beside those of the windows before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.log import PredictionSource
from modelops_jupyter.monitoring.explaining.broken import broken_segments, odd_rows
from modelops_jupyter.monitoring.explaining.logged import rows_of
from modelops_jupyter.monitoring.explaining.rise import rise_of, rise_words
from modelops_jupyter.monitoring.explaining.segments import Losses, Segment, cut_columns, find_segments
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.kept import load_series, zone_of
from modelops_jupyter.monitoring.record.results import MonitorReport, WindowResult
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.profiles import Binning, Reference, time_of, with_derived
from modelops_jupyter.profiles.binning import text
from modelops_jupyter.roles import SERVICE, Series
from modelops_jupyter.store import Store
from modelops_jupyter.wording import span

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.monitoring.figures.ranking import Array

RECENT, BEFORE = 7, 28
# What a segment says by itself; where its worst rows lay in the table that was searched is nothing to anybody else.
_SHOWN = [name for name in Segment.__annotations__ if name != "worst"]
FEWEST_LABELS = 30


@dataclass(frozen=True)
class Explanation(Presentable):
    """Which segments a fall in performance sits in, those that add most to it first.

    Attributes
    ----------
    since, until : str
        Start of the first and end of the last window explained.
    compared_since, compared_until : str
        Those of the windows before: with labels, and without a finding on performance, that came last.
    metric : str
        ``brier_score``, ``error_rate`` or ``mean_absolute_error``: the mean loss that rose.
    before, now : float
        Its value in the windows before and in those explained.
    rise : Figure
        By how much it rose, with the 95 % interval.
    examples : tuple of mapping
        Rows of the first segment that were furthest off, as the log has them: what to look at first.
    remark : str
        Why these windows were chosen, where no performance alert is open.
    """

    model: str
    since: str
    until: str
    compared_since: str
    compared_until: str
    metric: str
    before: float
    now: float
    rise: Figure
    rows_before: int
    rows_now: int
    segments: tuple[Segment, ...]
    examples: tuple[Mapping[str, Any], ...] = ()
    remark: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return a row per segment."""
        import pandas as pd

        return pd.DataFrame([asdict(segment) for segment in self.segments], columns=_SHOWN)

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data."""
        segments = [{name: getattr(segment, name) for name in _SHOWN} for segment in self.segments]
        return {**vars(self), "rise": self.rise.to_dict(), "segments": segments, "examples": list(self.examples)}

    def __str__(self) -> str:
        head = (
            f"{self.model}: {self.metric} was {self.before:.4f} in {self.rows_before:,} rows from "
            f"{span(self.compared_since, self.compared_until)}, the last windows before without a finding, and "
            f"{self.now:.4f} in {self.rows_now:,} rows from {span(self.since, self.until)}."
        )
        head = "\n".join(filter(None, (self.remark, head, rise_words(self.rise, ".4f"))))
        if not self.segments:
            return f"{head}\nNo segment stands out: the change is as great everywhere as chance allows."
        return "\n".join([head, *(f"  {segment_words(segment)}" for segment in self.segments)])


def segment_words(segment: Segment) -> str:
    """Return a segment as one line of text."""
    losses = [f"{loss:.4f}" if loss is not None else "none" for loss in (segment.loss_before, segment.loss_now)]
    return (
        f"{segment.name}: adds {segment.excess:.4f}; {segment.share_before:.1%} of rows before, "
        f"{segment.share_now:.1%} now; loss {losses[0]} before, {losses[1]} now; p = {segment.p_value:.2g}"
    )


def explain_fall(
    model: str,
    *,
    store: Store,
    log: PredictionSource,
    references: Mapping[int, Reference],
    every: str = "1D",
    window: str | None = None,
    until: str | None = None,
    series: Series = SERVICE,
) -> Explanation:
    """Search the segments that explain a fall in performance; see `Workspace.explain`.

    Raises
    ------
    NotFound
        If the model was never monitored, or has no such window.
    InvalidInput
        If there are no labels on one of both sides.
    """
    report = load_series(store, model, every, series)
    whole = [w for w in report.windows if not w.segment]
    if not whole or not references:
        raise NotFound(f"{model!r} has no monitored windows of {every}: run `modelops monitor` first.")
    bad, remark = _bad_windows(report, whole, window, until, zone_of(store, model, every))
    first = bad[0].window_start
    usable = [w for w in whole if w.window_start < first and w.labelled and not _failing(w)]
    good = usable[-BEFORE:]
    if not good:
        raise InvalidInput(f"No window before {first} has labels and no finding to compare with: choose a later one.")
    rows, number, now = rows_of(log, model, good, bad, series)
    served = max(references, key=lambda version: (sum(w.versions.get(str(version), 0) for w in bad), version))
    binning = references[served].binning
    rows = with_derived(rows, binning)
    metric, loss = row_losses(rows, binning)
    kept = np.isfinite(loss)
    if min(int((kept & now[number]).sum()), int((kept & ~now[number]).sum())) < FEWEST_LABELS:
        raise InvalidInput(f"Fewer than {FEWEST_LABELS} labelled rows on one side: nothing can be explained yet.")
    rows, loss, number = rows.filter(pa.array(kept)), loss[kept], number[kept]
    found = np.unique(number)  # windows without a labelled row are none
    losses = Losses(loss, np.searchsorted(found, number), now[found])
    is_now = now[number]
    columns = [name for name in binning.columns if name not in ("prediction", "score")]
    segments = segments_of(rows, losses, references[served], columns)
    return Explanation(
        model=f"{model}, {series}" if series.key else model,
        since=first,
        until=bad[-1].window_end,
        compared_since=good[0].window_start,
        metric=metric,
        before=float(loss[~is_now].mean()),
        now=float(loss[is_now].mean()),
        rise=rise_of(losses),
        rows_before=int((~is_now).sum()),
        rows_now=int(is_now.sum()),
        segments=tuple(replace(segment, worst=()) for segment in segments),
        examples=_examples(rows, segments[0], columns) if segments else (),
        compared_until=good[-1].window_end,
        remark=remark,
    )


def segments_of(rows: pa.Table, losses: Losses, reference: Reference, columns: Sequence[str]) -> tuple[Segment, ...]:
    """Return the segments that explain the rise: rows with odd values first, then those found among the other rows."""
    broken, inside = broken_segments(losses, odd_rows(rows, reference, columns))
    others, is_now = ~inside, losses.now[losses.window]
    if min(int((others & is_now).sum()), int((others & ~is_now).sum())) < FEWEST_LABELS:
        return broken
    kept = np.flatnonzero(others)
    windows = np.unique(losses.window[kept])
    rest = Losses(losses.loss[kept], np.searchsorted(windows, losses.window[kept]), losses.now[windows])
    found = find_segments(rest, cut_columns(rows.take(pa.array(kept)), reference.binning.columns, columns))
    now, before = (float((others & side).sum() / side.sum()) for side in (is_now, ~is_now))
    whole = [_of_all_rows(segment, kept, now, before) for segment in found]
    return tuple(sorted((*broken, *whole), key=lambda segment: -segment.excess))


def _of_all_rows(segment: Segment, kept: Array, now: float, before: float) -> Segment:
    """Return a segment that was found among the rows `kept`, these parts of all rows, as one of all rows."""
    return replace(
        segment,
        share_now=segment.share_now * now,
        share_before=segment.share_before * before,
        excess=segment.excess * now,
        worst=tuple(kept[[*segment.worst]].tolist()),
    )


def _examples(rows: pa.Table, segment: Segment, columns: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    """Return the rows of a segment that were furthest off: what was said, what came, then its own columns."""
    features = [*segment.columns, *(name for name in columns if name not in segment.columns)]
    shown = [name for name in ("timestamp", "request_id", "prediction", "score", "label") if name in rows.column_names]
    shown += [name for name in features if name in rows.column_names]
    found = rows.select(shown).take(pa.array(segment.worst, pa.int64())).to_pylist()
    return tuple({name: _plain(value) for name, value in row.items()} for row in found)


def _plain(value: Any) -> Any:
    """Return a logged value as JSON has it; what is no number is written out."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def row_losses(rows: pa.Table, binning: Binning) -> tuple[str, Array]:
    """Return the name of the mean loss and each row's loss, NaN without label.

    Squared error of the score of a binary classifier with scores, else 1 for a wrong prediction; |e| of a regression.
    """
    label = rows["label"]
    if binning.task == "regression":
        error = pc.subtract(rows["prediction"].cast(pa.float64()), label.cast(pa.float64()))
        return "mean_absolute_error", pc.abs(error).to_numpy()
    score = rows["score"].cast(pa.float64()).to_numpy() if "score" in rows.column_names else np.array([np.nan])
    if binning.positive is not None and np.isfinite(score).any():
        came = pc.equal(text(label), binning.positive).cast(pa.float64()).to_numpy()
        return "brier_score", (score - came) ** 2
    return "error_rate", pc.not_equal(text(rows["prediction"]), text(label)).cast(pa.float64()).to_numpy()


def _failing(window: WindowResult) -> bool:
    return any(finding.kind == "performance" for finding in window.findings)


def _bad_windows(
    report: MonitorReport, whole: Sequence[WindowResult], window: str | None, until: str | None, zone: str
) -> tuple[list[WindowResult], str]:
    """Return the windows to explain, and a remark on why these.

    They are those asked for; else those of the latest alert on performance that is open, of the latest other one that
    is open, of the latest on performance that was; else the last seven.
    """
    if window is not None:
        first = time_of(window, zone)
        last = time_of(until, zone) if until is not None else first
        chosen = [w for w in whole if w.touches(first, last) and w.labelled]
        if not chosen:
            raise NotFound(
                f"{report.model!r} has no window with labels that starts at {window}: see `modelops monitor`."
            )
        return chosen, ""
    alerts = [alert for alert in report.alerts if not alert.segment]
    performance = [alert for alert in alerts if alert.kind == "performance"]
    for candidates, of_what in (
        ([alert for alert in performance if alert.state == "open"], ""),
        ([alert for alert in alerts if alert.state == "open"], "No performance alert is open."),
        (performance, "No alert is open."),
    ):
        for alert in sorted(candidates, key=lambda alert: alert.window_start, reverse=True):
            chosen = [w for w in whole if alert.window_start <= w.window_start <= alert.last_window and w.labelled]
            if chosen:
                about = alert.column or alert.metric
                return chosen, f"{of_what} These are the windows of the latest one, on {about}." if of_what else ""
    remark = "No alert has labels: these are the last windows that have some." if alerts else ""
    return [w for w in whole if w.labelled][-RECENT:] or list(whole[-1:]), remark
