"""The files of every version, byte for byte: first those that an alias points to."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelops_jupyter.diagnosis.evidence import Evidence
from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.problems import RESTORE, Problem
from modelops_jupyter.wording import count

MOST_FILES = 5  # of a version, named one by one
_AGAIN = f"{RESTORE}, or register the model again as a new version and reject this one with `modelops reject`"


def examine_artifacts(evidence: Evidence, problems: list[Problem]) -> str:
    """Report versions whose files are not those that were registered.

    Files that are not the workspace's own have to be fetched: only those of versions with an alias are.
    """
    from modelops_jupyter.registry.artifacts import recorded_folder

    files = versions = left = settled = 0
    for body in evidence.versions:
        if (str(body["name"]), int(body["version"])) in evidence.rejected:
            settled += 1
            continue
        try:
            folder = recorded_folder(evidence.settings, body)
        except ModelOpsError as error:
            problems.append(Problem(_name(evidence, body), str(error).rstrip("."), RESTORE))
            continue
        if folder is None and (evidence.mlflow_is_elsewhere or not evidence.aliases_of(body)):
            left += 1
            continue
        versions, files = versions + 1, files + len(body["artifact_digests"])
        if folder is None:
            problems += _fetched(evidence, body)
        else:
            problems += _changed(evidence, body, folder)
    unseen = f"; {count(left, 'version')} whose files lie elsewhere left out" if left else ""
    unseen += f"; {count(settled, 'rejected version')} left out" if settled else ""
    return f"{count(files, 'file')} of {count(versions, 'version')}{unseen}"


def _name(evidence: Evidence, body: Mapping[str, Any]) -> str:
    aliases = evidence.aliases_of(body)
    return f"{body['name']}/{body['version']}" + (f" ({', '.join(sorted(aliases))})" if aliases else "")


def _changed(evidence: Evidence, body: Mapping[str, Any], folder: Path) -> list[Problem]:
    from modelops_jupyter.registry.artifacts import changed_sizes
    from modelops_jupyter.scoring.digests import changed_files

    name = _name(evidence, body)
    if not folder.is_dir():
        return [Problem(name, f"its files are gone: there is no folder {evidence.shown(folder)}", _AGAIN)]
    try:
        by_size = changed_sizes(folder, body["artifact_sizes"])  # which names what is no file, too: a pipe, a link
        changes = {**by_size, **changed_files(folder, body["artifact_digests"])}
    except OSError as error:
        return [Problem(name, f"a file in {evidence.shown(folder)} cannot be read ({error.strerror})", _AGAIN)]
    shown = [
        Problem(name, f"{file!r} {state} in {evidence.shown(folder)}", "remove it" if state == "was added" else _AGAIN)
        for file, state in sorted(changes.items())
    ]
    more = len(shown) - MOST_FILES
    if more > 0:
        what = f"{count(more, 'more file')} in {evidence.shown(folder)} are not as registered"
        return [*shown[:MOST_FILES], Problem(name, what, _AGAIN)]
    return shown


def _fetched(evidence: Evidence, body: Mapping[str, Any]) -> list[Problem]:
    """Fetch a version from MLflow and look at its bytes."""
    from modelops_jupyter.registry import Registry

    try:
        with tempfile.TemporaryDirectory() as temporary:
            Registry(evidence.settings).fetch(body, Path(temporary) / "copy")
    except ModelOpsError as error:
        what, _, fix = str(error).rstrip(".").rpartition(": ")
        return [Problem(_name(evidence, body), what or fix, fix if what else _AGAIN)]
    return []
