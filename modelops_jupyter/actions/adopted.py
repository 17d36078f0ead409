"""What adoption answers, and what it puts on record of a version that MLflow has had before us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.labelled_rows import NO_VALIDATION_ROWS
from modelops_jupyter.actions.measurement import Measurement, recorded
from modelops_jupyter.errors import ModelOpsError, Unexpected
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.registry import Draft, Lineage, ModelFile, StockFiles, StockVersion

REASON = "held in MLflow before this workspace adopted the model: it passed no gate here"
SHOWN = 20


@dataclass(frozen=True)
class Adoption(Presentable):
    """What became of the models of an MLflow registry.

    Attributes
    ----------
    adopted : tuple of mapping
        A version each that is on record now: ``model, version, aliases, flavor, unsafe, task, reference`` (whether it
        has rows to compare with) and ``note``.
    present : tuple of mapping
        ``model`` and the number of its ``versions`` that were on record before.
    left : tuple of mapping
        What could not be taken: ``model``, ``version`` (None for the whole model), ``reason``.
    referenced : tuple of str
        Versions that were given the reference that was passed.
    without_reference : tuple of mapping
        Versions on record that could not be given it: ``model``, ``version``, ``reason``.
    notes : tuple of str
        What else there is to know, a sentence each.
    """

    adopted: tuple[Mapping[str, Any], ...] = ()
    present: tuple[Mapping[str, Any], ...] = ()
    left: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    referenced: tuple[str, ...] = ()
    without_reference: tuple[Mapping[str, Any], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all models are on record, and a reference that was passed serves at least one version."""
        return not self.left and (bool(self.referenced) or not self.without_reference)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per version adopted, per model on record before, and per model or version left out."""
        import pandas as pd

        columns = ["state", "model", "version", "aliases", "flavor", "unsafe", "task", "reference", "reason"]
        rows = [{"state": "adopted", **row, "reason": row["note"]} for row in self.adopted]
        rows += [{"state": "on record before", "model": row["model"]} for row in self.present]
        rows += [{"state": "left out", **row} for row in self.left]
        rows += [{"state": "on record, without a reference", **row} for row in self.without_reference]
        return pd.DataFrame(rows, columns=columns)

    @property
    def headline(self) -> str:
        """How many models there are of each."""
        models = len({row["model"] for row in self.adopted})
        unsafe = sum(bool(row["unsafe"]) for row in self.adopted)
        before = f"{count(len(self.present), 'model')} on record before" if self.present else ""
        if not self.adopted and not self.left and not self.referenced and not self.without_reference:
            return f"Nothing new: {before or count(0, 'model')}."
        taken = f"{count(models, 'model')} adopted with {count(len(self.adopted), 'version')}"
        parts = [
            taken + (f" ({unsafe} unsafe: they run code when they are loaded)" if unsafe else "") if models else "",
            before,
            f"{len({row['model'] for row in self.left})} left out" if self.left else "",
        ]
        return "; ".join(filter(None, (", ".join(filter(None, parts)), self._references()))) + "."

    def _references(self) -> str:
        """Return how many versions the reference serves, where one was passed."""
        if not self.without_reference:
            return f"{count(len(self.referenced), 'version')} given the reference" if self.referenced else ""
        lacking = len(self.without_reference)
        if not self.referenced:
            return f"the reference serves none of {count(lacking, 'version')}, which stay as they are"
        return f"{count(len(self.referenced), 'version')} given the reference, {lacking} as before, without one"

    def __str__(self) -> str:
        lines = [self.headline]
        lines += [f"  left out  {_named(row)}: {row['reason']}" for row in self.left]
        lines += [f"  without a reference  {_named(row)}: {row['reason']}" for row in self.without_reference]
        noted = [f"  note      {_named(row)}: {row['note']}" for row in self.adopted if row["note"]]
        noted += [f"  note      {note}" for note in self.notes]
        more = len(noted) - SHOWN
        return "\n".join(lines + noted[:SHOWN] + ([f"  and {count(more, 'more note')}"] if more > 0 else []))


def left_out(model: str, version: int | None, reason: object) -> dict[str, Any]:
    """Return a row that says why a model, or a version of it, was not taken."""
    return {"model": model, "version": version, "reason": str(reason)}


def reason_of(error: Exception) -> str:
    """Return an error as a reason, in one sentence, whatever it is."""
    return str(error if isinstance(error, ModelOpsError) else Unexpected.of(error))


def together(parts: Sequence[Adoption]) -> Adoption:
    """Return several answers as one."""
    return Adoption(
        tuple(row for part in parts for row in part.adopted),
        tuple(row for part in parts for row in part.present),
        tuple(row for part in parts for row in part.left),
        tuple(note for part in parts for note in part.notes),
        tuple(name for part in parts for name in part.referenced),
        tuple(row for part in parts for row in part.without_reference),
    )


def _named(row: Mapping[str, Any]) -> str:
    return str(row["model"]) if row["version"] is None else f"{row['model']}/{row['version']}"


def version_facts(
    draft: Draft, how: ModelFile, version: StockVersion, lineage: Lineage, files: StockFiles, at: str, by: str
) -> dict[str, Any]:
    """Return what goes on record of a version, its name here excepted.

    Parameters
    ----------
    draft
        Its files and task; where it comes from is MLflow's word, and so are its metrics: they are claimed.
    at, by
        When it was adopted, and who did.
    """
    return {
        **draft.facts(),
        "version": version.version,
        "run_id": version.run_id,
        **files.places,
        "model_file": how.file,
        "estimator": how.estimator,
        **recorded(Measurement(reason=NO_VALIDATION_ROWS), lineage.metrics, None),
        "inputs": lineage.inputs,
        "step": None,
        "answers_fingerprint": None,
        "outcomes_fingerprint": None,
        "created_at": version.created_at,
        "created_by": lineage.user or version.user or by,
        "adopted": True,
        "adopted_at": at,
        "adopted_by": by,
        "mlflow": {
            "source": version.address,
            "inputs": [dict(column) for column in how.inputs],
            "stage": version.stage,
            "description": version.description,
            "tags": {**lineage.tags, **version.own_tags},
            "params": dict(lineage.params),
            "datasets": [dict(data) for data in lineage.datasets],
            "experiment_id": lineage.experiment_id,
            "logged_model": version.logged_model,
        },
    }
