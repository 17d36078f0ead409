"""An alias that somebody moves in MLflow is seen, told and put right; looking alone changes nothing."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.cli import main
from modelops_jupyter.errors import RegistryDamaged, RegistryUnreachable
from modelops_jupyter.registry import Registry
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

X = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["a", "b"])
Y = (X["a"] > 0).astype(int)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """Two models of two versions: one with a champion, one that nobody has promoted."""
    root = tmp_path_factory.mktemp("made") / ".modelops"
    root.mkdir()
    shutil.copy(mlflow_database, root / "mlflow.db")
    with Workspace(Settings(project=root.parent, root=root, actor="ann")) as ws:
        for name in ("delay", "other"):
            for strength in (1.0, 0.1):
                fitted = LogisticRegression(C=strength).fit(X, Y)
                ws.register(fitted, name, data=X[::2], target=Y[::2], reference=(X[1::2], Y[1::2]))
        for version in (1, 2):
            ws.approve(f"delay/{version}", reason="ok")
            ws.promote(f"delay/{version}", reason="first")
    return root


@pytest.fixture
def ws(made: Path, tmp_path: Path) -> Workspace:
    """A copy of them, to move aliases in."""
    shutil.copytree(made, tmp_path / ".modelops")
    return Workspace(Settings(project=tmp_path, root=tmp_path / ".modelops", actor="ann"))


def shown(ws: Workspace) -> dict[str, dict[str, int]]:
    return ws.registry.aliases(["delay", "other"])


RIGHT = {"delay": {"champion": 2}, "other": {}}


@pytest.mark.parametrize(
    ("model", "alias", "at", "told"),
    [
        ("delay", "champion", 1, "delay@champion is version 2 on record, but MLflow shows it at version 1"),
        ("delay", "champion", None, "delay@champion is version 2 on record, but MLflow does not show it"),
        ("delay", "mine", 1, "delay@mine is not on record, but MLflow shows it at version 1"),
        ("other", "champion", 1, "other@champion is not on record, but MLflow shows it at version 1"),
    ],
    ids=["back", "gone", "of-its-own", "never-promoted"],
)
def test_an_alias_moved_behind_our_back_is_an_incident(
    ws: Workspace, model: str, alias: str, at: int | None, told: str
) -> None:
    ws.registry.set_alias(model, alias, at)
    wrong = shown(ws)
    before = ws.audit()
    assert ws.status().moved == (f"{told}: run `modelops reconcile`",)
    assert told in str(ws.status())
    assert (shown(ws), len(ws.audit())) == (wrong, len(before)), "looking changes nothing"
    assert ws.version("delay@champion").version == 2, "we serve what is on record, whatever MLflow shows"

    (row,) = ws.reconcile()
    assert (row["model"], row["alias"], row["shown"], row["foreign"]) == (model, alias, at, True)
    assert shown(ws) == RIGHT
    assert ws.status().moved == ()
    assert (ws.audit()[0]["action"], ws.audit()[0]["subject"]) == ("reconcile", f"{model}@{alias}")
    (incident,) = ws.incidents()
    assert (incident["model"], incident["state"], incident["title"]) == (model, "open", told)
    assert any(record.body["topic"] == "incident.opened" for record in ws.store.find("outbox"))
    assert ws.reconcile().rows == ()
    assert len(ws.incidents()) == 1
    assert ws.verify_audit().ok


def test_a_move_that_mlflow_has_not_followed_is_no_incident(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **options: object) -> None:
        raise RegistryUnreachable("gone")

    ws.approve("other/1", reason="ok")
    with monkeypatch.context() as patch:
        patch.setattr(Registry, "set_alias", refuse)
        for move in (lambda: ws.promote("other/1", reason="go"), lambda: ws.rollback("delay", reason="worse")):
            with pytest.raises(RegistryUnreachable, match="modelops reconcile"):
                move()
    assert shown(ws) == RIGHT
    assert len(ws.status().moved) == 2
    assert [row["foreign"] for row in ws.reconcile()] == [False, False]
    assert shown(ws) == {"delay": {"champion": 1}, "other": {"champion": 1}}
    assert ws.incidents().rows == ()


def test_the_watch_sees_it(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.registry.set_alias("delay", "champion", 1)
    done = ws.watch(once=True)
    assert (done.moved, done.registry_error, shown(ws)) == (1, None, RIGHT)
    assert "1 alias put right" in str(done)

    def damaged(*_: object) -> None:
        raise RegistryDamaged("mlflow.db is no database")

    monkeypatch.setattr(Registry, "aliases", damaged)
    done = ws.watch(once=True)
    assert (done.exit_code, done.registry_error) == (0, "mlflow.db is no database")
    assert "mlflow.db is no database" in str(done)


def test_many_models_are_read_page_by_page(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelops_jupyter.registry.registered.PAGE", 1)
    assert shown(ws) == RIGHT


def test_the_shell_reconciles(ws: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ws.registry.set_alias("delay", "champion", 1)
    assert main(["status", "--workspace", str(tmp_path)]) == 0
    assert "MLflow shows it at version 1: run `modelops reconcile`" in capsys.readouterr().out
    assert main(["reconcile", "--workspace", str(tmp_path)]) == 0
    assert "delay" in capsys.readouterr().out
    assert main(["reconcile", "--workspace", str(tmp_path)]) == 0
    assert "as it is on record" in capsys.readouterr().out


def test_an_alias_that_is_promoted_while_reconcile_takes_it_away_stays(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.registry.set_alias("delay", "challenger", 1)
    take_away = Registry.set_alias

    def slow(registry: Registry, name: str, alias: str, version: int | None, **mark: str) -> None:
        if version is None:
            with Workspace(ws.settings) as other:
                other.promote("delay/1", "challenger", reason="beside the champion")
        take_away(registry, name, alias, version, **mark)

    monkeypatch.setattr(Registry, "set_alias", slow)
    ws.reconcile()
    assert shown(ws) == {"delay": {"champion": 2, "challenger": 1}, "other": {}}
    assert ws.status().moved == ()


def told(ws: Workspace) -> list[str]:
    return [record.body["title"] for record in ws.store.find("incident")]


def test_what_cannot_be_put_right_is_one_incident_until_it_is_solved(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion that nobody can undo is told once, keeps nothing else from being put right, and again when again."""

    def cannot(*_: object) -> None:
        raise RegistryDamaged("no artifact is left: register it again.")

    client = ws.registry.client
    client.delete_registered_model("other")
    with monkeypatch.context() as patch:
        patch.setattr(Registry, "restore", cannot)
        for _ in range(3):
            client.set_registered_model_alias("delay", "champion", 1)
            assert ws.reconcile().left == 1
            assert shown(ws) == {"delay": RIGHT["delay"]}
            assert ws.status().models[0]["name"] == "delay"
    assert [title.partition(" ")[0] for title in sorted(told(ws))] == ["delay@champion"] * 3 + ["other"]
    assert ws.reconcile().left == 0
    client.delete_registered_model("other")
    assert ws.reconcile().left == 0
    assert sum(title.startswith("other was deleted") for title in told(ws)) == 2
