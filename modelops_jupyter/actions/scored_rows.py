"""Rows of any origin held to a version's contract, then scored: what the model cannot take is said in our words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.model_answers import ModelRaised, ask_model
from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.frames import to_pandas
from modelops_jupyter.scoring.casting import cast
from modelops_jupyter.scoring.contract import conform, sentence

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.scoring.predictions import Predictions

POLICIES = ("refuse", "mark", "allow")


def predict_rows(
    model: Any, frame: Any, contract: Sequence[Mapping[str, Any]], *, name: str, invalid: str = "allow"
) -> Predictions:
    """Return what a live model predicts for rows that are cast to its contract.

    Parameters
    ----------
    name
        Of the version, for messages.
    invalid
        ``refuse`` rows that are not as the contract says, or ``allow`` those whose types the model can read.

    Raises
    ------
    InvalidFrame
        If the model cannot take the rows: a column is not there, a value is of another type, or it fails.
    """
    if invalid not in ("refuse", "allow"):
        raise InvalidInput(f"invalid is 'refuse' or 'allow', not {invalid!r}; predict_file can mark rows, too.")
    rows = conform(to_pandas(frame, "frame"), contract)
    readable = rows.readable()
    breaches = "; ".join(sentence(breach) for breach in rows.breaches)
    if breaches and invalid == "refuse":
        raise InvalidFrame(f"{name} was registered with other rows: {breaches}.")
    return ask(model, readable, name, breaches)


def ask(model: Any, frame: pd.DataFrame, name: str, breaches: str) -> Predictions:
    """Return what a model predicts; what it raises becomes one sentence, which names `breaches` of the contract."""
    try:
        return ask_model(model, frame)
    except ModelRaised as error:
        reason = breaches or str(error)
        raise InvalidFrame(f"{name} cannot score these rows: {reason}. Correct them, or leave them out.") from error


def typed_features(frame: pd.DataFrame, contract: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows with each column of the contract in its type; a column of other values stays as it came."""
    typed = {}
    for column in contract:
        name = str(column["name"])
        if name in frame.columns:
            read = cast(frame[name], column)
            if read.unreadable is None and read.values is not frame[name]:
                typed[name] = read.values
    return frame.assign(**typed) if typed else frame
