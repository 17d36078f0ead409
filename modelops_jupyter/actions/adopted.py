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
        What could not be taken, or given a reference: ``model``, ``version`` (None for the whole model), ``reason``.
    notes : tuple of str
        What else there is to know, a sentence each.
    """

    adopted: tuple[Mapping[str, Any], ...] = ()
    present: tuple[Mapping[str, Any], ...] = ()
    left: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything that was asked for is on record."""
        return not self.left

    def to_frame(self) -> pd.DataFrame:
        """Return a row per version adopted, per model on record before, and per model or version left out."""
        import pandas as pd

        columns = ["state", "model", "version", "aliases", "flavor", "unsafe", "task", "reference", "reason"]
        rows = [{"state": "adopted", **row, "reason": row["note"]} for row in self.adopted]
        rows += [{"state": "on record before", "model": row["model"]} for row in self.present]
        rows += [{"state": "left out", **row} for row in self.left]
        return pd.DataFrame(rows, columns=columns)

    @property
    def headline(self) -> str:
        """How many models there are of each."""
        models = len({row["model"] for row in self.adopted})
        unsafe = sum(bool(row["unsafe"]) for row in self.adopted)
        if not self.adopted and not self.left:
            return f"Nothing new: {count(len(self.present), 'model')} on record before."
        parts = [
            f"{count(models, 'model')} adopted with {count(len(self.adopted), 'version')}"
            + (f" ({unsafe} unsafe: they run code when they are loaded)" if unsafe else ""),
            f"{count(len(self.present), 'model')} on record before" if self.present else "",
            f"{len({row['model'] for row in self.left})} left out" if self.left else "",
        ]
        return ", ".join(part for part in parts if part) + "."

    def __str__(self) -> str:
        lines = [self.headline]
        lines += [f"  left out  {_named(row)}: {row['reason']}" for row in self.left]
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
