"""Uploading, publishing and loading model versions in MLflow."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import NotFound, RegistryDamaged, UnsafeArtifact
from modelops_jupyter.provenance import corrections, process_start, tags_of
from modelops_jupyter.registry import artifacts
from modelops_jupyter.registry.addresses import fetch
from modelops_jupyter.registry.adoption import TOKEN, named
from modelops_jupyter.registry.client import (
    check_reachable,
    check_writable,
    connect,
    experiment_id,
    tracking_uri,
    typed_errors,
)
from modelops_jupyter.registry.drafts import Draft, kind_of, with_decision, write_draft, write_pyfunc_draft
from modelops_jupyter.registry.mlmodel import ModelFile, read_model
from modelops_jupyter.registry.pyfunc import PyFuncEstimator
from modelops_jupyter.registry.registered import highest_numbers
from modelops_jupyter.registry.relocation import address_of
from modelops_jupyter.registry.restoration import GAP, Recorded, make_versions
from modelops_jupyter.registry.stock_registry import StockRegistry
from modelops_jupyter.scoring.digests import check_digests
from modelops_jupyter.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import Metric


class Registry:
    """The workspace's MLflow.

    Parameters
    ----------
    mlflow_name
        Returns what MLflow calls a model, which may have been adopted under another name.
    """

    def __init__(self, settings: Settings, mlflow_name: Callable[[str], str] = str) -> None:
        self._settings, self._mlflow_name = settings, mlflow_name

    @cached_property
    def client(self) -> MlflowClient:
        """MLflow's own client."""
        return connect(self._settings)

    @property
    def tracking_uri(self) -> str:
        """MLflow's address, which answers."""
        check_reachable(self._settings)
        return tracking_uri(self._settings)

    @property
    def experiment_id(self) -> str:
        """The experiment that holds runs of our own making, created on first use."""
        with self._asking() as client:
            return experiment_id(client, self._settings)

    def check(self) -> None:
        """Raise within seconds if MLflow does not answer or its database is damaged."""
        check_reachable(self._settings)

    @contextmanager
    def _asking(self) -> Iterator[MlflowClient]:
        """Lend the client, after a look whether MLflow is there; its errors become ours."""
        self.check()
        client = self.client
        with typed_errors(self._settings):
            yield client

    @contextmanager
    def draft(
        self,
        model: Any,
        *,
        kind: str | None = None,
        decision: str | None = None,
        data: pd.DataFrame | None = None,
        target: Any = None,
        unsafe: bool = False,
        reference: pd.DataFrame | None = None,
    ) -> Iterator[Draft]:
        """Lend `model` as it would be registered; see `Workspace.register`. Nothing is written to MLflow."""
        check_writable(self._settings)  # before work that would be lost
        model = with_decision(model, decision)
        if isinstance(model, PyFuncEstimator):
            kind_of(model, kind)
            with write_pyfunc_draft(model, data, target, self._settings.project) as draft:
                yield draft
            return
        with write_draft(model, kind, data, target, unsafe, self._settings.project, reference) as draft:
            yield draft

    def upload(
        self, draft: Draft, name: str, *, run_id: str | None = None, metrics: Mapping[str, float] | None = None
    ) -> dict[str, Any]:
        """Put a draft's files and metrics into a run, and return the facts that `publish` and `load` need."""
        path = f"modelops/{name}/{draft.digest[:12]}"
        with self._asking() as client:
            run = self._new_run(name, draft.source) if run_id is None else self._known_run(run_id, draft.source)
            try:
                placed = self._put(draft.folder, run, path)
                if metrics:
                    client.log_batch(run, metrics=_measured_now(metrics))
            except BaseException:
                if run_id is None:
                    with suppress(Exception):  # what went wrong first is what counts
                        client.set_terminated(run, "FAILED")
                raise
            if run_id is None:
                client.set_terminated(run)
        return {**draft.facts(), **placed, "name": name, "run_id": run, "model_uri": f"runs:/{run}/{path}"}

    def changed_sizes(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Return what of a version's files is not as registered, by names and sizes; nothing where MLflow has them."""
        folder = artifacts.recorded_folder(self._settings, body)
        return {} if folder is None else artifacts.changed_sizes(folder, body["artifact_sizes"])

    def check_bytes(self, body: Mapping[str, Any]) -> None:
        """Read every file of a version and hold it against what was registered; files that MLflow has are fetched.

        Raises
        ------
        ArtifactChanged, RegistryDamaged
            As `load`.
        """
        what, folder = f"{body['name']}/{body['version']}", artifacts.recorded_folder(self._settings, body)
        if folder is not None:
            check_digests(folder, body["artifact_digests"], what)
            return
        with tempfile.TemporaryDirectory() as temporary:
            self.fetch(body, Path(temporary) / "copy")

    def files_are_gone(self, body: Mapping[str, Any]) -> bool:
        """Return whether nothing is left of a version's files in MLflow, as far as that is seen without a download."""
        with self._asking() as client:
            return self._source(client, body) is None

    def _put(self, folder: Path, run: str, path: str) -> dict[str, Any]:
        """Put a version's files into a run, and return where they are, if they are in the workspace's own folder."""
        if self._settings.server is not None:
            self.client.log_artifacts(run, str(folder), path)
            return {}
        address = str(self.client.get_run(run).info.artifact_uri)
        target = artifacts.target_folder(self._settings, run, address, path)
        artifacts.put_files(folder, target)
        recorded = artifacts.path_on_record(self._settings, target)
        return {"artifact_path": recorded, "artifact_sizes": artifacts.file_sizes(folder)}

    def publish(self, facts: Mapping[str, Any], token: str) -> int:
        """Create the MLflow version of what was uploaded, under a token that is its own, and return its number."""
        run, _, path = str(facts["model_uri"]).removeprefix("runs:/").partition("/")
        tags = {**_tags(facts), TOKEN: token}
        name = self._mlflow_name(facts["name"])
        with self._asking() as client:
            self._ensure_model(name)
            folder = artifacts.recorded_folder(self._settings, facts)
            source = f"{client.get_run(run).info.artifact_uri}/{path}" if folder is None else address_of(folder)
            return int(client.create_model_version(name, source, run, tags=tags).version)

    def published(self, name: str, token: str) -> int | None:
        """Return the number of the version that was created under `token`, if one was."""
        with self._asking() as client:
            found = client.search_model_versions(f"{self._named(name)} and tags.`{TOKEN}`='{token}'")
        return int(found[0].version) if found else None

    def load(self, body: Mapping[str, Any], *, unsafe: bool = False) -> Any:
        """Return the live model of a version on record; the bytes that are checked are the bytes that are loaded.

        Functions of the project that are on record with it run from the source that is kept with it.

        Raises
        ------
        ArtifactChanged
            If any file is not what was registered.
        UnsafeArtifact
            If its format runs code on loading and `unsafe` is False.
        RegistryDamaged
            If MLflow no longer has the artifact.
        """
        if body.get("unsafe") and not unsafe:
            raise UnsafeArtifact(
                f"{body['name']}/{body['version']} is unsafe: a model of format {body['flavor']} runs code when it is "
                "loaded. Say unsafe=True (--unsafe) if you trust it."
            )
        with tempfile.TemporaryDirectory() as temporary:
            copy = self.fetch(body, Path(temporary) / "copy")
            how = ModelFile(body["flavor"], body.get("model_file", ""), body.get("estimator"))
            functions = body.get("project_functions", ())
            return read_model(copy, how, body["features"], unsafe=unsafe, functions=functions)

    def fetch(self, body: Mapping[str, Any], copy: Path) -> Path:
        """Return a private copy of a version's files, each checked against what was registered.

        Raises
        ------
        ArtifactChanged, RegistryDamaged
            As `load`.
        """
        what = f"{body['name']}/{body['version']}"
        folder = artifacts.recorded_folder(self._settings, body)
        copy = self._download(body, copy, what) if folder is None else artifacts.take_files(folder, copy, what)
        check_digests(copy, body["artifact_digests"], what)
        return copy

    def _download(self, body: Mapping[str, Any], copy: Path, what: str) -> Path:
        """Return a private copy of a version's files, which MLflow hands out."""
        self.check()  # before MLflow's import, which takes seconds
        from mlflow.exceptions import MlflowException

        run, _, path = str(body["model_uri"]).removeprefix("runs:/").partition("/")
        with self._asking() as client:
            try:
                copy.mkdir()
                if body.get("adopted"):
                    folder = fetch(self._settings, body["model_uri"], copy)
                else:
                    folder = Path(client.download_artifacts(run, path, str(copy)))
                if folder.is_relative_to(copy):
                    artifacts.drop_compiled(folder)
                    return folder
                return artifacts.take_files(folder, copy / "taken", what)  # a local artifact is handed out in place
            except (MlflowException, OSError, RegistryDamaged) as error:
                self.check()
                where = self._settings.registry if self._settings.server else self._settings.artifacts_path
                raise artifacts.gone(what, body["model_uri"] if body.get("adopted") else where) from error

    def withdraw(self, name: str, version: int) -> None:
        """Take back a version that was created under a number that is on record already; MLflow gives no number twice.

        MLflow counts from 1 again when a model was deleted there.
        """
        with self._asking() as client:
            client.delete_model_version(self._mlflow_name(name), str(version))

    def set_alias(
        self, name: str, alias: str, version: int | None, *, digest: str | None = None, source: str | None = None
    ) -> None:
        """Show an alias in MLflow as our ledger has it.

        Raises
        ------
        RegistryDamaged
            If MLflow has no such version, or another one than that of `digest` or `source`; see `obstacle`.
        """
        obstacle = "" if version is None else self.obstacle(name, version, digest=digest, source=source)
        there = self._mlflow_name(name)
        if obstacle:
            raise RegistryDamaged(f"{obstacle[:1].upper()}{obstacle[1:]}.")
        with self._asking() as client:
            if version is None:
                client.delete_registered_model_alias(there, alias)
            else:
                client.set_registered_model_alias(there, alias, str(version))

    def obstacle(self, name: str, version: int, *, digest: str | None = None, source: str | None = None) -> str:
        """Return why MLflow cannot show a version, as half a sentence; empty where it can.

        Parameters
        ----------
        digest
            Of the version on record, where we registered it.
        source
            What MLflow had registered a version from that was adopted.
        """
        with self._asking() as client:
            versions = client.search_model_versions(f"{self._named(name)} and version_number={version}")
        if not versions and not self.has_model(name):
            return f"MLflow no longer has model {name!r}"
        if not versions:
            return f"version {version} of {name!r} was deleted in MLflow, which gives no number twice"
        replaced = digest is not None and versions[0].tags.get("modelops.digest") != digest
        if source is not None and source.startswith("models:/m-"):  # a path changes with the workspace's folder
            replaced = versions[0].source != source
        if replaced:
            return f"version {version} of {name!r} in MLflow is another model than the one on record"
        return ""

    def has_model(self, name: str) -> bool:
        """Return whether MLflow has a registered model of this name."""
        with self._asking() as client:
            return bool(client.search_registered_models(self._named(name)))

    def now_called(self, name: str, run_ids: Collection[str]) -> tuple[str, ...]:
        """Return the other models in MLflow that hold the versions made by these runs: `name` was renamed."""
        names: set[str] = set()
        with self._asking() as client:
            for run_id in run_ids:
                versions = client.search_model_versions(f"run_id='{run_id}'")
                names |= {version.name for version in versions if not str(version.source).startswith("models:/")}
        return tuple(sorted(names - {self._mlflow_name(name)}))

    def restore(
        self, name: str, bodies: Sequence[Mapping[str, Any]], highest: int, on_version: Callable[[int], None]
    ) -> None:
        """Make a model that was deleted in MLflow again, each version under its number and with the bytes on record.

        Parameters
        ----------
        highest
            The highest number that an earlier attempt, which failed, was given.
        on_version
            Hears the highest number that MLflow has given, whenever it grows.

        Raises
        ------
        RegistryDamaged
            If no version's artifact is left, or MLflow gives another number than the one on record. A version whose
            artifact is gone is left out.
        """
        recorded = {int(body["version"]): body for body in bodies}
        with self._asking() as client:
            spare = next((source for body in bodies if (source := self._source(client, body))), None)
            if spare is None:
                raise RegistryDamaged(
                    f"Model {name!r} was deleted in MLflow, and no artifact of it is left in "
                    f"{self._settings.server or self._settings.artifacts_path}: restore them from a backup, then run "
                    "`modelops reconcile`."
                )
            there = self._mlflow_name(name)
            if not client.search_registered_models(named(there)):
                highest = 0
            self._ensure_model(there)
            versions = client.search_model_versions(named(there))
            highest = max(highest, self.highest_numbers().get(there, 0), *(int(v.version) for v in versions))
            on_version(highest)
            for version in versions:
                if GAP in version.tags:  # the attempt ended before it was deleted
                    client.delete_model_version(there, version.version)

            def version_of(number: int) -> Recorded | None:
                body = recorded.get(number)
                source = None if body is None else self._source(client, body)
                return None if body is None or source is None else Recorded(source, run_of(body), _tags(body))

            make_versions(client, there, range(highest + 1, max(recorded) + 1), version_of, spare, on_version)

    def highest_numbers(self) -> Mapping[str, int]:
        """Return the highest number that MLflow has given in each of its models, deleted ones too.

        A server does not tell of deleted ones: nothing of it is returned.
        """
        return highest_numbers(self._settings.mlflow_path) if self._settings.server is None else {}

    def aliases(self, names: Collection[str]) -> dict[str, dict[str, int]]:
        """Return MLflow's aliases of those models of `names` that it has."""
        registered = self.stock.registered()
        there = {name: self._mlflow_name(name) for name in names}
        return {name: dict(registered[own].aliases) for name, own in there.items() if own in registered}

    @cached_property
    def stock(self) -> StockRegistry:
        """What other tools keep in this MLflow."""
        return StockRegistry(self, self._settings)

    def _named(self, name: str) -> str:
        """Return the filter that finds a model in MLflow."""
        return named(self._mlflow_name(name))

    def _source(self, client: MlflowClient, body: Mapping[str, Any]) -> str | None:
        """Return the address of a version's artifact, None where nothing is left of it."""
        from mlflow.exceptions import MlflowException

        folder = artifacts.recorded_folder(self._settings, body)
        if folder is not None:
            return address_of(folder) if folder.is_dir() else None
        if body.get("adopted"):
            return str(body["mlflow"]["source"])
        run, _, path = str(body["model_uri"]).removeprefix("runs:/").partition("/")
        try:
            return f"{client.get_run(run).info.artifact_uri}/{path}" if client.list_artifacts(run, path) else None
        except MlflowException:  # the run is gone, and its artifacts with it
            return None

    def _known_run(self, run_id: str, source: Mapping[str, Any]) -> str:
        """Return the run's id; if this process made it, its source is completed where MLflow got it wrong."""
        from mlflow.exceptions import MlflowException

        try:
            run = self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            raise NotFound(
                f"MLflow has no run {run_id!r}: leave run_id out, or name a run of this workspace."
            ) from error
        if run.info.start_time / 1000 >= process_start():
            for tag, value in corrections(run.data.tags, source).items():
                self.client.set_tag(run.info.run_id, tag, value)
        return str(run.info.run_id)

    def _new_run(self, name: str, source: Mapping[str, Any]) -> str:
        run = self.client.create_run(self.experiment_id, run_name=f"register {name}", tags=tags_of(source))
        return str(run.info.run_id)

    def _ensure_model(self, name: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise


def _measured_now(metrics: Mapping[str, float]) -> list[Metric]:
    """Return metrics as MLflow takes them, all at once: one by one each is a transaction."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(name, float(value), now, 0) for name, value in metrics.items()]


def _tags(facts: Mapping[str, Any]) -> dict[str, str]:
    return {"modelops.digest": str(facts["digest"]), "modelops.kind": str(facts["kind"])}


def run_of(body: Mapping[str, Any]) -> str:
    """Return the run whose artifacts hold a version."""
    if body.get("adopted"):
        return str(body["run_id"] or "")
    return str(body["model_uri"]).removeprefix("runs:/").partition("/")[0]
