"""What the store keeps of a monitor: profiles and results of windows and of their segments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from modelops_jupyter.monitoring.results import WindowResult
from modelops_jupyter.monitoring.scanning import WindowProfile
from modelops_jupyter.profiles import Profile, segments_from_dict, segments_to_dict
from modelops_jupyter.store import Delete, Put, Store


def stored_windows(store: Store, model: str, every: str) -> tuple[WindowResult, ...]:
    """Return the results of the windows as a whole, oldest first."""
    records = store.find("window", model)
    return tuple(WindowResult.from_dict(r.body) for r in records if r.key.startswith(f"{model}/{every}/"))


def stored_segments(store: Store, model: str, every: str) -> dict[str, tuple[WindowResult, ...]]:
    """Return the segments' results by window start."""
    records = (r for r in store.find("segment_window", model) if r.key.startswith(f"{model}/{every}/"))
    return {
        r.key.rpartition("/")[2]: tuple(WindowResult.from_dict(window) for window in r.body["windows"]) for r in records
    }


def stored_profiles(store: Store, model: str, every: str) -> dict[datetime, Profile]:
    """Return the profiles of the windows as a whole by their start."""
    prefix = f"{model}/{every}/"
    records = (record for record in store.find("profile", model) if record.key.startswith(prefix))
    return {datetime.fromisoformat(r.key.removeprefix(prefix)): Profile.from_dict(r.body) for r in records}


class StoredProfiles:
    """Gives the profile of a window or of a segment of it: one just found, else the stored one, else None."""

    def __init__(self, store: Store, model: str, every: str, found: Mapping[str, WindowProfile]) -> None:
        self._store, self._prefix, self._found = store, f"{model}/{every}", found
        self._sliced: dict[str, dict[str, Profile]] = {}

    def __call__(self, start: str, segment: str) -> Profile | None:
        if segment:
            return self._slices(start).get(segment)
        if start in self._found:
            return self._found[start].profile
        record = self._store.get("profile", f"{self._prefix}/{start}")
        return None if record is None else Profile.from_dict(record.body)

    def _slices(self, start: str) -> Mapping[str, Profile]:
        if start not in self._sliced:
            if start in self._found:
                columns = self._found[start].segments
            else:
                record = self._store.get("segment_profile", f"{self._prefix}/{start}")
                columns = {} if record is None else {c: segments_from_dict(body) for c, body in record.body.items()}
            self._sliced[start] = {name: profile for segments in columns.values() for name, profile in segments.items()}
        return self._sliced[start]


def window_writes(
    model: str,
    every: str,
    windows: Sequence[WindowResult],
    fresh: Collection[str],
    found: Mapping[str, WindowProfile],
) -> list[Put | Delete]:
    """Return what is kept of a run: the results of the fresh windows and the profiles of those that were found."""
    writes: list[Put | Delete] = []
    sliced: dict[str, list[WindowResult]] = {}
    for window in windows:
        if window.segment:
            sliced.setdefault(window.window_start, []).append(window)
    for window in windows:
        key = f"{model}/{every}/{window.window_start}"
        if window.segment or window.window_start not in fresh:
            continue
        writes.append(Put("window", key, window.to_dict(), subject=model))
        slices = {"windows": [each.to_dict() for each in sliced.get(window.window_start, ())]}
        writes.append(Put("segment_window", key, slices, subject=model) if slices["windows"] else _no_segments(key))
    for start, each in found.items():
        key = f"{model}/{every}/{start}"
        writes.append(Put("profile", key, each.profile.to_dict(), subject=model))
        profiles = {column: segments_to_dict(segments) for column, segments in each.segments.items()}
        writes.append(
            Put("segment_profile", key, profiles, subject=model) if profiles else Delete("segment_profile", key)
        )
    return writes


def _no_segments(key: str) -> Delete:
    return Delete("segment_window", key)
