"""The check of a version that no threshold of its rule judges: it was measured, and does better than guessing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelops_jupyter.governance.metric_checks import (
    CheckResult,
    how_to_measure,
    kind_of,
    measurable,
    measured_rows,
    too_few,
)
from modelops_jupyter.governance.policy import Rule
from modelops_jupyter.governance.recorded import CLAIMED, MEASURED, measured_metrics, recorded_metrics
from modelops_jupyter.wording import figure_text

NAME = "measured metrics"
# What is looked at first, and what guessing reaches: always the mean has an R2 of 0, always one class of k a balanced
# accuracy of 1 / k (Brodersen et al., "The balanced accuracy and its posterior distribution", ICPR 2010).
_FIRST = {"regression": "r2", "classification": "balanced_accuracy"}


def judge_measured(version: Mapping[str, Any], rule: Rule, alias: str) -> CheckResult | None:
    """Judge whether a version was measured at all; None where nothing can be, as of a decision table.

    Every metric of the policy may be one that a model of this kind has not: a regression has no ROC AUC. Then an
    approval would stand on nothing or on claims, so there must be measured metrics, which beat guessing.
    """
    if not measurable(version):
        return None
    metrics = measured_metrics(version)
    if not metrics:
        claimed = ", ".join(metric.name for metric in recorded_metrics(version))
        begin = f"only claims are on record ({claimed})" if claimed else "no metric is on record"
        reason = f" ({version['measured_reason']})" if version.get("measured_reason") else ""
        text = f"{begin}, and for {alias} a model must be measured{reason}: {how_to_measure(version)}"
        return CheckResult(NAME, False, True, None, None, text, CLAIMED if claimed else None)
    if version["measured"]["rows"] < rule.min_rows:
        return CheckResult(NAME, False, True, None, None, too_few("the version", rule, alias, version), MEASURED)
    first = _FIRST.get(str(version["task"]), "")
    guessing = 0.0 if first == "r2" else 1 / max(2, len(version["classes"]))
    value = metrics.get(first)
    text = f"{_listed(metrics, first)} ({measured_rows(version)}); "
    if value is None or value > guessing:
        text += f"the policy has no threshold for {kind_of(version)}, so who approves judges them"
        return CheckResult(NAME, True, True, value, None, text, MEASURED)
    text += f"guessing reaches {first} {figure_text(guessing, 4)} too"
    return CheckResult(NAME, False, True, value, guessing, text, MEASURED)


def _listed(metrics: Mapping[str, float], first: str, most: int = 3) -> str:
    names = sorted(metrics, key=lambda name: (name != first, name))[:most]
    return ", ".join(f"{name} {figure_text(metrics[name], 4)}" for name in names)
