"""What could not be read of a source in one run: files that are left out, labels that are not there, and notes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

from modelops_jupyter.errors import ModelOpsError, SourceFileUnreadable
from modelops_jupyter.log import Position
from modelops_jupyter.sources.notes import SourceNotes

T = TypeVar("T")


@dataclass(frozen=True)
class SourceProblems:
    """What could not be read of a source, a sentence each.

    Attributes
    ----------
    of_files : tuple of str
        Files that are left out or lack a column, and labels that are not there: as it is now.
    of_rows : tuple of str, or None
        Of the rows that were read; None where there was none to read.
    """

    of_files: tuple[str, ...] = ()
    of_rows: tuple[str, ...] | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.of_files, *(self.of_rows or ()))


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
    rows_were_read : bool
        Whether there was anything to read.
    """

    files: dict[bool, dict[str, ModelOpsError]] = field(default_factory=lambda: {False: {}, True: {}})
    labels: ModelOpsError | None = None
    notes: SourceNotes = field(default_factory=SourceNotes)
    position: Position | None = None
    rows_were_read: bool = False

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
        return replace(self, files=files, labels=lost, notes=SourceNotes(), rows_were_read=False)

    def read_again(self) -> Faults:
        """Return the faults for another run over the same rows, whose notes are made anew."""
        return replace(self, notes=SourceNotes(), rows_were_read=False)

    def problems(self) -> SourceProblems:
        """Return them as sentences."""
        lost = [] if self.labels is None else [f"No labels are read: {self.labels}"]
        return SourceProblems((*lost, *self.notes.of_files()), self.notes.of_rows() if self.rows_were_read else None)
