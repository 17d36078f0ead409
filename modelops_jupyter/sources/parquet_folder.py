"""A folder of Parquet files, on a disk or in an object store: a file that is new, other or gone is what changed.

The columns of the table are those of all its files. A file without one of them, be it a feature, has missing values
there, which count as such; the notes name file and column. A file that cannot be read is left out, and named, until it
can be read; the others go on.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from modelops_jupyter.errors import InvalidFrame, LibraryMissing, ModelOpsError, NotFound
from modelops_jupyter.log.table_files import ALWAYS
from modelops_jupyter.sources.files import DataFile, Snapshot
from modelops_jupyter.sources.footers import file_bounds, file_schema
from modelops_jupyter.sources.mapping import ColumnMapping
from modelops_jupyter.sources.table import Changes, file_guard, guarded

# A file, and what tells it from another one of its name: its size and when it was written, or its tag in the store.
Listed = dict[str, tuple[str, str]]
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class _Noted:
    """What a position keeps of a folder, so that the footer of a file that is still the same is not read again.

    Attributes
    ----------
    files : mapping of str to list
        By path: the stamp, the rows, the first and the last time, and which wanted columns the file does not have.
    left_out : mapping of str to list
        By path: the stamp, and why the file was left out, where it will not be readable before it is written again.
    reads : list
        What is read of a file: with other columns or classes than these, all footers are read again.
    """

    files: dict[str, list[Any]]
    left_out: dict[str, list[str]]
    reads: list[Any]

    @classmethod
    def before(cls, position: Mapping[str, Any] | None, reads: list[Any]) -> _Noted:
        """Return what the last run noted that still holds."""
        if position is None or position.get("reads") != reads:
            return cls({}, {}, reads)
        return cls(dict(position["files"]), dict(position["left_out"]), reads)


def open_folder(
    where: str,
    address: str,
    options: Mapping[str, str],
    mapping: ColumnMapping,
    before: Mapping[str, Any] | None,
    unreadable_files: Mapping[str, ModelOpsError],
    *,
    labels: bool = False,
) -> Snapshot:
    """Return a folder of Parquet files as it is now.

    Its columns are those of all its files: a file without one of them has missing values there. A file that cannot be
    read, or lacks a column that a row cannot do without, is left out and noted; it is read once that is put right.

    Parameters
    ----------
    before
        The position of the last run, which has the bounds of files that are still the same: their footers are not read.
    unreadable_files
        Files whose rows could not be read in this run.

    Raises
    ------
    NotFound
        If there is no such folder.
    InvalidFrame, SourceUnreachable
        If none of its files can be read.
    """
    with guarded(where):
        listed, open_file = _listed(where, address, options)
    constants = {path: _constants(path) for path in listed}
    types = _types(constants)
    wanted, model = mapping.wanted(labels=labels), mapping.model
    earlier = _Noted.before(before, [sorted(mapping.names(wanted)), model.task, list(model.classes)])
    files = _FolderFiles(where, open_file, mapping, labels, constants, types)
    noted = _Noted({}, {}, earlier.reads)
    errors: dict[str, ModelOpsError] = dict(unreadable_files)
    for path, (_, stamp) in listed.items():
        same_as_left_out = earlier.left_out.get(path, [""])[0] == stamp
        if path not in errors and same_as_left_out:
            errors[path] = InvalidFrame(earlier.left_out[path][1])
        elif path not in errors and path in earlier.files and earlier.files[path][0] == stamp:
            noted.files[path] = list(earlier.files[path])
        elif path not in errors:
            try:
                noted.files[path] = files.entry(path, stamp)
            except ModelOpsError as error:
                errors[path] = error
        if path in errors and path in earlier.files and path not in unreadable_files:
            noted.files[path] = list(earlier.files[path])  # of the rows that it had the times, until it is read again
        if isinstance(errors.get(path), InvalidFrame):
            noted.left_out[path] = [stamp, str(errors[path])]
    readable = [path for path in sorted(listed, key=lambda path: (listed[path][0], path)) if path not in errors]
    if errors and not readable:
        raise errors[max(errors, key=lambda path: listed.get(path, ("", "")))]
    mapping.notes.left_out[where] = {path: str(errors[path]) for path in sorted(errors)}
    schema = files.schema(readable, noted.files)
    present = set(schema.names)
    for name in mapping.names(wanted):
        lacking = [path for path in readable if name in noted.files[path][-1]]
        mapping.notes.lacking[where, name] = lacking if name in present else ()
    rows = tuple(
        _file(path, noted.files[path], {name: _typed(text, types[name]) for name, text in constants[path].items()})
        for path in readable
    )
    position = {"files": noted.files, "left_out": noted.left_out, "reads": noted.reads}
    return Snapshot(where, rows, schema, open_file, position, partial(_changes, noted.files, rows))


@dataclass(frozen=True)
class _FolderFiles:
    """Reads the footers of the files of a folder."""

    where: str
    open: Callable[[str], pa.NativeFile]
    mapping: ColumnMapping
    labels: bool
    constants: Mapping[str, Mapping[str, str | None]]
    types: Mapping[str, pa.DataType]

    def entry(self, path: str, stamp: str) -> list[Any]:
        """Return what is noted of a file.

        Raises
        ------
        SourceUnreachable
            If it cannot be read.
        InvalidFrame
            If it lacks a column that its rows cannot do without, or has one in a type that cannot be read.
        """
        mapping = replace(self.mapping, file=path)
        with file_guard(mapping.place), self.open(path) as opened:
            metadata = pq.read_metadata(opened)
            own, name = file_schema(metadata), mapping.name("timestamp")
            with_path = self._with_path(path, own)
            mapping.check(with_path, mapping.required(labels=self.labels))
            wanted = mapping.wanted(labels=self.labels)
            mapping.check(with_path, [ours for ours in wanted if mapping.name(ours) in with_path.names])
            kind = own.field(name).type if name in own.names else None
            bounds = file_bounds(opened, metadata, mapping, name, kind)
        lacking = [theirs for theirs in mapping.names(wanted) if theirs not in with_path.names]
        return [stamp, metadata.num_rows, *bounds, lacking]

    def schema(self, paths: Sequence[str], noted: Mapping[str, Sequence[Any]]) -> pa.Schema:
        """Return the columns of the newest file, and those wanted ones that only older files have."""
        schema = pa.schema([])
        for path in reversed(paths):
            missing = [name for name in noted[paths[-1]][-1] if name not in schema.names]
            if schema.names and all(name in noted[path][-1] for name in missing):
                continue
            with file_guard(f"{path!r} of {self.where}"), self.open(path) as opened:
                own = self._with_path(path, file_schema(pq.read_metadata(opened)))
            for field in own if not schema.names else (own.field(name) for name in missing if name in own.names):
                schema = schema.append(field)
        return schema

    def _with_path(self, path: str, own: pa.Schema) -> pa.Schema:
        """Return the schema of a file with the columns of its path."""
        for name in self.constants[path]:
            own = own if name in own.names else own.append(pa.field(name, self.types[name]))
        return own


def _file(path: str, entry: Sequence[Any], constants: Mapping[str, Any] | None = None) -> DataFile:
    """Return a file as positions have it."""
    _, rows, first, last, *_ = entry
    return DataFile(path, rows, first, last, constants or {})


def _changes(noted: Mapping[str, Any], files: tuple[DataFile, ...], position: Mapping[str, Any]) -> Changes[DataFile]:
    before = position.get("files")
    if before is None:
        return Changes(everything=True)
    added = [file for file in files if list(before.get(file.path, [None])[:1]) != noted[file.path][:1]]
    gone = [_file(path, entry) for path, entry in before.items() if path not in noted or entry[0] != noted[path][0]]
    if any(file.first == ALWAYS[0] for file in gone):  # which times it had cannot be told any more
        return Changes(everything=True)
    return Changes(added, gone)


def _listed(where: str, address: str, options: Mapping[str, str]) -> tuple[Listed, Callable[[str], pa.NativeFile]]:
    if "://" not in address:
        folder = Path(address)
        if not folder.is_dir():
            raise NotFound(f"There is no folder {address!r}, which {where} is to be read from.")
        return dict(_local(folder, "")), lambda path: pa.OSFile(str(folder / path))
    try:
        import fsspec
    except ImportError as error:
        raise _missing("fsspec", address) from error
    try:
        system, root = fsspec.core.url_to_fs(address, **options)
    except ImportError as error:
        raise _missing(str(error), address) from error
    system.invalidate_cache()
    arrow = pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(system))
    entries = system.find(root, detail=True)
    listed = {}
    for path, entry in entries.items():
        inside = posixpath.relpath(path, root)
        if _is_data(inside):
            at = str(entry.get("LastModified") or entry.get("mtime") or entry.get("last_modified") or "")
            listed[inside] = (at, f"{entry.get('ETag') or at}/{entry['size']}")
    if not listed and not entries:
        raise NotFound(f"There is nothing at {address!r}, which {where} is to be read from.")
    return listed, lambda path: arrow.open_input_file(posixpath.join(root, path))


def _missing(what: str, address: str) -> LibraryMissing:
    return LibraryMissing(
        f"Reading {address.partition('?')[0]!r} takes a library that is not there ({what}): install it."
    )


def _local(folder: Path, inside: str) -> Iterator[tuple[str, tuple[str, str]]]:
    with os.scandir(folder / inside) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = f"{inside}{entry.name}"
            if entry.is_dir():
                if _is_data(f"{path}/x.parquet"):
                    yield from _local(folder, f"{path}/")
            elif _is_data(path):
                at = entry.stat()
                yield path, (f"{at.st_mtime_ns:020d}", f"{at.st_mtime_ns}/{at.st_size}")


def _is_data(path: str) -> bool:
    """Tell whether a file has rows; names that begin with _ or . are of files that are being written, and of notes."""
    hidden = any(part.startswith((".", "_")) for part in path.split("/") if "=" not in part)
    return path.endswith((".parquet", ".parq")) and not hidden


def _constants(path: str) -> dict[str, str | None]:
    """Return the columns in a path of Hive's form, such as ``day=2013-04-01/version=3/part.parquet``."""
    parts = (part.partition("=") for part in path.split("/")[:-1] if "=" in part)
    return {unquote(name): None if text == _HIVE_NULL else unquote(text) for name, _, text in parts}


def _types(constants: Mapping[str, Mapping[str, str | None]]) -> dict[str, pa.DataType]:
    """Return the types of the columns of paths: whole numbers where all are, else texts."""
    texts: dict[str, set[str]] = {}
    for columns in constants.values():
        for name, text in columns.items():
            texts.setdefault(name, set()).update({text} - {None})  # type: ignore[arg-type]
    whole = {name for name, values in texts.items() if all(text.lstrip("-").isdecimal() for text in values)}
    return {name: pa.int64() if name in whole else pa.string() for name in texts}


def _typed(text: str | None, kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(text if text is None or kind != pa.int64() else int(text), kind)
