"""Every examiner in turn, each on its own: what breaks one of them hides nothing of the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from modelops_jupyter.diagnosis import artifacts, files, log, mlflow_database, store, work
from modelops_jupyter.diagnosis.evidence import Evidence
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.problems import Problem
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.settings import Settings

# Looks at one part, adds what is wrong with it to the list, and returns what it has looked at.
Examiner = Callable[[Evidence, list[Problem]], str]
# The parts of a workspace. What everything else rests on comes first.
EXAMINERS: tuple[tuple[str, Examiner], ...] = (
    ("settings", files.examine_settings),
    ("policy", files.examine_policy),
    ("permissions", files.examine_permissions),
    ("disk", files.examine_disk),
    ("store", store.examine_store),
    ("artifacts", artifacts.examine_artifacts),
    ("registry", mlflow_database.examine_registry),
    ("log", log.examine_log),
    ("quarantine", log.examine_quarantine),
    ("runs", work.examine_runs),
    ("notebooks", work.examine_notebooks),
    ("jobs", work.examine_jobs),
)


@dataclass(frozen=True)
class Diagnosis(Presentable):
    """What is wrong with a workspace at rest.

    Attributes
    ----------
    workspace : str
    problems : tuple of Problem
    examined : dict of str to str
        What was looked at, by part.
    """

    workspace: str
    problems: tuple[Problem, ...]
    examined: dict[str, str]

    @property
    def ok(self) -> bool:
        """Whether the workspace is whole."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {"ok": self.ok, **asdict(self)}

    def to_frame(self) -> pd.DataFrame:
        """Return a row per problem."""
        import pandas as pd

        columns = ["part", "where", "what", "fix"]
        return pd.DataFrame([asdict(problem) for problem in self.problems], columns=columns)

    @property
    def headline(self) -> str:
        """How many problems there are, and where."""
        if self.ok:
            return f"{self.workspace} is whole."
        return f"{count(len(self.problems), 'problem')} in {self.workspace}"

    def __str__(self) -> str:
        if self.ok:
            looked = "\n".join(f"  {part:<12} {what}" for part, what in self.examined.items())
            return f"{self.headline}\n{looked}"
        return "\n".join([self.headline, *(f"  {problem}" for problem in self.problems)])


def diagnose(settings: Settings) -> Diagnosis:
    """Look at every part of a workspace; see `Workspace.doctor`."""
    problems: list[Problem] = []
    examined = {}
    with Evidence(settings) as evidence:
        for part, examine in EXAMINERS:
            listed: list[Problem] = []
            try:
                examined[part] = examine(evidence, listed)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # a library's own panic, too: a part that is damaged hides no other
                reason = next(iter(str(error).splitlines()), "") or "no reason given"
                what = f"it could not be looked at ({type(error).__name__}: {reason.rstrip('.')})"
                listed.append(Problem(evidence.shown(settings.root), what, f"see the part of {part} yourself"))
                examined[part] = "not to the end"
            problems += [replace(problem, part=part, where=evidence.shown(problem.where)) for problem in listed]
    return Diagnosis(str(settings.project), tuple(problems), examined)
