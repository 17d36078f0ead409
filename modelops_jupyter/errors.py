"""Every error of the package, in one tree.

Our exception hierarchy::

    ModelOpsError
    ├── InvalidInput            the call was wrong                (exit 2, HTTP 400), a ValueError
    │   ├── InvalidReference
    │   ├── InvalidFrame
    │   │   └── ModelFailed
    │   ├── InvalidPolicy
    │   └── InvalidPipeline
    ├── NotFound                no such model, version, alias     (exit 2, HTTP 404), a LookupError
    ├── Refused                 a gate, policy or check said no   (exit 1, HTTP 409)
    │   ├── GateClosed
    │   ├── PolicyNotEnforceable
    │   ├── UnsafeArtifact
    │   └── ArtifactChanged
    ├── Conflict                somebody else was first           (exit 1, HTTP 409)
    ├── Unexpected              nobody foresaw this               (exit 3, HTTP 500)
    └── DependencyFailed        something we rest on failed       (exit 3, HTTP 503)
        ├── StoreBusy
        ├── StoreFull
        ├── StoreDamaged
        ├── StoreTooNew
        ├── WorkspaceReadOnly
        ├── JobDamaged
        ├── LogDamaged
        ├── SourceUnreachable
        │   └── SourceFileUnreadable
        ├── RegistryUnreachable
        ├── RegistryDamaged
        ├── DeliveryFailed
        ├── LibraryMissing      an ImportError
        └── NotebookFailed

Each message says what was wrong, with which value, and what to do next. ``code`` is stable: the shell, REST and
user interfaces share it. Where a built-in error fits, ours is one as well, so that ``except ValueError`` catches a
wrong call; code that catches a built-in error around our own functions lets ours pass first.
"""

from __future__ import annotations

import errno
import os
from typing import ClassVar

LONGEST_NAME = 200  # of a path in a sentence


class ModelOpsError(Exception):
    """Base of all errors a user of the package may meet."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3
    http_status: ClassVar[int] = 500


class InvalidInput(ModelOpsError, ValueError):
    """The call was wrong: nothing was changed."""

    code = "invalid-input"
    exit_code = 2
    http_status = 400


class InvalidReference(InvalidInput):
    """A model reference that cannot be read."""

    code = "invalid-reference"


class InvalidFrame(InvalidInput):
    """A table with a missing, extra or wrongly typed column, or naive times."""

    code = "invalid-frame"


class ModelFailed(InvalidFrame):
    """A model cannot answer rows that have every column it was fitted on."""


class InvalidPolicy(InvalidInput):
    """A policy file that cannot be read."""

    code = "invalid-policy"


class InvalidPipeline(InvalidInput):
    """A pipeline file or parameter that cannot be used."""

    code = "invalid-pipeline"


class NotFound(ModelOpsError, LookupError):
    """No such model, version, alias, run or file."""

    code = "not-found"
    exit_code = 2
    http_status = 404


class Refused(ModelOpsError):
    """A gate, check or policy said no."""

    code = "refused"
    exit_code = 1
    http_status = 409


class GateClosed(Refused):
    """A required check or approval is missing."""

    code = "gate-closed"


class PolicyNotEnforceable(Refused):
    """The policy asks for a guarantee that this workspace cannot give."""

    code = "policy-not-enforceable"


class UnsafeArtifact(Refused):
    """A model format outside the allow-list."""

    code = "unsafe-artifact"


class ArtifactChanged(Refused):
    """A registered artifact no longer has the bytes that were registered."""

    code = "artifact-changed"


class Conflict(ModelOpsError):
    """Somebody else changed the same thing first."""

    code = "conflict"
    exit_code = 1
    http_status = 409


class Unexpected(ModelOpsError):
    """A fault of the package, or of an object it was given, that no other error stands for."""

    code = "internal"

    @classmethod
    def of(cls, error: Exception) -> ModelOpsError:
        """Say in one sentence what `error` was: of a path that the system refuses, which one and why."""
        path = error.filename if isinstance(error, OSError) else None
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = f" for {os.fsdecode(path)[:LONGEST_NAME]!r}" if isinstance(path, str | bytes | os.PathLike) else ""
            return StoreFull(f"No room is left{where} on a disk: free some space, then repeat.")
        if isinstance(path, str | bytes | os.PathLike) and error.strerror:  # type: ignore[attr-defined]
            name = os.fsdecode(path)
            name = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
            return InvalidInput(f"{name!r} cannot be used: {error.strerror[:1].lower()}{error.strerror[1:]}.")  # type: ignore[attr-defined]
        reason = next(iter(str(error).splitlines()), "").rstrip(".")
        kind = type(error).__name__
        return cls(f"Something went wrong ({kind}{f': {reason}' if reason else ''}): repeat with --debug to see where.")


class DependencyFailed(ModelOpsError):
    """Something the package rests on failed."""

    code = "dependency-failed"
    exit_code = 3
    http_status = 503


class StoreBusy(DependencyFailed):
    """The store stayed locked by another process."""

    code = "store-busy"


class StoreFull(DependencyFailed):
    """No room left on the disk of the store."""

    code = "store-full"


class StoreDamaged(DependencyFailed):
    """The store file cannot be read."""

    code = "store-damaged"


class StoreTooNew(DependencyFailed):
    """A newer release of the package has migrated the store."""

    code = "store-too-new"


class WorkspaceReadOnly(DependencyFailed):
    """The workspace's folder, or a file in it, cannot be written."""

    code = "workspace-read-only"


class JobDamaged(DependencyFailed):
    """The files of one job cannot be read."""

    code = "job-damaged"


class LogDamaged(DependencyFailed):
    """The prediction log cannot be read, or rows are missing from it."""

    code = "log-damaged"


class SourceUnreachable(DependencyFailed):
    """A table that others write cannot be read now."""

    code = "source-unreachable"


class SourceFileUnreadable(SourceUnreachable):
    """One file of a table that others write cannot be read; the others can.

    Parameters
    ----------
    path
        The file as its table names it; empty for the whole table of labels.
    labels
        Whether it is of the table of labels.
    cause
        What to raise where no file can be read.
    """

    code = "source-file-unreadable"

    def __init__(self, path: str, labels: bool, cause: ModelOpsError) -> None:
        super().__init__(str(cause))
        self.path, self.labels, self.cause = path, labels, cause


class RegistryUnreachable(DependencyFailed):
    """The MLflow server did not answer in time."""

    code = "registry-unreachable"


class RegistryDamaged(DependencyFailed):
    """MLflow's database or its artifacts cannot be read, or do not hold what is on record."""

    code = "registry-damaged"


class DeliveryFailed(DependencyFailed):
    """A message did not reach its target."""

    code = "delivery-failed"


class LibraryMissing(DependencyFailed, ImportError):
    """An optional library is not installed."""

    code = "library-missing"


class NotebookFailed(DependencyFailed):
    """A pipeline notebook raised, timed out or lost its kernel."""

    code = "notebook-failed"
