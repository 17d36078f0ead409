"""Predictions and labels as classes of a model: nothing counts as wrong only because it was written in another way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame

if TYPE_CHECKING:
    import pandas as pd

_MOST_SHOWN = 10
_TRUTH = {"True": 1.0, "False": 0.0}


def as_classes(
    values: pd.Series[Any], classes: Sequence[str], model: str, advice: str, what: str | None = None
) -> tuple[pd.Series[Any], str | None]:
    """Return texts as classes of a model, and what is to be said of them.

    ``True``, ``1`` and ``1.0`` are one value, and read as the class that it is. Of more than two classes a new one may
    come; not of two, and not where none is known: then they were written in another way than the model writes them.

    Parameters
    ----------
    values
        Predictions or labels as `outcomes` writes them.
    classes
        The classes that the model knows, or none.
    model
        The model as messages name it.
    advice
        What to do with values that are no class.
    what
        The values as messages name them; by default the column of their name.

    Raises
    ------
    InvalidFrame
        If there are values of no class, but for those of a new one among more than two.
    """
    what = f"Column {values.name!r}" if what is None else what
    strange = values[values.notna() & ~values.isin(classes)]
    if not classes or strange.empty:
        return values, None
    readings = _readings(strange.unique().tolist(), classes)
    remarks = []
    if readings:
        values = values.replace(readings)
        strange = strange[~strange.isin(list(readings))]
        named = ", ".join(f"{text!r} as {name!r}" for text, name in [*readings.items()][:_MOST_SHOWN])
        remarks.append(f"{what} is not written as the classes of {model} are: {named} was read.")
    if len(strange):
        shown = ", ".join([*classes[:_MOST_SHOWN], *(["…"] if len(classes) > _MOST_SHOWN else [])])
        holds = f"{what} holds {strange.iloc[0]!r}, which is not a class of {model}"
        fault = f"{holds}: its classes are {shown}"
        if len(classes) <= 2 or len(strange) == values.notna().sum():
            raise InvalidFrame(f"{fault}. {advice}")
        remarks.append(f"{fault}; {len(strange):,} rows like it count as wrong predictions.")
    return values, " ".join(remarks)


def read_as(values: pd.Series[Any], classes: Sequence[str]) -> pd.Series[Any]:
    """Return texts with each that can be read as a class of `classes` written as that class is."""
    strange = values[values.notna() & ~values.isin(classes)].unique().tolist()
    readings = _readings(strange, classes) if classes and strange else {}
    return values.replace(readings) if readings else values


def classes_of_both(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Return the classes of two models, each once and as the first writes it."""
    readings = _readings(second, first)
    return [*first, *(name for name in second if name not in first and name not in readings)]


def _readings(texts: Sequence[str], classes: Sequence[str]) -> Mapping[str, str]:
    """Return the class that each text is where their numbers say so; classes of equal numbers are none."""
    numbers = [_number(name) for name in classes]
    if len({number for number in numbers if number is not None}) < len(classes):
        return {}
    by_number = dict(zip(numbers, classes, strict=True))
    readings = {text: by_number.get(number) for text in texts if (number := _number(text)) is not None}
    return {text: name for text, name in readings.items() if name is not None}


def _number(text: str) -> float | None:
    try:
        number = _TRUTH[text] if text in _TRUTH else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
