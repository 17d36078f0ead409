"""Answers on record: buffered for a second at most, then in the spool, then in the prediction log."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelops_jupyter.errors import DependencyFailed, InvalidInput, StoreDamaged
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.refs import ModelReference
from modelops_jupyter.serving.spool import REFUSED, Logged, Spool, read_segment
from modelops_jupyter.settings import Settings

WRITE_SECONDS = 1.0  # what a process that is killed may lose
MOST_BUFFERED = 100_000  # rows in memory while the disk takes none; the oldest are given up first
# What the threads here import at their first use; `modelops_jupyter.imports` says why it is imported before.
LATER = (
    "pandas",
    "pyarrow.acero",  # by Arrow's group_by
    "deltalake",
    "modelops_jupyter.actions.prediction_logging",
    "modelops_jupyter.log",
    "modelops_jupyter.store",
    "modelops_jupyter.sources",
    "modelops_jupyter.scoring.contract",
)


@dataclass(frozen=True)
class LogState:
    """Where predictions are.

    Attributes
    ----------
    buffered : int
        Rows in memory, not yet on disk.
    spooled : int
        Rows that were written to the spool.
    logged : int
        Rows that are in the prediction log.
    lost : int
        Rows that were answered and are on no record: the buffer was full, or the log refused them.
    problem : str
        What keeps rows from disk or log now; empty for nothing.
    durable : bool
    loss_bound : str
        What a process that is killed loses.
    """

    buffered: int
    spooled: int
    logged: int
    lost: int
    problem: str
    durable: bool
    loss_bound: str


class Recorder:
    """Two threads: one writes to the spool each second, the other takes closed segments to the prediction log.

    Parameters
    ----------
    durable
        Whether a prediction is on disk before it is answered.
    log_seconds
        How often a segment is closed.
    """

    def __init__(self, settings: Settings, *, durable: bool, log_seconds: float) -> None:
        self._settings, self._durable, self._log_seconds = settings, durable, log_seconds
        self.spool = Spool(settings.root)
        self._pending: deque[tuple[Logged, Future[None] | None]] = deque()
        self._wake = threading.Condition()
        self._segments = threading.Lock()  # over the spool's open file
        self._due = threading.Event()
        self._stopping = False
        self._buffered = self._spooled = self._logged = self._lost = 0
        self._write_problem = self._log_problem = ""
        self._threads = [
            threading.Thread(target=work, name=f"modelops-serve-{name}", daemon=True)
            for name, work in (("write", self._write_forever), ("log", self._log_forever))
        ]

    def start(self) -> None:
        """Hold the spool, take over what servers that were killed have left, and begin.

        Raises
        ------
        OSError
            If the spool cannot be made.
        """
        self.spool.open()
        if self.spool.take_over():
            self._due.set()
        for thread in self._threads:
            thread.start()

    def record(self, logged: Logged) -> Future[None] | None:
        """Put the predictions of one request on their way; where the server is durable, return when they are on disk.

        The future raises `DependencyFailed` where they cannot be written.
        """
        done: Future[None] | None = Future() if self._durable else None
        with self._wake:
            self._pending.append((logged, done))
            self._buffered += len(logged.ids)
            while self._buffered > MOST_BUFFERED and len(self._pending) > 1:
                self._give_up(*self._pending.popleft())
            if self._durable:
                self._wake.notify()
        return done

    def state(self) -> LogState:
        """Return where predictions are now."""
        bound = "none" if self._durable else f"predictions of the last {WRITE_SECONDS:g} s"
        problem = " ".join(filter(None, (self._write_problem, self._log_problem)))
        return LogState(self._buffered, self._spooled, self._logged, self._lost, problem, self._durable, bound)

    def stop(self) -> None:
        """Write and log everything that was answered."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._threads[0].join()
        self._due.set()
        self._threads[1].join()
        self.spool.close()

    def flush(self) -> None:
        """Take what is in the spool to the log now, in the thread that does so."""
        self._due.set()

    def _write_forever(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._stopping or (self._durable and self._pending), WRITE_SECONDS)
                stopping, batch = self._stopping, list(self._pending)
                self._pending.clear()
            if batch:
                self._write(batch, stopping)
            if stopping:
                return

    def _write(self, batch: list[tuple[Logged, Future[None] | None]], last: bool) -> None:
        rows = sum(len(logged.ids) for logged, _ in batch)
        try:
            with self._segments:
                self.spool.write([logged for logged, _ in batch], sync=self._durable)
                full = self.spool.is_full
        except OSError as error:
            self._write_problem = f"Predictions cannot be written to {self.spool.folder} ({error.strerror})."
            self._keep(batch, last)
            return
        except Exception as error:  # what has no line: it would have none the next time either
            self._write_problem = f"Predictions cannot be written ({type(error).__name__}: {error})."
            self._keep(batch, last=True)
            return
        with self._wake:
            self._buffered -= rows
        self._spooled += rows
        self._write_problem = ""
        for _, done in batch:
            if done is not None and done.set_running_or_notify_cancel():  # a client that went away hears nothing
                done.set_result(None)
        if full:
            self._due.set()

    def _keep(self, batch: list[tuple[Logged, Future[None] | None]], last: bool) -> None:
        """Keep what could not be written for the next attempt; what is durable fails, for it is not answered."""
        with self._wake:
            if self._durable or last:
                for logged, done in batch:
                    self._give_up(logged, done)
            else:
                self._pending.extendleft(reversed(batch))

    def _give_up(self, logged: Logged, done: Future[None] | None) -> None:
        self._buffered -= len(logged.ids)
        if done is None:
            self._lost += len(logged.ids)
        elif done.set_running_or_notify_cancel():
            done.set_exception(DependencyFailed(f"{self._write_problem or 'The buffer is full.'} Try again later."))

    def _log_forever(self) -> None:
        while True:
            self._due.wait(self._log_seconds)
            self._due.clear()
            last = self._stopping and not self._threads[0].is_alive()
            with self._segments:
                self.spool.rotate()
            self._log_closed()
            if last:
                return

    def _log_closed(self) -> None:
        for file in self.spool.closed():
            try:
                self._logged += log_segment(self._settings, file)
                file.unlink()
                self._log_problem = ""
            except (DependencyFailed, OSError) as error:  # it waits until the log can be written again
                self._log_problem = f"{str(error).rstrip('.')}: predictions wait in {self.spool.folder}."
                return
            except Exception as error:  # whatever the log has against them, asking again would not change it
                with suppress(OSError):
                    self._lost += sum(len(logged.ids) for logged in read_segment(file))
                    file = file.rename(file.with_suffix(REFUSED))
                self._log_problem = f"{file} was not logged: {str(error).splitlines()[0] if str(error) else error!r}"


def log_segment(settings: Settings, file: Path) -> int:
    """Append the predictions of a segment to the log, a batch for each version; return how many rows are there now.

    Raises
    ------
    ModelOpsError
        As `Workspace.log_predictions`.
    """
    batches: dict[tuple[str, int, str], list[Logged]] = defaultdict(list)
    for logged in read_segment(file):
        batches[logged.model, logged.version, logged.alias].append(logged)
    if not settings.store_path.exists():
        raise StoreDamaged(f"{settings.store_path} is not there: restore it from a backup.")
    rows = 0
    with Foundations(settings) as foundations:
        for (model, version, alias), requests in batches.items():
            reference = ModelReference(model, version, alias or None)
            rows += _append(foundations, reference, requests, f"{file.stem}-{model}-{version}")
    return rows


def _append(foundations: Foundations, reference: ModelReference, requests: list[Logged], batch: str) -> int:
    import pandas as pd

    from modelops_jupyter.actions.prediction_logging import log_predictions
    from modelops_jupyter.actions.versions import contract_of, find_version
    from modelops_jupyter.scoring.contract import conform

    sizes = [len(request.ids) for request in requests]
    names = dict.fromkeys(name for request in requests for name in request.columns)
    columns: dict[str, list[Any]] = {
        name: [
            value
            for request, size in zip(requests, sizes, strict=True)
            for value in request.columns.get(name) or [None] * size
        ]
        for name in names
    }
    contract = contract_of(foundations.store, find_version(foundations.store, reference))
    frame = conform(pd.DataFrame(columns), contract).frame
    frame = frame.assign(
        request_id=[name for request in requests for name in request.ids],
        timestamp=pd.to_datetime(
            [request.time for request, size in zip(requests, sizes, strict=True) for _ in range(size)], utc=True
        ),
        prediction=pd.Series([value for request in requests for value in request.predictions]).to_numpy(),
    )
    scored = all(request.scores is not None for request in requests)
    if scored:
        frame = frame.assign(score=[score for request in requests for score in request.scores or ()])
    log_predictions(
        foundations.store,
        foundations.sources.log_of(reference),
        reference,
        frame,
        id="request_id",
        time="timestamp",
        prediction="prediction",
        score="score" if scored else None,
        batch_id=batch,
    )
    return len(frame)


def check_loggable(foundations: Foundations, reference: ModelReference, features: tuple[str, ...]) -> None:
    """Raise `ModelOpsError` if predictions of a version could never go on record."""
    from modelops_jupyter.actions.prediction_logging import OWN_COLUMNS

    foundations.sources.log_of(reference)
    clash = next((name for name in features if name in OWN_COLUMNS), None)
    if clash is not None:
        raise InvalidInput(
            f"Feature {clash!r} of {reference} has a name that the prediction log keeps for itself: rename it and "
            "register the model again."
        )
