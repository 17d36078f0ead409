"""A log at rest: whether every table can be read, holds the rows that were written, and its very bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.log.checksums import changed_files, checksums_path, read_checksums
from modelops_jupyter.log.table import BatchTable
from modelops_jupyter.log.table_files import added_by
from modelops_jupyter.problems import RESTORE, Problem, problem_at

_AGAIN = "send the newest batch again with its batch id, which writes no row twice, or restore the table from a backup"
_NEXT = "log the next batch, which puts them there"


def table_problems(path: Path) -> list[Problem]:
    """Return what is wrong with the table in folder `path`."""
    problems, table = [], BatchTable(path)
    try:
        with table.guarded():
            opened = table.open()
            if opened is None:
                return []
            rows, noted = table.verify(opened), table.noted_rows()
            if noted != rows:
                problems.append(problem_at(path, f"it holds {rows:,} rows, but {noted:,} are noted", _AGAIN))
            active = {Path(file).name for file in table.all_files(opened)}
    except ModelOpsError as error:
        problems.append(problem_at(path, *_halves(error)))
        active = None
    problems += _last_checkpoint(path)
    return problems + list(_changed(path, active))


def _halves(error: ModelOpsError) -> tuple[str, str]:
    """Return what an error says is wrong, and what it says to do."""
    what, _, fix = str(error).rstrip(".").rpartition(": ")
    return (what, fix) if what else (fix, RESTORE)


def _changed(path: Path, active: set[str] | None) -> Iterator[Problem]:
    """Yield files that are not as they were written; those that Delta needs no longer may be gone."""
    try:
        known = read_checksums(path)
        changes = changed_files(path, known)
    except ModelOpsError as error:
        yield problem_at(checksums_path(path), *_halves(error))
        return
    except OSError as error:
        yield problem_at(path, f"it cannot be read ({error.strerror})")
        return
    if not known:
        yield problem_at(checksums_path(path), "it is gone, and with it the proof of every byte of the table")
        return
    checkpoint = max((_version(name) for name in known if ".checkpoint." in name and name not in changes), default=-1)
    compacted = _compacted(path, [name for name, state in changes.items() if state == "was added"])
    for name, state in sorted(changes.items()):
        file = path.parent / name
        needed = _version(name) > checkpoint if "/_delta_log/" in name else active is None or file.name in active
        if state == "was changed":
            yield problem_at(file, "its bytes are not those that were written")
        elif name in compacted and needed:
            yield problem_at(file, "a compaction wrote it, and its bytes are not on record yet", _NEXT)
        elif state == "was added" and needed:
            yield problem_at(file, "it was not written by modelops, or its writer was ended meanwhile", _AGAIN)
        elif state == "is gone" and needed:
            yield problem_at(file, "it is gone")


def _compacted(path: Path, names: Sequence[str]) -> set[str]:
    """Return which files that are not on record hold nothing but rows that were there, as Delta's own log says."""
    found: set[str] = set()
    for name in names:
        commit = added_by(path, _version(name)) if "/_delta_log/" in name and name.endswith(".json") else None
        if commit is not None and not commit.appended:
            found |= {name, *(f"{path.name}/{file}" for file in commit.rewritten)}
    checkpoints = {name for name in names if ".checkpoint." in name}  # Delta's, of what its commits say
    return found | checkpoints if found else found


def _version(name: str) -> int:
    """Return the version that a file of Delta's log is of; a file of another name is none of it."""
    digits = name.rpartition("/")[2].partition(".")[0]
    return int(digits) if digits.isdecimal() else -1


def _last_checkpoint(path: Path) -> Iterator[Problem]:
    """Yield a problem where Delta's note of its newest checkpoint leads nowhere."""
    note = path / "_delta_log" / "_last_checkpoint"
    try:
        version = int(json.loads(note.read_bytes())["version"])
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError, OSError) as error:
        yield problem_at(note, f"it cannot be read ({error})", "remove it: Delta finds its checkpoints without it")
        return
    if not note.with_name(f"{version:020d}.checkpoint.parquet").exists():
        yield problem_at(note, f"it names checkpoint {version}, which is not there", "remove it")
