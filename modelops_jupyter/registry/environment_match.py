"""Whether a version's requirements are met here, before its model answers anybody."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from modelops_jupyter.errors import LibraryMissing
from modelops_jupyter.registry.requirements import REQUIREMENTS

_PIN = re.compile(r"([A-Za-z0-9._-]+)\s*==\s*([0-9][^\s;,]*)")


def check_requirements(folder: Path, what: str) -> None:
    """Raise `LibraryMissing` if a library of a version's files is installed here in another major version.

    A library that is not installed at all is left to the loader, which knows whether another one stands in for it.
    """
    file = folder / REQUIREMENTS
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    for pin in filter(None, map(_PIN.match, lines)):
        name, wanted = pin.groups()
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if _major(installed) != _major(wanted):
            raise LibraryMissing(
                f"{what} was made with {name} {wanted}, and {installed} is installed here: serve it from an "
                f"environment that its {REQUIREMENTS} describes, or train and register it again with what is installed."
            )


def _major(version: str) -> tuple[str, ...]:
    """Return what changes where a release may break others: the first number, before 1.0 the second one too.

    >>> _major("2.4.6"), _major("0.15.1")
    (('2',), ('0', '15'))
    """
    parts = re.findall(r"\d+", version)
    return tuple(parts[:2] if parts[:1] == ["0"] else parts[:1])
