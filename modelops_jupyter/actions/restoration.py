"""One process at a time makes a model again in MLflow; a record of it stays until all of its versions are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from modelops_jupyter.clock import Moment, moment
from modelops_jupyter.errors import Conflict, DependencyFailed

if TYPE_CHECKING:
    from modelops_jupyter.store import Store

KIND = "restoration"
LEASE = timedelta(seconds=120)  # longer than MLflow takes for any one version


@dataclass(frozen=True)
class Restoration:
    """The lease on a model that is being made again.

    Attributes
    ----------
    highest : int
        The highest number that MLflow gave in an earlier attempt, which did not finish.
    """

    store: Store
    name: str
    token: str
    highest: int

    def renew(self, highest: int) -> None:
        """Say that the attempt still goes on, and how far it has come.

        Raises
        ------
        Conflict
            If another process took the lease, because this one had not been heard of for too long.
        """
        from modelops_jupyter.store import Change, Put

        record = self.store.get(KIND, self.name)
        if record is None or record.body["token"] != self.token:
            raise Conflict(f"Another process makes {self.name!r} again in MLflow: this one stops.")
        body = _body(self.token, highest)
        self.store.commit(Change(puts=(Put(KIND, self.name, body, self.name, expected_revision=record.revision),)))

    def interrupt(self) -> None:
        """Let others go on with what this attempt has left."""
        from modelops_jupyter.store import Change, Put

        record = self.store.get(KIND, self.name)
        if record is not None and record.body["token"] == self.token:
            body = {**record.body, "interrupted": True}
            self.store.commit(Change(puts=(Put(KIND, self.name, body, self.name, expected_revision=record.revision),)))

    def finish(self) -> None:
        """Take the record away: everything is there."""
        from modelops_jupyter.store import Change, Delete

        record = self.store.get(KIND, self.name)
        if record is not None and record.body["token"] == self.token:
            self.store.commit(Change(deletes=(Delete(KIND, self.name),)))


@contextmanager
def restoring(store: Store, name: str) -> Iterator[Restoration]:
    """Hold the lease on a model that is made again in MLflow; its record goes once that is done without an error.

    Raises
    ------
    Conflict
        If another process is at it.
    """
    from modelops_jupyter.store import Change, Put

    busy = f"Another process is making {name!r} again in MLflow: repeat this in a moment."
    earlier = store.get(KIND, name)
    if earlier is not None and is_going_on(earlier.body):
        raise Conflict(busy)
    restoration = Restoration(store, name, uuid4().hex, int(earlier.body["highest"]) if earlier else 0)
    body, revision = _body(restoration.token, restoration.highest), earlier.revision if earlier else 0
    try:
        store.commit(Change(puts=(Put(KIND, name, body, name, expected_revision=revision),)))
    except Conflict as error:  # it was first by a moment
        raise Conflict(busy) from error
    try:
        yield restoration
    except BaseException:
        with suppress(Conflict, DependencyFailed):  # the lease runs out by itself
            restoration.interrupt()
        raise
    restoration.finish()


def is_going_on(body: Mapping[str, Any]) -> bool:
    """Return whether the holder of a lease is at work: it was heard of lately, and its process is not known dead."""
    from modelops_jupyter import processes

    heard = Moment.of(body["heard"]).is_within(LEASE, moment())
    return heard and not body["interrupted"] and processes.is_alive(body) is not False


def _body(token: str, highest: int) -> dict[str, Any]:
    from modelops_jupyter import processes

    heard = moment().to_dict()
    return {"token": token, "highest": highest, "heard": heard, "interrupted": False, **processes.identity()}
