"""Decision tables in GoRules' JDM format: a model whose parameters are rules, evaluated by zen-engine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InvalidFrame, InvalidInput, NotFound
from ._jdm import Document, empty_cells, label, list_outputs, reason
from ._rows import rows_as_json

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

NAME = "decision-jdm"
FILE = "decision.json"
SAFE = True
LIBRARIES: tuple[str, ...] = ("zen-engine",)

_LONGEST_ROW = 300


@dataclass(frozen=True)
class DecisionTable:
    """One JDM document, with one of its outputs named the decision.

    Attributes
    ----------
    text : str
        The document. Its member ``"decision"`` names the output that is the decision; without it, it is the first
        output of the last node.

    Raises
    ------
    InvalidInput
        If it is not a JDM document, a cell cannot be parsed, or a node runs code.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.input_fields or not self.output_fields:
            raise InvalidInput("The decision table has no input or no output field: give it both.")
        self._check_decision()

    @classmethod
    def from_file(cls, path: str | Path, decision: str | None = None) -> DecisionTable:
        """Read a JDM file; `decision` names the output that is the decision."""
        try:
            text = Path(path).read_bytes().decode("utf-8-sig")  # not read_text, which changes the ends of lines
        except OSError as error:
            raise NotFound(f"The file {str(path)!r} cannot be read ({error.strerror}): check its path.") from error
        except UnicodeDecodeError as error:
            raise InvalidInput(f"The file {str(path)!r} is not UTF-8 text: export it as a JDM file.") from error
        try:
            return cls.from_text(text, decision)
        except InvalidInput as error:
            raise InvalidInput(f"{Path(path).name}: {error}") from error

    @classmethod
    def from_text(cls, text: str, decision: str | None = None) -> DecisionTable:
        """Read a JDM document; `decision` names the output that is the decision."""
        table = cls(text)
        return table if decision is None else table.with_decision(decision)

    def with_decision(self, decision: str) -> DecisionTable:
        """Return the table with another of its outputs as the decision; the document says so from then on."""
        if decision == self.decision:
            return self
        if decision not in self.output_fields:
            raise InvalidInput(self._unknown(decision))
        return DecisionTable(json.dumps({**self._document.body, "decision": decision}, ensure_ascii=False, indent=2))

    def to_json(self) -> str:
        """Return the document."""
        return self.text

    @cached_property
    def _document(self) -> Document:
        return Document.parse(self.text)

    @cached_property
    def input_fields(self) -> tuple[str, ...]:
        """What the rules read from outside, dotted: columns of the rows to decide."""
        return self._document.inputs()

    @cached_property
    def output_fields(self) -> tuple[str, ...]:
        """What the last rules write, dotted: columns of `decide`."""
        return self._document.outputs()

    @property
    def decision(self) -> str:
        """The output that is the decision."""
        return str(self._document.body.get("decision") or self.output_fields[0])

    def summary(self) -> dict[str, Any]:
        """Return what goes on record of the rules."""
        return {
            "decision": self.decision,
            "inputs": list(self.input_fields),
            "outputs": list(self.output_fields),
            "rules": sum(len(table["content"]["rules"]) for table in self._document.tables()),
        }

    def decide(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return every output for each row of `frame`, with its index.

        A missing value (None, NaN, NaT, NA) is null to the rules; what no rule writes is missing. Rows that are equal
        are evaluated once.

        Raises
        ------
        InvalidFrame
            If a column that the rules read is missing or holds what rules cannot read, or an expression fails.
        """
        import pandas as pd

        rows = rows_as_json(frame, self.input_fields)
        answers = self._evaluate(dict.fromkeys(rows))
        paths = {name: name.split(".") for name in self.output_fields}
        return pd.DataFrame(
            {name: pd.Series([_at(answers[row], path) for row in rows], frame.index) for name, path in paths.items()},
            index=frame.index,
        )

    def predict(self, frame: pd.DataFrame) -> Array:
        """Return the decision for each row, shape (n,): numbers as numbers, text as text.

        Raises
        ------
        InvalidFrame
            As `decide`, and if no rule decides a row.
        """
        decided = self.decisions(frame)
        undecided = [value is None for value in decided.tolist()]
        if any(undecided):
            row = rows_as_json(frame[undecided].head(1), self.input_fields)[0]
            raise InvalidFrame(
                f"No rule gives {self.decision!r} for the row {_shortened(row)}: add a last rule for the rest."
            )
        return decided

    def decisions(self, frame: pd.DataFrame) -> Array:
        """Return the decision for each row, shape (n,), as `predict`; None where no rule decides it.

        Raises
        ------
        InvalidFrame
            As `decide`, and if the decision is not one value.
        """
        decided = self.decide(frame)[self.decision]
        values = [None if missing else value for value, missing in zip(decided, decided.isna(), strict=True)]
        composed = next((value for value in values if isinstance(value, list | dict)), None)
        if composed is not None:
            raise InvalidFrame(
                f"The decision {self.decision!r} is {_shortened(json.dumps(composed))}, which is not one value: name "
                "another output the decision."
            )
        return _array(values)

    def _evaluate(self, rows: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Return zen's answer to each row, which is a JSON object."""
        import zen

        loader: Any = {"type": "static", "content": {"rules": self._document.body}}
        engine = zen.ZenEngine({"loader": loader})  # by key: a decision made of text evaluates ten times slower
        answers: dict[str, Mapping[str, Any]] = {}
        for row in rows:
            try:
                answers[row] = engine.evaluate("rules", row)["result"] or {}
            except Exception as error:  # zen raises plain ones
                raise InvalidFrame(f"The rules fail on the row {_shortened(row)}: {reason(error)}.") from error
        return answers

    def _check_decision(self) -> None:
        """Refuse a decision that is none of the outputs, a list, or that a rule leaves empty."""
        name = self.decision
        if name not in self.output_fields:
            raise InvalidInput(self._unknown(name))
        writers = self._document.writers(name)
        for table in self._document.tables():
            if name in list_outputs(table):
                raise InvalidInput(
                    f"The output {name!r} of table {label(table)!r} is a list of every rule that fits: name another "
                    "output the decision."
                )
            empty = empty_cells(table, name)
            if writers == [table] and empty:
                raise InvalidInput(
                    f"Rule {empty[0]} of table {label(table)!r} leaves the decision {name!r} empty: fill the cell, or "
                    "name another output the decision."
                )

    def _unknown(self, decision: str) -> str:
        return f"The decision table has no output {decision!r}: name one of {', '.join(self.output_fields)}."


def _at(answer: Any, path: Iterable[str]) -> Any:
    """Return what a path leads to in an answer, or None."""
    for word in path:
        answer = answer.get(word) if isinstance(answer, dict) else None
    return answer


def _array(values: Sequence[Any]) -> Array:
    """Return values of one type as an array of it, and of several as objects: NumPy would write numbers as text."""
    import numpy as np

    types = {*map(type, values)}
    return np.asarray(values, dtype=None if len(types) == 1 or types == {int, float} else "object")


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_ROW else f"{text[:_LONGEST_ROW]}…"


def handles(model: Any) -> bool:
    """Return whether `model` is a `DecisionTable`."""
    return isinstance(model, DecisionTable)


def adapt(model: Any) -> Any:
    """Return `model`: it predicts tables by itself."""
    return model


def write(model: Any, folder: Path, columns: Sequence[str] | None) -> None:
    """Write the document, byte for byte."""
    (folder / FILE).write_text(model.to_json(), encoding="utf-8", newline="")


def read(folder: Path) -> DecisionTable:
    """Return the live table."""
    return DecisionTable.from_file(folder / FILE)


def libraries(folder: Path) -> tuple[str, ...]:
    """Return the distributions that what `write` wrote needs."""
    return LIBRARIES


def recognises(file: Path) -> bool:
    """Return whether a file's name says that it holds a JDM document."""
    return file.suffix == ".json"


def read_file(file: Path) -> DecisionTable:
    """Return the decision table in a JDM file."""
    return DecisionTable.from_file(file)


def mlflow_flavor(folder: Path) -> dict[str, dict[str, Any]]:
    """Return no flavor of a library: MLflow has none for decision tables."""
    return {}
