"""Who approves a version sees the project's code in it; a policy may forbid it."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from feature_projects import FEATURES, OUTCOMES, VALIDATION, X, Y, fitted, importable, imported
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modelops_jupyter.errors import GateClosed, UnsafeArtifact
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Put
from modelops_jupyter.workspace import Workspace


@pytest.fixture
def project(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with importable(settings, monkeypatch) as folder:
        yield folder


@pytest.fixture
def ws(settings: Settings) -> Iterator[Workspace]:
    with Workspace(settings) as opened:
        yield opened


def test_who_approves_sees_the_functions_and_their_source(ws: Workspace, project: Path) -> None:
    source = FEATURES + "TICKS = '```` <b>'\n"
    features = imported(project, source)
    ws.register(fitted(features.with_product), "m", data=X, target=Y, reference=VALIDATION, outcomes=OUTCOMES)
    digest = hashlib.sha256(source.encode()).hexdigest()
    place = f"code/project/features.py, SHA-256 {digest}"

    version = ws.version("m/1")
    assert f"calls: features.with_product ({place})" in str(version)
    assert ws.versions("m").rows[0]["calls"] == "features.with_product"
    assert "calls" in ws.versions("m").columns

    gate = ws.check("m/1")
    assert gate.project_code == {"code/project/features.py": source}
    check = next(check for check in gate.checks if check.name == "project code")
    assert check.passed
    assert (
        f"calls features.with_product of the project it was made in (code/project/features.py, SHA-256 {digest[:12]})"
        in (check.message)
    )
    assert "`modelops card m/1`" in check.message

    card = ws.card("m/1")
    assert card.to_dict()["code"] == {"code/project/features.py": source}
    assert f"- **Calls features.with_product of the project**: {place}" in card.to_markdown()
    assert f"\n`````python\n{source}`````" in card.to_markdown()
    for shown in (version, gate, card):
        page = shown._repr_mimebundle_()["text/html"]
        assert "def with_product(rows):" in page
        assert "&#x27;```` &lt;b&gt;&#x27;" in page

    ws.approve("m/1", reason="read it")
    ws.promote("m/1", "champion", reason="better")
    assert ws.board().serving[0]["calls"] == "features.with_product"
    registered = next(row for row in ws.audit().rows if row["action"] == "register")
    assert [f["sha256"] for f in registered["details"]["project_functions"]] == [digest]


def test_an_approval_stands_for_the_source_that_was_read(ws: Workspace, project: Path) -> None:
    ws.register(fitted(imported(project).with_product), "m", data=X, target=Y, reference=VALIDATION, outcomes=OUTCOMES)
    ws.approve("m/1", reason="read it")
    changed = imported(project, FEATURES.replace("SCALE = 2.0", "SCALE = 3.0"))
    ws.register(fitted(changed.with_product), "m", data=X, target=Y, reference=VALIDATION, outcomes=OUTCOMES)
    assert ws.check("m/1").passed, str(ws.check("m/1"))
    assert not ws.check("m/2").passed
    with pytest.raises(GateClosed, match="0 of 1 approvals"):
        ws.promote("m/2", "champion", reason="better")


def test_a_policy_forbids_it(ws: Workspace, project: Path) -> None:
    (project / "policy.toml").write_text("[champion]\nrequire_measured = false\nallow_project_code = false\n")
    ws.register(fitted(imported(project).with_product), "m", data=X, target=Y)
    plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    ws.register(plain, "m", data=X, target=Y)
    with Workspace(replace(ws.settings, policy=project / "policy.toml")) as strict:
        with pytest.raises(GateClosed, match="which the policy forbids; read the source"):
            strict.promote("m/1", "champion", reason="better")
        strict.promote("m/2", "champion", reason="better")


def test_a_text_that_is_not_what_runs_closes_the_gate(ws: Workspace, project: Path) -> None:
    ws.register(fitted(imported(project).with_product), "m", data=X, target=Y)
    record = ws.store.get("version", "m/000001")
    assert record is not None
    body = {**record.body, "project_code": {"code/project/features.py": "def with_product(rows): ...\n"}}
    ws.store.commit(Change(puts=(Put("version", record.key, body, subject="m"),)))
    assert "is not what the version runs" in str(ws.check("m/1"))
    assert "is not what the version runs" in str(ws.card("m/1"))


def test_a_copy_in_mlflow_is_adopted_as_unsafe(ws: Workspace, project: Path) -> None:
    """What MLflow was given is on no record of ours: its code runs with `unsafe` alone."""
    model = fitted(imported(project).with_product)
    ws.register(model, "m", data=X, target=Y)
    ws.registry.client.copy_model_version("models:/m/1", "copy")
    ws.adopt("copy")
    assert ws.version("copy/1").body["unsafe"]
    with pytest.raises(UnsafeArtifact, match="runs code when it is loaded"):
        ws.predict("copy/1", X)
    assert (ws.predict("copy/1", X, unsafe=True)[0] == model.predict(X)).all()
