"""What other tools keep in the workspace's MLflow. Everything here reads; nothing is written there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from modelops_jupyter.errors import NotFound
from modelops_jupyter.registry import adoption
from modelops_jupyter.registry.addresses import prepare
from modelops_jupyter.registry.adoption import Lineage, StockModel, StockVersion
from modelops_jupyter.registry.client import check_reachable, typed_errors
from modelops_jupyter.registry.registered import Registered, ask_client, read_file
from modelops_jupyter.registry.stock import StockFile, StockFiles, active_run, fetch_files, read_stock

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from modelops_jupyter.registry.registry import Registry
    from modelops_jupyter.settings import Settings


class StockRegistry:
    """Models, versions and files as stock MLflow keeps them; names are MLflow's."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        self._registry, self._settings = registry, settings

    @contextmanager
    def _asking(self) -> Iterator[MlflowClient]:
        check_reachable(self._settings)
        client = self._registry.client
        with typed_errors(self._settings):
            yield client

    def registered(self) -> Mapping[str, Registered]:
        """Return every registered model by name, with its aliases and version numbers, at a glance."""
        check_reachable(self._settings)
        found = read_file(self._settings.mlflow_path) if self._settings.server is None else None
        if found is not None:
            return found
        with self._asking() as client:
            return ask_client(client)

    def models(self, name: str | None = None) -> tuple[StockModel, ...]:
        """Return every model, or the one of a name."""
        with self._asking() as client:
            return adoption.read_models(client, name)

    def aliases(self, name: str) -> dict[str, int]:
        """Return the aliases of a model as they are now.

        Raises
        ------
        NotFound
            If it is not there any more.
        """
        if self._settings.server is None:
            registered = self.registered()
            aliases = dict(registered[name].aliases) if name in registered else None
        else:
            with self._asking() as client:
                aliases = adoption.read_aliases(client, name)
        if aliases is None:
            raise NotFound("MLflow has it no longer: it was deleted or renamed meanwhile. Adopt again.")
        return aliases

    def lineage(self, versions: Collection[StockVersion]) -> dict[tuple[str, int], Lineage]:
        """Return where versions come from, by name and number."""
        if not versions:
            return {}
        with self._asking() as client:
            return adoption.read_lineage(client, versions)

    def prepare(self) -> None:
        """Import all that `files` needs, before several threads use it."""
        with self._asking():
            prepare()

    def files(self, version: StockVersion, lineage: Lineage, temporary: Path) -> StockFiles:
        """Return the files of a version; several threads may ask at once.

        Raises
        ------
        RegistryDamaged
            If they are gone.
        """
        with typed_errors(self._settings):
            return fetch_files(self._registry.client, self._settings, version, lineage, temporary)

    def read(self, address: str, *, unsafe: bool = False) -> StockFile:
        """Return a live model by MLflow's address of it; see `read_stock`."""
        with self._asking() as client:
            return read_stock(client, self._settings, address, unsafe=unsafe)

    def active_run(self, run_id: str | None) -> str | None:
        """Return a run that can still be written to, else None."""
        with self._asking() as client:
            return active_run(client, run_id)
