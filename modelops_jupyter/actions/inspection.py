"""A closer look at one model: some of its windows, beside what the version that served them was validated on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from itertools import pairwise
from operator import add
from typing import TYPE_CHECKING

from modelops_jupyter.actions.overview import RECENT_WINDOWS, Distribution, WindowFigure
from modelops_jupyter.actions.versions import version_key
from modelops_jupyter.derived_names import source_of
from modelops_jupyter.errors import NotFound
from modelops_jupyter.refs import check_name
from modelops_jupyter.roles import SERVICE, Series, kind_of

if TYPE_CHECKING:
    from modelops_jupyter.monitoring.figures.curves import PerformanceCurves
    from modelops_jupyter.profiles import ColumnBinning, ColumnProfile, Profile, Reference
    from modelops_jupyter.store import Store


@dataclass(frozen=True)
class Inspection:
    """Windows looked at together.

    Attributes
    ----------
    profiles : tuple of Profile
        Oldest first; of the version that served most of the last one, as only profiles of one binning add up.
    since, until : str
        Starts of the first and the last window, of whichever version.
    series : Series
        What the windows are of.
    """

    model: str
    version: int
    reference: Reference
    profiles: tuple[Profile, ...]
    since: str
    until: str
    series: Series = SERVICE

    def distribution(self, column: str) -> Distribution:
        """Return a column's distribution; raises `NotFound` if the version has no such column."""
        columns = self.reference.binning.columns
        if column not in columns:
            known = ", ".join([name for name in columns if source_of(name) == column] or columns)
            raise NotFound(f"{self.model}/{self.version} has no column {column!r}: it has {known}.")
        binning = columns[column]
        edges = [binning.edges[position] for position in binning.coarse]
        return Distribution(
            column=column,
            bins=(*_bin_names(binning.kind, edges, binning.categories), "other", "missing"),
            reference=_shares(self.reference.profile.columns[column], binning),
            current=_shares(reduce(add, (profile.columns[column] for profile in self.profiles)), binning),
            since=self.since,
            until=self.until,
            series=self._named,
        )

    def curves(self) -> PerformanceCurves:
        """Return calibration and other curves."""
        from modelops_jupyter.monitoring.figures.curves import performance_curves

        found = performance_curves(reduce(add, self.profiles), self.reference.binning)
        return replace(found, series=self._named)

    @property
    def _named(self) -> str:
        return str(self.series) if self.series.key else ""


def inspect(
    store: Store,
    name: str,
    window: str | None = None,
    every: str = "1D",
    among: Sequence[str] | None = None,
    series: Series = SERVICE,
) -> Inspection:
    """Read one window, or the last 30.

    Parameters
    ----------
    window
        A time in the window, as in ``2013-07-01`` or ``2013-07-01T13:00``; by their own zone where it names none.
    among
        Starts of the windows whose last 30 are meant; all by default.
    series
        What the windows are of.

    Raises
    ------
    NotFound
        If the model was never monitored, or has no such window.
    InvalidInput
        If `every` is no length of a window.
    """
    from modelops_jupyter.monitoring.kept import series_key, zone_of
    from modelops_jupyter.profiles import Profile, Reference, time_of, window_length
    from modelops_jupyter.profiles.calendars import Calendar

    window_length(every)

    prefix = f"{series_key(check_name(name), every, series)}/"
    if window:
        calendar = Calendar(every, zone_of(store, name, every))
        start = calendar.start(time_of(window, calendar.zone))
        wanted = [_window_key(store, kind_of("window", series), prefix, start)]
    elif among is not None:
        wanted = [f"{prefix}{start}" for start in among[-RECENT_WINDOWS:]]
    else:
        known = (record.key for record in store.find(kind_of("window", series), name, bodies=False))
        wanted = [key for key in known if key.startswith(prefix)][-RECENT_WINDOWS:]
    records = [record for key in wanted if (record := store.get(kind_of("profile", series), key)) is not None]
    if not records:
        since = f" from {window}" if window else ""
        raise NotFound(f"{name!r} has no monitored window{since}: run `modelops monitor`.")
    profiles = [Profile.from_dict(record.body) for record in records]
    version = series.version or profiles[-1].served or 0
    reference = store.get("reference", version_key(name, version))
    if reference is None:
        raise NotFound(f"{name}/{version} has no reference to compare with.")
    return Inspection(
        model=name,
        version=version,
        reference=Reference.from_dict(reference.body),
        profiles=tuple(profile for profile in profiles if profile.served == version),
        since=records[0].key.rpartition("/")[2],
        until=records[-1].key.rpartition("/")[2],
        series=series,
    )


def _window_key(store: Store, kind: str, prefix: str, start: datetime) -> str:
    """Return the key of the window that holds `start`: of one of several together where those are judged so."""
    key = f"{prefix}{start.isoformat()}"
    if store.get(kind, key) is None:
        before = store.find(kind, since=prefix, until=key, bodies=False)[-1:]
        record = store.get(kind, before[0].key) if before else None
        if record is not None and record.body["window_end"] > start.isoformat():
            return record.key
    return key


def segment_figures(
    store: Store, name: str, metric: str | None, starts: Sequence[str], every: str = "1D"
) -> dict[str, WindowFigure]:
    """Return a figure of every segment, the last known in the windows that begin at `starts`, oldest first."""
    from modelops_jupyter.monitoring.record.slices import unpack_slices

    found: dict[str, WindowFigure] = {}
    for start in reversed(starts[-RECENT_WINDOWS:]):
        record = store.get("segment_window", f"{check_name(name)}/{every}/{start}")
        for window in () if record is None else unpack_slices(record.body):
            figure, newer = WindowFigure.of(window, metric), found.get(window.segment)
            if newer is None or (newer.value is None and figure.value is not None):
                found[window.segment] = figure
        if all(figure.value is not None for figure in found.values()):
            break
    return found


def _bin_names(kind: str, edges: Sequence[float], categories: Sequence[str]) -> tuple[str, ...]:
    if kind != "numeric":
        return tuple(categories)
    from modelops_jupyter.profiles.binning import edge_texts

    if not edges:
        return ("any",)
    shown = edge_texts(edges)
    inner = [f"{low} to {high}" for low, high in pairwise(shown)]
    return (f"up to {shown[0]}", *inner, f"over {shown[-1]}")


def _shares(column: ColumnProfile, binning: ColumnBinning) -> tuple[float, ...]:
    counts = (*(int(count) for count in binning.coarsen(column.counts)), column.unseen, column.missing)
    total = sum(counts)
    return tuple(count / total if total else 0.0 for count in counts)
