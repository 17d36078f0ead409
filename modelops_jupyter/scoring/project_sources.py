"""Which functions of a project can be kept with a model, and why another cannot."""

from __future__ import annotations

import ast
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import CellType, FunctionType, ModuleType
from typing import Any

from ..errors import UnsafeArtifact
from .flavors._function_marks import functions_in
from .flavors._refusal_text import UNSAFE
from .project_code import ProjectCode, ProjectFunction, SourceFile, kept_file, run

MOST_BYTES, LONGEST_LINE = 100_000, 500  # of a file that somebody is to read
_INSTALLED = ("site-packages", "dist-packages")
_LIBRARIES = ("stdlib", "platstdlib", "purelib", "platlib")
# What could make a reader see another text than Python does, or steer a terminal.
_CONTROL = re.compile(
    r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_COMPUTED = {"__import__", "eval", "exec"}  # code, or imports, that nobody can read off the file
_COMPUTED_IMPORTS = {"importlib", "imp", "pkgutil", "runpy"}
_MISSING = object()


class _Unkeepable(Exception):
    """Why a function cannot be kept, behind its name, and what to do about it."""

    def __init__(self, reason: str, way: str) -> None:
        super().__init__(reason)
        self.way = way


def project_code(model: Any, project: Path) -> tuple[ProjectCode, dict[FunctionType, str]]:
    """Return what of the project a live model calls, and the name of each such function.

    Raises
    ------
    UnsafeArtifact
        If it calls a function of the project, or of a notebook, that cannot be kept.
    """
    kept: dict[FunctionType, SourceFile] = {}
    for path, function in functions_in(model):
        if function in kept or not _is_of_project(function, project):
            continue
        try:
            kept[function] = _source_of(function, project)
            if _is_other_release(kept[function], kept.values()):
                raise _Unkeepable("is of another release of its file than the rest of the model", "fit it anew")
        except _Unkeepable as error:
            name = f"{function.__module__}.{function.__qualname__}"
            raise UnsafeArtifact(f"model{path} is {name}, which {error}: {error.way}, or {UNSAFE}.") from error
    names = {function: f"{file.module}.{function.__name__}" for function, file in kept.items()}
    functions = {
        names[function]: ProjectFunction(names[function], file.kept_as, file.sha256) for function, file in kept.items()
    }
    return ProjectCode(tuple(functions.values()), tuple(dict.fromkeys(kept.values()))), names


def _is_other_release(file: SourceFile, others: Iterable[SourceFile]) -> bool:
    return any(other.path == file.path and other.content != file.content for other in others)


def _is_of_project(function: FunctionType, project: Path) -> bool:
    """Return whether a function is of a notebook, of a script that runs, or of a file in the project's folder."""
    if function.__module__ == "__main__" or kept_file(function) is not None:
        return True
    module = sys.modules.get(function.__module__)
    return module is not None and _is_inside(getattr(module, "__file__", None), project)


def _is_inside(file: str | None, project: Path) -> bool:
    """Return whether a file is in the project's folder, and of no library that is installed there."""
    if file is None:
        return False
    path = Path(os.path.realpath(file))
    installed = {os.path.realpath(sysconfig.get_path(name)) for name in _LIBRARIES}
    if any(part in path.parts for part in _INSTALLED) or any(path.is_relative_to(folder) for folder in installed):
        return False
    return path.is_relative_to(os.path.realpath(project))


def _source_of(function: FunctionType, project: Path) -> SourceFile:
    """Return the file to keep for a function.

    Raises
    ------
    _Unkeepable
        If it is not plain, or takes more than its file.
    """
    read_from = kept_file(function)
    if read_from is not None:
        return read_from
    _check_plain(function)
    module = sys.modules[function.__module__]
    path = Path(os.path.realpath(str(module.__file__)))
    inside = path.relative_to(os.path.realpath(project)).as_posix()
    if path.suffix != ".py":
        raise _Unkeepable(f"is of {inside}, which is not Python's text", "write it in a .py file of the project")
    file = SourceFile(function.__module__, inside, _read(path, inside))
    _check_imports(file, project)
    _check_in_memory(file, module)
    return file


def _check_plain(function: FunctionType) -> None:
    """Raise where the file would not define a function again under its name."""
    top = "write it with def at the top level of a .py file in the project, import it from there and fit again"
    if function.__module__ == "__main__":
        raise _Unkeepable("is defined in a notebook or in the script that runs", top)
    if function.__name__ == "<lambda>":
        raise _Unkeepable("has no name to be found by", top)
    if function.__qualname__ != function.__name__:
        raise _Unkeepable("is defined inside of another function or class", top)
    if function.__closure__ is not None:
        raise _Unkeepable("holds values of the function or decorator that made it", top)
    if getattr(sys.modules[function.__module__], function.__name__, None) is not function:
        raise _Unkeepable("its module has replaced since", "fit again with the function that is there now")


def _read(path: Path, inside: str) -> bytes:
    try:
        content = path.read_bytes()
        text = content.decode()
        ast.parse(text)
    except (OSError, ValueError, SyntaxError) as error:
        reason = next(iter(str(error).splitlines()), "").rstrip(".")
        raise _Unkeepable(f"is of {inside}, which cannot be read ({reason})", "fix the file") from error
    if len(content) > MOST_BYTES:
        way = "put the function into a file of its own"
        raise _Unkeepable(f"is of {inside}, whose {len(content):,} bytes are more than a person reads", way)
    if any(len(line) > LONGEST_LINE for line in text.splitlines()):
        raise _Unkeepable(f"is of {inside}, which has a line that no reader sees the end of", "break its long lines")
    if _CONTROL.search(text):
        raise _Unkeepable(
            f"is of {inside}, which holds characters that no page shows", "write them as escapes (\\u200b)"
        )
    return content


def _check_imports(file: SourceFile, project: Path) -> None:
    """Raise where a file imports more of the project, what is not installed, or what nobody can read off it."""
    tree = ast.parse(file.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "__file__":
            raise _Unkeepable(f"is of {file.path}, which asks where it lies", "put what it reads there into the code")
        if isinstance(node, ast.Name) and node.id in _COMPUTED:
            raise _Unkeepable(f"is of {file.path}, which runs code that it computes ({node.id})", "write it out")
    for name in imported_names(tree):
        package = name.partition(".")[0]
        if package in _COMPUTED_IMPORTS:
            raise _Unkeepable(f"is of {file.path}, which imports by computed names ({package})", "write them out")
        if not package or _is_of_folder(package, project):
            way = f"put what it needs of that into {file.path}"
            raise _Unkeepable(f"is of {file.path}, which imports {name}, another module of the project", way)


def imported_names(tree: ast.AST) -> Iterator[str]:
    """Yield the name of every module that a file imports, wherever in it; relative ones begin with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def _is_of_folder(package: str, project: Path) -> bool:
    """Return whether a top-level module is one of the project, or of nobody: one of its name may turn up there."""
    if package in sys.builtin_module_names:
        return False
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return True
    if spec is None:
        return True
    places = [*(spec.submodule_search_locations or ())] if spec.origin in (None, "namespace") else [spec.origin]
    return any(_is_inside(place, project) for place in places)


def _check_in_memory(file: SourceFile, module: ModuleType) -> None:
    """Raise where the file, run anew, does not give what this process has: the model was fitted with that."""
    try:
        anew = run(file)
    except Exception as error:  # whatever the project's code raises
        reason = next(iter(str(error).splitlines()), "").rstrip(".")
        text = f"is of {file.path}, which cannot be run by itself ({type(error).__name__}: {reason})"
        raise _Unkeepable(text, "fix the file") from error
    for name, value in vars(anew).items():
        if not name.startswith("__") and _differs(vars(module).get(name, _MISSING), value, {}):
            raise _Unkeepable(
                f"is of {file.path}, where {name} is another than in this process",
                "restart the kernel and fit again, and let no function change a variable of the file",
            )


def _differs(live: Any, anew: Any, seen: dict[tuple[int, int], Any]) -> bool:
    """Return whether two values of a name are known to differ; what cannot be compared is taken for equal.

    Pairs that are being compared are `seen`, and held there: what refers to itself comes to an end.
    """
    pair = id(live), id(anew)
    if live is anew or pair in seen:
        return False
    seen[pair] = live, anew
    if type(live).__qualname__ != type(anew).__qualname__:
        return True
    if isinstance(anew, FunctionType):
        return live.__code__ != anew.__code__ or _differs(_held(live), _held(anew), seen)
    if isinstance(anew, type):
        own = {name: _plain(value) for name, value in vars(anew).items() if isinstance(_plain(value), FunctionType)}
        return any(_differs(_plain(vars(live).get(name)), value, seen) for name, value in own.items())
    if hasattr(anew, "__wrapped__"):  # by functools.cache, say
        return _differs(getattr(live, "__wrapped__", None), anew.__wrapped__, seen)
    if isinstance(anew, list | tuple):
        return len(live) != len(anew) or any(_differs(a, b, seen) for a, b in zip(live, anew, strict=True))
    if isinstance(anew, dict):
        return live.keys() != anew.keys() or any(_differs(live[key], value, seen) for key, value in anew.items())
    if isinstance(anew, str | bytes | int | float | complex | set | frozenset):
        return bool(live != anew and anew == anew)  # NaN is not equal to itself
    if type(anew).__module__.partition(".")[0] == "pandas" and hasattr(anew, "equals"):
        return not anew.equals(live)
    if type(anew).__module__ == "numpy" and hasattr(anew, "tobytes") and not anew.dtype.hasobject:
        return bool(live.dtype != anew.dtype or live.shape != anew.shape or live.tobytes() != anew.tobytes())
    return False


def _held(function: FunctionType) -> list[Any]:
    """Return what a function holds beside its code: defaults, and the values of the function that made it."""
    cells = [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]
    return [function.__defaults__, function.__kwdefaults__, *cells]


def _plain(member: Any) -> Any:
    """Return the function inside of a property, a static or a class method; any other member as it is."""
    return getattr(member, "fget", None) or getattr(member, "__func__", member)
