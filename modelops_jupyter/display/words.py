"""How figures, times and health read: short, with the precision that a decision needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from modelops_jupyter.wording import short

NOTHING = "–"
HEALTH = {
    "healthy": ("✓", "healthy"),
    "warning": ("▲", "warning"),
    "alert": ("✕", "alert"),
    "not judged": ("○", "not judged"),
}
METRICS = {
    "roc_auc": "ROC AUC",
    "brier_score": "Brier score",
    "log_loss": "log loss",
    "psi": "PSI",
    "psi_debiased": "PSI less chance",
    "jensen_shannon_debiased": "Jensen-Shannon distance less chance",
    "outcome_excess": "share of positives beyond the expected one",
    "mean_absolute_error": "mean absolute error",
    "root_mean_squared_error": "root mean squared error",
    "null_rate": "null rate",
    "unseen_rate": "unseen rate",
    "mistyped_rate": "unreadable rate",
    "out_of_range_rate": "out-of-range rate",
    "jensen_shannon": "Jensen-Shannon distance",
    "kolmogorov_smirnov": "Kolmogorov-Smirnov distance",
    "rank_shift": "shift of ranks",
    "share_shift": "shift of a share",
    "hellinger": "Hellinger distance",
    "wasserstein": "Wasserstein distance",
    "l_infinity": "L-infinity distance",
    "matthews_correlation": "Matthews correlation",
    "f1": "F1",
    "f1_macro": "F1 (macro)",
    "r2": "R²",
    "calibration_shift": "calibration shift",
    "label_shift": "label shift",
    "error_shift": "error shift",
    "average_precision": "average precision",
    "balanced_accuracy": "balanced accuracy",
    "expected_calibration_error": "expected calibration error",
    "mean_error": "mean error",
    "mean_length": "mean length",
    "zero_rate": "zero rate",
}


def number(value: float | None) -> str:
    """Return a number with three significant digits, whole numbers in full.

    >>> number(0.81234), number(1234567), number(12345.6), number(None)
    ('0.812', '1,234,567', '12,346', '–')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    if value == 0 or abs(value) >= 1e-4:
        return f"{value:#.3g}".rstrip(".")
    return f"{value:.1e}"


def chance(p_value: float | None) -> str:
    """Return a p-value as reports do.

    >>> chance(0.0312), chance(1.4e-5), chance(None)
    ('0.031', '< 0.001', '–')
    """
    if p_value is None:
        return NOTHING
    return "< 0.001" if p_value < 0.001 else f"{p_value:.2g}"


def signed(value: float | None) -> str:
    """Return a difference with its sign; small ones to three decimals, as the figures beside them."""
    if value is None:
        return NOTHING
    text = f"{value:.3f}" if 0.001 <= abs(value) < 10 else number(value)
    return f"{'+' if value > 0 else ''}{text}".replace("-", "−")


def percent(share: float) -> str:
    """Return a share in percent."""
    return f"{share:.1%}"


def moment(text: str) -> datetime:
    """Return the time behind ISO text, in UTC; without a zone it is UTC already."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def short_time(text: str | None) -> str:
    """Return a time in the zone that it is written with, without the hour where it is midnight.

    >>> short_time("2013-04-01T00:00:00-04:00"), short_time("2013-04-01T05:30:59.1+00:00"), short_time(None)
    ('2013-04-01', '2013-04-01 05:30', '–')
    """
    if not text:
        return NOTHING
    try:
        at = datetime.fromisoformat(text)
    except ValueError:  # not a time after all: shown as it is
        return text
    return short(at)


_CODES = "|".join(name.replace("_", "[_ ]") for name in sorted(METRICS, key=len, reverse=True))
_METRIC = re.compile(rf"\b(?:(?:recent|estimated)[_ ])?(?:{_CODES})\b")
_COMMAND = re.compile(r"(`[^`]*`)")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)?")


def sentence(text: str) -> str:
    """Return a message with its times short and its metrics named as people name them; commands stay as they are.

    >>> sentence("in the window from 2013-07-05T00:00:00+00:00; it fell")
    'in the window from 2013-07-05; it fell'
    >>> sentence("roc_auc was 0.7, recent_roc_auc 0.8")
    'ROC AUC was 0.7, recent ROC AUC 0.8'
    >>> sentence("roc_auc is missing: register with `--metric roc_auc=VALUE`")
    'ROC AUC is missing: register with `--metric roc_auc=VALUE`'
    """
    return "".join(part if command else _words(part) for part, command in parts(text))


def parts(text: str) -> list[tuple[str, bool]]:
    """Return the parts of a message in order, and of each whether it is a command, between backticks.

    >>> parts("run `modelops doctor`.")
    [('run ', False), ('`modelops doctor`', True), ('.', False)]
    """
    return [(part, n % 2 == 1) for n, part in enumerate(_COMMAND.split(text)) if part]


def _words(text: str) -> str:
    shorter = _ISO.sub(lambda found: short_time(found[0]), text)
    return _METRIC.sub(lambda found: metric_name(found[0].replace(" ", "_")), shorter)


def capital(text: str) -> str:
    """Return text with its first letter as a heading has it."""
    return text[:1].upper() + text[1:]


def incident_title(title: str, columns: Iterable[str]) -> str:
    """Return an incident's title as a heading has it; the name of a column, one of its suspects, stays as it is.

    >>> incident_title("roc_auc got worse", []), incident_title("wind_speed changed", ["wind_speed"])
    ('ROC AUC got worse', 'wind_speed changed')
    >>> incident_title("dewp and humid no longer depend on each other as they did", ["humid"])
    'dewp and humid no longer depend on each other as they did'
    """
    named = any(title.startswith(column) or f" and {column} no longer" in title for column in columns)
    return sentence(title) if named else capital(sentence(title))


def metric_name(name: str | None) -> str:
    """Return how people write a metric.

    >>> metric_name("roc_auc"), metric_name("recent_roc_auc"), metric_name("null_share")
    ('ROC AUC', 'recent ROC AUC', 'null share')
    """
    code = name or ""
    when = next((word for word in ("recent_", "estimated_") if code.startswith(word)), "")
    code = code.removeprefix(when)
    return when.replace("_", " ") + METRICS.get(code, code.replace("_", " "))


def value_text(value: Any) -> str:
    """Return any plain value as a table shows it."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, dict):
        return ", ".join(f"{metric_name(str(key))} {value_text(item)}" for key, item in value.items()) or NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(value_text(item) for item in value) or NOTHING
    return str(value)
