"""Policy, gates, decisions and the record of them."""

from modelops_jupyter.governance.acts import Consequences, Decision, Transition, out_of_service
from modelops_jupyter.governance.cards import ModelCard, model_card
from modelops_jupyter.governance.changes import DecisionChange, crosstab
from modelops_jupyter.governance.comparison import Comparison, MetricComparison, compare
from modelops_jupyter.governance.gate import GateReport, evaluate_gate
from modelops_jupyter.governance.metric_checks import CheckResult
from modelops_jupyter.governance.policy import CheckSpec, Policy, Rule, load_policy
from modelops_jupyter.governance.policy_record import keep_policy
from modelops_jupyter.governance.project_code import called_functions, function_rows
from modelops_jupyter.governance.recorded import (
    RecordedMetric,
    audited_metrics,
    evidence,
    measured_on,
    metric_text,
    metrics_text,
    recorded_metrics,
)
from modelops_jupyter.governance.transitions import (
    approve,
    check,
    check_reason,
    comment,
    gate,
    promote,
    record_measurement,
    reject,
    rollback,
    standing_rejection,
)

__all__ = [
    "CheckResult",
    "CheckSpec",
    "Comparison",
    "Consequences",
    "Decision",
    "DecisionChange",
    "GateReport",
    "MetricComparison",
    "ModelCard",
    "Policy",
    "RecordedMetric",
    "Rule",
    "Transition",
    "approve",
    "audited_metrics",
    "called_functions",
    "check",
    "check_reason",
    "comment",
    "compare",
    "crosstab",
    "evaluate_gate",
    "evidence",
    "function_rows",
    "gate",
    "keep_policy",
    "load_policy",
    "measured_on",
    "metric_text",
    "metrics_text",
    "model_card",
    "out_of_service",
    "promote",
    "record_measurement",
    "recorded_metrics",
    "reject",
    "rollback",
    "standing_rejection",
]
