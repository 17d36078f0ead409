"""What a workspace rests on, opened when first needed: store, log, registry, policy, and who acts."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from modelops_jupyter.actor import Actor, current_actor
from modelops_jupyter.settings import Settings

if TYPE_CHECKING:
    from modelops_jupyter.governance import Policy
    from modelops_jupyter.log import PredictionLog
    from modelops_jupyter.registry import Registry
    from modelops_jupyter.sources import Sources
    from modelops_jupyter.store import Store


class Foundations:
    """Holds the parts of one workspace; `actor` acts, else whoever `settings` names."""

    def __init__(self, settings: Settings, *, actor: Actor | None = None) -> None:
        self.settings, self._actor = settings, actor

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.settings.project)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the store's file handles."""
        if "store" in self.__dict__:
            self.store.close()
            del self.__dict__["store"]

    @cached_property
    def store(self) -> Store:
        """Facts and the audit chain."""
        from modelops_jupyter.store import open_store

        settings = self.settings
        kept: tuple[Path, ...] = ()
        if not settings.store_path.exists():
            # Other artifacts in that folder are of runs that were logged with MLflow alone.
            kept = (*settings.artifacts_path.rglob("artifacts/modelops"), settings.log_path)
        return open_store(settings.store_path, settings.lock_path, keeps=kept)

    @property
    def known(self) -> Store:
        """Facts to look something up in: none where no workspace is yet, for a question leaves none behind."""
        from modelops_jupyter.store import InMemoryStore

        return self.store if self.settings.root.exists() else InMemoryStore()

    @cached_property
    def log(self) -> PredictionLog:
        """Predictions and labels."""
        from modelops_jupyter.log import PredictionLog

        return PredictionLog(self.settings.log_path)

    @cached_property
    def sources(self) -> Sources:
        """Where the predictions of each model are read from: our own log, or a table that others write."""
        from modelops_jupyter.actions.versions import model_facts
        from modelops_jupyter.sources import Sources

        return Sources(
            lambda: self.settings.sources,
            self.settings.project,
            self.log,
            lambda name, version: model_facts(self.known, name, version),
        )

    @cached_property
    def registry(self) -> Registry:
        """Models and artifacts in MLflow."""
        from modelops_jupyter.registry import Registry

        return Registry(self.settings, self._mlflow_name)

    def _mlflow_name(self, name: str) -> str:
        """Return what MLflow calls a model: its own name, unless it was adopted under another."""
        record = self.known.get("model", name)
        return name if record is None else str(record.body.get("mlflow_name", name))

    @property
    def tracking_uri(self) -> str:
        """MLflow's address of this workspace, ready for ``mlflow.set_tracking_uri``."""
        return self.registry.tracking_uri

    @property
    def experiment_id(self) -> str:
        """The MLflow experiment that holds this workspace's runs."""
        return self.registry.experiment_id

    @cached_property
    def policy(self) -> Policy:
        """What a version must show before it moves."""
        from modelops_jupyter.governance import load_policy

        return load_policy(self.settings.policy)

    @property
    def actor(self) -> Actor:
        """Who goes on record for what is done now."""
        return self._actor or current_actor(self.settings.actor)
