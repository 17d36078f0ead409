"""One model that MLflow keeps, by its address: its files, how they are read, and the run that made it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidInput, NotFound, UnsafeArtifact
from modelops_jupyter.registry.addresses import fetch, model_digests
from modelops_jupyter.registry.adoption import Lineage, StockVersion, download_address, files_of, version_of
from modelops_jupyter.registry.artifacts import file_sizes, path_on_record
from modelops_jupyter.registry.drafts import NOT_FACTS, Draft
from modelops_jupyter.registry.mlmodel import (
    PYFUNC,
    ModelFile,
    describe_task,
    hinted_task,
    open_model,
    read_description,
    read_model,
    recognise,
)
from modelops_jupyter.scoring.digests import overall_digest
from modelops_jupyter.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_FILES = 10_000
_VERSION = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<number>\d{1,9})|@(?P<alias>[^/@]+))")


@dataclass(frozen=True)
class StockFile:
    """A live model of MLflow's, the columns that its signature names, and the run that logged it, if it is there."""

    model: Any
    features: list[str]
    run_id: str | None


@dataclass(frozen=True)
class StockFiles:
    """The files of a version of MLflow's on this machine.

    Attributes
    ----------
    address : str
        Where MLflow keeps them.
    path : str or None
        Where they lie as it goes on record, if that is in the workspace or its project.
    sizes : mapping of str to int
        The bytes of every file, by its path inside.
    """

    folder: Path
    digests: dict[str, str]
    address: str
    path: str | None
    sizes: dict[str, int]

    @property
    def places(self) -> dict[str, Any]:
        """Where the files are, as it goes on record."""
        own = {} if self.path is None else {"artifact_path": self.path, "artifact_sizes": self.sizes}
        return {"model_uri": self.address, **own}


def fetch_files(
    client: MlflowClient, settings: Settings, version: StockVersion, lineage: Lineage, temporary: Path
) -> StockFiles:
    """Return the files of a version: local ones where they lie, others below `temporary`.

    Raises
    ------
    RegistryDamaged
        If they are gone.
    InvalidInput
        If they are no model's: they are not read then.
    """
    address = download_address(client, version, lineage)
    folder = fetch(settings, address, temporary)
    read_description(folder)  # before every byte is read: an address may be any folder
    sizes = file_sizes(folder)
    if len(sizes) > MOST_FILES:
        raise InvalidInput(
            f"Its folder holds {len(sizes):,} files, and a model has at most {MOST_FILES:,}: log the model by itself."
        )
    digests = model_digests(folder)
    sizes = {name: size for name, size in sizes.items() if name in digests}
    path = None if folder.is_relative_to(temporary) or settings.server else path_on_record(settings, folder)
    return StockFiles(folder, digests, address, path, sizes)


def draft_stock(files: StockFiles, lineage: Lineage) -> tuple[Draft, ModelFile, str]:
    """Return what is known of a version by its files, how they are read, and what there is to say about that.

    The draft has the live model where a reader of ours takes it, and None where only MLflow does.

    Raises
    ------
    InvalidInput
        If the files cannot be read.
    LibraryMissing
        If the library of a safe format is not installed.
    """
    description = read_description(files.folder)
    how, model, note = recognise(files.folder, description), None, ""
    try:
        model = read_model(files.folder, how, description.features) if how.safe else None
    except UnsafeArtifact as error:
        how, note = ModelFile(PYFUNC), str(error)
    hint = hinted_task(description, lineage.class_name, lineage.metrics)
    task, classes = (hint, []) if model is None else describe_task(model)
    fitted = getattr(model, "feature_names_in_", None)
    notebook = lineage.source_type == "NOTEBOOK" or (lineage.source_name or "").endswith(".ipynb")
    draft = Draft(
        model=model,
        folder=files.folder,
        kind="decision" if task == "decision" else "ml",
        flavor=how.flavor,
        unsafe=not how.safe,
        digest=overall_digest(files.digests),
        artifact_digests=files.digests,
        data_fingerprint=None,
        task=task,
        task_hinted=model is None,
        classes=classes,
        features=description.features or ([] if fitted is None else [str(name) for name in fitted]),
        source={
            "notebook": lineage.source_name if notebook else None,
            "script": None if notebook else lineage.source_name,
            "git_commit": lineage.git_commit,
        },
    )
    return draft, replace(how, inputs=description.inputs), note


def draft_on_record(body: Mapping[str, Any]) -> Draft:
    """Return the draft that a version on record once was, without its live model."""
    names = [field.name for field in fields(Draft) if field.name not in NOT_FACTS]
    known = {name: body[name] for name in names if name in body}
    return Draft(model=None, folder=Path(), **known)


def read_stock(client: MlflowClient, settings: Settings, address: str, *, unsafe: bool) -> StockFile:
    """Return the model behind ``models:/NAME/3``, ``models:/NAME@ALIAS``, ``models:/ID`` or ``runs:/RUN/PATH``.

    Raises
    ------
    NotFound
        If MLflow has no such model.
    UnsafeArtifact
        If loading it runs code and `unsafe` is False.
    """
    from mlflow.exceptions import MlflowException

    found = _VERSION.fullmatch(address)
    if found is None and not re.fullmatch(r"models:/m-\w+|runs:/[^/]+/.+", address):
        raise InvalidInput(
            f"{address!r} is no model of MLflow's: write models:/NAME/VERSION, models:/NAME@ALIAS or runs:/RUN/PATH."
        )
    try:
        if found is None:
            run_id = address.split("/")[1] if address.startswith("runs:/") else _run_of(client, address)
            where = files_of(client, address)
        else:
            number = None if found["number"] is None else int(found["number"])
            version = version_of(client, found["name"], number, found["alias"] or "")
            run_id = version.run_id
            where = files_of(client, client.get_model_version_download_uri(version.name, str(version.version)))
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        line = str(error).splitlines()[0].rstrip(".")
        raise NotFound(f"MLflow has no model {address!r} ({line}): see `mlflow.search_registered_models()`.") from error
    with tempfile.TemporaryDirectory() as temporary:
        folder = fetch(settings, where, Path(temporary))
        description = read_description(folder)
        how = recognise(folder, description)
        model = open_model(folder, how, description.features, unsafe=unsafe)
        return StockFile(model, description.features, active_run(client, run_id))


def active_run(client: MlflowClient, run_id: str | None) -> str | None:
    """Return a run that can still be written to, else None."""
    from mlflow.exceptions import MlflowException

    if run_id is None:
        return None
    try:
        return run_id if client.get_run(run_id).info.lifecycle_stage == "active" else None
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None


def _run_of(client: MlflowClient, address: str) -> str | None:
    return client.get_logged_model(address.removeprefix("models:/")).source_run_id or None
