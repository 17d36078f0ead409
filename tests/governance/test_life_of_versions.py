"""Whatever people do with versions: none that is rejected gets an alias, and one that serves then says so.

The machine keeps a model of its own of what was decided; the workspace, with a real MLflow beside it, must agree.
"""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import mlflow
import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import GateClosed, NotFound, Refused
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

X, Y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
PEOPLE = [Actor("ann"), Actor("bob"), Actor("eve")]
POLICY = "[champion]\napprovals = 1\nallow_self_review = false\nrequire_measured = false\n[challenger]\n"
NUMBER, PERSON, ALIAS = st.integers(0, 5), st.sampled_from(PEOPLE), st.sampled_from(["champion", "challenger"])


class LifeOfVersions(RuleBasedStateMachine):
    """Versions of one model and what people decide about them."""

    database: Path

    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp(prefix="life-of-versions-"))
        (self.folder / "policy.toml").write_text(POLICY)
        (self.folder / ".modelops").mkdir()
        shutil.copy(self.database, self.folder / ".modelops" / "mlflow.db")
        self.settings = Settings(self.folder, self.folder / ".modelops", policy=self.folder / "policy.toml")
        self.decisions: dict[int, list[tuple[str, str]]] = {}
        self.holders: dict[str, int] = {}
        self.before: dict[str, dict[int, int | None]] = {"champion": {}, "challenger": {}}
        self.leads_to: dict[str, int | None] = {}
        self.register()

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def ws(self, person: Actor = PEOPLE[0]) -> Workspace:
        return Workspace(self.settings, actor=person)

    @precondition(lambda self: len(self.decisions) < 4)
    @rule()
    def register(self) -> None:
        with self.ws() as ws:
            version = ws.register(LogisticRegression().fit(X, Y), "m").version
        assert version == len(self.decisions) + 1
        self.decisions[version] = []

    def chosen(self, number: int) -> int:
        return 1 + number % len(self.decisions)

    @rule(number=NUMBER, person=PERSON, word=st.sampled_from(["approve", "reject", "reject"]))
    def decide(self, number: int, person: Actor, word: str) -> None:
        version = self.chosen(number)
        with self.ws(person) as ws:
            decision = getattr(ws, word)(f"m/{version}", reason="x")
        self.decisions[version].append((word, person.name))
        assert sorted(decision.serves_as) == sorted(a for a, v in self.holders.items() if v == version)

    @rule(number=NUMBER, person=PERSON)
    def comment(self, number: int, person: Actor) -> None:
        with self.ws(person) as ws:
            ws.comment(f"m/{self.chosen(number)}", "x")

    def is_rejected(self, version: int, alias: str) -> bool:
        """Return whether no approval that counts came after the last rejection."""
        words = [(w, by) for w, by in self.decisions[version] if w == "reject" or alias == "challenger" or by != "ann"]
        return bool(words) and words[-1][0] == "reject"

    def is_open(self, version: int, alias: str) -> bool:
        words = [(w, by) for w, by in self.decisions[version] if w == "reject" or by != "ann"]
        return not self.is_rejected(version, alias) and (alias == "challenger" or bool(words))

    @rule(number=NUMBER, person=PERSON, alias=ALIAS)
    def promote(self, number: int, person: Actor, alias: str) -> None:
        version = self.chosen(number)
        with self.ws(person) as ws:
            assert ws.gate(f"m/{version}", alias).passed is self.is_open(version, alias)
            try:
                ws.promote(f"m/{version}", alias, reason="x")
            except GateClosed:
                assert not self.is_open(version, alias)
                return
            except Refused:
                assert self.holders.get(alias) == version
                return
        assert self.is_open(version, alias)
        self.before[alias][version] = self.leads_to[alias] = self.holders.get(alias)
        self.holders[alias] = version

    @rule(person=PERSON, alias=ALIAS)
    def roll_back(self, person: Actor, alias: str) -> None:
        target, seen = self.leads_to.get(alias), {self.holders.get(alias)}
        while target is not None and target not in seen and self.is_rejected(target, alias):
            seen.add(target)
            target = self.before[alias][target]
        target = None if target in seen else target
        with self.ws(person) as ws:
            try:
                move = ws.rollback("m", alias, reason="x")
            except (NotFound, GateClosed):
                assert target is None
                return
        assert move.to_version == target
        assert target is not None
        self.holders[alias], self.leads_to[alias] = target, self.before[alias][target]

    @rule(number=NUMBER, alias=ALIAS)
    def somebody_moves_it_in_mlflow(self, number: int, alias: str) -> None:
        with self.ws() as ws:
            client = mlflow.MlflowClient(ws.tracking_uri)
            client.set_registered_model_alias("m", alias, str(self.chosen(number)))

    @rule()
    def reconcile(self) -> None:
        with self.ws() as ws:
            assert ws.reconcile().left == 0
            shown = mlflow.MlflowClient(ws.tracking_uri).get_registered_model("m").aliases
        assert {alias: int(version) for alias, version in shown.items()} == self.holders

    @invariant()
    def what_serves_is_what_was_decided(self) -> None:
        if not self.decisions:
            return
        with self.ws() as ws:
            held = {r.body["alias"]: r.body for r in ws.store.find("alias", "m")}
            assert {alias: body["version"] for alias, body in held.items()} == self.holders
            rejected = {alias for alias, version in self.holders.items() if self.is_rejected(version, alias)}
            assert {alias for alias, body in held.items() if body["rejected"]} == rejected
            rows = [row for row in ws.incidents("m", state="open") if row["cause"] == "governance"]
            assert sorted(row["title"].split(",")[1].split()[-1] for row in rows) == sorted(rejected)
            (model,) = ws.models()
            assert sum("was rejected by" in remark for remark in model["remarks"]) == len(rejected)
            assert ws.verify_audit().ok


@pytest.mark.parametrize("examples", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_no_order_of_acts_leaves_a_rejected_version_unsaid(mlflow_database: Path, examples: int) -> None:
    LifeOfVersions.database = mlflow_database
    quick: Any = hypothesis_settings(
        max_examples=examples,
        stateful_step_count=25,
        phases=(Phase.generate,),  # to shrink takes many workspaces
    )
    run_state_machine_as_test(LifeOfVersions, settings=quick)
