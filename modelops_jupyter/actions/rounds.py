"""``modelops watch``: every monitor in turn, again and again, on a box where nobody sits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from modelops_jupyter import clock
from modelops_jupyter.actions import watching
from modelops_jupyter.actions.liveness import beat, parse_interval, say_what_stopped
from modelops_jupyter.actions.reconciliation import reconcile
from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import Conflict, ModelOpsError
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.settings import Settings
    from modelops_jupyter.sources import Sources
    from modelops_jupyter.store import Store


@dataclass(frozen=True)
class MonitorRun:
    """One monitor in one round; `error` is None where it ran."""

    model: str
    every: str
    new_windows: int
    open_alerts: int
    error: str | None


@dataclass(frozen=True)
class Round(Presentable):
    """One turn through all monitors.

    Attributes
    ----------
    at : str
        When it began: ISO text in UTC.
    stopped : int
        Monitors that were found to have stopped, here or elsewhere, and that nobody had said so of.
    sent, failed : int
        Messages delivered, and targets that did not take theirs.
    moved : int
        Aliases that MLflow did not show as they are on record, and does now.
    registry_error : str or None
        Why aliases could not be looked at, or not put right; monitors need no registry.
    """

    at: str
    runs: tuple[MonitorRun, ...]
    stopped: int
    sent: int
    failed: int
    moved: int = 0
    registry_error: str | None = None

    @property
    def exit_code(self) -> int:
        """0, or 3 where a monitor or a target failed."""
        return 3 if self.failed or any(run.error for run in self.runs) else 0

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per monitor."""
        import pandas as pd

        return pd.DataFrame([asdict(run) for run in self.runs])

    def __str__(self) -> str:
        lines = [
            f"{self.at[:19]} {count(len(self.runs), 'monitor')}, {count(self.sent, 'message')} sent, "
            + f"{count(self.failed, 'target')} failed"
            + (f", {count(self.stopped, 'monitor')} found stopped" if self.stopped else "")
            + (f", {self.moved} alias{'es' * (self.moved != 1)} put right in MLflow" if self.moved else "")
            + (f"; MLflow not put right: {self.registry_error}" if self.registry_error else "")
        ]
        for run in self.runs:
            done = f"{count(run.new_windows, 'new window')}, {count(run.open_alerts, 'open alert')}"
            done = f"FAILED: {run.error}" if run.error else done
            lines.append(f"  {run.model} every {run.every}: {done}")
        return "\n".join(lines)


def watch(ws: Foundations, interval: str, once: bool, on_round: Callable[[Round], None] | None) -> Round:
    """Run rounds until interrupted, or one; see `Workspace.watch`."""
    length = parse_interval(interval)
    while True:
        began = time.monotonic()
        done = go_round(ws, length)
        if on_round is not None:
            on_round(done)
        if once:
            return done
        time.sleep(max(0.0, began + length.total_seconds() - time.monotonic()))


def go_round(ws: Foundations, interval: timedelta) -> Round:
    """Put aliases right, run every monitor, say what stopped, deliver; what fails does not keep the rest from it."""
    store, sources, settings, actor = ws.store, ws.sources, ws.settings, ws.actor
    at = clock.now()
    moved, registry_error = _reconcile(ws)  # first: MLflow's import takes seconds that no heartbeat should count
    runs = []
    for model, every in _monitors(store, sources):
        run = _run(store, sources, settings, actor, model, every)
        use_case = settings.use_cases.get(model)
        beat(store, model, every, interval, clock.moment(), run.error, use_case.owner if use_case else None)
        runs.append(run)
    stopped = say_what_stopped(store, clock.moment())
    report = watching.deliver(store, settings)
    return Round(at.isoformat(), tuple(runs), stopped, report.sent, report.failed, moved, registry_error)


def _reconcile(ws: Foundations) -> tuple[int, str | None]:
    """Return how many aliases MLflow did not show as they are on record and does now, or why others could not be."""
    try:
        done = reconcile(ws.store, ws.registry, ws.settings, ws.actor)
    except ModelOpsError as error:
        return 0, str(error)
    left = "; ".join(row["what"] for row in done if not row["put_right"])
    return len(done) - done.left, left or None


def _monitors(store: Store, sources: Sources) -> Iterator[tuple[str, str]]:
    """Yield model and window length: those that ran before, and a day for models with a reference and predictions."""
    known = sorted({(record.subject, str(record.body["every"])) for record in store.find("monitor")})
    yield from known
    ran = {model for model, _ in known}
    for model in sorted({record.subject for record in store.find("reference")} - ran):
        if _has_predictions(sources, model):
            yield model, "1D"


def _has_predictions(sources: Sources, model: str) -> bool:
    try:
        extent, _ = sources.read(model, lambda source: source.extent(model))
        return extent is not None
    except ModelOpsError:  # its run says what is wrong
        return True


def _run(store: Store, sources: Sources, settings: Settings, actor: Actor, model: str, every: str) -> MonitorRun:
    try:
        report = watching.run(store, sources, settings, actor, model, every)
    except Conflict:  # another process watches too, and was first
        return MonitorRun(model, every, 0, _open(store, model), None)
    except ModelOpsError as error:
        return MonitorRun(model, every, 0, _open(store, model), str(error))
    except Exception as error:  # a fault of one model's data must not end the watch over the others
        return MonitorRun(model, every, 0, _open(store, model), f"{type(error).__name__}: {error}")
    return MonitorRun(model, every, report.new_windows, _open(store, model), None)


def _open(store: Store, model: str) -> int:
    return sum(record.body["state"] == "open" for record in store.find("alert", model))
