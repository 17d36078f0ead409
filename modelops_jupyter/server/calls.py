"""A slow verb's call on its way to a process of its own: files are named by the server and read by the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelops_jupyter.data_files import dataset_address, is_mlflow_address, read_file, split_target
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.server.addresses import resolve, resolve_file
from modelops_jupyter.server.fields import Field

TABLES = (".parquet", ".csv")


@dataclass(frozen=True)
class Call:
    """What is called, and with what.

    Attributes
    ----------
    operation : str
        The method of `Workspace`.
    values : mapping
        Arguments to be passed as they are; paths are absolute.
    files : mapping of str to str
        Arguments to be read first: tables and models.
    target : str or None
        The column of the table `data` that holds the outcomes.
    """

    operation: str
    values: Mapping[str, Any]
    files: Mapping[str, str]
    target: str | None = None

    def arguments(self) -> dict[str, Any]:
        """Read the files and return every argument.

        Raises
        ------
        NotFound, InvalidInput
            If one cannot be read.
        """
        read = {name: read_file(address) for name, address in self.files.items()}
        if self.target is None:
            return {**self.values, **read}
        name, data = self.target, read.get("data")
        if name not in getattr(data, "columns", ()):
            raise InvalidInput(f"Field 'target': {name!r} is no column of the data, and no file that ends in .parquet.")
        reference = read.get("reference")
        if name in getattr(reference, "columns", ()):
            read["reference"] = split_target(reference, name, read_file)
        read["data"], target = split_target(data, name, read_file)
        return {**self.values, **read, "target": target}


def make_call(operation: str, fields: Sequence[Field], values: Mapping[str, Any], root: Path) -> Call:
    """Resolve the addresses among `values`; only `output` may name a file that is not there yet.

    Raises
    ------
    InvalidInput
        If one leads out of `root`, or is no table where one is wanted.
    NotFound
        If a file is not there.
    """
    plain, files, column = dict(values), {}, None
    for field in fields:
        given, kind = values.get(field.name), field.schema.get("format")
        if given is None or kind is None:
            continue
        if kind == "path":
            plain[field.name] = (resolve if field.name == "output" else resolve_file)(root, given, field.name)
            continue
        if kind == "model" and is_mlflow_address(given):
            continue
        del plain[field.name]
        if kind == "data" and not _is_table(given):
            if field.name != "target":
                raise InvalidInput(f"Field {field.name!r}: {given!r} is no .parquet or .csv file and no dataset.")
            column = given
            continue
        files[field.name] = resolve_file(root, given, field.name)
    return Call(operation, plain, files, column)


def _is_table(address: str) -> bool:
    return dataset_address(address) is not None or Path(address).suffix in TABLES
