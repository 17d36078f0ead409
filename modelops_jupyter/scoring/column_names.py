"""Columns by name, also where a library has spelled the name otherwise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_WORD = re.compile(r"\W")


def columns_named(names: Sequence[str], frame: pd.DataFrame) -> list[Any]:
    """Return the columns of `frame` of these names, None where there is none.

    LightGBM and ONNX respell ``mean radius`` as ``mean_radius``: the one stands for the other.
    """
    exact = {str(column): column for column in frame.columns}
    if all(name in exact for name in names):
        return [exact[name] for name in names]
    respelt = {_WORD.sub("_", name): column for name, column in exact.items()}
    return [exact.get(name, respelt.get(_WORD.sub("_", name))) for name in names]
