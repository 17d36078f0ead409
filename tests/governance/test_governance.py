"""Gates, decisions and moves: what is allowed, what is refused, and that one of two wins."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    log_loss,
    mean_absolute_error,
    roc_auc_score,
    root_mean_squared_error,
)

from modelops_jupyter.actor import Actor
from modelops_jupyter.display import mimebundle
from modelops_jupyter.errors import Conflict, GateClosed, InvalidInput, InvalidPolicy, NotFound, PolicyNotEnforceable
from modelops_jupyter.governance import (
    CheckSpec,
    Policy,
    Rule,
    approve,
    check,
    comment,
    compare,
    gate,
    load_policy,
    model_card,
    promote,
    reject,
    rollback,
)
from modelops_jupyter.governance.gate import evaluate_gate
from modelops_jupyter.store import AuditEntry, Change, Event, InMemoryStore, Put, Store, open_store, verify_chain

ANN, BOB = Actor("ann"), Actor("bob")
POLICY = load_policy(None)


def measured(**metrics: float) -> dict[str, Any]:
    return {"metrics": metrics, "rows": 2000, "fingerprint": "f", "at": "2013-04-01T00:00:00+00:00", "by": "us"}


def version(store: Store, number: int, digest: str = "d", **metrics: float) -> dict[str, Any]:
    metrics = metrics or {"roc_auc": 0.7}
    body = {
        "name": "m", "version": number, "kind": "ml", "task": "classification", "classes": ["0", "1"],
        "flavor": "sklearn-skops", "unsafe": False, "digest": digest, "metrics": metrics,
        "claimed": {}, "measured": measured(**metrics), "measured_reason": None,
        "created_by": "ann", "created_at": "2013-04-01", "run_id": "r", "inputs": [], "features": ["x"],
        "data_fingerprint": "f", "source": {"notebook": None, "git_commit": None},
    }  # fmt: skip
    about = Put("model", "m", {"name": "m", "kind": "ml", "description": "late *or* <b>not</b>"}, subject="m")
    event = Event("register", f"m/{number}", "ann", "self-asserted")
    store.commit(Change(puts=(about, Put("version", f"m/{number:06d}", body, subject="m")), event=event))
    return body


class Interrupted(InMemoryStore):
    """A store in which something happens just before a move is written."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] | None = None

    def commit(self, change: Change) -> AuditEntry | None:
        happening, moves = self.meanwhile, any(put.kind == "transition" for put in change.puts)
        if happening is not None and moves:
            self.meanwhile = None
            happening()
        return super().commit(change)


def test_a_version_moves_only_when_approved_and_good_enough() -> None:
    store = InMemoryStore()
    poor, good = version(store, 1, roc_auc=0.55), version(store, 2, roc_auc=0.7)
    with pytest.raises(GateClosed, match=r"0 of 1 approvals\. Approve it first: `modelops approve m/2 --reason"):
        promote(store, POLICY, good, "champion", "first", ANN)
    approve(store, POLICY, good, "reads well", BOB)
    approve(store, POLICY, poor, "why not", BOB)
    with pytest.raises(GateClosed, match=r"roc_auc 0\.55, must be at least 0\.6") as refused:
        promote(store, POLICY, poor, "champion", "first", ANN)
    assert "modelops approve" not in str(refused.value)  # it is approved
    assert promote(store, POLICY, good, "champion", "first", ANN).to_version == 2
    assert check(store, POLICY, poor, "champion").passed is False
    assert len(store.find("gate", "m")) == 1
    assert [entry.action for entry in store.audit()] == ["register", "register", "approve", "approve", "promote"]
    assert verify_chain(store.audit()).ok


@pytest.mark.parametrize(
    ("task", "classes", "metric", "passed", "applies"),
    [
        ("classification", 2, "roc_auc", False, True),
        ("classification", 3, "roc_auc", True, False),
        ("classification", 3, "accuracy", False, True),
        ("classification", 2, "r2", True, False),
        ("regression", 0, "roc_auc", True, False),
        ("regression", 0, "r2", False, True),
        ("decision", 0, "accuracy", True, False),
        ("decision", 0, "complaints_per_day", False, True),
    ],
)
def test_a_figure_that_is_not_on_record_fails_wherever_there_could_be_one(
    task: str, classes: int, metric: str, passed: bool, applies: bool
) -> None:
    nothing = {"metrics": {}, "measured": None}
    body = {**version(InMemoryStore(), 1), "task": task, "classes": ["c"] * classes, **nothing}
    policy = Policy("p", "d", {"champion": Rule(checks=(CheckSpec(metric, threshold=0.5),))})
    report = gate(InMemoryStore(), policy, body, "champion")
    assert (report.passed, report.checks[0].applies) == (passed, applies)
    assert metric in report.checks[0].message


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [("s", "s", False), ("s", "t", True), (None, None, True)],
    ids=["the same rows", "other rows", "rows that nobody knows"],
)
def test_a_gate_says_when_it_compares_figures_of_different_rows(
    before: str | None, now: str | None, said: bool
) -> None:
    holder = {**version(InMemoryStore(), 1, roc_auc=0.7), "outcomes_fingerprint": before, "measured": None}
    body = {**version(InMemoryStore(), 2, roc_auc=0.8), "outcomes_fingerprint": now, "measured": None}
    spec = CheckSpec("roc_auc", threshold=0.6, min_absolute_change=0.05)
    policy = Policy("p", "d", {"champion": Rule(checks=(spec,))})
    message = evaluate_gate(policy, "champion", body, (), holder).checks[0].message
    assert message.startswith("roc_auc 0.8, must be at least 0.75")
    assert ("version 1 had 0.7, on other rows as far as is on record" in message) is said
    stricter = Policy("p", "d", {"champion": Rule(checks=(replace(spec, threshold=0.79),))})
    assert "other rows" not in evaluate_gate(stricter, "champion", body, (), holder).checks[0].message


def test_an_approval_is_of_exact_bytes() -> None:
    store = InMemoryStore()
    approve(store, POLICY, version(store, 1), "ok", BOB)
    with pytest.raises(GateClosed):
        promote(store, POLICY, version(store, 1, digest="other"), "champion", "x", ANN)


def test_a_rejection_voids_earlier_approvals_until_a_later_one() -> None:
    store = InMemoryStore()
    body = version(store, 1)
    approve(store, POLICY, body, "ok", BOB)
    reject(store, POLICY, body, "biased", ANN)
    with pytest.raises(GateClosed, match="rejected by ann: biased"):
        promote(store, POLICY, body, "champion", "x", ANN)
    approve(store, POLICY, body, "mended", BOB)
    promote(store, POLICY, body, "champion", "x", ANN)


def test_self_review_is_named_and_may_be_forbidden() -> None:
    store = InMemoryStore()
    body = version(store, 1)
    assert approve(store, POLICY, body, "mine", ANN).self_review
    assert check(store, POLICY, body, "champion").self_review
    strict = Policy("strict", "p", {"champion": Rule(approvals=1, allow_self_review=False)})
    assert not check(store, strict, body, "champion").passed


def test_a_guarantee_we_cannot_give_is_refused() -> None:
    store = InMemoryStore()
    strict = Policy("strict", "p", {"champion": Rule(require_enforced_separation=True)})
    with pytest.raises(PolicyNotEnforceable, match="administrator"):
        promote(store, strict, version(store, 1), "champion", "x", ANN)


def test_rollback_goes_back_and_says_when_it_cannot() -> None:
    store = InMemoryStore()
    with pytest.raises(NotFound, match="promote a version first"):
        rollback(store, POLICY, "m", "champion", "x", ANN, check_can_serve=dict)
    for number in (1, 2, 3):
        body = version(store, number)
        approve(store, POLICY, body, "ok", BOB)
        promote(store, POLICY, body, "champion", "x", ANN)
    move = rollback(store, POLICY, "m", "champion", "worse in May", ANN, check_can_serve=dict)
    assert (move.from_version, move.to_version, move.action) == (3, 2, "rollback")
    assert rollback(store, POLICY, "m", "champion", "worse still", ANN, check_can_serve=dict).to_version == 1
    with pytest.raises(NotFound, match="no version before 1"):
        rollback(store, POLICY, "m", "champion", "x", ANN, check_can_serve=dict)


def three_champions(store: Store) -> list[dict[str, Any]]:
    bodies = [version(store, number) for number in (1, 2, 3)]
    for body in bodies:
        approve(store, POLICY, body, "ok", BOB)
        promote(store, POLICY, body, "champion", "x", ANN)
    return bodies


def test_rollback_passes_over_what_was_rejected() -> None:
    store = InMemoryStore()
    first, second, _ = three_champions(store)
    reject(store, POLICY, second, "biased: must never serve again", BOB)
    assert rollback(store, POLICY, "m", "champion", "worse in May", ANN, check_can_serve=dict).to_version == 1
    details = store.audit()[-1].details
    assert (details["digest"], details["passed_over"]) == (first["digest"], [2])
    assert details["policy_digest"] == POLICY.digest


def test_rollback_to_nothing_but_rejected_versions_is_refused() -> None:
    store = InMemoryStore()
    first, second, _ = three_champions(store)
    promote(store, POLICY, second, "champion", "back and forth", ANN)
    for body in (first, version(store, 3)):
        reject(store, POLICY, body, "biased", BOB)
    with pytest.raises(GateClosed, match=r"was rejected \(m/3\)"):
        rollback(store, POLICY, "m", "champion", "x", ANN, check_can_serve=dict)
    assert store.get("alias", "m@champion").body["version"] == 2
    approve(store, POLICY, first, "mended", BOB)
    approve(store, POLICY, version(store, 3), "mended", BOB)
    assert rollback(store, POLICY, "m", "champion", "x", ANN, check_can_serve=dict).to_version == 3


def test_a_rejection_while_rolling_back_is_heeded() -> None:
    store = Interrupted()
    _, second, _ = three_champions(store)
    store.meanwhile = lambda: reject(store, POLICY, second, "found a leak", BOB)
    with pytest.raises(Conflict):
        rollback(store, POLICY, "m", "champion", "worse", ANN, check_can_serve=dict)
    assert rollback(store, POLICY, "m", "champion", "worse", ANN, check_can_serve=dict).to_version == 1


def test_reasons_are_required() -> None:
    store = InMemoryStore()
    with pytest.raises(InvalidInput, match="why"):
        approve(store, POLICY, version(store, 1), "  ", BOB)


def test_of_two_promoters_one_wins(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    free = Policy("free", "p", {})
    bodies = [version(store, number) for number in (1, 2, 3)]
    promote(store, free, bodies[0], "champion", "first", ANN)
    barrier, outcomes = threading.Barrier(2), []

    def race(body: dict[str, Any]) -> None:
        barrier.wait()
        try:
            promote(store, free, body, "champion", "race", ANN, expected_version=1)
            outcomes.append("won")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=race, args=(body,)) for body in bodies[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "won"]
    assert len(store.find("transition", "m")) == 2


@pytest.mark.parametrize("word", [approve, reject], ids=["approved", "rejected"])
def test_a_decision_between_the_gate_and_the_move_is_heeded(word: Callable[..., object]) -> None:
    store = Interrupted()
    body = version(store, 1)
    approve(store, POLICY, body, "ok", BOB)
    store.meanwhile = lambda: word(store, POLICY, body, "found a leak", BOB)
    with pytest.raises(Conflict):
        promote(store, POLICY, body, "champion", "go", ANN)
    assert store.get("alias", "m@champion") is None
    assert "promote" not in [entry.action for entry in store.audit()]


def test_a_comment_between_the_gate_and_the_move_stops_nothing() -> None:
    store = Interrupted()
    body = version(store, 1)
    approve(store, POLICY, body, "ok", BOB)
    store.meanwhile = lambda: comment(store, POLICY, body, "by the way", BOB)
    assert promote(store, POLICY, body, "champion", "go", ANN).to_version == 1


@pytest.mark.parametrize(
    "text",
    ["champion = 3", "[champion]\napproval = 1", "[[champion.checks]]\nthreshold = 1", "[champion]\napprovals = 'x'"],
)
def test_a_wrong_policy_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(InvalidPolicy, match=r"p\.toml"):
        load_policy(tmp_path / "p.toml")


def test_comparison_agrees_with_scikit_learn_and_knows_chance() -> None:
    generator = np.random.default_rng(1)
    y = generator.integers(0, 2, 2000)
    good, bad = y * 0.5 + generator.random(2000) * 0.8, generator.random(2000)
    frame = pd.DataFrame({"origin": generator.choice(["JFK", "LGA"], 2000)})
    words, guess = y.astype(str), np.where(good > 0.65, "1", "0")
    answer = compare("m/1", "m/2", frame, words, guess, guess, bad, np.clip(good, 0, 1), "classification", ("origin",))
    auc = next(m for m in answer.metrics if m.metric == "roc_auc" and not m.segment)
    assert auc.a == pytest.approx(roc_auc_score(y, bad))
    assert auc.b == pytest.approx(roc_auc_score(y, np.clip(good, 0, 1)))
    assert auc.better == "b"
    shown = {m.metric: m.b for m in answer.metrics if not m.segment}
    assert shown["brier_score"] == pytest.approx(brier_score_loss(y, np.clip(good, 0, 1)))
    assert shown["log_loss"] == pytest.approx(log_loss(y, np.clip(good, 0, 1)))
    assert shown["accuracy"] == pytest.approx(accuracy_score(words, guess))
    assert next(m for m in answer.metrics if m.metric == "accuracy").better == "neither"
    assert {m.segment for m in answer.metrics} == {"", "origin=JFK", "origin=LGA"}


def test_regressions_are_compared_by_their_errors() -> None:
    generator = np.random.default_rng(2)
    y = generator.normal(size=500)
    near, far = y + generator.normal(0, 0.1, 500), y + generator.normal(0, 1, 500)
    answer = compare("m/1", "m/2", pd.DataFrame({"x": y}), y, far, near, None, None, "regression")
    shown = {m.metric: (m.a, m.b, m.better) for m in answer.metrics}
    assert shown["mean_absolute_error"] == (
        pytest.approx(mean_absolute_error(y, far)), pytest.approx(mean_absolute_error(y, near)), "b",
    )  # fmt: skip
    assert shown["root_mean_squared_error"][0] == pytest.approx(root_mean_squared_error(y, far))


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Two versions with equal accuracy: the 95 % interval of the difference should exclude 0 about once in twenty."""
    generator = np.random.default_rng(3)
    excluded = 0
    for _ in range(200):
        y = generator.integers(0, 2, 400).astype(str)
        a, b = (np.where(generator.random(400) < 0.7, y, "x") for _ in range(2))
        answer = compare("m/1", "m/2", pd.DataFrame(index=range(400)), y, a, b, None, None, "classification")
        excluded += answer.metrics[0].better != "neither"
    assert 2 <= excluded <= 22


def test_small_and_one_class_segments_have_a_reason() -> None:
    frame = pd.DataFrame({"s": ["a"] * 5 + ["b"] * 45})
    words = np.array(["1"] * 50)
    scores = np.linspace(0, 1, 50)
    answer = compare("m/1", "m/2", frame, words, words, words, scores, scores, "classification", ("s",))
    reasons = {(m.segment, m.metric): m.reason for m in answer.metrics}
    assert "fewer" in str(reasons["s=a", "roc_auc"])
    assert reasons["", "roc_auc"] is not None


def test_cards_keep_user_text_as_text() -> None:
    store = InMemoryStore()
    version(store, 1, roc_auc=0.7)
    card = model_card(store, "m", 1)
    html = mimebundle(card)["text/html"]
    assert "&lt;b&gt;not" in html
    assert "<b>" not in html
    assert r"\*or\*" in card.to_markdown()
    assert "0.7" in card.to_markdown()
