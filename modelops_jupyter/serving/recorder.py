"""Answers on record: buffered for a second at most, then in the spool, then in the prediction log."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from modelops_jupyter.errors import DependencyFailed, InvalidInput
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.refs import ModelReference
from modelops_jupyter.serving.segments import log_segment
from modelops_jupyter.serving.spool import REFUSED, Logged, Spool
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
        problems: list[str] = []
        files = self.spool.closed()
        for file in files:
            try:
                outcome = log_segment(self._settings, file)
                if outcome.waiting:
                    problems.append(f"{outcome.waiting.rstrip('.')}: predictions wait in {self.spool.folder}.")
                    continue
                if outcome.refused:
                    aside = self.spool.set_aside(file, outcome.refused)
                    self._lost += sum(len(logged.ids) for logged in outcome.refused)
                    problems.append(f"{aside} was not logged: {outcome.refusal}")
                file.unlink()
                self._logged += outcome.rows
            except (DependencyFailed, OSError) as error:  # it waits until store and disk can be used again
                problems.append(f"{str(error).rstrip('.')}: predictions wait in {self.spool.folder}.")
                if isinstance(error, DependencyFailed):  # the store itself, or no room: the next file fares no better
                    break
            except Exception as error:  # lines that nothing reads
                problems.append(f"{file} was not logged: {str(error).splitlines()[0] if str(error) else error!r}")
                with suppress(OSError):
                    file.rename(file.with_suffix(REFUSED))
        if files:
            self._log_problem = " ".join(dict.fromkeys(problems))


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
