"""Clocks step back and ahead, and nothing that is decided changes: what was decided last counts, whatever they said."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter import clock
from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import Conflict, GateClosed, NotFound, Refused
from modelops_jupyter.governance import Policy, Rule, approve, comment, gate, promote, reject, rollback
from modelops_jupyter.store import Event, InMemoryStore, Put, Store, verify
from modelops_jupyter.store.records import Change

ANN, BOB = Actor("ann"), Actor("bob")
POLICY = Policy("p", "d", {"champion": Rule(approvals=1)})
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def register(store: Store, number: int, model: str = "m") -> dict[str, Any]:
    body = {
        "name": model, "version": number, "kind": "ml", "task": "classification", "classes": ["0", "1"],
        "flavor": "sklearn-skops", "unsafe": False, "digest": f"d{number}", "metrics": {}, "claimed": {},
        "measured": None, "created_by": "ann",
    }  # fmt: skip
    put = Put("version", f"{model}/{number:06d}", body, subject=model)
    store.commit(Change(puts=(put,), event=Event("register", f"{model}/{number}", "ann", "self-asserted")))
    return body


def play(acts: list[tuple[str, int]], steps: list[timedelta], set_clock: Callable[[datetime], object]) -> Any:
    """Return everything that was answered and how it all stands, by a clock that is set anew before each act."""
    store, answers, at = InMemoryStore(), [], NOON
    bodies = [register(store, number) for number in (1, 2, 3)]
    for (act, number), step in zip(acts, steps, strict=True):
        at += step
        set_clock(at)
        body = bodies[number]
        try:
            if act == "promote":
                answers.append(promote(store, POLICY, body, "champion", "x", ANN).to_version)
            elif act == "rollback":
                answers.append(rollback(store, POLICY, "m", "champion", "x", ANN, check_can_serve=dict).to_version)
            else:
                word: Any = {"approve": approve, "reject": reject, "comment": comment}[act]
                answers.append(word(store, POLICY, body, "x", BOB).decision)
        except (GateClosed, Conflict, NotFound, Refused) as error:
            answers.append(f"{type(error).__name__}: {error}")
    held = store.get("alias", "m@champion")
    stands = None if held is None else (held.body["version"], held.body["previous"])
    assert verify(store).ok
    return answers, stands, [gate(store, POLICY, body, "champion").passed for body in bodies]


ACT = st.tuples(st.sampled_from(["approve", "reject", "comment", "promote", "promote", "rollback"]), st.integers(0, 2))
STEP = st.one_of(st.integers(-2, 2), st.integers(-(10**6), 10**6)).map(lambda seconds: timedelta(seconds=seconds))


@given(st.lists(st.tuples(ACT, STEP), max_size=25))
def test_random_clocks_decide_what_a_steady_one_does(history: list[tuple[tuple[str, int], timedelta]]) -> None:
    acts = [act for act, _ in history]
    with pytest.MonkeyPatch.context() as patch:

        def set_clock(at: datetime) -> None:
            patch.setattr(clock, "now", lambda: at)

        steady = play(acts, [timedelta(seconds=1)] * len(acts), set_clock)
        assert play(acts, [step for _, step in history], set_clock) == steady


def test_the_last_decision_counts_though_its_clock_was_read_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """An approval that read its clock later, and was on record before the rejection, does not pass it."""
    store = InMemoryStore()
    body = register(store, 1)
    approve(store, POLICY, body, "reads well", BOB)
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) - timedelta(days=1))
    reject(store, POLICY, body, "found a leak", BOB)
    assert store.audit()[-1].action == "reject"
    assert not gate(store, POLICY, body, "champion").passed
