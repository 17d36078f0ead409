"""An alert as a sentence that needs no statistics; its figure stands behind, for those who know it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelops_jupyter.derived_names import is_derived, source_of
from modelops_jupyter.display.words import capital, metric_name, number, sentence
from modelops_jupyter.roles import Series
from modelops_jupyter.wording import gone_words

KINDS = {"performance": "results", "drift": "data changed", "quality": "data quality"}
OWN = {"prediction": "the model's answer", "score": "the model's score"}
DRIFT = "{column} is not spread as it was when the model was validated"
BOND = "{column} does not hang together with other columns as it did when the model was validated"
DEPENDENCE = "{column} and “{beside}” do not depend on each other as they did when the model was validated"
NEW_VALUES = "the model never saw {beside} of {column}"
QUALITY = {
    "null_rate": "more values of {column} are missing",
    "mistyped_rate": "more values of {column} cannot be read",
    "unseen_rate": "more values of {column} are ones that the model never saw",
    "out_of_range_rate": "more values of {column} lie outside what the model was validated on",
}


def alert_sentence(alert: Mapping[str, Any]) -> str:
    """Return what happened, as its owner would say it.

    >>> drift = {"kind": "drift", "column": "wind", "metric": "psi", "figure": 0.31, "threshold": 0.2}
    >>> alert_sentence({**drift, "message": ""})
    '“wind” is not spread as it was when the model was validated (PSI 0.310, threshold 0.200).'
    """
    told = _told(str(alert["kind"]), str(alert["metric"]), str(alert["column"] or ""), str(alert.get("beside") or ""))
    quiet = f" {capital(str(alert['suppressed']).rstrip('.'))}." if alert.get("suppressed") else ""
    if told is None:
        return capital(sentence(str(alert["message"]).removeprefix(str(alert["model"])).lstrip(":, "))) + quiet
    where = f", for {alert['segment']}" if alert.get("segment") else ""
    which = f"{capital(str(Series.of_key(alert['series'])))}: " if alert.get("series") else ""
    return f"{which}{told if which else capital(told)}{where}{_figure(alert)}.{quiet}"


def _told(kind: str, metric: str, column: str, beside: str) -> str | None:
    """Return what an alert says of a column or of results; `beside` is a second column, or values that are new."""
    if kind == "performance":
        verb = "are estimated to be" if metric.startswith("estimated_") else "are"
        return f"the model's results {verb} worse than when it was validated"
    plain = metric.removeprefix("recent_")
    drift = BOND if plain == "dependence" else DRIFT
    words = drift if kind == "drift" else QUALITY.get(plain)
    if beside and kind == "drift" and plain != "dependence":
        return gone_words(beside, column if is_derived(column) else f"“{column}”")
    if beside:
        words = {"dependence": DEPENDENCE, "unseen_rate": NEW_VALUES}.get(plain, words)
    if kind == "quality":
        column = source_of(column)
    return words.format(column=OWN.get(column, f"“{column}”"), beside=beside) if words and column else None


def _figure(alert: Mapping[str, Any]) -> str:
    if alert.get("figure") is None or alert.get("threshold") is None:
        return ""
    recent = str(alert["metric"]).startswith("recent_")
    name = metric_name(str(alert["metric"]).removeprefix("recent_"))
    over = " of the latest windows together" if recent else ""
    return f" ({name}{over} {number(alert['figure'])}, threshold {number(alert['threshold'])})"
