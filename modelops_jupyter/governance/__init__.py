"""Policy, gates, decisions and the record of them."""

from modelops_jupyter.governance.cards import ModelCard, model_card
from modelops_jupyter.governance.changes import DecisionChange, crosstab
from modelops_jupyter.governance.comparison import Comparison, MetricComparison, compare
from modelops_jupyter.governance.gate import CheckResult, GateReport, evaluate_gate
from modelops_jupyter.governance.policy import CheckSpec, Policy, Rule, load_policy
from modelops_jupyter.governance.transitions import (
    Decision,
    Transition,
    approve,
    check,
    comment,
    gate,
    promote,
    reject,
    rollback,
)

__all__ = [
    "CheckResult",
    "CheckSpec",
    "Comparison",
    "Decision",
    "DecisionChange",
    "GateReport",
    "MetricComparison",
    "ModelCard",
    "Policy",
    "Rule",
    "Transition",
    "approve",
    "check",
    "comment",
    "compare",
    "crosstab",
    "evaluate_gate",
    "gate",
    "load_policy",
    "model_card",
    "promote",
    "reject",
    "rollback",
]
