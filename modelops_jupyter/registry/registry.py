"""Saving, proving and loading model versions in MLflow."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame, InvalidInput, NotFound, RegistryDamaged
from modelops_jupyter.registry import formats
from modelops_jupyter.registry.client import check_reachable, connect, experiment_id, tracking_uri, typed_errors
from modelops_jupyter.registry.digests import check_digests, data_fingerprint, file_digests, overall_digest
from modelops_jupyter.registry.flavors.decision import DecisionTable
from modelops_jupyter.registry.predictions import predict
from modelops_jupyter.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient


@dataclass(frozen=True)
class SavedVersion:
    """What saving a model established; every field goes on record."""

    name: str
    version: int
    kind: str
    flavor: str
    run_id: str
    model_uri: str
    unsafe: bool
    digest: str
    artifact_digests: dict[str, str]
    data_fingerprint: str | None
    task: str
    classes: list[str]
    features: list[str]
    metrics: dict[str, float]
    source: dict[str, str | None]


class Registry:
    """The workspace's MLflow."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

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

    def save(
        self,
        model: Any,
        name: str,
        *,
        kind: str = "ml",
        data: pd.DataFrame | None = None,
        target: Any = None,
        run_id: str | None = None,
        unsafe: bool = False,
        metrics: Mapping[str, float] | None = None,
    ) -> SavedVersion:
        """Write `model` as the next MLflow version of `name`; see `Workspace.register`."""
        self.check()  # before work that would be lost
        model = formats.adapt(model)
        task, classes = _task(model, kind)
        columns = None if data is None else [str(column) for column in data.columns]
        source = _source(self._settings.project)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            folder.mkdir()
            flavor = formats.write_model(model, folder, unsafe=unsafe, columns=columns)
            _write_mlmodel(model, folder, flavor, data)
            digests = file_digests(folder)
            path = f"modelops/{name}/{overall_digest(digests)[:12]}"
            with self._asking() as client:
                run = self._new_run(name, source) if run_id is None else self._known_run(run_id)
                client.log_artifacts(run, str(folder), path)
                for metric, value in (metrics or {}).items():
                    client.log_metric(run, metric, value)
                version = self._create_version(name, run, path, overall_digest(digests), kind)
                if run_id is None:
                    client.set_terminated(run)
        return SavedVersion(
            name=name,
            version=version,
            kind=kind,
            flavor=flavor,
            run_id=run,
            model_uri=f"runs:/{run}/{path}",
            unsafe=flavor == formats.PICKLE,
            digest=overall_digest(digests),
            artifact_digests=digests,
            data_fingerprint=None if data is None else data_fingerprint(data, target),
            task=task,
            classes=classes,
            features=columns or [],
            metrics={key: float(value) for key, value in (metrics or {}).items()},
            source=source,
        )

    def load(self, body: Mapping[str, Any], *, unsafe: bool = False) -> Any:
        """Return the live model of a version on record; the bytes that are checked are the bytes that are loaded.

        Raises
        ------
        ArtifactChanged
            If any file is not what was registered.
        UnsafeArtifact
            If its format runs code on loading and `unsafe` is False.
        RegistryDamaged
            If MLflow no longer has the artifact.
        """
        self.check()  # before MLflow's import, which takes seconds
        from mlflow.exceptions import MlflowException

        what = f"{body['name']}/{body['version']}"
        run, _, path = str(body["model_uri"]).removeprefix("runs:/").partition("/")
        with tempfile.TemporaryDirectory() as temporary:
            with self._asking() as client:
                try:
                    folder = Path(client.download_artifacts(run, path, temporary))
                    if not folder.is_relative_to(temporary):  # a local artifact is handed out in place: copy it
                        folder = Path(shutil.copytree(folder, Path(temporary) / "copy"))
                except (MlflowException, OSError) as error:
                    self.check()
                    where = self._settings.registry if self._settings.server else self._settings.artifacts_path
                    raise RegistryDamaged(
                        f"MLflow no longer has the artifact of {what} in {where}: restore it from a backup, or "
                        "register the model again as a new version."
                    ) from error
            check_digests(folder, body["artifact_digests"], what)
            return formats.read_model(folder, body["flavor"], unsafe=unsafe)

    def set_alias(self, name: str, alias: str, version: int | None) -> None:
        """Show an alias in MLflow as our ledger has it."""
        with self._asking() as client:
            if version is None:
                client.delete_registered_model_alias(name, alias)
            else:
                client.set_registered_model_alias(name, alias, str(version))

    def aliases(self, name: str) -> dict[str, int]:
        """Return MLflow's aliases of a model."""
        from mlflow.exceptions import MlflowException

        with self._asking() as client:
            try:
                found = client.get_registered_model(name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                where = self._settings.registry if self._settings.server else self._settings.mlflow_path
                raise RegistryDamaged(
                    f"{where} no longer has model {name!r}, which is on record: restore it from a backup."
                ) from error
            return {alias: int(version) for alias, version in found.aliases.items()}

    def _known_run(self, run_id: str) -> str:
        from mlflow.exceptions import MlflowException

        try:
            return str(self.client.get_run(run_id).info.run_id)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            raise NotFound(
                f"MLflow has no run {run_id!r}: leave run_id out, or name a run of this workspace."
            ) from error

    def _new_run(self, name: str, source: Mapping[str, str | None]) -> str:
        tags = {
            "mlflow.source.name": source["notebook"] or "modelops",
            "mlflow.source.type": "NOTEBOOK" if source["notebook"] else "LOCAL",
            **({"mlflow.source.git.commit": source["git_commit"]} if source["git_commit"] else {}),
        }
        return str(self.client.create_run(self.experiment_id, run_name=f"register {name}", tags=tags).info.run_id)

    def _create_version(self, name: str, run: str, path: str, digest: str, kind: str) -> int:
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"{self.client.get_run(run).info.artifact_uri}/{path}"
        tags = {"modelops.digest": digest, "modelops.kind": kind}
        return int(self.client.create_model_version(name, source, run, tags=tags).version)


def _task(model: Any, kind: str) -> tuple[str, list[str]]:
    """Return what a model does, and its classes."""
    if isinstance(model, DecisionTable):
        if kind != "decision":
            raise InvalidInput("A decision table is of kind 'decision': say so.")
        return "decision", []
    if kind == "decision":
        raise InvalidInput(f"A {type(model).__name__} is no decision table: leave kind at 'ml'.")
    from modelops_jupyter.frames import outcome_text

    classes = getattr(model, "classes_", None)
    if classes is None:
        return "regression", []
    return "classification", [str(outcome_text(c)) for c in classes]


def _write_mlmodel(model: Any, folder: Path, flavor: str, data: pd.DataFrame | None) -> None:
    """Describe the artifact as MLflow does, signature and input example included; it names no loader module."""
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model, infer_signature

    description = Model()
    description.add_flavor(f"modelops.{flavor}", data=formats.MODEL_FILES[flavor])
    if data is not None:
        example = data.head(5)
        try:
            description.signature = infer_signature(example, predict(model, example).prediction)
        except MlflowException as error:
            raise InvalidFrame(f"MLflow cannot describe data: {str(error).splitlines()[0]}") from error
        example.to_json(folder / "input_example.json", orient="split", index=False)
    description.save(str(folder / "MLmodel"))


def _source(project: Path) -> dict[str, str | None]:
    """Return where a version comes from: notebook and git commit, None where unknown."""
    import os

    command = ["git", "-C", str(project), "rev-parse", "HEAD"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):  # no git, or no repository: nothing to record
        commit = None
    notebook = os.environ.get("MODELOPS_NOTEBOOK") or os.environ.get("JPY_SESSION_NAME")
    return {"notebook": notebook, "git_commit": commit}
