"""A table written part by part, whole or not at all: until the last part is there, nothing of that name changes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelops_jupyter.data_files import dataset_address
from modelops_jupyter.disk_space import is_full
from modelops_jupyter.errors import InvalidInput, NotFound, StoreFull, WorkspaceReadOnly

_LOOKED_AT = 10_000  # rows


def check_output(address: str, source: str) -> None:
    """Return if a table can be written there, as far as can be told before.

    Raises
    ------
    InvalidInput
        If it is no address of a table, or that of the source itself, or one within the other.
    NotFound
        If its folder is not there.
    """
    folder, _ = dataset_address(address) or (None, None)
    path = Path(address if folder is None else folder)
    if folder is not None and address.endswith(f"@{_}"):
        raise InvalidInput(f"{address!r} names a version that there may be already: leave out the number.")
    if folder is None and path.suffix not in (".parquet", ".csv"):
        raise InvalidInput(
            f"{address!r} is no table that can be written: name a .parquet or .csv file, or delta:FOLDER."
        )
    if folder is None and path.is_dir():
        raise InvalidInput(f"{address!r} is a folder: name a file in it.")
    if not path.absolute().parent.is_dir():
        raise NotFound(f"There is no folder {str(path.parent)!r} to write {address!r} into: create it first.")
    read_from, _ = dataset_address(source) or (source, None)
    theirs, ours = Path(os.path.realpath(read_from)), Path(os.path.realpath(path))
    if theirs == ours:
        raise InvalidInput(f"{address!r} is the table that is read: write to another one.")
    if theirs.is_dir() and ours.is_relative_to(theirs):
        raise InvalidInput(f"{address!r} lies within {source!r}, which is read as one table: write to another folder.")
    if folder is not None and theirs.is_relative_to(ours):
        raise InvalidInput(f"{address!r} is a folder that holds {source!r}, which is read: write to another folder.")


def write_table(address: str, schema: pa.Schema, parts: Iterator[pa.Table]) -> None:
    """Write the parts to a file, or as a new version of a Delta table; what was there before is replaced.

    Raises
    ------
    StoreFull, WorkspaceReadOnly
        If there is no room, or it may not be written. What `parts` raises is passed on; nothing is written then.
    """
    dataset = dataset_address(address)
    path = Path(address) if dataset is None else Path(dataset[0])
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.absolute().parent) as temporary:
            fresh = Path(temporary) / path.name
            if dataset is None and path.suffix == ".csv":
                _write_csv(fresh, schema, parts)
            else:
                _write_parquet(fresh, schema, parts)
            if dataset is None:
                os.replace(fresh, path)
            else:
                _commit(fresh, path)
    except OSError as error:
        if is_full(error):
            raise StoreFull(f"There is no room left for {address!r}: free some, then repeat.") from error
        reason = error.strerror or str(error)
        raise WorkspaceReadOnly(f"{address!r} cannot be written ({reason}): write to another folder.") from error


def _write_parquet(file: Path, schema: pa.Schema, parts: Iterator[pa.Table]) -> None:
    first = next(parts, schema.empty_table())
    with pq.ParquetWriter(file, schema, use_dictionary=_repetitive(first)) as writer:
        writer.write_table(first)
        for part in parts:
            writer.write_table(part)


def _repetitive(part: pa.Table) -> list[str]:
    """Return the columns whose values repeat: of others a dictionary is begun, and given up, in every part."""
    some = part.slice(0, _LOOKED_AT)
    found = []
    for name in part.column_names:
        try:
            distinct = pc.count_distinct(some[name]).as_py()
        except pa.ArrowNotImplementedError:  # of lists and the like
            continue
        if 2 * distinct <= some.num_rows:
            found.append(name)
    return found


def _write_csv(file: Path, schema: pa.Schema, parts: Iterator[pa.Table]) -> None:
    with file.open("w", encoding="utf-8", newline="") as text:
        schema.empty_table().to_pandas().to_csv(text, index=False)
        for part in parts:
            part.to_pandas(integer_object_nulls=True).to_csv(text, index=False, header=False)


def _commit(file: Path, folder: Path) -> None:
    """Make the rows of a Parquet file the newest version of a Delta table."""
    from deltalake import write_deltalake
    from deltalake.exceptions import DeltaError

    written = pq.ParquetFile(file)
    rows = pa.RecordBatchReader.from_batches(written.schema_arrow, written.iter_batches())
    try:
        write_deltalake(folder, rows, mode="overwrite", schema_mode="overwrite")
    except (DeltaError, pa.ArrowException, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        raise InvalidInput(
            f"Delta cannot hold these columns ({reason}): write a .parquet file, or convert the column."
        ) from error
