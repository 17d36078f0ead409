"""What a gate makes of measured and of claimed metrics."""

from pathlib import Path
from typing import Any

import pytest
from test_governance import ANN, BOB, Interrupted, measured, version

from modelops_jupyter.errors import Conflict, GateClosed, InvalidPolicy
from modelops_jupyter.governance import (
    CheckSpec,
    Policy,
    Rule,
    approve,
    evaluate_gate,
    gate,
    load_policy,
    promote,
    record_measurement,
)
from modelops_jupyter.store import InMemoryStore

CLAIMED = {"measured": None, "measured_reason": "no validation rows were given"}


def judged(
    body: dict[str, Any], *checks: CheckSpec, holder: dict[str, Any] | None = None, required: bool = True
) -> Any:
    policy = Policy("p", "d", {"champion": Rule(checks=checks, require_measured=required)})
    return evaluate_gate(policy, "champion", body, (), holder).checks[0]


@pytest.mark.parametrize(
    ("text", "champion", "challenger"),
    [
        ("[champion]\n[challenger]\n", True, False),
        ("[champion]\nrequire_measured = false\n[challenger]\nrequire_measured = true\n", False, True),
    ],
)
def test_measured_metrics_are_required_for_champion_unless_a_policy_says_otherwise(
    tmp_path: Path, text: str, champion: bool, challenger: bool
) -> None:
    (tmp_path / "p.toml").write_text(text)
    policy = load_policy(tmp_path / "p.toml")
    assert (policy.rule("champion").require_measured, policy.rule("challenger").require_measured) == (
        champion,
        challenger,
    )
    assert load_policy(None).rule("champion").require_measured
    (tmp_path / "p.toml").write_text("[champion]\nrequire_measured = 'yes'\n")
    with pytest.raises(InvalidPolicy, match="require_measured cannot be 'yes'"):
        load_policy(tmp_path / "p.toml")


@pytest.mark.parametrize(
    ("body", "check", "passed", "source", "says"),
    [
        ({}, CheckSpec("roc_auc", 0.6), True, "measured", "roc_auc 0.7, must be at least 0.6 (measured on 2,000 rows)"),
        (
            {"claimed": {"roc_auc": 0.99}}, CheckSpec("roc_auc", 0.6), True, "measured",
            "roc_auc 0.7, must be at least 0.6 (measured on 2,000 rows; 0.99 was claimed)",
        ),
        (
            CLAIMED, CheckSpec("roc_auc", 0.6), False, "claimed",
            "roc_auc 0.7 is only claimed, and for champion a metric must be measured (no validation rows were given): "
            "register the version with reference=(rows, outcomes) (`--validated-on FILE --outcomes COLUMN`), or run "
            "`modelops evaluate m/1 --data FILE --target COLUMN`",
        ),
        (
            {**CLAIMED, "metrics": {}}, CheckSpec("roc_auc", 0.6), False, None,
            "roc_auc was not measured (no validation rows were given): register the version",
        ),
        (
            {"measured": measured(accuracy=0.8), "measured_reason": "the model gives no probabilities"},
            CheckSpec("roc_auc", 0.6), False, "claimed", "(the model gives no probabilities): check another metric",
        ),
        (
            {"metrics": {"complaints": 3.0}}, CheckSpec("complaints", 5, False), False, "claimed",
            "modelops does not measure it for a classification of 2 classes; check another metric, or set "
            "require_measured = false in this check of the policy",
        ),
        (
            {"metrics": {"complaints": 3.0}}, CheckSpec("complaints", 5, False, require_measured=False), True,
            "claimed", "complaints 3, must be at most 5 (claimed, not measured)",
        ),
        (
            {"metrics": {"f1": 0.9}, "classes": ["a", "b", "c"]}, CheckSpec("f1", 0.5), False, "claimed",
            "does not measure it for a classification of 3 classes",
        ),
        ({"measured": measured(f1=0.8)}, CheckSpec("f1_score", 0.5), True, "measured", "f1_score 0.8, must be"),
        ({"task": "regression", "classes": []}, CheckSpec("roc_auc", 0.6), True, None, "does not apply"),
        ({"task": "decision", "classes": []}, CheckSpec("accuracy", 0.6), True, None, "does not apply"),
    ],
)  # fmt: skip
def test_a_metric_is_judged_by_what_was_measured(
    body: dict[str, Any], check: CheckSpec, passed: bool, source: str | None, says: str
) -> None:
    found = judged({**version(InMemoryStore(), 1), **body}, check)
    assert (found.passed, found.source) == (passed, source)
    assert says in found.message


@pytest.mark.parametrize(
    ("task", "classes", "metrics", "rows", "passed", "says"),
    [
        ("regression", 0, None, 0, False, "no metric is on record, and for champion a model must be measured"),
        (
            "regression",
            0,
            {"r2": 0.4, "mean_absolute_error": 3.0},
            200,
            True,
            "r2 0.4, mean_absolute_error 3 (measured",
        ),
        ("regression", 0, {"r2": -0.1}, 200, False, "guessing reaches r2 0 too"),
        ("regression", 0, {"mean_absolute_error": 3.0}, 200, True, "no threshold for a regression"),
        ("classification", 3, {"accuracy": 0.9, "balanced_accuracy": 0.8}, 200, True, "a classification of 3 classes"),
        (
            "classification",
            3,
            {"accuracy": 0.9, "balanced_accuracy": 0.33},
            200,
            False,
            "guessing reaches balanced_accuracy",
        ),
        (
            "classification",
            3,
            {"balanced_accuracy": 0.8},
            5,
            False,
            "measured on 5 rows, and for champion the policy asks",
        ),
        ("classification", 2, {"roc_auc": 0.9}, 5, False, "roc_auc was measured on 5 rows"),
    ],
)
def test_the_policy_that_comes_with_it_takes_no_model_that_was_not_measured(
    task: str, classes: int, metrics: dict[str, float] | None, rows: int, passed: bool, says: str
) -> None:
    evidence = None if metrics is None else {**measured(**metrics), "rows": rows}
    body = {**version(InMemoryStore(), 1), "task": task, "classes": list("abc"[:classes]), "metrics": metrics or {}}
    report = evaluate_gate(load_policy(None), "champion", {**body, "measured": evidence}, (), None)
    judgement = next(check for check in report.checks if check.applies)
    assert judgement.passed == passed
    assert says in judgement.message
    if metrics is None:
        claim = {**body, "measured": None, "metrics": {"r2": 0.99}}
        report = evaluate_gate(load_policy(None), "champion", claim, (), None)
        judgement = next(check for check in report.checks if check.applies)
        assert (judgement.passed, judgement.source) == (False, "claimed")
        assert "only claims are on record (r2)" in judgement.message


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"task": "regression", "classes": []}, "m/2 is a regression and m/1, which is champion now, a classification"),
        ({"classes": ["0", "1", "2"]}, "(0, 1, 2 and 0, 1): who asks for champion gets answers of another kind"),
        ({"task": "clustering", "classes": []}, "m/2 is a clustering"),
    ],
)
def test_a_champion_answers_what_the_last_one_answered(other: dict[str, Any], says: str) -> None:
    holder = version(InMemoryStore(), 1)
    body = {**version(InMemoryStore(), 2), **other, "measured": measured(r2=0.9, balanced_accuracy=0.9)}
    report = evaluate_gate(load_policy(None), "champion", body, (), holder)
    judgement = next(check for check in report.checks if check.name == "same task")
    assert not judgement.passed
    assert says in judgement.message
    lenient = Policy("p", "d", {"champion": Rule(allow_other_task=True)})
    assert next(c for c in evaluate_gate(lenient, "champion", body, (), holder).checks if c.name == "same task").passed
    assert "same task" not in {check.name for check in evaluate_gate(lenient, "champion", holder, (), holder).checks}


def test_a_decision_table_needs_no_metric() -> None:
    body = {**version(InMemoryStore(), 1), "task": "decision", "classes": [], "metrics": {}, "measured": None}
    report = evaluate_gate(load_policy(None), "champion", body, (), None)
    assert [check.name for check in report.checks if not check.passed] == ["approvals"]


def test_without_the_requirement_a_claim_counts_and_a_measured_metric_still_rules() -> None:
    body = version(InMemoryStore(), 1)
    assert judged({**body, **CLAIMED, "metrics": {"roc_auc": 0.99}}, CheckSpec("roc_auc", 0.8), required=False).passed
    both = {**body, "claimed": {"roc_auc": 0.99}}
    assert not judged(both, CheckSpec("roc_auc", 0.8), required=False).passed


def test_the_holder_is_compared_by_what_was_measured() -> None:
    body, holder = version(InMemoryStore(), 2), version(InMemoryStore(), 1, roc_auc=0.6)
    check = CheckSpec("roc_auc", min_absolute_change=0.05)
    assert judged(body, check, holder=holder).passed
    boasting = {**holder, **CLAIMED, "metrics": {"roc_auc": 0.99}}
    found = judged(body, check, holder=boasting)
    assert not found.passed
    assert "run `modelops evaluate m/1 --data FILE --target COLUMN`" in found.message
    elsewhere = {**holder, "measured": {**measured(roc_auc=0.6), "fingerprint": "other"}}
    found = judged(body, check, holder=elsewhere)
    assert not found.passed
    assert "m/1, which is champion now, was measured on other rows, which compares nothing: run" in found.message
    assert judged(body, CheckSpec("roc_auc", 0.6), holder=elsewhere).passed, "nothing is compared"
    assert not judged(body, check, holder=boasting, required=False).passed, "a claim of the holder counts there"
    assert judged(body, CheckSpec("roc_auc", 0.6), holder=boasting).passed, "nothing is compared"
    other = {**boasting, "task": "regression", "classes": []}
    assert judged(body, check, holder=other).passed, "the holder has no such metric"


def test_a_measurement_between_the_gate_and_the_move_is_heeded() -> None:
    store = Interrupted()
    body = version(store, 1)
    approve(store, load_policy(None), body, "ok", BOB)
    worse = measured(roc_auc=0.51)
    facts = {"metrics": {"roc_auc": 0.51}, "claimed": {}, "measured": worse, "measured_reason": None}
    store.meanwhile = lambda: record_measurement(store, body, facts, ANN)
    with pytest.raises(Conflict):
        promote(store, load_policy(None), body, "champion", "go", ANN)
    now = store.get("version", "m/000001").body
    assert now["measured"] == worse
    assert not gate(store, load_policy(None), now, "champion").passed
    entry = store.audit()[-1]
    assert (entry.action, entry.details["measured"], entry.details["replaces"]) == ("evaluate", worse, body["measured"])


def test_what_the_gate_judges_is_what_is_on_record_and_not_what_the_caller_read() -> None:
    store = InMemoryStore()
    read = version(store, 1)
    approve(store, load_policy(None), read, "ok", BOB)
    worse = measured(roc_auc=0.51)
    facts = {"metrics": {"roc_auc": 0.51}, "claimed": {}, "measured": worse, "measured_reason": None}
    record_measurement(store, read, facts, ANN)
    with pytest.raises(GateClosed, match=r"roc_auc 0\.51"):
        promote(store, load_policy(None), read, "champion", "go", ANN)


def test_a_task_that_names_in_mlflow_hint_at_excuses_no_metric() -> None:
    hinted = {**version(InMemoryStore(), 1), "task": "regression", "task_hinted": True, "classes": [], "measured": None}
    judgement = judged(hinted, CheckSpec("roc_auc", 0.6))
    assert not judgement.passed
    assert "`modelops adopt m --validated-on FILE --outcomes COLUMN`" in judgement.message
    assert judged({**hinted, "task_hinted": False}, CheckSpec("roc_auc", 0.6)).passed, "a regression has none"
