"""What could not be read of a source in one run: files that are left out, labels that are not there, and notes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

from modelops_jupyter.errors import ModelOpsError, SourceFileUnreadable
from modelops_jupyter.log import Position
from modelops_jupyter.sources.notes import SourceNotes

T = TypeVar("T")


@dataclass
class Faults:
    """What one run could not read.

    Attributes
    ----------
    files : mapping of bool to mapping of str to ModelOpsError
        Files that are left out, by path, of predictions (False) and of labels (True).
    labels : ModelOpsError or None
        Why no labels can be read at all.
    position : mapping or None
        Where the last run stood.
    """

    files: dict[bool, dict[str, ModelOpsError]] = field(default_factory=lambda: {False: {}, True: {}})
    labels: ModelOpsError | None = None
    notes: SourceNotes = field(default_factory=SourceNotes)
    position: Position | None = None

    def without(self, error: SourceFileUnreadable) -> Faults:
        """Return the faults with one more.

        Raises
        ------
        ModelOpsError
            If it is there already.
        """
        if error.path in self.files[error.labels] or (error.labels and self.labels is not None):
            raise error.cause
        files = {labels: dict(paths) for labels, paths in self.files.items()}
        if error.path:
            files[error.labels][error.path] = error.cause
        lost = error.cause if error.labels and not error.path else self.labels
        return replace(self, files=files, labels=lost, notes=SourceNotes())

    def read_again(self) -> Faults:
        """Return the faults for another run over the same rows, whose notes are made anew."""
        return replace(self, notes=SourceNotes())

    def sentences(self) -> tuple[str, ...]:
        """Return a sentence for each."""
        lost = [] if self.labels is None else [f"No labels are read: {self.labels}"]
        return (*lost, *self.notes.sentences())
