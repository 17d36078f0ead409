"""A slow verb's call on its way to a process of its own: files are named by the server and read by the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelops_jupyter.data_files import dataset_address, is_mlflow_address, read_file
from modelops_jupyter.errors import InvalidInput, ModelOpsError
from modelops_jupyter.server.addresses import resolve, resolve_file
from modelops_jupyter.server.fields import Field
from modelops_jupyter.server.pinned import check_unlinked, pinned

TABLES = (".parquet", ".csv")
LABELS = ("target", "outcomes")  # which may be the name of a column of the rows that they belong to


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
    paths : sequence of str
        Which of `values` are paths.
    """

    operation: str
    values: Mapping[str, Any]
    files: Mapping[str, str]
    paths: Sequence[str] = ()

    def arguments(self) -> dict[str, Any]:
        """Read the files and return every argument.

        Raises
        ------
        NotFound, InvalidInput
            If one cannot be read, or became a link meanwhile.
        """
        for name in self.paths:
            check_unlinked(self.values[name])
        return {**self.values, **{name: _read(address) for name, address in self.files.items()}}


def make_call(operation: str, fields: Sequence[Field], values: Mapping[str, Any], root: Path) -> Call:
    """Resolve the addresses among `values`; only `output` may name a file that is not there yet.

    Raises
    ------
    InvalidInput
        If one leads out of `root`, or is no table where one is wanted.
    NotFound
        If a file is not there.
    """
    plain, files, paths = dict(values), {}, []
    for field in fields:
        given, kind = values.get(field.name), field.schema.get("format")
        if given is None or kind is None:
            continue
        if kind == "path":
            plain[field.name] = (resolve if field.name == "output" else resolve_file)(root, given, field.name)
            paths.append(field.name)
            continue
        if kind == "model" and is_mlflow_address(given):
            continue
        if kind == "data" and not _is_table(given):
            if field.name not in LABELS:
                raise InvalidInput(f"Field {field.name!r}: {given!r} is no .parquet or .csv file and no dataset.")
            continue
        del plain[field.name]
        files[field.name] = resolve_file(root, given, field.name)
    return Call(operation, plain, files, paths)


def _read(address: str) -> Any:
    """Read the file that was checked, and say its own name where it cannot be read."""
    with pinned(address) as name:
        try:
            return read_file(name)
        except ModelOpsError as error:
            raise type(error)(str(error).replace(name, address)) from error


def _is_table(address: str) -> bool:
    return dataset_address(address) is not None or Path(address).suffix in TABLES
