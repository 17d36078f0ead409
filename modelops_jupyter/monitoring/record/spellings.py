"""The words of other tools for a monitor: what Databricks and NannyML call the length of a window or a segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelops_jupyter.errors import InvalidInput

LENGTHS = {
    "1 hour": "1h",
    "1 day": "1D",
    "1 week": "1W",
    "h": "1h",
    "H": "1h",
    "D": "1D",
    "W": "1W",
    "1h": "1h",
    "1D": "1D",
    "1W": "1W",
}
TASKS = {"classification_binary": "classification", "classification_multiclass": "classification"}
# What the log calls these columns; a frame's own names are given when it is logged.
COLUMNS = {"timestamp_column": "timestamp", "prediction_column": "prediction", "label_column": "label"}
KNOWN = ("problem_type", *COLUMNS, "granularities", "slicing_exprs", "baseline", "chunk_period")


@dataclass(frozen=True)
class MonitorWords:
    """What a monitor was asked for, in our words; None where nothing was said."""

    every: str | None = None
    segments: tuple[str, ...] | None = None
    task: str | None = None


def monitor_words(spelled: Mapping[str, Any]) -> MonitorWords:
    """Translate ``problem_type, granularities, slicing_exprs, …`` and ``chunk_period``.

    Raises
    ------
    InvalidInput
        If a word is unknown, or asks for what the prediction log settles otherwise.
    """
    unknown = [name for name in spelled if name not in KNOWN]
    if unknown:
        raise InvalidInput(f"A monitor has no option {unknown[0]!r}: it has every, segments, {', '.join(KNOWN)}.")
    for name, own in COLUMNS.items():
        if spelled.get(name, own) != own:
            raise InvalidInput(
                f"{name}={spelled[name]!r}: the log keeps that column as {own!r}. Say the name of your column when you "
                "log it: log_predictions(time=, prediction=), log_labels(label=)."
            )
    if spelled.get("baseline") is not None:
        raise InvalidInput("The baseline is what the version was validated on: register(..., reference=...).")
    return MonitorWords(_length(spelled), _segments(spelled.get("slicing_exprs")), _task(spelled.get("problem_type")))


def _length(spelled: Mapping[str, Any]) -> str | None:
    given = spelled.get("granularities", spelled.get("chunk_period"))
    if given is None:
        return None
    words = [given] if isinstance(given, str) else list(given)
    if len(words) != 1:
        raise InvalidInput(f"A run has windows of one length, not {words}: run it once for each.")
    if words[0] not in LENGTHS:
        raise InvalidInput(f"Windows are 1 hour, 1 day or 1 week long, not {words[0]!r}.")
    return LENGTHS[words[0]]


def _segments(expressions: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if expressions is None:
        return None
    names = (expressions,) if isinstance(expressions, str) else tuple(expressions)
    odd = [name for name in names if any(sign in name for sign in "=<>()'\"")]
    if odd:
        raise InvalidInput(f"A segment is made of a column's values: slicing_exprs={odd[0]!r} must be a column's name.")
    return names


def _task(problem: str | None) -> str | None:
    if problem is None:
        return None
    word = str(getattr(problem, "value", problem)).lower().removeprefix("problem_type_")
    task = TASKS.get(word, word)
    if task not in ("classification", "regression"):
        raise InvalidInput(f"problem_type is classification or regression, not {problem!r}.")
    return task
