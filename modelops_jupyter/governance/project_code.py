"""Code of the user's project that a version runs: which functions, and the text of their files on record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

SHOWN_DIGEST = 12


def called_functions(version: Mapping[str, Any]) -> str:
    """Return the functions of the project that a version calls, on one line; empty where it calls none."""
    return ", ".join(str(function["function"]) for function in version.get("project_functions") or ())


def function_rows(version: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return each function of the project that a version calls, with its file and that file's SHA-256."""
    functions = version.get("project_functions") or ()
    return tuple((str(f["function"]), f"{f['file']}, SHA-256 {f['sha256']}") for f in functions)


def source_texts(version: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of each file of the project that a version runs, by the file's path in the version."""
    return {str(file): str(text) for file, text in (version.get("project_code") or {}).items()}


def altered_source(version: Mapping[str, Any]) -> str | None:
    """Return the first file whose text on record is not what the version runs; None where all of them are."""
    texts = source_texts(version)
    for function in version.get("project_functions") or ():
        file, digest = str(function["file"]), str(function["sha256"])
        shown = hashlib.sha256(texts.get(file, "").encode()).hexdigest()
        if not shown == digest == version["artifact_digests"].get(file):
            return file
    return None


def files_text(version: Mapping[str, Any]) -> str:
    """Return the files of the project that a version runs, each with the beginning of its SHA-256."""
    digests = {str(f["file"]): str(f["sha256"]) for f in version.get("project_functions") or ()}
    return ", ".join(f"{file}, SHA-256 {digest[:SHOWN_DIGEST]}" for file, digest in digests.items())
