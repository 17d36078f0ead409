"""An exact lock of the environment that a version was registered in."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from modelops_jupyter.provenance.git import ask_git
from modelops_jupyter.settings import redacted

LOCK = "environment.lock.json"


@dataclass(frozen=True)
class Installed:
    """One distribution as its files describe it; `directory` is where an editable or local install is from."""

    name: str
    entry: Mapping[str, Any]
    record: str
    directory: Path | None = None


@dataclass(frozen=True)
class Environment:
    """All distributions on ``sys.path``; `unlocked` are those whose name or version is not known, with the reason."""

    installed: tuple[Installed, ...]
    unlocked: tuple[Mapping[str, str], ...]

    def distribution(self, name: str) -> Installed | None:
        """Return a distribution by its name."""
        wanted = _canonical(name)
        return next((item for item in self.installed if _canonical(item.name) == wanted), None)

    def distribution_of(self, module: str) -> Installed | None:
        """Return the distribution that a top-level module is from."""
        files = [f"\n{module}{rest}" for rest in ("/", ".py,", ".cpython-", ".abi3")]
        holds = (item for item in self.installed if any(file in f"\n{item.record}" for file in files))
        return next(holds, None)


def lock(environment: Environment) -> dict[str, Any]:
    """Return an environment as JSON data: every distribution with version, hash and origin; Python; platform."""
    conda = _conda()
    return {
        "lock_version": 1,
        "python": {"implementation": platform.python_implementation(), "version": platform.python_version()},
        "platform": _platform(),
        **({"conda": conda} if conda else {}),
        # What is under git may be edited at any time, so that is asked anew.
        "distributions": [{**item.entry, **_commit_of(item.directory)} for item in environment.installed],
        "unlocked": list(environment.unlocked),
    }


def installed() -> Environment:
    """Return what is installed now; read anew once anything on ``sys.path`` was installed or removed."""
    return _installed(tuple((entry, _metadata_in(entry)) for entry in dict.fromkeys(sys.path)))


def _metadata_in(entry: str) -> tuple[tuple[str, int], ...]:
    """Return the folders of metadata in a folder of ``sys.path``, and when each was last written."""
    try:
        with os.scandir(entry or ".") as files:
            own = [file for file in files if file.name.endswith((".dist-info", ".egg-info"))]
            return tuple(sorted((file.name, file.stat().st_mtime_ns) for file in own))
    except OSError:  # an archive, or a path that is not there
        return ()


@lru_cache(maxsize=1)
def _installed(state: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]) -> Environment:
    locked: dict[str, Installed] = {}
    unlocked: dict[str, dict[str, str]] = {}
    for distribution in metadata.distributions(path=[entry for entry, _ in state]):
        where = Path(str(distribution.locate_file(""))).name
        try:
            item = _read(distribution)
        except Exception as error:  # whatever is wrong with one says nothing of the others
            folder = Path(str(getattr(distribution, "_path", where))).name
            plain = isinstance(error, OSError | ValueError)
            reason = str(error) if plain else f"its metadata cannot be read ({type(error).__name__}: {error})"
            unlocked.setdefault(folder, {"name": folder, "reason": reason})
            continue
        locked.setdefault(_canonical(item.name), item)  # the first on the path is the one that is imported
    items = sorted(locked.values(), key=lambda item: _canonical(item.name))
    return Environment(tuple(items), tuple(unlocked[name] for name in sorted(unlocked)))


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(distribution: metadata.Distribution) -> Installed:
    """Return what a distribution says of itself; raises ValueError with the reason where that is too little."""
    header = (distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or "").partition("\n\n")[0]
    name, version = (re.search(rf"^{field}: *(\S+) *$", header, re.M | re.I) for field in ("Name", "Version"))
    if name is None or version is None:
        missing = "metadata" if not header else "name" if name is None else "version"
        raise ValueError(f"it has no {missing}")
    record = distribution.read_text("RECORD") or ""
    origin, directory = _origin(distribution.read_text("direct_url.json"))
    entry: dict[str, Any] = {"name": name[1], "version": version[1], **origin}
    if "hash" not in entry and record:
        entry.update(hash=f"sha256:{hashlib.sha256(record.encode()).hexdigest()}", hash_of="RECORD")
    if "hash" not in entry and "commit" not in entry and directory is None:
        entry["reason"] = "it keeps no RECORD of its files"
    installer = (distribution.read_text("INSTALLER") or "").strip()
    return Installed(name[1], {**entry, **({"installer": installer} if installer else {})}, record, directory)


def _origin(direct_url: str | None) -> tuple[dict[str, Any], Path | None]:
    """Return where an install that is not from an index came from (PEP 610), and the folder it was made from."""
    if not direct_url:
        return {}, None
    content = json.loads(direct_url)
    url = str(content.get("url", ""))
    if "vcs_info" in content:
        source = content["vcs_info"]
        return {"vcs": source.get("vcs"), "url": redacted(url), "commit": source["commit_id"]}, None
    if "archive_info" in content:
        archive = content["archive_info"]
        hashes = {**archive.get("hashes", {}), **dict([archive["hash"].split("=", 1)] if archive.get("hash") else [])}
        shown = Path(urlsplit(url).path).name if url.startswith("file:") else redacted(url)
        digest = {"hash": f"sha256:{hashes['sha256']}", "hash_of": "archive"} if "sha256" in hashes else {}
        return {"url": shown, **digest}, None
    folder = Path(unquote(urlsplit(url).path))
    editable = bool(content.get("dir_info", {}).get("editable"))
    return {"local": folder.name, "editable": editable}, folder


def _commit_of(folder: Path | None) -> dict[str, Any]:
    """Return the git commit of a folder and whether it has been edited since, or why neither is known."""
    if folder is None:
        return {}
    commit, changes = ask_git(folder, "rev-parse", "HEAD"), ask_git(folder, "status", "--porcelain", "--", ".")
    if commit is None or changes is None:
        return {"reason": "a local install whose sources are not known: it is not under git, or git did not answer"}
    return {"commit": commit, "dirty": bool(changes)}


def _platform() -> dict[str, str]:
    libc = " ".join(platform.libc_ver()).strip()
    known = {"system": platform.system(), "machine": platform.machine(), "libc": libc}
    return {name: value for name, value in known.items() if value}


def _conda() -> dict[str, Any] | None:
    """Return the conda environment that Python is of, with every package and build in it; None outside one."""
    folder = Path(sys.prefix, "conda-meta")
    if not folder.is_dir():
        return None
    name = os.environ.get("CONDA_DEFAULT_ENV") or Path(sys.prefix).name
    return {"environment": Path(name).name, "packages": sorted(file.stem for file in folder.glob("*.json"))}
