"""A store at rest: whether its file is whole, its records are those that were written, and its chain holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from modelops_jupyter.problems import RESTORE, Problem, problem_at
from modelops_jupyter.store.files import trouble
from modelops_jupyter.store.records import checksum
from modelops_jupyter.store.schema import HEAD, REVISIONS
from modelops_jupyter.store.sql import SqlStore, connect, store_at

MOST_LINES = 5  # of problems of one kind: a database that is damaged all over says so once


def store_problems(path: Path) -> tuple[list[Problem], SqlStore | None]:
    """Return what is wrong with a store, and the store where it can be read all the same; nothing is migrated."""
    reason = trouble(path)
    if reason is not None:
        return [problem_at(path, f"it {reason}")], None
    try:
        with closing(connect(path)) as connection:
            wrong_schema = _schema(path, connection)
            if wrong_schema is not None:
                return [wrong_schema], None
            problems = [*_integrity(path, connection), *_records(path, connection)]
    except sqlite3.Error as error:
        return [problem_at(path, f"it cannot be read ({error})")], None
    return problems, store_at(path)


def _schema(path: Path, connection: sqlite3.Connection) -> Problem | None:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" not in tables:
        return problem_at(path, "it is a database of something else")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    revision = None if row is None else str(row[0])
    if revision == HEAD:
        return None
    if revision in REVISIONS:
        fix = "run `modelops status`, which brings it up to date"
        return problem_at(path, f"it has schema {revision} of an older release", fix)
    fix = f"upgrade with `pip install --upgrade modelops-jupyter`, or {RESTORE}"
    return problem_at(path, f"it has schema {revision}, which this release does not know", fix)


def _integrity(path: Path, connection: sqlite3.Connection) -> Iterator[Problem]:
    lines = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({MOST_LINES})")]
    if lines != ["ok"]:
        yield from (problem_at(path, f"SQLite finds it damaged ({line})") for line in lines)


def _records(path: Path, connection: sqlite3.Connection) -> Iterator[Problem]:
    """Yield records that are not those that were written, or that nobody can read."""
    lines = 0
    query = (
        "SELECT kind, key, subject, revision, body, updated_at, commit_number, checksum FROM records ORDER BY kind, key"
    )
    for *row, expected in connection.execute(query):
        what = _unlike(row, expected)
        if what and lines < MOST_LINES:
            yield problem_at(path, f"the record {row[0]} {row[1]!r} {what}")
        lines += bool(what)
    if lines > MOST_LINES:
        yield problem_at(path, f"{lines - MOST_LINES:,} more records are not as they were written")


def _unlike(row: list[object], expected: object) -> str:
    try:
        if checksum(*row) == expected:  # type: ignore[arg-type]
            return ""
        json.loads(str(row[4]))
    except (TypeError, ValueError, AttributeError):
        return "cannot be read"
    return "is not as it was written"
