"""Making a model again that was deleted in MLflow: every version under the number that it has on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelops_jupyter.errors import RegistryDamaged

if TYPE_CHECKING:
    from mlflow import MlflowClient

GAP = "modelops.gap"  # the tag of a version that only takes a number up, until it is deleted


@dataclass(frozen=True)
class Recorded:
    """A version to be made again.

    Attributes
    ----------
    source : str
        Where its artifact is.
    run : str
        The run that holds it.
    """

    source: str
    run: str
    tags: Mapping[str, str]


def make_versions(
    client: MlflowClient,
    name: str,
    numbers: range,
    recorded: Callable[[int], Recorded | None],
    spare_source: str,
    on_version: Callable[[int], None],
) -> None:
    """Make the versions `numbers`, which follow the highest number that MLflow has given.

    MLflow alone gives numbers, one after the other. Where there is no version to make, one is made and deleted.

    Parameters
    ----------
    recorded
        Returns what is on record under a number; None for a gap.
    spare_source
        The source of what is made for a gap.
    on_version
        Hears the number of every version that was made, before anything is deleted.

    Raises
    ------
    RegistryDamaged
        If MLflow gives another number: the version is withdrawn.
    """
    for number in numbers:
        version = recorded(number)
        if version is None:
            made = client.create_model_version(name, spare_source, tags={GAP: "true"})
        else:
            made = client.create_model_version(name, version.source, version.run, tags=dict(version.tags))
        on_version(int(made.version))
        if version is None or int(made.version) != number:
            client.delete_model_version(name, made.version)
        if int(made.version) != number:
            raise RegistryDamaged(
                f"MLflow gave number {made.version} to version {number} of {name!r}, which was to be made again: "
                "another tool registers versions of it at the same time. Stop that, then run `modelops reconcile`."
            )
