"""A document in GoRules' JSON Decision Model: is it one that we run, what does it read, what does it write.

zen skips a rule whose cell it cannot parse or compute, and says nothing; so every cell is compiled here, once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...errors import InvalidInput
from ._expressions import Path, paths_read

TABLE, EXPRESSIONS, SWITCH = "decisionTableNode", "expressionNode", "switchNode"
INPUT, OUTPUT = "inputNode", "outputNode"
RUNNING = frozenset({TABLE, EXPRESSIONS, SWITCH, INPUT, OUTPUT})

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One expression of a document.

    Attributes
    ----------
    text : str
        Without the blanks around it.
    where : str
        Its place in words: rule 3 of table 'care', column 'probability'.
    unary : bool
        Whether it is compared with the value of its column, as ``>= 0.45``.
    """

    text: str
    where: str
    unary: bool = False

    def check(self) -> None:
        """Raise `InvalidInput`, with the place, unless zen can compile the cell, and compute it if it is constant."""
        import zen

        example = '>= 0.45, [1..5] or "text"' if self.unary else '0.45, "text" or probability > 0.45'
        try:
            (zen.compile_unary_expression if self.unary else zen.compile_expression)(self.text)
        except RuntimeError as error:
            raise InvalidInput(
                f"{self.where}: {self.text!r} cannot be parsed ({reason(error)}); write it as in {example}."
            ) from error
        if self.unary or "$" in self.text or "#" in self.text or paths_read(self.text):
            return
        try:
            zen.evaluate_expression(self.text, {})
        except RuntimeError as error:
            raise InvalidInput(
                f"{self.where}: {self.text!r} cannot be computed ({reason(error)}); write it as in {example}."
            ) from error


def reason(error: Any) -> str:
    """Return what zen says was wrong, in one line: its errors are JSON, plain text, or text with a backtrace."""
    detail = error
    if isinstance(error, Exception):
        text = str(error).partition("Stack backtrace:")[0].removeprefix("Invalid JSON").strip()
        text = text.removeprefix("Caused by:")
        try:
            detail = json.loads(text)
        except ValueError:
            detail = text
    if isinstance(detail, Mapping):
        detail = detail.get("source", detail.get("type", detail))
    return " ".join(str(detail).split()).rstrip(".")


@dataclass(frozen=True)
class Document:
    """A JDM document as data, of which zen says that its nodes and edges form a graph."""

    body: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> Document:
        """Read and check a document.

        Raises
        ------
        InvalidInput
            If it is not a JDM document, holds a node that runs code, or a cell that cannot be parsed.
        """
        try:
            body = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"The decision table is not JSON ({error}): export it as a JDM file.") from error
        if not isinstance(body, dict) or not all(isinstance(body.get(part), list) for part in ("nodes", "edges")):
            raise InvalidInput("The decision table is not a JDM document: it has no lists of nodes and edges.")
        if "blocks" in body:
            raise InvalidInput("The decision table is a policy of blocks: export a decision graph of nodes and edges.")
        document = cls(body)
        document._check()
        return document

    def _check(self) -> None:
        """Refuse what we do not run before zen reads the document; then what zen cannot run."""
        import zen

        for node in self.body["nodes"]:
            _check_node(node)
        try:
            zen.ZenEngine().create_decision(json.dumps(self.body)).validate()
        except RuntimeError as error:
            raise InvalidInput(f"zen cannot read the decision table ({reason(error)}): check its nodes.") from error
        for node in self.nodes:
            for cell in _cells(node):
                cell.check()

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that data reach, in the document's order."""
        reached: set[str] = set()
        waiting = [node["id"] for node in self.body["nodes"] if node["type"] == INPUT]
        while waiting:
            node = waiting.pop()
            if node not in reached:
                reached.add(node)
                waiting += [edge["targetId"] for edge in self.body["edges"] if edge["sourceId"] == node]
        return tuple(node for node in self.body["nodes"] if node["id"] in reached)

    def _before(self, node: Node) -> list[Node]:
        sources = {edge["sourceId"] for edge in self.body["edges"] if edge["targetId"] == node["id"]}
        return [other for other in self.nodes if other["id"] in sources]

    def inputs(self) -> tuple[str, ...]:
        """Return the paths that rules read from outside, dotted.

        Raises
        ------
        InvalidInput
            If a node reads what no node before it hands on.
        """
        names = [node.get("name") for node in self.nodes if node["type"] == INPUT]
        paths: list[Path] = []
        for node in self.nodes:
            names_before, outside = self._available(node)
            written = [tuple(name.split(".")) for name in names_before]
            for path, where in _reads(node):
                if node["type"] == INPUT:
                    paths.append(path)
                elif path[0] == "$nodes":
                    paths += [path[2:]] if len(path) > 2 and path[1] in names else []
                elif any(path[: len(name)] == name for name in written):
                    continue
                elif outside:
                    paths.append(path)
                elif not any(name[: len(path)] == path for name in written):
                    raise InvalidInput(
                        f"{where}: {'.'.join(path)!r} is read, but the nodes before do not hand it on; put text in "
                        "quotation marks, or switch on passThrough before."
                    )
        return tuple(dict.fromkeys(".".join(path) for path in paths))

    def outputs(self) -> tuple[str, ...]:
        """Return the paths that the document's last nodes write, dotted; what they hand on comes behind."""
        sources = {edge["sourceId"] for edge in self.body["edges"]}
        last = [node for node in self.nodes if node["type"] == OUTPUT or node["id"] not in sources]
        return tuple(dict.fromkeys(name for node in last for name in self._handed_on(node)[0]))

    def tables(self) -> list[Node]:
        """Return the decision tables that data reach."""
        return [node for node in self.nodes if node["type"] == TABLE]

    def writers(self, output: str) -> list[Node]:
        """Return the nodes that write `output`."""
        return [node for node in self.nodes if output in written_by(node)]

    def _available(self, node: Node) -> tuple[list[str], bool]:
        """Return what nodes before `node` have written for it, and whether it also gets what came from outside."""
        parts = [self._handed_on(other) for other in self._before(node)]
        return [name for names, _ in parts for name in names], any(outside for _, outside in parts)

    def _handed_on(self, node: Node) -> tuple[list[str], bool]:
        """Return what a node hands on, as `_available`."""
        if node["id"] not in self._handed:
            own, passes_on = written_by(node), node["type"] not in (TABLE, EXPRESSIONS)
            written, outside = [], node["type"] == INPUT
            if passes_on or node["content"].get("passThrough"):
                before, also = self._available(node)
                written, outside = before, outside or also
            self._handed[node["id"]] = list(dict.fromkeys(own + written)), outside
        return self._handed[node["id"]]

    @cached_property
    def _handed(self) -> dict[str, tuple[list[str], bool]]:
        """What is known of `_handed_on` so far: paths through a graph may be many more than its nodes."""
        return {}


def label(node: Node) -> str:
    """Return a node's name, or its id where it has none."""
    return str(node.get("name") or node["id"])


def list_outputs(node: Node) -> list[str]:
    """Return the outputs of a table that collect a list of every rule that fits, which JDM writes as ``tags[]``."""
    fields = [str(column.get("field", "")).strip() for column in _columns(node, "outputs")]
    return [_below(node, field.removesuffix("[]").rstrip()) for field in fields if field.endswith("[]")]


def written_by(node: Node) -> list[str]:
    """Return the paths that a node writes, dotted."""
    if node["type"] == TABLE:
        fields = [str(column.get("field", "")).strip() for column in _columns(node, "outputs")]
    elif node["type"] == EXPRESSIONS:
        fields = [str(expression.get("key", "")) for expression in _expressions(node)]
    else:
        return []
    return [_below(node, field.removesuffix("[]").rstrip()) for field in fields if field]


def empty_cells(node: Node, output: str) -> list[int]:
    """Return the numbers, from 1, of a table's rules that leave `output` empty."""
    columns = [
        column["id"] for column in _columns(node, "outputs") if _below(node, str(column.get("field")).strip()) == output
    ]
    rules = enumerate(node["content"]["rules"], start=1)
    return [number for number, rule in rules for column in columns if not str(rule.get(column) or "").strip()]


def _below(node: Node, field: str) -> str:
    path = str(node["content"].get("outputPath") or "").strip()
    return f"{path}.{field}" if path else field


def _columns(node: Node, side: str) -> Sequence[Mapping[str, Any]]:
    columns = node["content"].get(side)
    return columns if isinstance(columns, list) else []


def _expressions(node: Node) -> Sequence[Mapping[str, Any]]:
    expressions = node["content"].get("expressions")
    return expressions if isinstance(expressions, list) else []


def _check_node(node: Any) -> None:
    """Refuse a node that runs code or reads other files, and one that makes a list of every row."""
    if not isinstance(node, dict) or not isinstance(node.get("id"), str):
        raise InvalidInput("The decision table is not a JDM document: each of its nodes is an object with an id.")
    if str(node.get("type")) not in RUNNING:
        raise InvalidInput(
            f"Node {label(node)!r} of the decision table is of type {node.get('type')!r}, which may run code or read "
            "other files: use decision tables, expressions and switches."
        )
    content = node.get("content")
    if node["type"] in (INPUT, OUTPUT) or not isinstance(content, dict):  # zen says where content is missing
        return
    if content.get("executionMode") == "loop":
        raise InvalidInput(
            f"Node {label(node)!r} runs once for each item of a list, but a row of data gets one decision: set its "
            "execution mode to single."
        )
    if node["type"] == TABLE and content.get("hitPolicy") != "first":
        raise InvalidInput(
            f"Table {label(node)!r} has hit policy {content.get('hitPolicy')!r}, which answers with a list of rules, "
            "but a row of data gets one decision: set its hit policy to first."
        )
    rules = content.get("rules")
    for number, rule in enumerate(rules if isinstance(rules, list) else [], start=1):
        for column, cell in rule.items() if isinstance(rule, dict) else ():
            if not isinstance(cell, str):
                where = f"Rule {number} of table {label(node)!r}, column {_title_of(node, column)!r}"
                raise InvalidInput(f"{where}: {cell!r} is not text; cells of JDM are, as in {str(cell)!r}.")


def _cells(node: Node) -> Iterator[Cell]:
    """Yield every expression of a node."""
    yield from _input_field(node)
    yield from _inner_cells(node)


def _input_field(node: Node) -> list[Cell]:
    """Return the expression that narrows what a node gets, if it has one."""
    field = str(node["content"].get("inputField") or "").strip() if node["type"] in (TABLE, EXPRESSIONS) else ""
    return [Cell(field, f"Input field of {label(node)!r}")] if field else []


def _inner_cells(node: Node) -> Iterator[Cell]:
    content = node.get("content") or {}
    if node["type"] == TABLE:
        for column in _columns(node, "inputs"):
            if str(column.get("field") or "").strip():
                yield Cell(column["field"].strip(), f"Column {_title(column)!r} of table {label(node)!r}")
        for number, rule in enumerate(content.get("rules") or [], start=1):
            yield from _cells_of_rule(node, number, rule)
    elif node["type"] == EXPRESSIONS:
        for expression in _expressions(node):
            if expression.get("key") and expression.get("value"):
                yield Cell(expression["value"], f"Expression {expression['key']!r} of {label(node)!r}")
    elif node["type"] == SWITCH:
        for number, statement in enumerate(content.get("statements") or [], start=1):
            if statement.get("condition"):
                yield Cell(statement["condition"], f"Condition {number} of switch {label(node)!r}")


def _cells_of_rule(node: Node, number: int, rule: Mapping[str, Any]) -> Iterator[Cell]:
    for side in ("inputs", "outputs"):
        for column in _columns(node, side):
            cell = rule.get(column["id"], "").strip()
            if cell:
                unary = side == "inputs" and bool(str(column.get("field") or "").strip())
                yield Cell(cell, f"Rule {number} of table {label(node)!r}, column {_title(column)!r}", unary)


def _title(column: Mapping[str, Any]) -> str:
    return str(column.get("field") or column.get("name") or column["id"])


def _title_of(node: Node, column: str) -> str:
    """Return the title of the column whose id is `column`, before zen has checked that columns are whole."""
    columns = [one for side in ("inputs", "outputs") for one in _columns(node, side) if isinstance(one, dict)]
    return next((_title(one) for one in columns if one.get("id") == column), column)


def _reads(node: Node) -> Iterator[tuple[Path, str]]:
    """Yield the paths that a node reads, each with its place."""
    if node["type"] == INPUT:
        yield from (((name,), f"Schema of {label(node)!r}") for name in _required(node))
        return
    prefix: Path = ()
    for cell in _input_field(node):
        paths = paths_read(cell.text)
        yield from ((path, cell.where) for path in paths)
        if [".".join(path) for path in paths] != [cell.text]:  # what an expression makes has names of its own
            return
        prefix = paths[0]
    for cell in _inner_cells(node):
        for path in paths_read(cell.text):
            yield (path if path[0] == "$nodes" else (*prefix, *path)), cell.where


def _required(node: Node) -> list[str]:
    """Return the names that the schema of the input asks for."""
    content = node.get("content") or {}
    try:
        schema = json.loads(content.get("schema") or "{}")
    except (TypeError, ValueError):  # zen leaves out a schema that is not JSON
        return []
    return [str(name) for name in schema.get("required", [])] if isinstance(schema, dict) else []
