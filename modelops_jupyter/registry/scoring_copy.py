"""The copy of `scoring` that every version carries, so that stock MLflow loads it without modelops-jupyter.

It is one ZIP file on MLflow's ``sys.path``. A folder would be changed by being read: Python writes ``__pycache__``
beside what it imports, and a planted ``.pyc`` runs in place of a source that still has the right digest.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import modelops_jupyter.scoring
from modelops_jupyter._version import __version__

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same sources are the same bytes, whenever they are packed


@dataclass(frozen=True)
class ScoringCopy:
    """Sources under a name of their own: two releases in one process never meet in ``sys.modules``."""

    package: str
    archive: bytes

    @property
    def file(self) -> str:
        """The archive's path in a version's folder."""
        return f"code/{self.package}.zip"

    @property
    def loader_module(self) -> str:
        """The module whose ``_load_pyfunc`` MLflow calls."""
        return f"{self.package}.scoring.mlflow_loader"

    def write(self, folder: Path) -> None:
        """Write the archive into a version's folder."""
        file = folder / self.file
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(self.archive)


@cache
def scoring_copy() -> ScoringCopy:
    """Return the copy of the sources that this process runs."""
    scoring = Path(modelops_jupyter.scoring.__file__).parent
    title = f'"""Scoring of modelops-jupyter {__version__}, as it was when this version was registered."""\n'
    sources = {"__init__.py": title.encode()}
    for path in sorted([scoring.parent / "errors.py", *scoring.rglob("*.py")]):
        sources[path.relative_to(scoring.parent).as_posix()] = path.read_bytes()
    digest = hashlib.sha256()
    for name, content in sources.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    package = f"modelops_scoring_{digest.hexdigest()[:8]}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sources.items():
            entry = zipfile.ZipInfo(f"{package}/{name}", _EPOCH)
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return ScoringCopy(package, packed.getvalue())
