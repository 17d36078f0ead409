"""Proof of bytes: the SHA-256 of every file of a version."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ..errors import ArtifactChanged

# What MLflow 3 itself writes into a version's own folder, and when. It hands local artifacts out in place, so reading
# a version leaves these behind. Everything else that appears there is foreign.
MLFLOW_FILES: Mapping[str, str] = {
    "registered_model_meta": "download_artifacts, load_model, serve and predict of a models:/ address",
}
MOST_MLFLOW_BYTES = 4096  # a model's name and version, as YAML

# Python keeps there what it has compiled of code beside a model. It is no part of a version, and is never loaded.
COMPILED = "__pycache__"


def is_compiled(name: str) -> bool:
    """Tell whether a file of a folder, by its path inside, lies where Python keeps what it has compiled.

    >>> is_compiled("code/__pycache__/x.cpython-311.pyc"), is_compiled("code/x.pyc")
    (True, False)
    """
    return COMPILED in name.split("/")[:-1]


def file_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file under `folder`, by its path inside; what Python has compiled is left out."""
    return {name: _digest(folder / name) for name in _names(folder)}


def overall_digest(digests: Mapping[str, str]) -> str:
    """Return one SHA-256 over names and digests of all files."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def changed_files(folder: Path, expected: Mapping[str, str]) -> dict[str, str]:
    """Return what is not as registered: ``is gone``, ``was added`` or ``was changed`` by file; no file of MLflow's."""
    names = _names(folder)
    foreign = (name for name in names if name not in expected and not _is_mlflows(folder, name))
    present = {name for name in names if name in expected}
    changes = {name: "was added" for name in foreign}
    for name, digest in expected.items():
        if name not in present:
            changes[name] = "is gone"
        elif _digest(folder / name) != digest:
            changes[name] = "was changed"
    return dict(sorted(changes.items()))


def check_digests(folder: Path, expected: Mapping[str, str], what: str) -> None:
    """Raise `ArtifactChanged`, naming the file, unless `folder` holds exactly the registered bytes.

    The files that MLflow itself leaves in a version's folder (`MLFLOW_FILES`) are passed over.
    """
    changes = changed_files(folder, expected)
    if changes:
        name, state = next(iter(changes.items()))
        raise ArtifactChanged(
            f"{what} is not what was registered: {name!r} {state}. Register it again as a new version."
        )


def _names(folder: Path) -> list[str]:
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if not is_compiled(name))


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_mlflows(folder: Path, name: str) -> bool:
    """Tell whether a file is one that MLflow leaves behind: known by name, at the top, small, and no link."""
    file = folder / name
    return name in MLFLOW_FILES and not file.is_symlink() and file.stat().st_size <= MOST_MLFLOW_BYTES
