"""One run of a pipeline at a time: a lease in the store, renewed while the run lives, void once its process is gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from modelops_jupyter import processes
from modelops_jupyter.clock import Moment, moment
from modelops_jupyter.errors import Conflict
from modelops_jupyter.store import Change, Delete, Put, Store

LEASE = timedelta(seconds=60)
HEARTBEAT_SECONDS = 15.0


def acquire(store: Store, pipeline: str, run_id: str, home: str) -> str | None:
    """Take the lease of a pipeline and return the run that died holding it, if one did.

    Parameters
    ----------
    home
        The project's folder: in a copy of it, the run that goes on in the original holds nothing.

    Raises
    ------
    Conflict
        If a living run holds it.
    """
    held = store.get("lease", pipeline)
    if held is not None and is_alive(held.body, home):
        raise Conflict(
            f"Run {held.body['run_id']} of {pipeline!r} is going on (process {held.body['pid']} on "
            f"{held.body['host']}): wait for it, or end it first."
        )
    put = Put("lease", pipeline, _body(run_id, home), expected_revision=held.revision if held else 0)
    store.commit(Change(puts=(put,)))
    return None if held is None else str(held.body["run_id"])


def renew(store: Store, pipeline: str, run_id: str, home: str) -> None:
    """Say that the run still lives.

    Raises
    ------
    Conflict
        If another run took the lease, because this one had not been heard of for too long.
    """
    held = store.get("lease", pipeline)
    if held is None or held.body["run_id"] != run_id:
        raise Conflict(f"Run {run_id} of {pipeline!r} was taken for dead and another has begun: this one stops.")
    store.commit(Change(puts=(Put("lease", pipeline, _body(run_id, home), expected_revision=held.revision),)))


def release(store: Store, pipeline: str, run_id: str) -> None:
    """Give the lease back; one that another run has taken stays its own."""
    held = store.get("lease", pipeline)
    if held is not None and held.body["run_id"] == run_id:
        store.commit(Change(deletes=(Delete("lease", pipeline),)))


def is_alive(lease: Mapping[str, Any], home: str) -> bool:
    """Return whether the holder lives: on this machine its process counts, elsewhere when it was last heard of."""
    here = processes.is_alive(lease)
    if here is None:
        return Moment.of(lease["heard"]).is_within(LEASE, moment())
    return here and lease["home"] == home


def state_of(store: Store, run: Mapping[str, Any], home: str) -> str:
    """Return the state of a run on record: one whose process is gone is ``abandoned``, before another one says so."""
    if run["state"] != "running":
        return str(run["state"])
    held = store.get("lease", str(run["pipeline"]))
    goes_on = held is not None and held.body["run_id"] == run["run_id"] and is_alive(held.body, home)
    return "running" if goes_on else "abandoned"


def _body(run_id: str, home: str) -> dict[str, Any]:
    return {"run_id": run_id, "home": home, **processes.identity(), "heard": moment().to_dict()}
