"""Where a workspace lives and how it behaves: defaults < modelops.toml < MODELOPS_* variables."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelops_jupyter.errors import InvalidInput, NotFound

FILE_NAME = "modelops.toml"
_KEYS = ("workspace", "tracking_uri", "policy", "actor", "alert_budget")


@dataclass(frozen=True)
class Settings:
    """Everything a workspace needs to know before it opens.

    Attributes
    ----------
    project : Path
        The folder the user works in; relative paths in ``modelops.toml`` start here.
    root : Path
        The workspace's own folder, created on first write.
    tracking_uri : str or None
        An MLflow tracking and registry address; None means SQLite and local files under `root`.
    policy : Path or None
        The policy file; None means the policy the package ships.
    actor : str or None
        The name that goes on record.
    alert_budget : str or None
        How many false alerts of a model are accepted where the monitor was not told: ``1/month``.
    """

    project: Path
    root: Path
    tracking_uri: str | None = None
    policy: Path | None = None
    actor: str | None = None
    alert_budget: str | None = None

    @property
    def store_path(self) -> Path:
        """SQLite file of the store."""
        return self.root / "modelops.db"

    @property
    def mlflow_path(self) -> Path:
        """SQLite file of the embedded MLflow registry."""
        return self.root / "mlflow.db"

    @property
    def artifacts_path(self) -> Path:
        """Folder of the embedded MLflow artifacts."""
        return self.root / "artifacts"

    @property
    def log_path(self) -> Path:
        """Folder of the prediction log's Delta tables."""
        return self.root / "log"

    @property
    def runs_path(self) -> Path:
        """Folder of executed pipeline notebooks."""
        return self.root / "runs"

    @property
    def lock_path(self) -> Path:
        """File that is locked while databases are created or migrated."""
        return self.root / "create.lock"


def find_settings(path: str | os.PathLike[str] | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Work out the settings for `path`, or for the current folder.

    Parameters
    ----------
    path
        A project folder or a ``modelops.toml``. Without it, the nearest ``modelops.toml`` upwards of the current
        folder counts, else the current folder.

    Raises
    ------
    NotFound
        If `path` does not exist.
    InvalidInput
        If the settings file cannot be read or has an unknown key.
    """
    path = path or environ.get("MODELOPS_WORKSPACE") or None
    if path is None:
        here = Path.cwd()
        file = next((d / FILE_NAME for d in (here, *here.parents) if (d / FILE_NAME).is_file()), here / FILE_NAME)
    else:
        given = Path(path).expanduser().absolute()
        if not given.exists():
            raise NotFound(f"There is no folder {str(given)!r}: create it, or run `modelops init` where models live.")
        file = given if given.is_file() else given / FILE_NAME
    values = _read(file) if file.is_file() else {}
    for key in _KEYS[1:]:  # MODELOPS_WORKSPACE names the folder itself, above
        if value := environ.get(f"MODELOPS_{key.upper()}"):
            values[key] = value
    project = file.parent
    return Settings(
        project=project,
        root=(project / values.get("workspace", ".modelops")).absolute(),
        tracking_uri=values.get("tracking_uri"),
        policy=(project / values["policy"]).absolute() if "policy" in values else None,
        actor=values.get("actor"),
        alert_budget=values.get("alert_budget"),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}. Mend it or remove it.") from error
    unknown = sorted(set(values) - set(_KEYS))
    if unknown:
        raise InvalidInput(f"{file} has an unknown setting {unknown[0]!r}: known are {', '.join(_KEYS)}.")
    wrong = [key for key, value in values.items() if not isinstance(value, str)]
    if wrong:
        raise InvalidInput(f"{file}: setting {wrong[0]!r} must be text, not {values[wrong[0]]!r}.")
    unusable = [key for key, value in values.items() if not value.strip() or not value.isprintable()]
    if unusable:
        raise InvalidInput(f"{file}: setting {unusable[0]!r} cannot be {values[unusable[0]]!r}: write it out.")
    return values
