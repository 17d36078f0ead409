"""What the store keeps of a monitor: profiles and results of windows and of their segments."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import NotFound
from modelops_jupyter.monitoring.incidents.missing_rows import missing_rows_sentence
from modelops_jupyter.monitoring.record.later import LaterSlices, LaterWindows
from modelops_jupyter.monitoring.record.results import Alert, MonitorReport, WindowResult
from modelops_jupyter.monitoring.record.slices import pack_slices
from modelops_jupyter.profiles import (
    Counts,
    Profile,
    ScoreCells,
    labelled_from_dict,
    segments_to_dict,
)
from modelops_jupyter.roles import SERVICE, Series, check_role, kind_of
from modelops_jupyter.store import Delete, Put, Record, Store

if TYPE_CHECKING:
    from modelops_jupyter.monitoring.scanning import WindowProfile


def series_key(model: str, every: str, series: Series) -> str:
    """Return the key of a series' state, with which those of its windows begin."""
    return f"{model}/{every}/{series.key}" if series.key else f"{model}/{every}"


def known_series(store: Store, model: str, every: str) -> tuple[Series, ...]:
    """Return the series on record beside what was served."""
    states = store.find(kind_of("monitor", Series(1)), model)
    return tuple(sorted(Series.of_key(s.body["series"]) for s in states if s.body["every"] == every))


def zone_of(store: Store, model: str, every: str) -> str:
    """Return the time zone whose windows are on record."""
    state = store.get("monitor", f"{model}/{every}")
    return "UTC" if state is None else str(state.body.get("time_zone", "UTC"))


def find_series(store: Store, model: str, every: str, version: int | None, role: str) -> Series:
    """Return the series of a version and a role, or that of the only version that there is in the role.

    Raises
    ------
    NotFound
        If there is none on record, or several versions to choose from.
    """
    known = known_series(store, model, every)
    found = [series for series in known if series.role == check_role(role) and version in (None, series.version)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(str(series) for series in known) or "none"
    wanted = f"predictions as {role}" if version is None else f"predictions of {Series(version, role)}"
    if found:
        raise NotFound(f"{model!r} has {wanted} of several versions: name one, of {names}.")
    raise NotFound(f"{model!r} has no {wanted} in windows of {every}: beside what was served it has {names}.")


class KeptWindows:
    """The windows of a model on record; `since` and `until` are starts: from the one on, before the other."""

    def __init__(self, store: Store, model: str, every: str, series: Series = SERVICE) -> None:
        self._store, self._model, self._series = store, model, series
        self._prefix = f"{series_key(model, every, series)}/"

    def whole(self, since: str | None = None, until: str | None = None) -> tuple[WindowResult, ...]:
        """Return the results of windows as a whole, oldest first."""
        return tuple(self.later_whole(since=since, until=until))

    def with_rows(self, since: str | None = None, until: str | None = None) -> list[WindowResult]:
        """Return those of windows as a whole whose rows are there still, as of the last run."""
        state = self._store.get(kind_of("monitor", self._series), self._prefix[:-1])
        gone = set() if state is None else set(state.body["without_rows"])
        return [window for window in self.whole(since, until) if window.window_start not in gone]

    def segments(self, since: str | None = None, until: str | None = None) -> tuple[WindowResult, ...]:
        """Return the results of windows' segments, oldest first."""
        return tuple(self.later_segments(since=since, until=until))

    def later_whole(
        self, judged: Sequence[WindowResult] = (), *, since: str | None = None, until: str | None = None
    ) -> LaterWindows:
        """Return the results of windows as a whole, read when they are looked at; `judged` come after them."""
        return LaterWindows(lambda: [record.body for record in self._find("window", since, until)], judged)

    def later_segments(
        self, judged: Sequence[WindowResult] = (), *, since: str | None = None, until: str | None = None
    ) -> LaterSlices:
        """Return the results of windows' segments likewise."""
        return LaterSlices(lambda: [record.body for record in self._find("segment_window", since, until)], judged)

    def starts(self) -> tuple[str, ...]:
        """Return the starts of the windows on record, oldest first."""
        kind, end = kind_of("window", self._series), self._prefix[:-1] + "0"
        records = self._store.find(kind, self._model, since=self._prefix, until=end, bodies=False)
        return tuple(self._start(record) for record in records)

    def both(self, since: str, until: str) -> tuple[WindowResult, ...]:
        """Return the results of windows as a whole, and then those of segments."""
        return self.whole(since, until) + self.segments(since, until)

    def profiles(self, since: str | None = None, until: str | None = None) -> dict[datetime, Profile]:
        """Return the profiles of windows as a whole by their start."""
        records = self._find("profile", since, until)
        return {datetime.fromisoformat(self._start(r)): Profile.from_dict(r.body) for r in records}

    def labelled(self, since: str, until: str) -> Iterator[tuple[str, int | None, ScoreCells]]:
        """Yield start, serving version and labelled rows by cell of the score, of windows as a whole."""
        for record in self._find("profile", since, until):
            versions = {int(version): rows for version, rows in record.body["versions"].items()}
            served = max(versions, key=lambda v: (versions[v], v), default=None)
            yield self._start(record), served, labelled_from_dict(record.body["outcomes"])

    def counts(self, since: str | None, sliced: bool) -> dict[tuple[str, str], Counts]:
        """Return the counts of all columns by start and segment, of segments only where `sliced`."""
        found = {(self._start(r), ""): Counts.from_dict(r.body) for r in self._find("profile", since, None)}
        for record in self._find("segment_profile", since, None) if sliced else ():
            for segments in record.body.values():
                for name, body in segments.items():
                    found[self._start(record), name] = Counts.from_dict(body)
        return found

    def _find(self, kind: str, since: str | None, until: str | None) -> tuple[Record, ...]:
        # The character after "/" ends the keys of this length of windows.
        end = self._prefix + until if until else self._prefix[:-1] + "0"
        kind = kind_of(kind, self._series)
        return self._store.find(kind, self._model, since=self._prefix + (since or ""), until=end)

    def _start(self, record: Record) -> str:
        return record.key.removeprefix(self._prefix)


class KeptCounts:
    """Gives the counts of a window or of a segment of it: of one just found, else of one on record from `since` on."""

    def __init__(self, kept: KeptWindows, since: str, found: Mapping[str, WindowProfile], *, sliced: bool) -> None:
        self._kept, self._since, self._found, self._sliced = kept, since, found, sliced

    def __call__(self, start: str, segment: str) -> Counts | None:
        found = self._found.get(start)
        if found is None:
            return self._stored.get((start, segment))
        if not segment:
            return found.profile.counts
        slices = (profiles[segment] for profiles in found.segments.values() if segment in profiles)
        profile = next(slices, None)
        return None if profile is None else profile.counts

    @cached_property
    def _stored(self) -> Mapping[tuple[str, str], Counts]:
        return self._kept.counts(self._since, self._sliced)


def _told(window: WindowResult) -> tuple[Any, ...]:
    """Return what judging may have changed of a window."""
    return window.findings, window.remembered, window.quality, window.holiday


def load_alerts(store: Store, model: str, every: str, series: Series = SERVICE) -> tuple[Alert, ...]:
    """Return the alerts of one length of windows, as of the last run."""
    bodies = (record.body for record in store.find(kind_of("alert", series), model))
    found = (
        Alert.from_dict({name: value for name, value in body.items() if name != "every"})
        for body in bodies
        if body["every"] == every and body.get("series", "") == series.key
    )
    return tuple(sorted(found, key=Alert.place))


def load_report(store: Store, model: str, every: str = "1D") -> MonitorReport:
    """Return the report as of the last run, from the store alone."""
    return replace(load_series(store, model, every, SERVICE), beside=load_beside(store, model, every))


def load_beside(store: Store, model: str, every: str) -> tuple[MonitorReport, ...]:
    """Return the reports of the series beside what was served, as of the last run."""
    return tuple(load_series(store, model, every, series) for series in known_series(store, model, every))


def load_series(store: Store, model: str, every: str, series: Series) -> MonitorReport:
    """Return the report of one series as of the last run."""
    kept = KeptWindows(store, model, every, series)
    alerts = load_alerts(store, model, every, series)
    state = store.get(kind_of("monitor", series), series_key(model, every, series))
    missing: Sequence[str] = () if state is None else state.body["without_rows"]
    remark = missing_rows_sentence(store, model, every, missing, served=series == SERVICE)
    return MonitorReport(
        model, every, kept.later_whole(), alerts, 0, kept.later_segments(), remark=remark, series=series
    )


def window_writes(
    model: str,
    every: str,
    series: Series,
    windows: Sequence[WindowResult],
    before: Mapping[tuple[str, str], WindowResult],
    found: Mapping[str, WindowProfile],
    sample: int,
    gone: Collection[str] = (),
) -> list[Put | Delete]:
    """Return what is kept of a run: the profiles that were found, and the results that are not on record so.

    Parameters
    ----------
    windows
        Judged, of all segments.
    before
        What is on record of them, by start and segment.
    sample
        Rows of each window to keep.
    gone
        The starts of windows on record that are part of another one now.
    """
    by_start: dict[str, list[WindowResult]] = {}
    changed = set(found)
    for window in windows:
        by_start.setdefault(window.window_start, []).append(window)
        kept = before.get((window.window_start, window.segment))
        if kept is None or _told(kept) != _told(window):
            changed.add(window.window_start)
    writes: list[Put | Delete] = []
    prefix = series_key(model, every, series)

    def write(kind: str, start: str, body: Mapping[str, Any]) -> None:
        own, key = kind_of(kind, series), f"{prefix}/{start}"
        writes.append(Put(own, key, body, subject=model) if body else Delete(own, key))

    for start in sorted(changed):
        for window in by_start[start]:
            if not window.segment:
                write("window", start, window.packed())
        slices = [window for window in by_start[start] if window.segment]
        write("segment_window", start, pack_slices(slices) if slices else {})
    for start, each in found.items():
        write("profile", start, replace(each.profile, sample=each.profile.sample.first(sample)).to_dict())
        profiles = {column: segments_to_dict(segments) for column, segments in each.segments.items()}
        write("segment_profile", start, profiles)
    for start in gone:
        for kind in ("window", "segment_window", "profile", "segment_profile"):
            write(kind, start, {})
    return writes
