"""What examiners share: the settings, and what is on record as far as it can be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.portable import recorded_path
from modelops_jupyter.problems import Problem

if TYPE_CHECKING:
    from modelops_jupyter.settings import Settings
    from modelops_jupyter.store import Record, SqlStore


class Evidence:
    """What is known of a workspace; reading it changes nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "_store" in self.__dict__ and self._store[1] is not None:
            self._store[1].close()

    def shown(self, path: str | PathLike[str]) -> str:
        """Return a path as people see it: from the project's folder on."""
        return recorded_path(path, self.settings.project)

    @property
    def store_problems(self) -> list[Problem]:
        """What is wrong with the store's file."""
        return self._store[0]

    @property
    def store(self) -> SqlStore | None:
        """The store, where there is one that can be read."""
        return self._store[1]

    def find(self, kind: str) -> tuple[Record, ...]:
        """Return the facts of a kind that can be read; none where the store cannot."""
        if self.store is None:
            return ()
        try:
            return self.store.find(kind)
        except ModelOpsError:  # a row of it cannot be read, which the store's own examiner reports
            readable = []
            for key in (record.key for record in self.store.find(kind, bodies=False)):
                readable += self._get(kind, key)
            return tuple(readable)

    @cached_property
    def versions(self) -> tuple[Mapping[str, Any], ...]:
        """Every version on record: those with aliases first, then the newest."""
        bodies = [record.body for record in self.find("version")]
        return tuple(sorted(bodies, key=lambda b: (not self.aliases_of(b), -int(b["version"]), str(b["name"]))))

    def aliases_of(self, body: Mapping[str, Any]) -> list[str]:
        """Return the aliases of a version."""
        return self._aliases[str(body["name"]), int(body["version"])]

    @cached_property
    def rejected(self) -> frozenset[tuple[str, int]]:
        """Versions that were rejected and have no alias: nothing puts them in service."""
        from modelops_jupyter.store import in_order

        last: dict[tuple[str, int], str] = {}
        for record in in_order(self.find("decision")):
            if record.body["decision"] != "comment":
                last[str(record.body["name"]), int(record.body["version"])] = str(record.body["decision"])
        rejected = (version for version, decision in last.items() if decision == "reject")
        return frozenset(version for version in rejected if not self._aliases.get(version))

    @cached_property
    def settled(self) -> frozenset[tuple[str, int]]:
        """Versions without an alias that were rejected, or registered again as new ones."""
        origins = {str(body.get("registered_from")) for body in self.versions}
        names = ((str(body["name"]), int(body["version"])) for body in self.versions)
        again = {(name, number) for name, number in names if f"models:/{name}/{number}" in origins}
        return self.rejected | frozenset(version for version in again if not self._aliases.get(version))

    @cached_property
    def mlflow_is_elsewhere(self) -> bool:
        """Whether MLflow's embedded database still has the addresses of another folder, or cannot be asked."""
        from modelops_jupyter.registry.relocation import written_elsewhere

        settings = self.settings
        if settings.server is not None:
            return False
        try:
            return not settings.mlflow_path.exists() or written_elsewhere(settings) is not None
        except ModelOpsError:
            return True

    @cached_property
    def _aliases(self) -> dict[tuple[str, int], list[str]]:
        aliases: dict[tuple[str, int], list[str]] = defaultdict(list)
        for record in self.find("alias"):
            if record.body["version"]:
                aliases[str(record.body["name"]), int(record.body["version"])].append(str(record.body["alias"]))
        return aliases

    @cached_property
    def _store(self) -> tuple[list[Problem], SqlStore | None]:
        from modelops_jupyter.store import store_problems

        path = self.settings.store_path
        return store_problems(path) if path.exists() else ([], None)

    def _get(self, kind: str, key: str) -> list[Record]:
        try:
            record = None if self.store is None else self.store.get(kind, key)
        except ModelOpsError:
            return []
        return [] if record is None else [record]
