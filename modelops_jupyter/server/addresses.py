"""Where files that a request names may lie: under the server's root folder, where its user sees them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from modelops_jupyter.data_files import dataset_address
from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.portable import absolute_path


def resolve(root: Path, address: str, what: str) -> str:
    """Return the absolute form of an address of the JupyterLab file browser: a path below `root`.

    A dataset's address ``delta:FOLDER@VERSION`` stays one.

    Raises
    ------
    InvalidInput
        If it leads out of `root`, by dots or by a link, or to a hidden file; `what` names the field.
    """
    dataset = dataset_address(address)
    if dataset is not None:
        version = "" if dataset[1] is None else f"@{dataset[1]}"
        return f"delta:{resolve(root, dataset[0], what)}{version}"
    base = Path(os.path.realpath(root))
    try:
        path = Path(os.path.realpath(base / address))
    except ValueError as error:
        raise InvalidInput(f"Field {what!r} is no path: {error}.") from None
    inside = path.relative_to(base).parts if path.is_relative_to(base) else ("..",)
    if any(part.startswith(".") for part in inside):
        raise InvalidInput(
            f"Field {what!r}: {address!r} is hidden or outside the server's folder: name a file that the file browser "
            "shows."
        )
    return str(path)


def resolve_file(root: Path, address: str, what: str) -> str:
    """Return the absolute form of an address that must be there already.

    Raises
    ------
    InvalidInput
        As in `resolve`.
    NotFound
        If there is no such file or dataset.
    """
    path = resolve(root, address, what)
    dataset = dataset_address(path)
    if not (Path(dataset[0]).is_dir() if dataset else Path(path).is_file()):
        raise NotFound(f"Field {what!r}: there is no {'dataset' if dataset else 'file'} {address!r}.")
    return path


def relative(root: Path, path: str) -> str | None:
    """Return a path as the file browser names it, or None if it does not show it."""
    base = Path(os.path.realpath(root))
    full = Path(os.path.realpath(path))
    if not full.is_relative_to(base) or any(part.startswith(".") for part in full.relative_to(base).parts):
        return None
    return full.relative_to(base).as_posix()


def with_paths(root: Path, project: Path, data: Any) -> Any:
    """Return JSON data where an ``output_path``, for the file browser, stands beside every ``output``.

    An `output` on record is a path from the project's folder on.
    """
    if isinstance(data, list):
        return [with_paths(root, project, item) for item in data]
    if not isinstance(data, dict):
        return data
    found = {name: with_paths(root, project, value) for name, value in data.items()}
    if isinstance(data.get("output"), str):
        found["output"] = absolute_path(data["output"], project)
        found["output_path"] = relative(root, found["output"])
    return found
