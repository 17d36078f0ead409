"""What Delta's log knows of a table's files: their paths, their rows, and bounds of their times."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

COARSE = 1000  # Delta's statistics know times to the millisecond
ALWAYS = (-(2**63), 2**63 - 1)
# A file, its rows, and bounds of its times.
Span = tuple[str, int, int, int]


def file_actions(table: DeltaTable) -> pa.Table:
    """Return what Delta knows of the files, those written first first: of a request what was logged first counts."""
    actions = pa.table(table.get_add_actions(flatten=True))
    return actions.sort_by([("modification_time", "ascending"), ("path", "ascending")])


def count_rows(table: DeltaTable) -> int:
    """Return how many rows a table has, by its own count."""
    return int(sum(file_actions(table)["num_records"].to_pylist()))


def file_paths(folder: Path, actions: pa.Table) -> list[str]:
    """Return the paths of a table's files; those that Delta gives are encoded as in an address."""
    return [str(folder / unquote(path)) for path in actions["path"].to_pylist()]


@dataclass(frozen=True)
class Added:
    """The names of the files that one commit added: with rows that it appended, and with rows that were there."""

    appended: frozenset[str]
    rewritten: frozenset[str]


def added_by(folder: Path, version: int) -> Added | None:
    """Return what one commit added, from Delta's log itself: its actions, one a line; None where that is gone."""
    commit = folder / "_delta_log" / f"{version:020d}.json"
    if not commit.exists():
        return None
    actions = [json.loads(line) for line in commit.read_text(encoding="utf-8").splitlines() if line]
    added = [action["add"] for action in actions if "add" in action]
    names = [(unquote(add["path"]).rpartition("/")[2], add.get("dataChange", True)) for add in added]
    appended = frozenset(name for name, is_new in names if is_new)
    return Added(appended, frozenset(name for name, _ in names) - appended)


def file_spans(table: DeltaTable, folder: Path) -> list[Span]:
    """Return every file with its rows and bounds of its times; all times where Delta keeps no statistics."""
    actions = file_actions(table)
    rows = actions["num_records"].to_pylist()
    bounds = []
    for name, slack in (("min.timestamp", -COARSE), ("max.timestamp", COARSE)):
        usual = ALWAYS[0] if slack < 0 else ALWAYS[1]
        if name not in actions.column_names:
            bounds.append([usual] * len(rows))
            continue
        values = actions[name].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
        bounds.append([usual if value is None else value + slack for value in values])
    return list(zip(file_paths(folder, actions), rows, *bounds, strict=True))
