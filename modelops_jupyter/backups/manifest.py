"""What a backup says of itself: every file with its size and SHA-256, and where the audit chain ended."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from modelops_jupyter.errors import StoreDamaged, StoreTooNew

NAME = "modelops-backup.json"
FORMAT = 1
CHUNK = 1 << 20
MOST_BYTES = 1 << 28  # of a manifest
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Content:
    """One file of a backup.

    Attributes
    ----------
    mode : int
        Who may read, write and execute it, as in ``chmod``.
    """

    size: int
    sha256: str
    mode: int


@dataclass(frozen=True)
class Manifest:
    """What is in a backup.

    Attributes
    ----------
    made_by : str
        The release of modelops-jupyter.
    store : str
        The path of the store.
    sequence, hash : int, str
        Where the audit chain ended.
    databases : tuple of str
        The paths of the store and of MLflow's database: other files may be SQLite's too, and are as they are.
    files : mapping of str to Content
        By path, from the project's folder on.
    """

    made_by: str
    created_at: str
    store: str
    sequence: int
    hash: str
    databases: tuple[str, ...]
    files: Mapping[str, Content]

    def to_json(self) -> str:
        """Return the manifest as it is written."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True)


def read_manifest(data: bytes, where: str) -> Manifest:
    """Read a manifest strictly.

    Raises
    ------
    StoreDamaged
        If it is none, or names a path that leads elsewhere.
    StoreTooNew
        If a newer release wrote it.
    """
    try:
        body: dict[str, Any] = json.loads(data)
        number = body.pop("format")
        if type(number) is int and number > FORMAT:
            raise StoreTooNew(
                f"{where} is a backup of format {number}, which a newer modelops-jupyter wrote; this one reads "
                f"{FORMAT}: upgrade with `pip install --upgrade modelops-jupyter`."
            )
        files = {path: Content(**content) for path, content in body.pop("files").items()}
        databases = tuple(body.pop("databases"))
        manifest = Manifest(**body, databases=databases, files=files)
        whole = number == FORMAT and isinstance(manifest.sequence, int)
        whole = whole and manifest.store in databases and {*databases} <= files.keys()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreDamaged(f"{where} cannot be read ({error}): use another backup.") from error
    strange = next((path for path, content in files.items() if not _is_sound(path, content)), None)
    if strange is not None or not whole:
        raise StoreDamaged(f"{where} is no manifest of a backup ({strange or number!r}): use another backup.")
    return manifest


def _is_sound(path: str, content: Content) -> bool:
    """Return whether a path stays below the folder that it is restored to, and what is said of its file makes sense."""
    parts = PurePosixPath(path).parts
    stays = bool(parts) and "\\" not in path and "\0" not in path and str(PurePosixPath(path)) == path
    stays = stays and not path.startswith("/") and ".." not in parts
    is_size = type(content.size) is int and content.size >= 0
    is_mode = type(content.mode) is int and 0 <= content.mode <= 0o777
    return stays and is_size and is_mode and isinstance(content.sha256, str) and bool(_DIGEST.fullmatch(content.sha256))
