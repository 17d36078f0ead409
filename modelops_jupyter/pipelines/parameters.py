"""What a notebook's `parameters` cell declares: name, type, default and help.

papermill's own reader is a regular expression and drops annotations such as ``float | None``; this one parses.
"""

from __future__ import annotations

import ast
import io
import json
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelops_jupyter.errors import InvalidPipeline, NotFound
from modelops_jupyter.listing import Listing


@dataclass(frozen=True)
class Parameter:
    """One declared parameter; `type` and `default` are source text, `help` is the comment behind it."""

    name: str
    type: str | None
    default: str
    help: str

    @property
    def value(self) -> Any:
        """The default as a value, or None where it is no literal."""
        try:
            return ast.literal_eval(self.default)
        except ValueError:
            return None

    @property
    def choices(self) -> tuple[Any, ...]:
        """What a ``Literal[...]`` type allows; nothing for other types."""
        try:
            node = ast.parse(self.type or "", mode="eval").body
            if isinstance(node, ast.Constant) and isinstance(node.value, str):  # a quoted annotation
                node = ast.parse(node.value, mode="eval").body
            if isinstance(node, ast.Subscript) and ast.unparse(node.value).rpartition(".")[2] == "Literal":
                found = ast.literal_eval(node.slice)
                return found if isinstance(found, tuple) else (found,)
        except (SyntaxError, ValueError):  # no annotation that can be read: whatever it allows, nobody can say
            return ()
        return ()


def list_parameters(notebook: Path) -> Listing:
    """Return what a notebook declares, a row per parameter.

    Raises
    ------
    NotFound
        If there is no such notebook.
    InvalidPipeline
        As in `read_parameters`.
    """
    if notebook.suffix != ".ipynb" or not notebook.is_file():
        raise NotFound(f"There is no notebook {str(notebook)!r}.")
    rows = tuple({**vars(p), "value": p.value, "choices": list(p.choices)} for p in read_parameters(notebook))
    columns = ("name", "type", "default", "help")
    return Listing(f"Parameters of {notebook.name}", columns, rows, "No cell is tagged `parameters`.")


def read_parameters(notebook: Path) -> tuple[Parameter, ...]:
    """Return what the first cell tagged ``parameters`` declares, in order; nothing without such a cell.

    Raises
    ------
    InvalidPipeline
        If the file is no notebook, or the cell is no Python.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidPipeline(f"{notebook} is no notebook: {error}.") from error
    for cell in cells:
        if "parameters" in cell.get("metadata", {}).get("tags", ()):
            source = "".join(cell["source"])
            try:
                return tuple(_declared(source))
            except (SyntaxError, tokenize.TokenError) as error:
                raise InvalidPipeline(f"The parameters cell of {notebook} is no Python: {error}.") from error
    return ()


def _declared(source: str) -> list[Parameter]:
    comments = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = []
    for node in ast.parse(source).body:
        target: ast.expr | None = None
        kind: str | None = None
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            target, kind = node.target, ast.unparse(node.annotation)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
        if isinstance(target, ast.Name) and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            remark = comments.get(node.end_lineno or 0, "")
            found.append(Parameter(target.id, kind, ast.unparse(node.value), remark))
    return found
