"""A model as it would be registered: written in its format, described, digested. MLflow knows nothing of it yet."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.provenance import find_source
from modelops_jupyter.registry.fingerprints import data_fingerprint
from modelops_jupyter.registry.mlmodel import PYFUNC, UNKNOWN, class_names, read_description
from modelops_jupyter.registry.pyfunc import PyFuncEstimator
from modelops_jupyter.registry.tasks import unsupervised_task
from modelops_jupyter.scoring import formats, input_columns
from modelops_jupyter.scoring.digests import COMPILED, file_digests, overall_digest
from modelops_jupyter.scoring.flavors.decision import DecisionTable
from modelops_jupyter.scoring.predictions import several_targets

if TYPE_CHECKING:
    import pandas as pd


NOT_FACTS = ("model", "folder", "contract")  # the contract has a record of its own: most readers need none of it


@dataclass(frozen=True)
class Draft:
    """What is known of a version before MLflow has it; `folder` holds its files.

    Attributes
    ----------
    project_functions : list of dict
        Functions of the project that it calls: ``function, file, sha256``.
    project_code : mapping of str to str
        The text of the files that define them, for who approves.
    task_hinted : bool
        Names and figures in MLflow are all that tells the task: the model was not loaded.
    contract : sequence of mapping
        What its columns held, as `input_columns.describe` writes it; none where no rows were given.
    """

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
    source: dict[str, Any]
    decision_table: dict[str, Any] | None = None
    task_hinted: bool = False
    contract: Sequence[Mapping[str, Any]] = ()
    project_functions: list[dict[str, str]] = field(default_factory=list)
    project_code: dict[str, str] = field(default_factory=dict)

    @property
    def positive(self) -> str | None:
        """The class that scores are the probability of, where there are two."""
        return self.classes[1] if len(self.classes) == 2 else None

    def facts(self) -> dict[str, Any]:
        """Return what goes on record."""
        return {name: value for name, value in vars(self).items() if name not in NOT_FACTS}


@contextmanager
def write_draft(
    model: Any,
    kind: str | None,
    data: pd.DataFrame | None,
    target: Any,
    unsafe: bool,
    project: Path,
    reference: pd.DataFrame | None = None,
) -> Iterator[Draft]:
    """Write `model` into a folder that lasts as long as the context.

    `reference` is what it was validated on: with `data`, it shows which columns may lack values.
    """
    from modelops_jupyter.registry.descriptions import describe  # 0.1 s that no prediction need wait for

    model = formats.adapt(model)
    kind = kind_of(model, kind)
    task, classes = _task(model)
    columns = None if data is None else [str(column) for column in data.columns]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        folder.mkdir()
        written = formats.write_model(model, folder, unsafe=unsafe, columns=columns, project=project)
        flavor, functions = written.flavor, [function.facts() for function in written.functions]
        frames = [frame for frame in (data, reference) if frame is not None]
        facts = {"kind": kind, "task": task, "classes": classes, "project_functions": functions}
        contract = describe(model, folder, flavor, frames, facts)
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
            source=find_source(project).facts(),
            decision_table=model.summary() if isinstance(model, DecisionTable) else None,
            contract=contract,
            project_functions=functions,
            project_code={f["file"]: (folder / f["file"]).read_bytes().decode() for f in functions},
        )


@contextmanager
def write_pyfunc_draft(
    model: PyFuncEstimator, data: pd.DataFrame | None, target: Any, project: Path
) -> Iterator[Draft]:
    """Lend the draft of a model that MLflow alone can load: its files as they are."""
    task, classes = (UNKNOWN, []) if model.classes_ is None else class_names(model.classes_)
    with tempfile.TemporaryDirectory() as temporary:
        compiled = shutil.ignore_patterns(COMPILED)  # by loading it
        folder = Path(shutil.copytree(model.folder, Path(temporary) / "model", ignore=compiled))
        digests = file_digests(folder)
        yield Draft(
            model=model,
            folder=folder,
            kind="ml",
            flavor=PYFUNC,
            unsafe=True,
            digest=overall_digest(digests),
            artifact_digests=digests,
            data_fingerprint=None if data is None else data_fingerprint(data, target),
            task=task,
            classes=classes,
            features=read_description(folder).features,
            source=find_source(project).facts(),
            contract=[] if data is None else input_columns.describe([data]),
        )


def kind_of(model: Any, kind: str | None) -> str:
    """Return the kind of an adapted model: decision of a decision table, ml of any other.

    Raises
    ------
    InvalidInput
        If `kind` is given and is another.
    """
    actual = "decision" if isinstance(model, DecisionTable) else "ml"
    if kind not in (None, "ml", "decision"):
        raise InvalidInput(f"kind is 'ml' or 'decision', not {kind!r}: leave it out, and it is what the model is.")
    if kind not in (None, actual):
        raise InvalidInput(f"A {type(model).__name__} is of kind {actual!r}, not {kind!r}: leave the kind out.")
    return actual


def with_decision(model: Any, decision: str | None) -> Any:
    """Return a decision table with its output `decision` as the decision, and any model without one as it is.

    Raises
    ------
    InvalidInput
        If the model is not a decision table, or has no such output.
    """
    if decision is None:
        return model
    model = formats.adapt(model)
    if not isinstance(model, DecisionTable):
        raise InvalidInput(f"A {type(model).__name__} has no outputs to choose from: leave the decision out.")
    return model.with_decision(decision)


def _task(model: Any) -> tuple[str, list[str]]:
    """Return what a model does, and its classes."""
    if isinstance(model, DecisionTable):
        return "decision", []
    unsupervised = unsupervised_task(model)
    if unsupervised is not None:
        return unsupervised, []
    from modelops_jupyter.frames import outcome_text

    classes = getattr(model, "classes_", None)
    if classes is None:
        return "regression", []
    if isinstance(classes, list) and any(hasattr(c, "shape") and c.shape for c in classes):
        raise InvalidInput(several_targets(model, len(classes)))
    return "classification", [str(outcome_text(c)) for c in classes]
