"""Decision tables in GoRules' JDM format: a model whose parameters are rules, evaluated by zen-engine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame, InvalidInput

if TYPE_CHECKING:
    import pandas as pd


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
