"""One check of a gate: a metric of a version against a threshold and against the version that holds the alias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelops_jupyter.governance.policy import CheckSpec, Rule
from modelops_jupyter.governance.recorded import CLAIMED, MEASURED, SAME, differing_claim, measured_value
from modelops_jupyter.wording import count, figure_text

# Metrics that only some models have, all of which we measure. Any other that a policy asks for must be on record,
# whatever the model.
OF_PROBABILITIES = frozenset({"average_precision", "brier_score", "log_loss", "roc_auc"})
OF_ONE_CLASS = frozenset({"f1", "precision", "recall"})
OF_CLASSES = frozenset({"accuracy", "balanced_accuracy"})
OF_VALUES = frozenset(
    {"mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "r2", "root_mean_squared_error"}
)


@dataclass(frozen=True)
class CheckResult:
    """One judged check.

    Attributes
    ----------
    applies : bool
        False where a model of this kind has no such metric.
    source : {"measured", "claimed"} or None
        Where the metric that was judged comes from.
    claimed : float or None
        What was claimed of a measured metric, where that clearly differs.
    """

    name: str
    passed: bool
    applies: bool
    figure: float | None
    threshold: float | None
    message: str
    source: str | None = None
    claimed: float | None = None


def judge_metric(
    spec: CheckSpec, rule: Rule, alias: str, version: Mapping[str, Any], holder: Mapping[str, Any] | None
) -> CheckResult:
    """Judge one metric of `version`; `holder` is the version that holds `alias` now."""
    required = rule.require_measured if spec.require_measured is None else spec.require_measured
    value = _value(version, spec.metric, required)
    if not _applies(version, spec.metric) and (required or value is None):
        text = f"{spec.metric} does not apply: {kind_of(version)} has none"
        return CheckResult(spec.metric, True, False, None, spec.threshold, text)
    if value is None:
        text, source = _missing(spec.metric, required, alias, version), None
        if spec.metric in version["metrics"]:
            source = CLAIMED
        return CheckResult(spec.metric, False, True, None, spec.threshold, text, source)
    few = _too_few_rows(spec.metric, rule, alias, version)
    if few is not None:
        return CheckResult(spec.metric, False, True, float(value), spec.threshold, few, MEASURED)
    before = None if holder is None else _value(holder, spec.metric, required)
    incomparable = _incomparable_holder(spec, required, alias, version, holder)
    if incomparable is not None:
        return CheckResult(spec.metric, False, True, float(value), spec.threshold, incomparable, MEASURED)
    return _compared(spec, version, holder, float(value), before)


def measurable(version: Mapping[str, Any]) -> frozenset[str]:
    """Return the metrics that we measure of a model of this kind."""
    if version["task"] == "unknown":
        return OF_VALUES | OF_CLASSES | OF_ONE_CLASS | OF_PROBABILITIES
    if version["task"] == "regression":
        return OF_VALUES
    if version["task"] != "classification":
        return frozenset()
    return OF_CLASSES | OF_ONE_CLASS | OF_PROBABILITIES if len(version["classes"]) == 2 else OF_CLASSES


def _value(version: Mapping[str, Any], metric: str, required: bool) -> float | None:
    """Return the value that counts: a measured one, else, where that is not required, a claimed one."""
    measured = measured_value(version, metric)
    return measured if measured is not None or required else version["metrics"].get(metric)


def _compared(
    spec: CheckSpec, version: Mapping[str, Any], holder: Mapping[str, Any] | None, value: float, before: float | None
) -> CheckResult:
    sign = 1 if spec.greater_is_better else -1
    demands = [] if spec.threshold is None else [float(spec.threshold)]
    if before is not None:
        if spec.min_absolute_change is not None:
            demands.append(before + sign * spec.min_absolute_change)
        if spec.min_relative_change is not None:
            demands.append(before + sign * abs(before) * spec.min_relative_change)
    measured = measured_value(version, spec.metric) is not None
    source, claim = (MEASURED, differing_claim(version, spec.metric)) if measured else (CLAIMED, None)
    origin = measured_rows(version) if measured else "claimed, not measured"
    if claim is not None:
        origin += f"; {figure_text(claim, 4)} was claimed"
    if not demands:
        text = f"{spec.metric} {figure_text(value, 4)} ({origin}); no version holds the alias yet to compare with"
        return CheckResult(spec.metric, True, True, value, None, text, source, claim)
    wanted = max(demands) if spec.greater_is_better else min(demands)
    bound = "at least" if spec.greater_is_better else "at most"
    text = f"{spec.metric} {figure_text(value, 4)}, must be {bound} {figure_text(wanted, 4)} ({origin})"
    if (
        holder is not None
        and before is not None
        and wanted != spec.threshold
        and not _same_rows(version, holder, spec.metric)
    ):
        text += f"; version {holder['version']} had {figure_text(before, 4)}, on other rows as far as is on record"
    return CheckResult(spec.metric, sign * value >= sign * wanted, True, value, wanted, text, source, claim)


def _missing(metric: str, required: bool, alias: str, version: Mapping[str, Any]) -> str:
    """Return why there is no value that counts, and what gives one."""
    if not required:
        return (
            f"{metric} is not on record: measure it with {_evaluating(version)}, or register the version with "
            f"`--metric {metric}=VALUE`"
        )
    claimed = version["metrics"].get(metric)
    begin = f"{metric} was not measured"
    if version.get("task_hinted") and version["task"] == "regression":
        return (
            f"{begin}, and only names and figures in MLflow say that it is a regression, which has none: show what "
            f"it predicts with `modelops adopt {version['name']} --validated-on FILE --outcomes COLUMN` "
            "(--unsafe where it runs code)"
        )
    if version["task"] in ("classification", "unknown") and version.get("adopted") and not version["classes"]:
        return (
            f"{begin}, since nothing on record says which classes it predicts: show what it predicts with `modelops "
            f"adopt {version['name']} --validated-on FILE --outcomes COLUMN` (--unsafe where it runs code)"
        )
    if claimed is not None:
        begin = f"{metric} {figure_text(claimed, 4)} is only claimed, and for {alias} a metric must be measured"
    if SAME.get(metric, metric) not in measurable(version):
        return (
            f"{begin}: modelops does not measure it for {kind_of(version)}; check another metric, or set "
            "require_measured = false in this check of the policy"
        )
    reason = f" ({version['measured_reason']})" if version.get("measured_reason") else ""
    if version.get("measured"):
        return f"{begin}{reason or ' (it is undefined on the rows that were measured)'}: check another metric"
    return f"{begin}{reason}: {how_to_measure(version)}"


def measured_rows(version: Mapping[str, Any]) -> str:
    """Return on how many rows a version was measured, and whether it is known that it did not learn from them."""
    rows = f"measured on {count(version['measured']['rows'], 'row')}"
    distinct = version["measured"].get("distinct")
    if distinct is not None and distinct < version["measured"]["rows"]:
        rows += f", {distinct:,} of them distinct"
    if version.get("data_fingerprint") is None and not version.get("adopted"):
        rows += "; which rows it was fitted on is not on record"
    return rows


def how_to_measure(version: Mapping[str, Any]) -> str:
    """Return what a user does to have a version measured."""
    return (
        "register the version with reference=(rows, outcomes) (`--validated-on FILE --outcomes COLUMN`), or run "
        f"{_evaluating(version)}"
    )


def _evaluating(version: Mapping[str, Any]) -> str:
    return f"`modelops evaluate {version['name']}/{version['version']} --data FILE --target COLUMN`"


def _too_few_rows(metric: str, rule: Rule, alias: str, version: Mapping[str, Any]) -> str | None:
    """Return what is wrong if a metric was measured on fewer rows than the rule asks for."""
    if measured_value(version, metric) is None or version["measured"]["rows"] >= rule.min_rows:
        return None
    return too_few(metric, rule, alias, version)


def too_few(what: str, rule: Rule, alias: str, version: Mapping[str, Any]) -> str:
    """Return the sentence on a measurement of too few rows."""
    return (
        f"{what} was {measured_rows(version)}, and for {alias} the policy asks for {rule.min_rows}: run "
        f"{_evaluating(version)} with more rows"
    )


def _incomparable_holder(
    spec: CheckSpec, required: bool, alias: str, version: Mapping[str, Any], holder: Mapping[str, Any] | None
) -> str | None:
    """Return what is wrong if a comparison with the holder is due and its metric was not measured on the same rows."""
    compares = spec.min_absolute_change is not None or spec.min_relative_change is not None
    if holder is None or not (compares and required and _applies(holder, spec.metric)):
        return None
    begin = f"{spec.metric} of {holder['name']}/{holder['version']}, which is {alias} now, was"
    if measured_value(holder, spec.metric) is None:
        return f"{begin} not measured, so there is nothing to compare with: run {_evaluating(holder)}"
    if _same_rows(version, holder, spec.metric):
        return None
    return (
        f"{begin} measured on other rows, which compares nothing: run {_evaluating(holder)} with the rows that "
        f"{version['name']}/{version['version']} was measured on, or both on new ones"
    )


def _same_rows(a: Mapping[str, Any], b: Mapping[str, Any], metric: str) -> bool:
    """Return whether the metrics of two versions are of the same rows: the same labels, whatever features they take."""
    rows = _rows_of(a, metric)
    return rows is not None and rows == _rows_of(b, metric)


def _rows_of(version: Mapping[str, Any], metric: str) -> str | None:
    if measured_value(version, metric) is None:
        return version.get("outcomes_fingerprint")
    fingerprint: str | None = version["measured"]["fingerprint"]
    return fingerprint


def _applies(version: Mapping[str, Any], metric: str) -> bool:
    """Return whether a model of this kind can have a metric; one that we know too little of may have any."""
    if version["task"] == "regression" and version.get("task_hinted"):  # a name in MLflow excuses no metric
        return True
    if version["task"] == "unknown" or (version["task"] == "classification" and not version["classes"]):
        return metric not in OF_VALUES or version["task"] == "unknown"
    name, classes = SAME.get(metric, metric), bool(version["task"] == "classification")
    if name in OF_PROBABILITIES:
        return classes and len(version["classes"]) == 2
    if name in OF_CLASSES | OF_ONE_CLASS:
        return classes
    return name not in OF_VALUES or version["task"] == "regression"


def kind_of(version: Mapping[str, Any]) -> str:
    """Return what a version is, in words."""
    if version["task"] == "classification":
        return f"a classification of {len(version['classes'])} classes"
    words = str(version["task"]).replace("_", " ")
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
