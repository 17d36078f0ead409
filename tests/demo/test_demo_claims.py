"""What the people of the demo say rests on what was measured; where the data say otherwise, the demo stops."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from modelops_jupyter import demo
from modelops_jupyter.errors import Refused
from modelops_jupyter.governance import Comparison, MetricComparison
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.registry import Registry
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Event, Put
from modelops_jupyter.workspace import Workspace

BETTER = "50,000 held-out flights: Better beyond chance: flight-delay/7 on roc_auc, flight-delay/7 on log_loss."
CHANCE = "50,000 held-out flights: flight-delay/3 and flight-delay/7 do not differ beyond chance on these rows."
WORSE = "50,000 held-out flights: Better beyond chance: flight-delay/3 on roc_auc."
ALERT = {
    "kind": "performance",
    "message": "flight-delay: roc_auc was 0.61",
    "window_start": "2013-05-01",
    "state": "open",
}


def version(number: int, roc_auc: float) -> Put:
    measured = {"metrics": {"roc_auc": roc_auc}, "rows": 900, "fingerprint": "f", "at": "2013-04-01T00:00", "by": "us"}
    body: dict[str, Any] = {
        "name": demo.MODEL, "version": number, "kind": "ml", "task": "classification", "classes": ["0", "1"],
        "flavor": "sklearn-skops", "unsafe": False, "digest": f"d{number}", "metrics": {"roc_auc": roc_auc},
        "claimed": {}, "measured": measured,
        "created_by": demo.SCIENTIST, "created_at": "2013-04-01", "features": ["wind"],
        "model_uri": f"runs:/r{number}/modelops",
    }  # fmt: skip
    return Put("version", f"{demo.MODEL}/{number:06d}", body, subject=demo.MODEL)


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose newest version is 7, as it is where somebody has registered others in between."""
    monkeypatch.setattr(Registry, "check", lambda registry: None)
    monkeypatch.setattr(Registry, "obstacle", lambda *_, **__: "")
    monkeypatch.setattr(Registry, "changed_sizes", lambda *_: {})
    monkeypatch.setattr(Registry, "files_are_gone", lambda *_: False)
    monkeypatch.setattr(Registry, "check_bytes", lambda *_: None)
    monkeypatch.setattr(Registry, "set_alias", lambda *_, **__: None)
    monkeypatch.setattr(Registry, "aliases", lambda *_, **__: {})
    ws = Workspace(Settings(tmp_path, tmp_path / ".modelops", actor=demo.SCIENTIST))
    about = Put("model", demo.MODEL, {"name": demo.MODEL, "kind": "ml", "description": ""}, subject=demo.MODEL)
    event = Event("register", demo.MODEL, demo.SCIENTIST, "self-asserted")
    ws.store.commit(Change(puts=(about, version(3, 0.68), version(7, 0.74)), event=event))
    ws.approve("flight-delay/3", reason="first")
    ws.promote("flight-delay/3", reason="first")
    return ws


def champion(ws: Workspace) -> int:
    return ws.version("flight-delay@champion").version


def alert(ws: Workspace) -> None:
    ws.store.commit(Change(puts=(Put("alert", "flight-delay/1D/a", ALERT, subject=demo.MODEL),)))


def test_the_newest_is_promoted_on_figures_that_are_on_record(ws: Workspace) -> None:
    alert(ws)
    ws.comment("flight-delay/7", BETTER)
    said: list[str] = []
    demo._promote_retrained(ws, said.append)
    assert champion(ws) == 7
    assert BETTER in said[0]
    assert ALERT["message"] in said[1]
    assert "0.740" in said[1]
    demo._promote_retrained(ws, said.append)
    assert len(said) == 2, "what has happened is not done again"


@pytest.mark.parametrize("conclusion", [CHANCE, WORSE])
def test_nobody_calls_a_version_better_that_is_not(ws: Workspace, conclusion: str) -> None:
    alert(ws)
    ws.comment("flight-delay/7", conclusion)
    with pytest.raises(Refused, match="has a better ROC AUC: 50,000 held-out"):
        demo._promote_retrained(ws, print)
    with pytest.raises(Refused, match="has a better ROC AUC"):
        demo._better_evaluation(ws, ws.version("flight-delay/7"))
    assert champion(ws) == 3


def test_nobody_speaks_of_a_fall_without_an_alert(ws: Workspace) -> None:
    ws.comment("flight-delay/7", BETTER)
    with pytest.raises(Refused, match="no performance alert"):
        demo._promote_retrained(ws, print)
    assert champion(ws) == 3


@pytest.mark.parametrize(("better", "left"), [("a", 3), ("neither", 7), ("b", 7)])
def test_the_demo_rolls_back_only_from_what_is_worse(
    ws: Workspace, better: str, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.approve("flight-delay/7", reason="newest")
    ws.promote("flight-delay/7", reason="newest")
    logged = pa.Table.from_pandas(pd.DataFrame({"wind": [0.5], "label": ["1"]}))
    monkeypatch.setattr(PredictionLog, "read", lambda *_: logged)
    auc = MetricComparison("", 1, "roc_auc", 0.7, 0.6, -0.1, -0.2, -0.05, better)
    compared: list[tuple[str, str]] = []

    def compare(_: Workspace, a: str, b: str, **options: Any) -> Comparison:
        compared.append((a, b))
        return Comparison(a, b, 1, (auc,), "what was found")

    monkeypatch.setattr(Workspace, "compare", compare)
    if left == 3:
        demo._roll_back(ws, print)
    else:
        with pytest.raises(Refused, match="was worse in October: what was found"):
            demo._roll_back(ws, print)
    assert compared == [("flight-delay/3", "flight-delay/7")]
    assert champion(ws) == left
