"""Decision tables in GoRules' JDM format: a model whose parameters are rules, evaluated by zen-engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InvalidFrame, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

NAME = "decision-jdm"
FILE = "decision.json"
SAFE = True
LIBRARIES: tuple[str, ...] = ("zen-engine",)


@dataclass(frozen=True)
class DecisionTable:
    """One JDM document.

    Attributes
    ----------
    text : str
        The document as it was given, byte for byte.
    """

    text: str

    @classmethod
    def from_file(cls, path: str | Path) -> DecisionTable:
        """Read a JDM file."""
        return cls.from_text(Path(path).read_text(encoding="utf-8"))

    @classmethod
    def from_text(cls, text: str) -> DecisionTable:
        """Read a JDM document.

        Raises
        ------
        InvalidInput
            If it is no JSON, or has no decision table with inputs and outputs.
        """
        table = cls(text)
        if not table.input_fields or not table.output_fields:
            raise InvalidInput("The decision table has no input or no output field: give it both.")
        return table

    def to_json(self) -> str:
        """Return the document."""
        return self.text

    @cached_property
    def document(self) -> dict[str, Any]:
        """The document as data."""
        try:
            value = json.loads(self.text)
        except json.JSONDecodeError as error:
            raise InvalidInput(f"The decision table is no JSON: {error}.") from error
        if not isinstance(value, dict) or not isinstance(value.get("nodes"), list):
            raise InvalidInput("The decision table is no JDM document: it has no list of nodes.")
        return value

    @cached_property
    def input_fields(self) -> tuple[str, ...]:
        """The columns that the rules read."""
        return self._fields("inputs")

    @cached_property
    def output_fields(self) -> tuple[str, ...]:
        """The columns that the rules write; the first is the decision."""
        return self._fields("outputs")

    def _fields(self, side: str) -> tuple[str, ...]:
        tables = (n["content"] for n in self.document["nodes"] if n.get("type") == "decisionTableNode")
        names = (column.get("field") for table in tables for column in table.get(side, []))
        return tuple(dict.fromkeys(name for name in names if name))

    def predict(self, frame: pd.DataFrame) -> list[str]:
        """Return the decision for each row.

        Raises
        ------
        InvalidFrame
            If a column the rules read is missing, or no rule fits a row.
        """
        import zen

        missing = [name for name in self.input_fields if name not in frame.columns]
        if missing:
            raise InvalidFrame(f"The decision table reads {missing[0]!r}, which the rows do not have.")
        decision = zen.ZenEngine().create_decision(self.text)
        output = self.output_fields[0]
        decided: dict[tuple[Any, ...], str] = {}
        rows = list(zip(*(frame[name].tolist() for name in self.input_fields), strict=True))
        for row in rows:
            if row not in decided:
                result = decision.evaluate(dict(zip(self.input_fields, row, strict=True)))["result"]
                if not isinstance(result, dict) or output not in result:
                    raise InvalidFrame(
                        f"No rule fits {dict(zip(self.input_fields, row, strict=True))}: add a last rule for the rest."
                    )
                decided[row] = str(result[output])
        return [decided[row] for row in rows]


def handles(model: Any) -> bool:
    """Return whether `model` is a `DecisionTable`."""
    return isinstance(model, DecisionTable)


def adapt(model: Any) -> Any:
    """Return `model`: it predicts tables by itself."""
    return model


def write(model: Any, folder: Path, columns: Sequence[str] | None) -> None:
    """Write the document, byte for byte."""
    (folder / FILE).write_text(model.to_json(), encoding="utf-8")


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
