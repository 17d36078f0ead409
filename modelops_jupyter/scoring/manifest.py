"""What a version's folder says of itself, for a server that has nothing but the files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ArtifactChanged
from .digests import check_digests, file_digests

MANIFEST = "modelops_manifest.json"


@dataclass(frozen=True)
class Manifest:
    """A version's own list of its files.

    Attributes
    ----------
    format : str
        The format's name, which the allow-list judges.
    columns : tuple of mapping
        The columns that it was registered with, as `input_columns.describe` writes them.
    files : mapping of str to str
        The SHA-256 of every other file, by its path inside.
    functions : tuple of mapping
        The functions of the project that the model calls, as `ProjectFunction.facts` writes them.
    """

    format: str
    columns: tuple[Mapping[str, Any], ...]
    files: Mapping[str, str]
    functions: tuple[Mapping[str, Any], ...] = ()


def write_manifest(
    folder: Path,
    *,
    format: str,
    safe: bool,
    columns: Sequence[Mapping[str, Any]],
    functions: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write the manifest of a folder that is otherwise complete."""
    content = {"format": format, "safe": safe, "columns": list(columns), "files": file_digests(folder)}
    content["project_functions"] = list(functions)
    text = json.dumps(content, allow_nan=False, sort_keys=True, indent=1)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def checked_manifest(folder: Path, what: str) -> Manifest:
    """Return the manifest of `folder`, whose files are exactly those that it lists; `what` begins a refusal.

    Raises
    ------
    ArtifactChanged
        If the manifest cannot be read, or a file is not as it says.
    """
    try:
        raw = (folder / MANIFEST).read_bytes()
        content = json.loads(raw)
        columns, functions = tuple(content["columns"]), tuple(content["project_functions"])
        manifest = Manifest(str(content["format"]), columns, dict(content["files"]), functions)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactChanged(
            f"{what} has no {MANIFEST} that can be read ({type(error).__name__}: {error}): fetch it again from the "
            "registry."
        ) from error
    check_digests(folder, {**manifest.files, MANIFEST: hashlib.sha256(raw).hexdigest()}, what)
    return manifest
