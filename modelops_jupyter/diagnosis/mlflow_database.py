"""MLflow: its embedded database, the addresses in it, and whether it shows what is on record."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from modelops_jupyter.actions.obstacles import RECONCILE, again, in_its_place
from modelops_jupyter.diagnosis.evidence import Evidence
from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.problems import Problem, problem_at
from modelops_jupyter.wording import count

MOST_LINES = 5


def examine_registry(evidence: Evidence, problems: list[Problem]) -> str:
    """Report an MLflow that does not answer or is damaged, addresses that lead out, and what it shows otherwise."""
    settings = evidence.settings
    if settings.server is not None:
        return _examine_server(evidence, problems)
    path = settings.mlflow_path
    if not path.exists():
        if settings.artifacts_path.exists():
            kept = evidence.shown(settings.artifacts_path)
            problems.append(problem_at(path, f"it is gone, but {kept} holds models"))
        return "none yet"
    damage = _damage(path)
    if damage is not None:
        problems.append(damage)
        return "not readable"
    with closing(_connect(path)) as connection:
        lines = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({MOST_LINES})")]
        if lines != ["ok"]:
            problems += [problem_at(path, f"SQLite finds it damaged ({line})") for line in lines]
        problems += _addresses(evidence, connection)
        problems += _shown_otherwise(evidence, connection)
        models = connection.execute("SELECT count(*) FROM registered_models").fetchone()[0]
    return f"{count(int(models), 'registered model')} in {evidence.shown(path)}"


def _examine_server(evidence: Evidence, problems: list[Problem]) -> str:
    from modelops_jupyter.actions.aliases import differences
    from modelops_jupyter.foundations import Foundations

    where = evidence.settings.registry
    try:
        with Foundations(evidence.settings) as parts:
            parts.registry.check()
            if evidence.store is None:
                return where
            changes = differences(evidence.store, parts.registry)
    except ModelOpsError as error:
        what, _, fix = str(error).rstrip(".").rpartition(": ")
        problems.append(Problem(where, what or fix, fix if what else "see MLflow's log"))
        return "not reachable"
    problems += [Problem(where, str(change), change.advice) for change in changes]
    return where


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=30.0, isolation_level=None)


def _damage(path: Path) -> Problem | None:
    """Return why nobody can use the database."""
    from modelops_jupyter.registry.client import schema_trouble
    from modelops_jupyter.store import is_busy, trouble

    reason = trouble(path)
    if reason is not None:
        return problem_at(path, f"it {reason}")
    try:
        schema = schema_trouble(path)
    except (sqlite3.Error, TypeError) as error:  # no such table, or no row in it
        if is_busy(error):
            return problem_at(path, "it is locked by another process", "try again once that is done")
        return problem_at(path, f"it is not a database of MLflow that can be read ({error})")
    return None if schema is None else problem_at(path, f"it {schema[0]}", schema[1])


def _addresses(evidence: Evidence, connection: sqlite3.Connection) -> Iterator[Problem]:
    """Yield where MLflow would read and write files that are not the workspace's."""
    from modelops_jupyter.registry.relocation import LOCATIONS, Folders, local_path, written_elsewhere

    settings, path = evidence.settings, evidence.settings.mlflow_path
    now = Folders.of(settings)
    if not now.hold(path):
        return  # it belongs to others too
    before = written_elsewhere(settings)
    if before is not None:
        what = f"MLflow's own tools would still read and write in {before.root}, where this workspace was before"
        yield problem_at(path, what, "run `modelops status`, which rewrites the addresses")
        return
    for table, column in LOCATIONS:
        rows = connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
        paths = (local_path(str(address)) for (address,) in rows)
        outside = sorted(entry for entry in paths if entry is not None and not now.hold(entry))
        if outside:
            more = f" and {count(len(outside) - 1, 'more folder')}" if len(outside) > 1 else ""
            what = f"{table} keep files outside of the workspace, in {outside[0]}{more}: a copy of it lacks them"
            fix = f"make experiments with an artifact_location below {settings.artifacts_path}, and log there"
            yield problem_at(path, what, fix)


def _shown_otherwise(evidence: Evidence, connection: sqlite3.Connection) -> Iterator[Problem]:
    """Yield models, versions and aliases on record that MLflow does not show as they are."""
    names = {record.key: str(record.body.get("mlflow_name", record.key)) for record in evidence.find("model")}
    models = {str(name) for (name,) in connection.execute("SELECT name FROM registered_models")}
    path = evidence.settings.mlflow_path
    for name, there in names.items():
        if there not in models:
            yield problem_at(path, f"model {name!r} is on record, but MLflow has none called {there!r}", RECONCILE)
    present = {name: there for name, there in names.items() if there in models}
    unlike = _unlike_the_record(evidence, connection, present)
    for (name, number), state in unlike.items():
        aliases = evidence.aliases_of({"name": name, "version": number})
        if aliases:
            what = f"{name}@{', '.join(aliases)} is version {number} on record, which {state}"
            yield problem_at(path, what, in_its_place(name, number))
        elif (name, number) not in evidence.settled:
            fix = (
                f"register it again ({again(name, number)}), or `modelops reject {name}/{number} --reason ...` for good"
            )
            yield problem_at(path, f"version {name}/{number} is on record, but {state}", fix)
    yield from _aliases(evidence, connection, present, {*unlike})
    yield from _deleted_runs(evidence, connection)


def _unlike_the_record(
    evidence: Evidence, connection: sqlite3.Connection, names: Mapping[str, str]
) -> dict[tuple[str, int], str]:
    """Return the versions on record that MLflow can no longer show, and what happened to each."""
    numbers = "SELECT name, version FROM model_versions WHERE current_stage IS NOT 'Deleted_Internal'"
    there = {(str(name), int(number)) for name, number in connection.execute(numbers)}
    tags = "SELECT name, version, value FROM model_version_tags WHERE key = 'modelops.digest'"
    digests = {(str(name), int(number)): value for name, number, value in connection.execute(tags)}
    unlike = {}
    for body in evidence.versions:
        name, key = str(body["name"]), (names.get(str(body["name"]), ""), int(body["version"]))
        if name not in names:
            continue
        if key not in there:
            unlike[name, key[1]] = "was deleted in MLflow"
        elif not body.get("adopted") and digests.get(key) != body["digest"]:
            unlike[name, key[1]] = "is another model in MLflow than the one on record"
    return unlike


def _deleted_runs(evidence: Evidence, connection: sqlite3.Connection) -> Iterator[Problem]:
    """Yield deleted runs that hold files of versions: MLflow's next clean-up takes the files, too."""
    from modelops_jupyter.registry.registry import run_of

    deleted = {str(run) for (run,) in connection.execute("SELECT run_uuid FROM runs WHERE lifecycle_stage = 'deleted'")}
    path = evidence.settings.mlflow_path
    for body in evidence.versions:
        if run_of(body) in deleted and (str(body["name"]), int(body["version"])) not in evidence.settled:
            what = (
                f"the run of {body['name']}/{body['version']} was deleted: `mlflow gc` would remove the version's files"
            )
            command = f"MLFLOW_TRACKING_URI=sqlite:///{path.absolute()} mlflow runs restore --run-id {run_of(body)}"
            yield problem_at(path, what, f"run `{command}`")


def _aliases(
    evidence: Evidence, connection: sqlite3.Connection, names: Mapping[str, str], unlike: Collection[tuple[str, int]]
) -> Iterator[Problem]:
    """Yield aliases that `reconcile` puts right: those of versions that MLflow can show."""
    here = {there: name for name, there in names.items()}
    rows = connection.execute("SELECT name, alias, version FROM registered_model_aliases")
    shown = {(here[str(name)], str(alias)): int(number) for name, alias, number in rows if str(name) in here}
    recorded = _recorded_aliases(evidence, names)
    # What adoption could not take is MLflow's, until the alias is ours.
    left = {record.key: record.body.get("aliases_left", {}) for record in evidence.find("model")}
    for name, alias in sorted({*shown, *recorded}):
        at, to = shown.get((name, alias)), recorded.get((name, alias))
        if at != to and (name, to) not in unlike and (to is not None or left[name].get(alias) != at):
            says = f"version {to}" if to else "not"
            shows = f"shows it at version {at}" if at else "does not show it"
            what = f"{name}@{alias} is {says} on record, but MLflow {shows}"
            yield problem_at(evidence.settings.mlflow_path, what, RECONCILE)


def _recorded_aliases(evidence: Evidence, names: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    bodies = (record.body for record in evidence.find("alias"))
    return {(b["name"], b["alias"]): int(b["version"]) for b in bodies if b["version"] and b["name"] in names}
