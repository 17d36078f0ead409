"""Nobody reviews their own version in a disguise, and nobody changes the rules, or the bytes, after the approval."""

import shutil
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression
from test_clocks import register

from modelops_jupyter.actor import Actor, current_actor
from modelops_jupyter.cli import main
from modelops_jupyter.errors import ArtifactChanged, GateClosed, InvalidInput, PolicyNotEnforceable
from modelops_jupyter.governance import Policy, Rule, approve, gate, load_policy, promote
from modelops_jupyter.settings import Settings, find_settings
from modelops_jupyter.store import InMemoryStore
from modelops_jupyter.workspace import Workspace

X, Y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
SEPARATE = Policy("separate", "s", {"champion": Rule(approvals=1, allow_self_review=False)})
STRICT = "[champion]\napprovals = 1\nallow_self_review = false\nrequire_measured = false\n"
LAX = "[champion]\napprovals = 1\nrequire_measured = false\n"


@pytest.mark.parametrize("name", ["ann", " ANN ", "Ann@corp", "CORP\\ann", "ann+ok@corp", "ＡＮＮ", "an𝐧"])
def test_no_disguise_of_who_registered_it_opens_the_gate(name: str) -> None:
    store = InMemoryStore()
    body = register(store, 1)
    assert approve(store, SEPARATE, body, "mine", Actor(name)).self_review
    with pytest.raises(GateClosed, match="is a self-review, since ann registered it"):
        promote(store, SEPARATE, body, "champion", "x", Actor(name))
    with pytest.raises(InvalidInput, match="mixes letters of Cyrillic and Latin"):
        Actor("аnn")


def test_one_person_under_two_names_is_one_approval() -> None:
    store, two = InMemoryStore(), Policy("two", "t", {"champion": Rule(approvals=2)})
    body = register(store, 1)
    for name in ("Bob", "bob@corp", "BOB"):
        approve(store, two, body, "ok", Actor(name))
    report = gate(store, two, body, "champion")
    assert (report.approved_by, report.passed) == (("Bob",), False)
    approve(store, two, body, "ok", Actor("eve"))
    assert gate(store, two, body, "champion").passed


@pytest.mark.parametrize("assurance", ["self-asserted", "authenticated"])
def test_a_review_by_others_says_whether_anybody_vouches_for_them(assurance: str) -> None:
    store = InMemoryStore()
    body = register(store, 1)
    approve(store, SEPARATE, body, "ok", Actor("bob", assurance))
    report = gate(store, SEPARATE, body, "champion")
    (message,) = (check.message for check in report.checks)
    assert (report.passed, report.assurance) == (True, assurance)
    assert ("self-asserted: nobody but themselves says who gave them" in message) is (assurance == "self-asserted")
    enforced = Policy("e", "e", {"champion": Rule(approvals=1, require_enforced_separation=True)})
    with pytest.raises(PolicyNotEnforceable):
        gate(store, enforced, body, "champion")


def test_a_kernel_of_a_hub_acts_as_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELOPS_ACTOR", raising=False)
    monkeypatch.setenv("JUPYTERHUB_USER", "vera")
    assert current_actor() == Actor("vera", "self-asserted")
    monkeypatch.setenv("MODELOPS_ACTOR", "svc")
    assert current_actor().name == "svc"
    assert current_actor("ann").name == "ann"


def test_the_digest_of_a_policy_is_of_what_it_says(tmp_path: Path) -> None:
    digests = []
    for number, text in enumerate((STRICT, f"# why\n\n{STRICT}", LAX)):
        file = tmp_path / f"{number}.toml"
        file.write_text(text)
        digests.append(load_policy(file).digest)
    assert digests[0] == digests[1] != digests[2]


def opened(settings: Settings, name: str, policy: str) -> Workspace:
    (settings.project / "modelops.toml").write_text('policy = "policy.toml"\n')
    (settings.project / "policy.toml").write_text(policy)
    return Workspace(find_settings(settings.project), actor=Actor(name))


def test_another_policy_is_on_record_and_voids_approvals(settings: Settings) -> None:
    with opened(settings, "ann", STRICT) as ws:
        ws.register(LogisticRegression().fit(X, Y), "m")
        ws.approve("m/1", reason="mine")
        with pytest.raises(GateClosed, match=r"0 of 1 approvals \(that of ann is a self-review"):
            ws.promote("m/1", reason="x")
    with opened(settings, "ann", LAX) as ws:
        with pytest.raises(GateClosed, match=r"0 of 1 approvals \(that of ann was given under another policy"):
            ws.promote("m/1", reason="x")
        strict, lax = (entry for entry in ws.store.audit() if entry.action == "policy")
        assert (strict.details["replaces"], lax.details["replaces"]) == (None, strict.details["digest"])
        assert (lax.actor, lax.details["digest"]) == ("ann", ws.policy.digest)
        ws.approve("m/1", reason="mine, by the laxer rules")
        ws.promote("m/1", reason="x")
        assert ws.store.audit()[-1].details["policy_digest"] == ws.policy.digest
        assert ws.verify_audit().ok


def test_a_policy_of_the_environment_is_on_record_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(settings, "ann", STRICT) as ws:
        ws.register(LogisticRegression().fit(X, Y), "m")
        ws.approve("m/1", reason="mine")
    (tmp_path / "lax.toml").write_text(LAX)
    monkeypatch.setenv("MODELOPS_POLICY", str(tmp_path / "lax.toml"))
    with opened(settings, "ann", STRICT) as ws:
        assert "given under another policy" in str(ws.gate("m/1"))
        ws.approve("m/1", reason="mine")
        assert [e.action for e in ws.store.audit()] == ["register", "policy", "approve", "policy", "approve"]


def test_a_head_that_the_shell_exports_finds_a_chain_written_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(settings.project)
    with opened(settings, "ann", LAX) as ws:
        ws.register(LogisticRegression().fit(X, Y), "m")
    assert main(["audit-head", "--json"]) == 0
    Path("head.json").write_text(capsys.readouterr().out)
    assert main(["verify-audit", "--head", "head.json"]) == 0
    settings.store_path.unlink()
    shutil.rmtree(settings.artifacts_path)
    with opened(settings, "ann", LAX) as ws:
        ws.register(LogisticRegression().fit(X, Y), "other")
        assert ws.verify_audit().ok
    capsys.readouterr()
    assert main(["verify-audit", "--head", "head.json"]) == 1
    assert "entry 1: it is not the entry whose head was exported" in capsys.readouterr().out
    assert main(["verify-audit", "--head", "nowhere.json"]) == 2


@pytest.mark.parametrize("back", [False, True], ids=["promote", "rollback"])
def test_files_edited_after_the_approval_do_not_move(settings: Settings, back: bool) -> None:
    """Size and names stay as they were."""
    with opened(settings, "ann", LAX) as ws:
        for number in (1, 2):
            version = ws.register(LogisticRegression().fit(X, Y), "m")
            ws.approve(f"m/{number}", reason="ok")
            if back or number == 1:
                ws.promote(f"m/{number}", reason="x")
        edited = ws.version("m/1" if back else "m/2")
        folder = settings.root / edited.body["artifact_path"]
        file = next(path for path in sorted(folder.rglob("*")) if path.suffix == ".skops")
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        with pytest.raises(ArtifactChanged, match=rf"cannot .*{file.name}.* was changed"):
            ws.rollback("m", reason="worse") if back else ws.promote(version.full_name, reason="better")
        assert ws.version("m@champion").version == (2 if back else 1)
