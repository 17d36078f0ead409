"""A decision table's whole way: registered from a file, asked, logged, monitored, compared and described."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import modelops_jupyter as mo
from modelops_jupyter.cli import main
from modelops_jupyter.display.bundle import static_html
from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

FOLDER = Path(__file__).parents[2] / "notebooks" / "flight_delay"


def rules(**cells: str) -> str:
    """Return the example's rules with an output more, and cells of the third rule changed."""
    body = json.loads((FOLDER / "passenger_care.json").read_text())
    content = body["nodes"][1]["content"]
    content["outputs"].append({"id": "c", "name": "Cost", "field": "cost"})
    for number, rule in enumerate(content["rules"]):
        rule["c"] = f"{number}.5"
    content["rules"][2].update(cells)
    return json.dumps(body)


def flights(rows: int, day: str = "2026-05-01") -> pd.DataFrame:
    generator = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "probability": generator.uniform(0, 1, rows),
            "distance": generator.integers(100, 3000, rows).astype("float64"),
            "hour": generator.integers(5, 24, rows).astype("float64"),
            "origin": generator.choice(["JFK", "LGA"], rows),
        }
    )
    frame.loc[::10, "probability"] = np.nan
    return frame.assign(id=range(rows), at=pd.Timestamp(day, tz="UTC") + pd.to_timedelta(np.arange(rows), unit="min"))


FEATURES = ["probability", "distance", "hour"]


def test_the_whole_way_of_a_decision_table(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = flights(1200)
    rows[FEATURES].to_parquet("rows.parquet")
    rows.to_parquet("flights.parquet")
    Path("first.json").write_text(rules())
    Path("second.json").write_text(rules(p=">= 0.3"))
    Path("wrong.json").write_text(rules(p=">== 0.3"))
    where = ["--workspace", str(settings.project)]

    assert main(["register", "wrong.json", "care", "--data", "rows.parquet", *where]) == 2
    message = capsys.readouterr().err
    assert "wrong.json: Rule 3 of table 'Passenger care', column 'probability': '>== 0.3' cannot be parsed" in message
    assert message.count("\n") == 1
    assert main(["register", "first.json", "care", "--kind", "ml", "--data", "rows.parquet", *where]) == 2
    assert "A DecisionTable is of kind 'decision', not 'ml': leave the kind out." in capsys.readouterr().err
    assert main(["register", "first.json", "care", "--decision", "price", *where]) == 2
    assert "no output 'price': name one of care, cost" in capsys.readouterr().err
    with mo.open(settings.project) as ws:
        assert ws.models().rows == ()

    for file in ("first.json", "second.json"):
        assert main(["register", file, "care", "--data", "rows.parquet", *where]) == 0
    assert main(["register", "first.json", "cost", "--decision", "cost", "--data", "rows.parquet", *where]) == 0
    capsys.readouterr()
    assert main(["compare", "care/1", "care/2", "--data", "flights.parquet", "--segment", "origin", *where]) == 0
    text = capsys.readouterr().out
    assert "most often 'none' became 'notify'" in text
    assert "origin=JFK: 'none' became 'notify'" in text
    assert main(["compare", "care/1", "care/2", "--data", "flights.parquet", "--json", *where]) == 0
    changes = json.loads(capsys.readouterr().out)["changes"]

    with mo.open(settings.project) as ws:
        decided, score = ws.predict("care/2", rows)
        assert score is None
        became = pd.crosstab(ws.predict("care/1", rows)[0], decided)
        for change in changes:
            assert became.loc[change["a"], change["b"]] == change["rows"]
        assert ws.load("care/1").decide(rows)["cost"].tolist() == ws.predict("cost/1", rows)[0].tolist()
        assert ws.predict("cost/1", rows)[1] is None
        version = ws.version("cost/1")
        assert version.body["kind"] == "decision"
        assert version.body["decision_table"] == {
            "decision": "cost",
            "inputs": FEATURES,
            "outputs": ["care", "cost"],
            "rules": 4,
        }
        assert "- **Decision**: cost" in ws.card("cost/1").to_markdown()
        assert "- **Outputs**: care, cost" in ws.card("cost/1").to_markdown()
        assert "What became what" in str(static_html(ws.compare("care/1", "care/2", data=rows, segments=["origin"])))
        _log_and_monitor(ws, rows.assign(care=decided))


def _log_and_monitor(ws: Workspace, rows: pd.DataFrame) -> None:
    ws.log_predictions("care/2", rows[[*FEATURES, "id", "at", "care"]], id="id", time="at", prediction="care")
    report = ws.monitor("care")
    assert sum(window.rows for window in report.windows) == len(rows)
    assert set(ws.distribution("care", "prediction").bins) >= {"none", "notify", "offer rebooking"}


def test_kind_and_decision_are_asked_of_the_model(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "care.json"
    file.write_text(rules())
    rows = flights(50)[FEATURES]
    with Workspace(settings) as ws:
        assert ws.register(file, "care", data=rows).body["kind"] == "decision"
        assert ws.register(mo.DecisionTable.from_file(file), "care", kind="decision", data=rows).body["version"] == 2
        named = ws.register(file, "care", data=rows, decision="cost")
        assert ws.load(named.full_name).decision == "cost"
        model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
        assert ws.register(model, "delay").body["kind"] == "ml"
        for wrong in ({"kind": "decision"}, {"decision": "cost"}, {"kind": "rules"}):
            with pytest.raises(InvalidInput, match="leave"):
                ws.register(model, "delay", **wrong)
        with pytest.raises(InvalidInput, match="'care' is of kind 'decision'"):
            ws.register(model, "care")
        with pytest.raises(InvalidInput, match="'delay' is of kind 'ml'"):
            ws.register(file, "delay", data=rows)
        assert [entry["action"] for entry in ws.audit()] == ["register"] * 4


def two_tiers() -> str:
    """Return rules that decide flights of tier 1 and 2 alone."""
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": "x", "field": "tier"}],
        "outputs": [{"id": "o", "field": "care"}],
        "rules": [{"x": "1", "o": "'lounge'"}, {"x": "2", "o": "'voucher'"}],
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "t", "name": "t", "type": "decisionTableNode", "content": content},
    ]
    return json.dumps({"nodes": nodes, "edges": [{"id": "1", "sourceId": "in", "targetId": "t"}]})


@pytest.mark.parametrize(("tiers", "undecided"), [([1, 2, 1, 3], 25), ([3], 100), ([1, 2], 0)])
def test_a_table_that_does_not_decide_every_row_is_registered_and_says_how_many(
    settings: Settings, tiers: list[int], undecided: int
) -> None:
    table = mo.DecisionTable.from_text(two_tiers())
    rows = pd.DataFrame({"tier": (tiers * 100)[:100]})
    decided = rows[rows["tier"] < 3].reset_index(drop=True)
    with Workspace(settings) as ws:
        version = ws.register(table, "care", reference=rows)
        reason = version.body["measured_reason"]
        said = f"no rule decides {undecided} of 100 rows ({undecided}.0%), which predict refuses: add a last rule"
        assert (said in reason) == (undecided > 0)
        assert (said in str(version)) == (undecided > 0)
        assert "a decision table decides" in reason
        if undecided:
            with pytest.raises(InvalidFrame, match="No rule gives 'care' for the row"):
                ws.predict("care/1", rows)
        if len(decided):
            times = pd.date_range("2026-05-01", periods=len(decided), freq="min", tz="UTC")
            frame = decided.assign(id=range(len(decided)), at=times, care=ws.predict("care/1", decided)[0])
            ws.log_predictions("care/1", frame, id="id", time="at", prediction="care")
            assert ws.monitor("care").new_windows == 1
            assert set(ws.distribution("care", "prediction").bins) >= {"lounge", "voucher"}
