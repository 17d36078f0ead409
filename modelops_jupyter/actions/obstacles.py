"""Why MLflow cannot show a version that is on record, or why its files cannot serve, and what to do about that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.versions import mlflow_mark
from modelops_jupyter.errors import ArtifactChanged, RegistryDamaged
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    from modelops_jupyter.registry import Registry

RECONCILE = "run `modelops reconcile`"


@dataclass(frozen=True)
class Obstacle:
    """Why a version cannot be put in service.

    Attributes
    ----------
    what : str
        Half a sentence.
    advice : str
        What to do next: a command that works.
    """

    what: str
    advice: str


def mlflow_obstacle(registry: Registry, body: Mapping[str, Any]) -> Obstacle | None:
    """Return why MLflow cannot show a version on record; None where it can."""
    name, number = str(body["name"]), int(body["version"])
    what = registry.obstacle(name, number, **mlflow_mark(body))
    if not what:
        return None
    if not registry.has_model(name):
        return Obstacle(what, f"{RECONCILE}, which makes the model there again, then repeat this")
    return Obstacle(what, in_its_place(name, number))


def in_its_place(name: str, number: int) -> str:
    """Return what to do about an alias whose version MLflow cannot show: MLflow gives no number twice."""
    return f"promote another version, or register this one again ({again(name, number)}) and promote that"


def again(name: str, number: int) -> str:
    """Return the command that registers a version on record, whatever MLflow did to it, as a new one."""
    return f"`modelops register models:/{name}/{number} {name} --validated-on ROWS --outcomes COLUMN`"


def check_can_serve(registry: Registry, body: Mapping[str, Any], refusal: str) -> None:
    """Check that MLflow can show a version and that its files are, byte by byte, what was approved; then it may move.

    Parameters
    ----------
    refusal
        How the sentence begins, as in ``delay/3 cannot be promoted``.

    Raises
    ------
    RegistryDamaged
        With what to do instead.
    ArtifactChanged
        If a file was edited.
    """
    obstacle = mlflow_obstacle(registry, body) or _files_obstacle(registry, body)
    if obstacle is not None:
        raise RegistryDamaged(f"{refusal}: {obstacle.what}; {obstacle.advice}.")
    try:
        registry.check_bytes(body)
    except ArtifactChanged as error:
        raise ArtifactChanged(f"{refusal}: {error}") from error


def _files_obstacle(registry: Registry, body: Mapping[str, Any]) -> Obstacle | None:
    changes = registry.changed_sizes(body)
    if changes:
        file, state = next(iter(changes.items()))
        more = f", and {count(len(changes) - 1, 'file')} more are not as registered" if len(changes) > 1 else ""
        what = f"{file!r} {state}{more}"
    elif registry.files_are_gone(body):
        what = "its files are gone from MLflow"
    else:
        return None
    return Obstacle(what, "restore them from a backup, or promote another version")
