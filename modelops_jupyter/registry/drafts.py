"""A model as it would be registered: written in its format, described, digested. MLflow knows nothing of it yet."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.registry.fingerprints import data_fingerprint
from modelops_jupyter.scoring import formats
from modelops_jupyter.scoring.digests import file_digests, overall_digest
from modelops_jupyter.scoring.flavors.decision import DecisionTable
from modelops_jupyter.scoring.predictions import predict, several_targets

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Draft:
    """What is known of a version before MLflow has it; `folder` holds its files."""

    model: Any
    folder: Path
    kind: str
    flavor: str
    unsafe: bool
    digest: str
    artifact_digests: dict[str, str]
    data_fingerprint: str | None
    task: str
    classes: list[str]
    features: list[str]
    source: dict[str, str | None]

    @property
    def positive(self) -> str | None:
        """The class that scores are the probability of, where there are two."""
        return self.classes[1] if len(self.classes) == 2 else None

    def facts(self) -> dict[str, Any]:
        """Return what goes on record."""
        return {name: value for name, value in vars(self).items() if name not in ("model", "folder")}


@contextmanager
def write_draft(
    model: Any, kind: str, data: pd.DataFrame | None, target: Any, unsafe: bool, project: Path
) -> Iterator[Draft]:
    """Write `model` into a folder that lasts as long as the context."""
    model = formats.adapt(model)
    task, classes = _task(model, kind)
    columns = None if data is None else [str(column) for column in data.columns]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        folder.mkdir()
        flavor = formats.write_model(model, folder, unsafe=unsafe, columns=columns)
        _write_mlmodel(model, folder, flavor, data)
        digests = file_digests(folder)
        yield Draft(
            model=model,
            folder=folder,
            kind=kind,
            flavor=flavor.NAME,
            unsafe=not flavor.SAFE,
            digest=overall_digest(digests),
            artifact_digests=digests,
            data_fingerprint=None if data is None else data_fingerprint(data, target),
            task=task,
            classes=classes,
            features=columns or [],
            source=_source(project),
        )


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
    if isinstance(classes, list) and any(hasattr(c, "shape") and c.shape for c in classes):
        raise InvalidInput(several_targets(model, len(classes)))
    return "classification", [str(outcome_text(c)) for c in classes]


def _write_mlmodel(model: Any, folder: Path, flavor: formats.Flavor, data: pd.DataFrame | None) -> None:
    """Describe the artifact as MLflow does, signature and input example included; it names no loader module."""
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model, infer_signature

    description = Model()
    description.add_flavor(f"modelops.{flavor.NAME}", data=flavor.FILE)
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
    command = ["git", "-C", str(project), "rev-parse", "HEAD"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):  # no git, or no repository: nothing to record
        commit = None
    notebook = os.environ.get("MODELOPS_NOTEBOOK") or os.environ.get("JPY_SESSION_NAME")
    return {"notebook": notebook, "git_commit": commit}
