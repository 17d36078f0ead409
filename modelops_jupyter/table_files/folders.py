"""A folder of Parquet or of CSV files as one table: its columns are those of all files, in the order of their paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from modelops_jupyter.errors import InvalidFrame, InvalidInput

PARQUET, CSV = (".parquet", ".parq"), (".csv",)
_DIGITS = 9  # which a whole number of 32 bits holds, as Arrow reads those of paths


@dataclass(frozen=True)
class TableFile:
    """One file of a table, with the columns that its rows have: its own, and those of its path (``day=1/a.csv``)."""

    name: str
    columns: tuple[str, ...]


def files_of(folder: Path) -> list[Path]:
    """Return the data files of a folder in the order of their paths.

    Names that begin with ``_`` or ``.`` are of files that are being written, and of notes.

    Raises
    ------
    InvalidInput
        If there is none, or there are files of both kinds.
    """
    there = [path for path in sorted(folder.rglob("*")) if _is_data(path.relative_to(folder)) and path.is_file()]
    kinds = {path.suffix in CSV for path in there}
    if not there:
        raise InvalidInput(f"The folder {str(folder)!r} holds no Parquet files, no CSV files and no Delta table.")
    if len(kinds) > 1:
        raise InvalidInput(f"The folder {str(folder)!r} holds both Parquet and CSV files: name a folder of one kind.")
    return there


def parquet_schemas(files: Sequence[Path]) -> list[pa.Schema]:
    """Return the schemas of files.

    Raises
    ------
    InvalidFrame
        Naming the first file that cannot be read.
    """
    schemas = []
    for path in files:
        try:
            schemas.append(pq.read_schema(path))
        except (pa.ArrowException, OSError) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
            raise InvalidFrame(
                f"{str(path)!r} is no Parquet file that can be read ({reason}): write it again, or move it away."
            ) from error
    return schemas


def constants_of(path: Path, folder: Path) -> dict[str, str]:
    """Return the columns in a path of Hive's form, such as ``day=2013-04-01/part.csv``."""
    parts = (part.partition("=") for part in path.relative_to(folder).parent.parts if "=" in part)
    return {name: text for name, _, text in parts}


def together(files: Sequence[Path], schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Return the schema of all files together.

    Raises
    ------
    InvalidFrame
        If a column has types in two files that have nothing in common.
    """
    if all(schema.equals(schemas[0]) for schema in schemas):
        return schemas[0]
    fields: dict[str, tuple[pa.Field, Path]] = {}
    for path, schema in zip(files, schemas, strict=True):
        for field in map(_plain, schema):
            before, first = fields.get(field.name, (field, path))
            try:
                merged = pa.unify_schemas([pa.schema([before]), pa.schema([field])], promote_options="permissive")
            except pa.ArrowException:
                raise InvalidFrame(
                    f"Column {field.name!r} holds {before.type} in {str(first)!r} and {field.type} in {str(path)!r}: "
                    "write it in one type."
                ) from None
            fields[field.name] = merged.field(0), first
    return pa.schema([field for field, _ in fields.values()])


def parquet_dataset(folder: Path, files: Sequence[Path], schema: pa.Schema) -> ds.Dataset:
    """Return files as one dataset, with the columns of their paths."""
    values: dict[str, list[str]] = {}
    for path in files:
        for name, text in constants_of(path, folder).items():
            values.setdefault(name, []).append(text)
    fields = [
        pa.field(name, pa.int32() if all(map(_is_whole, texts)) else pa.string()) for name, texts in values.items()
    ]
    of_paths = pa.schema([field for field in fields if field.name not in schema.names])
    whole = pa.schema([*schema, *of_paths], metadata=schema.metadata)
    hive = ds.partitioning(of_paths, flavor="hive")
    return ds.dataset(
        [str(path) for path in files], whole, "parquet", partitioning=hive, partition_base_dir=str(folder)
    )


def _is_whole(text: str) -> bool:
    return text.lstrip("-").isdecimal() and len(text) <= _DIGITS


def _plain(field: pa.Field) -> pa.Field:
    """Return a column of categories as one of their values: each file has codes of its own."""
    kind = field.type
    return field.with_type(kind.value_type) if pa.types.is_dictionary(kind) else field


def _is_data(path: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in path.parts if "=" not in part)
    return path.suffix in (*PARQUET, *CSV) and not hidden


def names_of(files: Sequence[Path], schemas: Sequence[pa.Schema], folder: Path) -> Iterator[TableFile]:
    """Yield the files with the columns of their rows."""
    for path, schema in zip(files, schemas, strict=True):
        yield TableFile(str(path), tuple(dict.fromkeys([*schema.names, *constants_of(path, folder)])))
