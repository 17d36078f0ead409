"""Proof of bytes: the SHA-256 of every file of a version."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ..errors import ArtifactChanged


def file_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file under `folder`, by its path inside."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def overall_digest(digests: Mapping[str, str]) -> str:
    """Return one SHA-256 over names and digests of all files."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def check_digests(folder: Path, expected: Mapping[str, str], what: str) -> None:
    """Raise `ArtifactChanged`, naming the file, unless `folder` holds exactly the registered bytes."""
    found = file_digests(folder)
    for name in sorted({*expected, *found}):
        if found.get(name) == expected.get(name):
            continue
        state = "is gone" if name not in found else "was added" if name not in expected else "was changed"
        raise ArtifactChanged(
            f"{what} is not what was registered: {name!r} {state}. Register it again as a new version."
        )
