"""Pooling: windows with too few rows are judged together with their neighbours.

A frame is a calendar week of days, a day of hours, or four weeks. Where more than half of a frame's windows have fewer
rows than are judged alone, consecutive windows are put together until there are enough. Pools never overlap, so each
row is judged once and the alert budget holds as it does for windows; they begin anew with each frame, so a late row
moves the pools of its own frame only, and pools of one weekday are compared with each other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS
from modelops_jupyter.monitoring.kept import KeptWindows
from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.monitoring.scanning import WindowProfile
from modelops_jupyter.profiles import Profile, window_length
from modelops_jupyter.profiles.calendars import Calendar, wall_time
from modelops_jupyter.profiles.windows import ORIGIN
from modelops_jupyter.roles import Series

# Twice the fewest rows that are judged, so that there are labels enough where some are missing.
ENOUGH_ROWS = 2 * FEWEST_ROWS
FRAMES = {"1h": timedelta(days=1), "1D": timedelta(days=7), "1W": timedelta(days=28)}
Span = tuple[datetime, datetime]
# By frame: how many of its windows are on record outside the rows that are read, and how many of them are small.
Others = Mapping[datetime, tuple[int, int]]


def frame_start(at: datetime, every: str) -> datetime:
    """Return when the frame that holds `at` starts by the clock on the wall."""
    origin = wall_time(ORIGIN)
    return origin + (wall_time(at) - origin) // FRAMES[every] * FRAMES[every]


def pool_windows(
    windows: Iterable[WindowProfile], calendar: Calendar, reach: datetime, others: Mapping[Series, Others] | None = None
) -> Iterator[WindowProfile]:
    """Yield the windows to judge: those that are large enough, and pools of those that are not.

    Parameters
    ----------
    windows
        Of one base length, in time order, of any series.
    reach
        The time of the last row of the log: a frame whose last window has begun by then is over.
    others
        By series: the windows on record of frames that are read in part.
    """
    every, last = calendar.every, wall_time(calendar.start(reach))
    for frame, members in groupby(windows, key=lambda window: frame_start(window.start, every)):
        over = last >= frame + FRAMES[every] - calendar.length
        by_series: dict[Series, list[WindowProfile]] = {}
        for window in members:
            by_series.setdefault(window.series, []).append(window)
        pooled = [
            pool
            for series, own in by_series.items()
            for pool in _pooled(own, every, over, (others or {}).get(series, {}).get(frame, (0, 0)))
        ]
        yield from sorted(pooled, key=lambda window: (window.start, window.series))


def whole_frames(span: Span, kept: Iterable[KeptWindows], through: str, calendar: Calendar) -> Span:
    """Return what is to be read so that frames whose windows are pooled, or may be, are read whole.

    Parameters
    ----------
    span
        What is new.
    kept
        The windows on record, by series.
    through
        The end of the last window on record.
    """
    start, end, every, length = *span, calendar.every, calendar.length
    first, last = frame_start(start, every), frame_start(end - length, every)
    before = frame_start(datetime.fromisoformat(through) - length, every)
    for windows in kept:
        frames = _by_frame(windows.with_rows(calendar.on_wall(min(first, before)).isoformat()), every)
        for frame in {first, last}:
            new = (min(wall_time(span[1]), frame + FRAMES[every]) - max(wall_time(span[0]), frame)) // length
            outside = [window for window in frames.get(frame, []) if not _within(window, span)]
            small = sum(map(_small, outside))
            # All that is new may be small, also where nothing on record is.
            if any(map(_is_pool, frames.get(frame, []))) or (outside and 2 * (small + new) > len(outside) + new):
                start, end = min(start, calendar.on_wall(frame)), max(end, calendar.on_wall(frame + FRAMES[every]))
        if before < first and any(map(_is_pool, frames.get(before, []))) and _small(frames[before][-1]):
            start = min(start, calendar.on_wall(before))  # what was left over of the frame before joins its last pool
    return start, end


def on_record(span: Span, kept: KeptWindows, calendar: Calendar) -> Others:
    """Return how many windows the frames at the edges of `span` have on record outside of it."""
    every = calendar.every
    edges = {frame_start(span[0], every), frame_start(span[1] - calendar.length, every)}
    since, until = (calendar.on_wall(at).isoformat() for at in (min(edges), max(edges) + FRAMES[every]))
    frames = _by_frame(kept.with_rows(since, until), every)
    outside = {frame: [w for w in frames.get(frame, []) if not _within(w, span)] for frame in edges}
    return {frame: (len(windows), sum(map(_small, windows))) for frame, windows in outside.items()}


def absorbed(windows: Sequence[WindowResult], pools: Mapping[str, WindowProfile]) -> set[str]:
    """Return the starts of those windows on record that share days with another one that was found now.

    Those are parts of a pool, and pools that have lost their first windows: what is left of them has another start.
    """
    ordered = sorted(pools.values(), key=lambda pool: pool.start)
    starts = [pool.start for pool in ordered]
    gone: set[str] = set()
    for window in windows:
        begin, end = (datetime.fromisoformat(at) for at in (window.window_start, window.window_end))
        last = (
            bisect_left(starts, end) - 1
        )  # pools never overlap: of those that begin before its end the last ends last
        if window.window_start not in pools and last >= 0 and begin < ordered[last].end:
            gone.add(window.window_start)
    return gone


def _pooled(
    windows: Sequence[WindowProfile], every: str, over: bool, others: tuple[int, int]
) -> Sequence[WindowProfile]:
    small = sum(window.profile.rows < FEWEST_ROWS for window in windows)
    if 2 * (small + others[1]) <= len(windows) + others[0]:
        return windows
    pools: list[list[WindowProfile]] = []
    for window in windows:
        if pools and not _full(pools[-1]) and pools[-1][0].version == window.version:
            pools[-1].append(window)
        else:
            pools.append([window])
    last, before = pools[-1], pools[-2] if len(pools) > 1 else []
    if over and _rows(last) < FEWEST_ROWS and len(before) > 1 and before[0].version == last[0].version:
        pools[-2:] = [[*before, *last]]
    return [_together(pool, every) for pool in pools]


def _together(pool: Sequence[WindowProfile], every: str) -> WindowProfile:
    """Return the windows of a pool as one: profiles of one binning add up exactly."""
    if len(pool) == 1:
        return pool[0]
    segments: dict[str, dict[str, Profile]] = {}
    for column, name, profile in ((c, n, p) for w in pool for c, own in w.segments.items() for n, p in own.items()):
        known = segments.setdefault(column, {})
        known[name] = known[name] + profile if name in known else profile
    whole = pool[0].profile
    for window in pool[1:]:
        whole = whole + window.profile
    end, start = pool[-1].end, pool[0].start
    windows = round((end - start) / window_length(every))
    return replace(pool[0], end=end, windows=windows, profile=whole, segments=segments)


def _full(pool: Sequence[WindowProfile]) -> bool:
    return _rows(pool) >= (FEWEST_ROWS if len(pool) == 1 else ENOUGH_ROWS)


def _rows(pool: Sequence[WindowProfile]) -> int:
    return sum(window.profile.rows for window in pool)


def _small(window: WindowResult) -> bool:
    return window.rows < FEWEST_ROWS


def _is_pool(window: WindowResult) -> bool:
    return window.pooled > 1


def _within(window: WindowResult, span: Span) -> bool:
    return span[0] <= datetime.fromisoformat(window.window_start) < span[1]


def _by_frame(windows: Iterable[WindowResult], every: str) -> dict[datetime, list[WindowResult]]:
    frames: dict[datetime, list[WindowResult]] = {}
    for window in windows:
        frames.setdefault(frame_start(datetime.fromisoformat(window.window_start), every), []).append(window)
    return frames
