"""A Delta table, on a disk or in an object store: its own log says which files are new, and which hold old rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.fs
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler

from modelops_jupyter.errors import ModelOpsError, NotFound
from modelops_jupyter.log.schema import plain
from modelops_jupyter.log.table_files import ALWAYS, COARSE
from modelops_jupyter.sources.files import DataFile, Snapshot
from modelops_jupyter.sources.mapping import ColumnMapping, local_bounds
from modelops_jupyter.sources.table import Changes, guarded

Open = Callable[[str], pa.NativeFile]
_PHYSICAL = b"delta.columnMapping.physicalName"


def open_delta(
    where: str,
    address: str,
    options: Mapping[str, str],
    mapping: ColumnMapping,
    unreadable_files: Mapping[str, ModelOpsError],
) -> Snapshot:
    """Return a Delta table as it is now, without files whose rows could not be read in this run.

    Raises
    ------
    NotFound
        If there is no such table.
    SourceUnreachable
        If it cannot be read.
    ModelOpsError
        If none of its files can be read.
    """
    with guarded(where):
        try:
            table = DeltaTable(address, storage_options=dict(options) or None)
        except TableNotFoundError:
            raise NotFound(f"There is no Delta table at {where.partition('delta:')[2] or where}.") from None
        open_file = _opener(address, options)
        schema = pa.schema(table.schema().to_arrow())
        physical = {
            field.name: (field.metadata or {})[_PHYSICAL].decode()
            for field in schema
            if _PHYSICAL in (field.metadata or {})
        }
        read = partial(_files, mapping=mapping, schema=plain(schema), physical=physical)
        own = _Commits(table, open_file, read, address, options)
        files = own.files(table)
    left_out = {path: error for path, error in unreadable_files.items() if path in files}
    readable = {path: file for path, file in files.items() if path not in left_out}
    if left_out and not readable:
        raise next(iter(left_out.values()))
    mapping.notes.left_out[where] = {path: str(error) for path, error in left_out.items()}
    position = {"id": str(table.metadata().id), "version": table.version(), "left_out": sorted(left_out)}
    logical = pa.schema([field.remove_metadata() for field in plain(schema)])
    changes = partial(_changes, own, files, readable)
    return Snapshot(where, tuple(readable.values()), logical, open_file, position, changes, physical)


def _changes(
    commits: _Commits, files: Mapping[str, DataFile], readable: Mapping[str, DataFile], position: Mapping[str, Any]
) -> Changes[DataFile]:
    """Return what changed since `position`: files that were left out then are new, those that are now are gone."""
    changes = commits.changes(position)
    before = position.get("left_out", ())
    added = {file.path: file for file in changes.added if file.path in readable}
    added |= {path: readable[path] for path in before if path in readable}
    new = {file.path for file in changes.added}
    gone = [file for path, file in files.items() if path not in readable and path not in before and path not in new]
    return Changes(list(added.values()), [*changes.removed, *gone], changes.everything)


def _opener(address: str, options: Mapping[str, str]) -> Open:
    if "://" not in address:
        return lambda path: pa.OSFile(str(Path(address) / path))
    system = pyarrow.fs.PyFileSystem(DeltaStorageHandler(address, dict(options)))
    return lambda path: system.open_input_file(path)


@dataclass(frozen=True)
class _Commits:
    """What a table's own log says of its files."""

    table: DeltaTable
    open: Open
    files: Callable[[DeltaTable], dict[str, DataFile]]
    address: str
    options: Mapping[str, str]

    def changes(self, position: Mapping[str, Any]) -> Changes[DataFile]:
        """Return the files that were added and removed since `position`; a rewriting of the same rows is neither."""
        version = position.get("version")
        if position.get("id") != str(self.table.metadata().id) or version is None or version > self.table.version():
            return Changes(everything=True)  # another table lies there now
        if version == self.table.version():
            return Changes()
        now, before = self.files(self.table), self._before(version)
        if before is None:
            return Changes(everything=True)
        written: set[str] = set()
        rewritten: set[str] = set()
        removed: set[str] = set()
        for number in range(version + 1, self.table.version() + 1):
            actions = self._actions(number)
            if actions is None:
                gone = [file for path, file in before.items() if path not in now]
                return Changes([file for path, file in now.items() if path not in before], gone)
            for action in actions:
                for kind, paths in (("add", written), ("remove", removed)):
                    if kind in action:
                        path = unquote(action[kind]["path"])
                        paths = paths if action[kind].get("dataChange", True) else rewritten
                        paths.add(path)
        taken_up = {path for path in written - removed if path not in now}
        added = [file for path, file in now.items() if path in written or (taken_up and path in rewritten)]
        unknown = {path for path in removed if path not in before and path in rewritten}
        if unknown:  # rows were deleted from a file that a compaction wrote: which times they had, only it could tell
            return Changes(everything=True)
        return Changes(added, [file for path, file in before.items() if path in removed])

    def _before(self, version: int) -> dict[str, DataFile] | None:
        with suppress(DeltaError):
            return self.files(DeltaTable(self.address, version=version, storage_options=dict(self.options) or None))
        return None

    def _actions(self, version: int) -> list[dict[str, Any]] | None:
        try:
            with self.open(f"_delta_log/{version:020d}.json") as opened:
                text = opened.read().decode()
        except FileNotFoundError:
            return None
        return [json.loads(line) for line in text.splitlines() if line]


def _files(
    table: DeltaTable, mapping: ColumnMapping, schema: pa.Schema, physical: Mapping[str, str]
) -> dict[str, DataFile]:
    """Return the files of a table by path, those written first first, with bounds of their times."""
    logical = {theirs: name for name, theirs in physical.items()}
    actions = pa.table(table.get_add_actions(flatten=True))
    actions = actions.sort_by([("modification_time", "ascending"), ("path", "ascending")])
    masks = _row_masks(table)
    files: dict[str, DataFile] = {}
    for action in actions.to_pylist():
        path = unquote(action["path"])
        partition = {
            logical.get(key.removeprefix("partition."), key.removeprefix("partition.")): value
            for key, value in action.items()
            if key.startswith("partition.")
        }
        constants = {name: _scalar(value, schema, name) for name, value in partition.items()}
        bounds = _bounds(action, mapping, schema, physical)
        file = DataFile(path, action["num_records"] or 0, *bounds, constants)
        mask = masks.get(path.rpartition("/")[2])
        if mask is not None:  # it ends with the last row that was deleted
            mask = np.append(mask, np.ones(max(0, file.rows - len(mask)), dtype=bool))
        files[path] = replace(file, mask=mask)
    return files


def _bounds(
    action: Mapping[str, Any], mapping: ColumnMapping, schema: pa.Schema, physical: Mapping[str, str]
) -> tuple[int, int]:
    name = mapping.name("timestamp")
    stored = physical.get(name, name)
    low, high = action.get(f"min.{stored}"), action.get(f"max.{stored}")
    if low is None or high is None or name not in schema.names:
        return ALWAYS
    kind = schema.field(name).type
    if pa.types.is_integer(kind):
        return local_bounds(mapping.time_type(kind), low, high, "")
    if not pa.types.is_timestamp(kind):
        return ALWAYS
    if kind.tz is None and not mapping.settings.zone:
        return ALWAYS
    first, last = (
        int(pa.scalar(value).cast(pa.timestamp("us", value.tzinfo and "UTC")).value) for value in (low, high)
    )
    return local_bounds(pa.timestamp("us", kind.tz), first - COARSE, last + COARSE, mapping.settings.zone)


def _scalar(value: Any, schema: pa.Schema, name: str) -> pa.Scalar:
    return pa.scalar(value, schema.field(name).type) if name in schema.names else pa.scalar(value)


def _row_masks(table: DeltaTable) -> dict[str, np.ndarray[Any, Any]]:
    """Return which rows of files count, by file name, where others were deleted without writing the file again."""
    features = table.protocol().reader_features or ()
    if "deletionVectors" not in features:
        return {}
    vectors = pa.table(table.deletion_vectors())
    names = (unquote(urlsplit(path).path).rpartition("/")[2] for path in vectors["filepath"].to_pylist())
    masks = (np.array(mask, dtype=bool) for mask in vectors["selection_vector"].to_pylist())
    return dict(zip(names, masks, strict=True))
