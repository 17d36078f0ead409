"""What is wrong with a part of a workspace at rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    where : str
        The file or folder, or the name of what is on record.
    what : str
        What is wrong with it.
    fix : str
        What puts it right: a command where there is one.
    part : str
        The part of the workspace, as `modelops doctor` names it.
    """

    where: str
    what: str
    fix: str
    part: str = ""

    def __str__(self) -> str:
        part = f"{self.part}: " if self.part else ""
        return f"{part}{self.where}: {self.what}. {self.fix[:1].upper()}{self.fix[1:]}."


RESTORE = "restore it from a backup"


def problem_at(path: Path, what: str, fix: str = RESTORE) -> Problem:
    """Return a problem of a file or folder."""
    return Problem(str(path), what, fix)
