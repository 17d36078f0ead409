"""What people write is shown as written: nothing of it drives a terminal or turns the direction of a line."""

from pathlib import Path

import pytest

from modelops_jupyter.actor import Actor, current_actor
from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.persons import check_person
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Put
from modelops_jupyter.workspace import Workspace
from modelops_jupyter.written import check_text, printable

BAD = ["ok \x1b[31mRED\x1b[2J", "ok \u202egnp.exe", "ok\x07", "ok\rno", "ok\u2066", "ok\x9b31m", "ok\ud800"]


@pytest.mark.parametrize("text", BAD, ids=ascii)
def test_texts_that_drive_a_terminal_are_refused_everywhere(settings: Settings, text: str) -> None:
    ws = Workspace(settings)
    body = {
        "name": "m",
        "version": 1,
        "digest": "d",
        "created_by": "ann",
        "task": "regression",
        "metrics": {},
        "unsafe": False,
    }
    records = {
        ("model", "m"): {"name": "m", "kind": "ml", "description": ""},
        ("version", "m/000001"): body,
        ("version", "m/000002"): {**body, "version": 2},
        ("alias", "m@champion"): {"name": "m", "alias": "champion", "version": 2, "previous": 1},
    }
    ws.store.commit(Change(puts=tuple(Put(*key, written, subject="m") for key, written in records.items())))
    for write in (
        lambda: ws.approve("m/1", reason=text),
        lambda: ws.reject("m/1", reason=text),
        lambda: ws.comment("m/1", text),
        lambda: ws.register(object(), "n", description=text),
        lambda: ws.register(object(), "n", inputs=[text]),
        lambda: ws.register(object(), "n", metrics={text: 1.0}),
        lambda: Workspace(settings, actor=Actor(text)),
        lambda: current_actor(text),
    ):
        with pytest.raises(InvalidInput):
            write()
    assert ws.audit().rows == ()
    ws.approve("m/1", reason="fine")
    with pytest.raises(InvalidInput):
        ws.promote("m/1", reason=text)
    with pytest.raises(InvalidInput):
        ws.rollback("m", reason=text)


def test_what_people_do_write_goes_on_record() -> None:
    for text in ("größer als 0,6\n\tzweite Zeile", "日本語", "שלום", "👩\u200d🔬 looked at it", "a" * 10_000):
        assert check_text(f"  {text} ", "why") == text
    with pytest.raises(InvalidInput, match="too long"):
        check_text("a" * 10_001, "why")
    with pytest.raises(InvalidInput, match="why"):
        check_text(" \n", "say why")
    assert check_person(" Ann Müller ") == "Ann Müller"
    with pytest.raises(InvalidInput, match="one line"):
        check_person("ann\nbob")


def test_a_terminal_gets_data_spelled_out(
    settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hostile = "wind\x1b[2J\u202e"
    with Workspace(settings) as ws:
        alert = {
            "model": "m", "window_start": "2026-01-01", "kind": "drift", "column": hostile, "metric": "psi",
            "figure": 1.0, "threshold": 0.1, "state": "open", "message": f"{hostile} drifts",
        }  # fmt: skip
        ws.store.commit(Change(puts=(Put("alert", "m/1D/a", alert, subject="m"),)))
        assert "\x1b" not in ws.alerts()._repr_mimebundle_()["text/plain"]
    assert main(["alerts", "--workspace", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert r"\x1b[2J\u202e drifts" in out
    assert not {"\x1b", "\u202e"} & {*out}
    assert main(["versions", "\x1b[2J", "--workspace", str(tmp_path)]) == 2
    assert "\x1b" not in capsys.readouterr().err
    assert printable("a\tb\nç") == "a\tb\nç"
