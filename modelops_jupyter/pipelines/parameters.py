"""What a notebook's `parameters` cell declares: name, type, default and help.

papermill's own reader is a regular expression and drops annotations such as ``float | None``; this one parses.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelops_jupyter.errors import InvalidPipeline, NotFound
from modelops_jupyter.listing import Listing

_IPYTHON_LINE = re.compile(r"^(\s*)([%!?].*|\S.*\?|[\w, ]+=\s*[%!].*)$")


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
        content = json.loads(notebook.read_text(encoding="utf-8"))
        sources = [source for tags, source in _tagged(content) if "parameters" in tags]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidPipeline(f"{notebook} is not a notebook: {type(error).__name__} {error}.") from error
    if not sources:
        return ()
    try:
        return tuple(_declared(_python(sources[0])))
    except (SyntaxError, tokenize.TokenError) as error:
        raise InvalidPipeline(f"The parameters cell of {notebook} is not Python: {error}.") from error


def _tagged(content: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    """Yield the tags and the source of every cell of a notebook of format 3 or 4, whatever its minor version."""
    sheets = content["worksheets"] if content.get("nbformat", 4) < 4 else [content]
    for cell in (cell for sheet in sheets for cell in sheet["cells"]):
        tags = (cell.get("metadata") or {}).get("tags") or []
        yield tags, "".join(cell.get("source") or cell.get("input") or "")


def _python(source: str) -> str:
    """Return a cell without IPython's own lines (``%magic``, ``!command``, ``help?``), line for line."""
    source = source.replace("\r\n", "\n")
    try:
        ast.parse(source)
    except SyntaxError:
        return "\n".join(_IPYTHON_LINE.sub(r"\1pass", line) for line in source.split("\n"))
    return source


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
