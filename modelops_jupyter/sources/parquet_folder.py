"""A folder of Parquet files, on a disk or in an object store: a file that is new, other or gone is what changed."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from modelops_jupyter.errors import LibraryMissing, NotFound
from modelops_jupyter.log.table_files import ALWAYS
from modelops_jupyter.sources.files import DataFile, Snapshot, file_bounds, file_schema
from modelops_jupyter.sources.mapping import ColumnMapping
from modelops_jupyter.sources.table import Changes, guarded

# A file, and what tells it from another one of its name: its size and when it was written, or its tag in the store.
Listed = dict[str, tuple[str, str]]
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


def open_folder(
    where: str, address: str, options: Mapping[str, str], mapping: ColumnMapping, before: Mapping[str, Any] | None
) -> Snapshot:
    """Return a folder of Parquet files as it is now.

    Parameters
    ----------
    before
        The position of the last run, which has the bounds of files that are still the same: their footers are not read.

    Raises
    ------
    NotFound
        If there is no such folder.
    SourceUnreachable
        If it, or one of its files, cannot be read.
    """
    with guarded(where):
        listed, open_file = _listed(where, address, options)
        earlier = {} if before is None else before["files"]
        noted: dict[str, list[Any]] = {}
        schema = pa.schema([])
        newest = max(listed, key=lambda path: listed[path], default=None)
        for path, (_, stamp) in listed.items():
            is_same = path in earlier and earlier[path][0] == stamp
            if is_same:
                noted[path] = list(earlier[path])
            if not is_same or path == newest:
                with guarded(f"{Path(path).name!r} of {where}"), open_file(path) as opened:
                    metadata = pq.read_metadata(opened)
                    own, name = file_schema(metadata), mapping.name("timestamp")
                    kind = own.field(name).type if name in own.names else None
                    noted[path] = [stamp, metadata.num_rows, *file_bounds(opened, metadata, mapping, name, kind)]
                schema = own if path == newest else schema
    constants = {path: _constants(path) for path in listed}
    types = _types(constants)
    for name, kind in types.items():
        schema = schema if name in schema.names else schema.append(pa.field(name, kind))
    files = tuple(
        _file(path, noted[path], {name: _typed(text, types[name]) for name, text in constants[path].items()})
        for path in sorted(listed, key=lambda path: (listed[path][0], path))
    )
    return Snapshot(where, files, schema, open_file, {"files": noted}, partial(_changes, noted, files))


def _file(path: str, entry: Sequence[Any], constants: Mapping[str, Any] | None = None) -> DataFile:
    """Return a file as positions have it: its stamp, its rows, and bounds of their times."""
    _, rows, first, last = entry
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
