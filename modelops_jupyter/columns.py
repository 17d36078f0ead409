"""Columns of rows, read one at a time when they are asked for: of a table in memory, or of a Parquet file.

Reading, counting and forgetting one column after another touches little memory. A million rows of 40 columns read at
once take up to ten times as long as column by column, and nearly all of that is the system handing out fresh memory.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from modelops_jupyter.errors import InvalidFrame

Array = np.ndarray[Any, Any]
_FLOATS = {pa.float64(): "float64", pa.float32(): "float32", pa.float16(): "float16"}
_ROWS, _PART = 1 << 16, 1 << 19

# Returns a column by name, None where there is none.
Read = Callable[[str], pa.ChunkedArray | None]


@dataclass(frozen=True)
class Columns:
    """Rows by column.

    Attributes
    ----------
    types : mapping of str to pyarrow.DataType
        Texts may be read as dictionaries of them; whatever else is coded in a dictionary is read as what it stands for.
        The index of a pandas frame is no column.
    parts : sequence of Columns
        The same rows piece by piece, each small enough to be read and counted in memory that is used again; none where
        they lie in memory as it is.
    """

    rows: int
    types: Mapping[str, pa.DataType]
    read: Read
    parts: Sequence[Columns] = ()

    @classmethod
    def of_table(cls, table: pa.Table) -> Columns:
        """Return the columns of a table that lies in memory.

        Raises
        ------
        InvalidFrame
            If two columns have one name.
        """
        types = _types(table.schema)
        # Looked up once: a table searches all of its names for each.
        columns: dict[str, pa.ChunkedArray] = dict(zip(table.column_names, table.columns, strict=True))
        return cls(table.num_rows, types, lambda name: decoded(columns[name]) if name in types else None)

    @classmethod
    def of_parquet(cls, path: str | Path) -> Columns:
        """Return the columns of a Parquet file; several threads may read at once.

        Raises
        ------
        InvalidFrame
            If it is no Parquet file, or two columns have one name.
        """
        try:
            file = pa.OSFile(str(path))
            metadata = pq.read_metadata(file)
            schema = metadata.schema.to_arrow_schema()
        except (pa.ArrowException, OSError) as error:
            raise InvalidFrame(f"{str(path)!r} is no Parquet file: {str(error).rstrip('.')}.") from error
        types = _types(schema)

        def of_groups(groups: Sequence[int], parts: Sequence[Columns] = ()) -> Columns:
            read = ParquetColumns(file, metadata, groups).read
            rows = sum(metadata.row_group(group).num_rows for group in groups)
            return cls(rows, types, lambda name: decoded(read(name)) if name in types else None, parts)

        every = range(metadata.num_row_groups)
        return of_groups(every, [of_groups(groups) for groups in _together(metadata)])


def _together(metadata: pq.FileMetaData) -> list[range]:
    """Put row groups that follow each other together, where they have few rows."""
    found: list[range] = []
    rows = _PART
    for group in range(metadata.num_row_groups):
        if rows >= _PART:
            found.append(range(group, group))
            rows = 0
        found[-1] = range(found[-1].start, group + 1)
        rows += metadata.row_group(group).num_rows
    return found


def _types(schema: pa.Schema) -> dict[str, pa.DataType]:
    """Return the types of the columns by name."""
    index = (schema.pandas_metadata or {}).get("index_columns", ())
    unnamed = {name for name in index if isinstance(name, str) and name.startswith("__index_level_")}
    fields = [field for field in schema if field.name not in unnamed]
    types = {field.name: _plain(field.type) for field in fields}
    if len(types) < len(fields):
        (twice, _), *_ = Counter(field.name for field in fields).most_common(1)
        raise InvalidFrame(f"There are two columns {twice!r}: rename one.")
    return types


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_decimal(kind):
        return pa.float64()
    return pa.string() if pa.types.is_string_view(kind) else kind  # Arrow cannot choose among views yet


def decoded(values: pa.ChunkedArray | None) -> pa.ChunkedArray | None:
    """Return a column as it is counted: words for codes, other than those of texts, and floats for decimal numbers."""
    if values is None or (pa.types.is_dictionary(values.type) and pa.types.is_string(values.type.value_type)):
        return values
    wanted = _plain(values.type)
    return values if wanted == values.type else values.cast(wanted)


class ParquetColumns:
    """The columns of some row groups of an open Parquet file; several threads may read at once.

    Texts are read as dictionaries of them, except those of `plain`: a column whose texts are nearly all different.
    """

    def __init__(self, file: pa.NativeFile, metadata: pq.FileMetaData, groups: Sequence[int], plain: str = "") -> None:
        schema = metadata.schema.to_arrow_schema()
        self._names = frozenset(schema.names)
        self._groups = list(groups)
        texts = [f.name for f in schema if f.type in (pa.string(), pa.large_string()) and f.name != plain]
        how = {"read_dictionary": texts, "coerce_int96_timestamp_unit": "us"}  # Spark writes the year 9999 as it is
        self._reader_of_file = partial(pq.ParquetFile, file, metadata=metadata, **how)
        # One thread reads by a reader at a time; the file is theirs together: the system gives a process few of them.
        self._readers = threading.local()

    @property
    def _reader(self) -> pq.ParquetFile:
        if not hasattr(self._readers, "own"):  # making it costs as much as a small column
            self._readers.own = self._reader_of_file()
        return self._readers.own

    def read(self, name: str) -> pa.ChunkedArray | None:
        """Return a column, or None where there is none of that name."""
        if name not in self._names:
            return None
        return self._reader.read_row_groups(self._groups, columns=[name], use_threads=False)[name]

    def parts(self, name: str) -> Iterator[pa.Array]:
        """Yield a column that there is, some rows at a time, in memory that is used again."""
        for rows in self._reader.iter_batches(_ROWS, self._groups, columns=[name], use_threads=False):
            yield rows.column(0)


# Arrow's own conversions from and to NumPy import pandas, which takes longer than counting a hundred thousand rows.


def numbers_of(values: pa.ChunkedArray | pa.Array) -> Array:
    """Return whole numbers, floats or times as NumPy holds them; with missing ones, floats and NaN in their place."""
    return with_gaps(raw_numbers(values), present(values) if values.null_count else None)


def raw_numbers(values: pa.ChunkedArray | pa.Array) -> Array:
    """Return whole numbers, floats or times as NumPy holds them; where one is missing, any number may stand."""
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    found = [_raw_numbers(chunk) for chunk in chunks if len(chunk)]
    return found[0] if len(found) == 1 else np.concatenate(found or [np.zeros(0)])


def with_gaps(numbers: Array, known: Array | None) -> Array:
    """Return numbers with NaN where one is not known; None means that all are."""
    return numbers if known is None else np.where(known, numbers, np.nan)


def _raw_numbers(chunk: pa.Array) -> Array:
    kind = np.dtype(_FLOATS.get(chunk.type) or f"int{chunk.type.bit_width}")
    if pa.types.is_unsigned_integer(chunk.type):
        kind = np.dtype(f"uint{chunk.type.bit_width}")
    return np.frombuffer(chunk.buffers()[1], kind, len(chunk), chunk.offset * kind.itemsize)


def present(values: pa.ChunkedArray | pa.Array) -> Array:
    """Return which values are there; bool of shape (rows,)."""
    if isinstance(values, pa.ChunkedArray):
        return np.concatenate([np.zeros(0, dtype=bool), *(present(chunk) for chunk in values.chunks)])
    if pa.types.is_null(values.type):
        return np.zeros(len(values), dtype=bool)
    if not values.null_count:
        return np.ones(len(values), dtype=bool)
    bits = np.frombuffer(values.buffers()[0], dtype="uint8")
    found: Array = np.unpackbits(bits, count=values.offset + len(values), bitorder="little")[values.offset :]
    return found.view(bool)


def whole_numbers(values: Array) -> pa.Array:
    """Return an array of int64 as Arrow holds it."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values, "int64"))])


def texts(words: Sequence[str]) -> pa.Array:
    """Return texts as Arrow holds them."""
    encoded = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, encoded)]).astype("int32")
    return pa.Array.from_buffers(pa.string(), len(words), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])
