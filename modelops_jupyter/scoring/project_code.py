"""Functions of the user's project that a model calls: the file of each is kept with the version, and runs from there.

Such a version runs code, which a person can read. A function is kept only where its file is all that it takes: it
imports installed libraries and nothing else of the project, does not ask where it lies, and does what the function in
memory does. The kept file runs as a module of its own, which is in nobody's ``sys.modules`` once it has been read.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from threading import Lock
from types import FunctionType, ModuleType
from typing import Any

from ..errors import ArtifactChanged, LibraryMissing, UnsafeArtifact

FOLDER = "code/project"
_KEPT = "__kept_project_code__"  # among the globals of a kept module: the file that it was read from
_running = Lock()


@dataclass(frozen=True)
class ProjectFunction:
    """A function of the project that a version calls.

    Attributes
    ----------
    function : str
        As it is imported in the project: ``features.log_price``.
    file : str
        The kept file that defines it, by its path in the version's folder.
    sha256 : str
        Of that file.
    """

    function: str
    file: str
    sha256: str

    def facts(self) -> dict[str, str]:
        """Return what goes on record."""
        return asdict(self)


@dataclass(frozen=True)
class SourceFile:
    """A module of the project as it was read.

    Attributes
    ----------
    module : str
        The name under which the project imports it.
    path : str
        Its path from the project's folder.
    """

    module: str
    path: str
    content: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """Its text as it is shown: what it says of its own encoding counts for nothing, so that this is what runs."""
        return self.content.decode()

    @property
    def sha256(self) -> str:
        """The digest of its bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def kept_as(self) -> str:
        """Its path in a version's folder."""
        return f"{FOLDER}/{self.path}"


@dataclass(frozen=True)
class ProjectCode:
    """What of a project a model calls, and the files that this takes."""

    functions: tuple[ProjectFunction, ...] = ()
    files: tuple[SourceFile, ...] = field(default=(), repr=False)

    def write(self, folder: Path) -> None:
        """Write the files into a version's folder."""
        for file in self.files:
            target = folder / file.kept_as
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)


def run(file: SourceFile) -> ModuleType:
    """Return the module that a file is, under a name that no other module bears.

    It is not left in ``sys.modules``: nothing can import it by mistake, and worker processes are sent its functions
    with their code. Tracebacks and ``inspect.getsource`` show its lines.
    """
    name = f"modelops_project_{file.sha256[:16]}"
    label = f"<{file.path}, SHA-256 {file.sha256[:12]}>"
    module = ModuleType(name)
    module.__dict__[_KEPT] = file
    code = compile(file.text, label, "exec", dont_inherit=True)
    linecache.cache[label] = (len(file.content), None, file.text.splitlines(keepends=True), label)
    with _running:  # what looks its own module up while it is built, such as a dataclass, finds it
        sys.modules[name] = module
        try:
            exec(code, module.__dict__)
        finally:
            sys.modules.pop(name, None)
    return module


def kept_file(function: FunctionType) -> SourceFile | None:
    """Return the kept file that a function was read from; None of any other function."""
    file = function.__globals__.get(_KEPT)
    return file if isinstance(file, SourceFile) else None


def load_functions(folder: Path, functions: Iterable[Mapping[str, Any]]) -> dict[str, FunctionType]:
    """Return the functions on record by their names, each from the file that is kept in a version's folder.

    Raises
    ------
    ArtifactChanged
        If a file is not the one on record, or does not define the function.
    LibraryMissing
        If a file imports a library that is not installed.
    UnsafeArtifact
        If a file cannot be run.
    """
    modules: dict[str, ModuleType] = {}
    loaded = {}
    for function in functions:
        name, file, expected = (str(function[key]) for key in ("function", "file", "sha256"))
        if file not in modules:
            modules[file] = _run_kept(_read_kept(folder, name.rpartition(".")[0], file, expected))
        candidate = vars(modules[file]).get(name.rpartition(".")[2])
        if not isinstance(candidate, FunctionType):
            raise ArtifactChanged(f"{file!r} of the version defines no function {name!r}: register the model again.")
        loaded[name] = candidate
    return loaded


def _read_kept(folder: Path, module: str, file: str, expected: str) -> SourceFile:
    inside = PurePosixPath(file)
    path = folder / inside
    if not inside.is_relative_to(FOLDER) or ".." in inside.parts or not path.is_file():
        raise ArtifactChanged(f"{file!r}, the project's code that the model calls, is gone: register the model again.")
    source = SourceFile(module, inside.relative_to(FOLDER).as_posix(), path.read_bytes())
    if source.sha256 != expected:
        raise ArtifactChanged(
            f"{file!r}, the project's code that the model calls, is not what was registered: register the model again."
        )
    return source


def _run_kept(file: SourceFile) -> ModuleType:
    try:
        return run(file)
    except ImportError as error:
        raise LibraryMissing(
            f"The model calls functions of {file.kept_as}, which cannot be imported ({error}): install what the "
            "version's requirements.txt lists."
        ) from error
    except Exception as error:  # whatever the project's code raises
        reason = next(iter(str(error).splitlines()), "").rstrip(".")
        raise UnsafeArtifact(
            f"The model calls functions of {file.kept_as}, which cannot be run here ({type(error).__name__}: "
            f"{reason}): load it in the environment that its environment.lock.json describes."
        ) from error
