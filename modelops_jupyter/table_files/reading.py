"""A table by its address, opened once and read in parts of some hundred thousand rows, however large it is."""

from __future__ import annotations

import codecs
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from modelops_jupyter.data_files import dataset_address
from modelops_jupyter.errors import InvalidFrame, InvalidInput, NotFound
from modelops_jupyter.frames import to_arrow, to_pandas
from modelops_jupyter.scoring.column_names import separator
from modelops_jupyter.table_files.folders import (
    CSV,
    TableFile,
    constants_of,
    files_of,
    names_of,
    parquet_dataset,
    parquet_schemas,
    together,
)

ROWS = 1 << 17  # of a part
_BLOCK = 1 << 24  # bytes of a CSV file that are read at once


@dataclass(frozen=True)
class TableSource:
    """A table that can be read more than once.

    Attributes
    ----------
    name : str
        What it is called in messages.
    typed : bool
        Whether columns have types of their own; in a CSV file everything is text.
    read : callable
        Returns an iterator over the table from its beginning.
    files : tuple of TableFile
        The files of a folder, whose columns may differ: a file without one of them has missing values there.
    """

    name: str
    schema: pa.Schema
    typed: bool
    read: Callable[[], Iterable[pa.Table | pa.RecordBatch]]
    files: tuple[TableFile, ...] = ()

    @property
    def members(self) -> tuple[TableFile, ...]:
        """The files with their columns; the table itself where it is not a folder."""
        return self.files or (TableFile(self.name, tuple(self.schema.names)),)

    def parts(self) -> Iterator[pa.Table]:
        """Yield the rows in order, `ROWS` at a time: the same parts whenever the same table is read.

        Raises
        ------
        InvalidFrame
            If it cannot be read to its end.
        """
        waiting: list[pa.Table] = []
        rows = 0
        try:
            for batch in self.read():
                waiting.append(pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch)
                rows += batch.num_rows
                while rows >= ROWS:
                    whole = waiting[0] if len(waiting) == 1 else pa.concat_tables(waiting)
                    yield whole.slice(0, ROWS)
                    rows -= ROWS
                    waiting = [whole.slice(ROWS)] if rows else []
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self.name, error) from error
        if rows:
            yield pa.concat_tables(waiting)


def open_table(data: Any) -> TableSource:
    """Open a table by its address: a .parquet or .csv file, a folder of files of one kind, ``delta:FOLDER@VERSION``.

    A table in memory (pandas, polars, Arrow) is opened as well.

    Raises
    ------
    NotFound
        If there is nothing of that name.
    InvalidInput, InvalidFrame
        If it is no table, or has two columns of one name.
    """
    if not isinstance(data, str | os.PathLike):
        table = to_arrow(to_pandas(data, "data"))
        return TableSource("data", table.schema, True, lambda: [table])
    address = os.fspath(data)
    try:
        source = _source_of(address)
    except InvalidInput:  # it says itself what is wrong
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(address, error) from error
    twice = [name for name, times in Counter(source.schema.names).items() if times > 1]
    if twice:
        raise InvalidFrame(f"{address!r} has two columns {twice[0]!r}: rename one.")
    return source


def _source_of(address: str) -> TableSource:
    dataset = dataset_address(address)
    if dataset is None and (Path(address) / "_delta_log").is_dir():
        dataset = address, None
    if dataset is not None:
        return _delta(address, Path(dataset[0]), dataset[1])
    path = Path(address)
    if path.is_dir():
        return _folder(address)
    if not path.is_file():
        raise NotFound(f"There is no file {address!r}.")
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        return TableSource(address, file.schema_arrow, True, lambda: _parquet_batches(path))
    if path.suffix == ".csv":
        return _csv(address, path)
    raise InvalidInput(
        f"{address!r} is no table that can be read in parts: name a .parquet or .csv file, a folder of such files, or "
        "delta:FOLDER."
    )


def _parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file; buffered ahead, all bytes that were read would stay in memory."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        yield from file.iter_batches(ROWS)


def _csv(address: str, path: Path) -> TableSource:
    """Open a CSV file whose every value is text: types are the contract's to tell, and ids keep their zeros."""
    names = _csv_names(path)
    return TableSource(address, _texts(names), False, lambda: _csv_stream(path, names))


def _texts(names: Iterable[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


def _csv_names(path: Path) -> list[str]:
    """Return the columns of a CSV file.

    Raises
    ------
    InvalidFrame
        If it cannot be read, with what seems to separate its columns where that is no comma.
    """
    encoding = _other_encoding(path)
    if encoding:
        raise InvalidFrame(f"{str(path)!r} is a CSV file {encoding}: write it in UTF-8.")
    try:
        return list(_csv_stream(path, ()).schema.names)
    except pa.ArrowException as error:
        with path.open(encoding="utf-8", errors="replace") as file:
            header = file.readline().rstrip("\r\n")
        mark = None if "," in header else separator(header)
        if mark is None:
            raise _unreadable(str(path), error) from error
        raise InvalidFrame(
            f"{str(path)!r} holds no table that can be read: {mark} seems to separate its columns; write them with "
            "commas."
        ) from error


def _other_encoding(path: Path) -> str:
    """Return in which encoding a file is, as far as its beginning tells; empty where that is UTF-8."""
    with path.open("rb") as file:
        begin = file.read(_BLOCK)
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "in UTF-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(begin)
    except UnicodeDecodeError as error:
        return f"in another encoding (byte {begin[error.start]:#04x} at place {error.start:,} is no UTF-8)"
    return ""


def _csv_stream(path: Path, names: Iterable[str]) -> pyarrow.csv.CSVStreamingReader:
    return pyarrow.csv.open_csv(
        path,
        pyarrow.csv.ReadOptions(block_size=_BLOCK),
        pyarrow.csv.ParseOptions(newlines_in_values=True),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _folder(address: str) -> TableSource:
    folder = Path(address)
    files = files_of(folder)
    if files[0].suffix in CSV:
        return _csv_folder(address, folder, files)
    schemas = parquet_schemas(files)
    own = tuple(names_of(files, schemas, folder))
    return _of_dataset(address, parquet_dataset(folder, files, together(files, schemas)), own)


def _csv_folder(address: str, folder: Path, files: Sequence[Path]) -> TableSource:
    schemas = [_texts(_csv_names(path)) for path in files]
    own = tuple(names_of(files, schemas, folder))
    schema = _texts(dict.fromkeys(name for file in own for name in file.columns))

    def read() -> Iterator[pa.Table]:
        for path, types in zip(files, schemas, strict=True):
            constants = constants_of(path, folder)
            for batch in _csv_stream(path, types.names):
                yield _completed(pa.Table.from_batches([batch]), constants, schema)

    return TableSource(address, schema, False, read, own)


def _completed(rows: pa.Table, constants: Mapping[str, str], schema: pa.Schema) -> pa.Table:
    """Return rows of one file with the columns that others have, and those of its path."""
    columns = [
        rows[name] if name in rows.column_names else pa.repeat(pa.scalar(constants.get(name), pa.string()), len(rows))
        for name in schema.names
    ]
    return pa.table(columns, schema=schema)


def _delta(address: str, folder: Path, version: int | None) -> TableSource:
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        if not DeltaTable.is_deltatable(str(folder)):
            raise NotFound(f"There is no dataset in {str(folder)!r}: name the folder of a Delta table.")
        table = DeltaTable(folder, version=version)
        return _of_dataset(address, table.to_pyarrow_dataset())
    except DeltaError as error:
        raise NotFound(f"The dataset {str(folder)!r} has no version {version} that can be read: {error}.") from error


def _of_dataset(address: str, files: ds.Dataset, own: tuple[TableFile, ...] = ()) -> TableSource:
    """Read one row group after another: a scanner of the whole would read ahead without bound."""

    def read() -> Iterator[pa.RecordBatch]:
        for file in files.get_fragments():
            for group in file.split_by_row_group():
                yield from group.to_table(schema=files.schema, batch_size=ROWS).to_batches(ROWS)

    return TableSource(address, files.schema, True, read, own)


def _unreadable(name: str, error: Exception) -> InvalidFrame:
    reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
    return InvalidFrame(f"{name!r} holds no table that can be read ({reason}): write it again.")
