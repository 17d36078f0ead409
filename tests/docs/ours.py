"""What names there are in the package, read from its source: for tests that hold pages and docstrings against it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "modelops_jupyter"
Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Names:
    """The names of the package: modules by dotted path, with what each defines; classes with their members."""

    modules: dict[str, set[str]] = field(default_factory=dict)
    classes: dict[str, set[str]] = field(default_factory=dict)
    bases: dict[str, set[str]] = field(default_factory=dict)
    docstrings: list[tuple[str, str]] = field(default_factory=list)

    def members(self, cls: str) -> set[str]:
        """Return the members of a class, those of its bases included."""
        inherited = (self.members(base) for base in self.bases.get(cls, ()) if base in self.classes)
        return self.classes[cls].union(*inherited)

    def modules_ending(self, words: Sequence[str]) -> list[str]:
        """Return the modules whose path ends in these words."""
        return [path for path in self.modules if path.split(".")[-len(words) :] == list(words)]

    def has(self, dotted: str) -> bool:
        """Return whether a dotted name leads to something of the package: module, module.name or Class.member."""
        words = dotted.split(".")
        if self.modules_ending(words):
            return True
        if any(words[-1] in self.modules[path] for path in self.modules_ending(words[:-1])):
            return True
        if words[-2] in self.classes and words[-1] in self.members(words[-2]):
            return len(words) == 2 or self.has(".".join(words[:-1]))
        return False

    def is_ours(self, dotted: str) -> bool:
        """Return whether a dotted name begins as one of the package does."""
        first = dotted.split(".")[0]
        return first in self.classes or bool(self.modules_ending([first]))


@cache
def names() -> Names:
    """Return every name of the package."""
    all_names = Names()
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text())
        path = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        all_names.modules[path] = set(_defined(tree))
        for scope in ast.walk(tree):
            if isinstance(scope, ast.ImportFrom):
                all_names.modules[path] |= {alias.asname or alias.name for alias in scope.names}
            if isinstance(scope, ast.ClassDef):
                members = set(_defined(scope)) | set(_assigned_to_self(scope))
                all_names.classes.setdefault(scope.name, set()).update(members)
                bases = {base.id for base in scope.bases if isinstance(base, ast.Name)}
                all_names.bases.setdefault(scope.name, set()).update(bases)
            if isinstance(scope, Scope) and (text := ast.get_docstring(scope)):
                all_names.docstrings.append((f"{file.relative_to(ROOT)}:{getattr(scope, 'name', 'module')}", text))
    return all_names


def _defined(scope: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in scope.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            targets = (name for target in node.targets for name in ast.walk(target))
            yield from (name.id for name in targets if isinstance(name, ast.Name))


def _assigned_to_self(cls: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(cls):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
