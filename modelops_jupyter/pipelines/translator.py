"""papermill's way of writing Python values into a notebook, with dates, paths and decimals as what they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from papermill.translators import PythonTranslator, papermill_translators

from modelops_jupyter.pipelines.parameters import read_parameters
from modelops_jupyter.pipelines.values import expression


class Constructed(str):
    """A text from which a notebook makes a value by `expression`; in metadata, which is JSON, it stays text."""

    expression: str


class ValueTranslator(PythonTranslator):
    """Writes values as papermill does, and constructed ones by their expression."""

    @classmethod
    def translate(cls, val: Any) -> str:
        """Return Python source for a value."""
        return val.expression if isinstance(val, Constructed) else str(super().translate(val))


def register() -> None:
    """Make papermill use this translator in this process."""
    papermill_translators.register("python", ValueTranslator)


def constructed(notebook: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with the texts marked that the notebook declares as dates, times, paths or decimals."""
    declared = {parameter.name: parameter for parameter in read_parameters(notebook)}
    return {name: _marked(value, expression(declared[name], value)) for name, value in values.items()}


def _marked(value: Any, source: str | None) -> Any:
    """Return a value with what JSON lacks marked: JupyterLab opens no notebook with NaN in its metadata."""
    if isinstance(value, list):
        return [_marked(item, None) for item in value]
    if isinstance(value, dict):
        return {name: _marked(item, None) for name, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        source = f"float({str(value)!r})"
    if source is None:
        return value
    marked = Constructed(value)
    marked.expression = source
    return marked
