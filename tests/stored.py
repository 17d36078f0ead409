"""Workspaces as registration and monitoring leave them, written straight into the store: no model, no log."""

from itertools import pairwise
from pathlib import Path

from modelops_jupyter.monitoring import WindowResult
from modelops_jupyter.monitoring.figures.volume import volume
from modelops_jupyter.monitoring.record.slices import pack_slices
from modelops_jupyter.monitoring.record.summary import summarise
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Event, Put
from modelops_jupyter.workspace import Workspace

HOSTILE = "<img src=x onerror=alert(1)>"


def puts(name: str, number: int) -> list[Put]:
    """Return the records of one monitored model, as registration and monitoring write them."""
    days = [f"2026-05-{day:02d}T00:00:00+00:00" for day in range(1, 6)]
    figure = {"roc_auc": {"value": 0.8, "reason": None}}
    psi = {"psi": {"value": 0.3, "reason": None}}
    alert = {
        "model": name,
        "kind": "performance" if number % 2 else "drift",
        "column": "",
        "metric": "roc_auc",
        "state": "open",
        "window_start": days[0],
        "message": f"{name}: roc_auc was 0.7",
    }
    version = {
        "name": name,
        "version": 1,
        "task": "classification",
        "classes": ["0", "1"],
        "digest": "d",
        "metrics": {"roc_auc": 0.8},
        "claimed": {},
        "measured": {"metrics": {"roc_auc": 0.8}, "rows": 400, "fingerprint": "f", "at": days[0], "by": "us"},
        "measured_reason": None,
        "flavor": "sklearn-skops",
        "unsafe": False,
        "created_by": "ann",
        "created_at": days[0],
    }
    windows = [
        WindowResult(start, end, 400, 400, {"1": 400}, figure, {"wind": psi, "rain": psi}, ())
        for start, end in pairwise(days)
    ]
    monitor = {
        "every": "1D",
        "through": days[-1],
        "checked_at": days[-1],
        "tracks": [["", 1, days[0]]],
        "without_rows": [],
        "time_zone": "UTC",
        "unfinished": "",
        **summarise(windows),
        "volume": volume(windows),
    }
    return [
        Put("model", name, {"name": name, "kind": "ml", "description": HOSTILE}, subject=name),
        Put("version", f"{name}/000001", version, subject=name),
        Put("monitor", f"{name}/1D", monitor, subject=name),
        Put("alert", f"{name}/1D/a", alert, subject=name),
        *(Put("window", f"{name}/1D/{w.window_start}", w.packed(), subject=name) for w in windows),
    ]


def fill(folder: Path, names: list[str]) -> None:
    root = folder / ".modelops"
    root.mkdir()
    with Workspace(Settings(project=folder, root=root)) as ws:
        records = [record for number, name in enumerate(names) for record in puts(name, number)]
        ws.store.commit(Change(puts=tuple(records), event=Event("register", names[0], "ann", "self-asserted", {})))


def open_incident(folder: Path, name: str) -> str:
    """Put an incident of a model on record, as the monitor does; return its id."""
    identity, at = f"{name}:1f3a9c07", "2026-05-04T06:00:00+00:00"
    suspect = {
        "column": "wind",
        "sign": "distribution",
        "beside": "",
        "score": 1.0,
        "importance": 0.7,
        "magnitude": 1.0,
        "metric": "psi",
        "figure": 0.3,
        "threshold": 0.2,
        "segment": "",
        "since": "2026-05-01T00:00:00+00:00",
    }
    body = {
        "id": identity,
        "model": name,
        "cause": "data",
        "firing": True,
        "ended": "",
        "follows": "",
        "owner": None,
        "opened_at": at,
        "first_window": "2026-05-01T00:00:00+00:00",
        "last_window": "2026-05-03T00:00:00+00:00",
        "title": f"roc_auc fell after wind moved {HOSTILE}",
        "alerts": [],
        "suspects": [suspect],
        "segments": [],
        "loss": None,
        "actions": ["Look at wind."],
        "history": [{"at": at, "event": "opened", "text": "2 alerts"}],
    }
    with Workspace(Settings(project=folder, root=folder / ".modelops")) as ws:
        ws.store.commit(Change(puts=(Put("incident", identity, body, subject=name),)))
    return identity


def slice_windows(folder: Path, name: str, segments: dict[str, float]) -> None:
    """Put figures of segments on record, the same in every window."""
    days = [f"2026-05-{day:02d}T00:00:00+00:00" for day in range(1, 6)]
    puts = []
    for start, end in pairwise(days):
        windows = [
            {
                "window_start": start,
                "window_end": end,
                "rows": 100,
                "labelled": 100,
                "versions": {"1": 100},
                "performance": {"roc_auc": {"value": value, "reason": None, "low": value - 0.1, "high": value + 0.1}},
                "drift": {},
                "findings": [],
                "segment": segment,
            }
            for segment, value in segments.items()
        ]
        kept = pack_slices([WindowResult(**{**window, "findings": ()}) for window in windows])
        puts.append(Put("segment_window", f"{name}/1D/{start}", kept, subject=name))
    with Workspace(Settings(project=folder, root=folder / ".modelops")) as ws:
        ws.store.commit(Change(puts=tuple(puts)))
