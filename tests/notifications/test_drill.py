"""The drill: a fault in one airport is one incident that names it, told once though the receiver was down; it heals."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from receiver import Receiver
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from standardwebhooks import Webhook

from modelops_jupyter.cli import main
from modelops_jupyter.workspace import Workspace

ROWS = 900
FAULT, REPAIR, END = 14, 20, 30  # days
FEATURES = ["wind", "temp", "distance", "origin"]


def flights(rows: int, seed: int, broken: bool = False) -> tuple[pd.DataFrame, pd.Series]:
    generator = np.random.default_rng(seed)
    x = pd.DataFrame({name: generator.normal(0, 1, rows) for name in FEATURES[:3]})
    x["origin"] = generator.choice(["EWR", "JFK", "LGA"], rows)
    chance = 1 / (1 + np.exp(-(2 * x["wind"] + 0.5 * x["temp"])))
    late = pd.Series((generator.random(rows) < chance).astype(int))
    if broken:  # the wind of one airport arrives in another unit
        x.loc[x["origin"] == "JFK", "wind"] = x["wind"] * 3 + 4
    return x, late


@pytest.fixture
def ws(open_telling: Callable[[str], Workspace]) -> Workspace:
    opened = open_telling('owner = "bob"\ncost_per_error = 40\ncurrency = "EUR"')
    x, y = flights(6000, 1)
    encoder = make_column_transformer((OneHotEncoder(), ["origin"]), remainder="passthrough")
    opened.register(make_pipeline(encoder, LogisticRegression()).fit(x, y), "delay", data=x, target=y)
    return opened


def log_days(ws: Workspace, first: int, last: int) -> None:
    model = ws.load("delay/1")
    for day in range(first, last):
        x, late = flights(ROWS, 400 + day, broken=FAULT <= day < REPAIR)
        said, score = model.predict(x), model.predict_proba(x)[:, 1]
        at = (
            pd.Timestamp("2013-04-01", tz="UTC") + pd.Timedelta(days=day) + pd.to_timedelta(np.arange(ROWS), unit="min")
        )
        ids = [f"{day}-{n}" for n in range(ROWS)]
        frame = x.assign(id=ids, at=at, said=said, score=score)
        ws.log_predictions("delay/1", frame, id="id", time="at", prediction="said", score="score")
        ws.log_labels("delay", pd.DataFrame({"id": ids, "late": late}), id="id", label="late")


def test_the_drill(ws: Workspace, receiver: Receiver, secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    log_days(ws, 0, FAULT)
    ws.monitor("delay", segments=["origin"])
    assert len(ws.incidents()) == len(receiver.requests) == 0
    receiver.stop()
    for day in (FAULT, FAULT + 1):  # the fault begins, and the receiver is down
        log_days(ws, day, day + 1)
        assert ws.monitor("delay").new_windows == 1
    (row,) = ws.incidents("delay", state="open")
    found = ws.incident(row["id"])
    assert found.first_window == "2013-04-15T00:00:00+00:00"
    assert found.segments[0]["segment"] == "origin=JFK"
    assert (found.suspects[0]["column"], found.owner) == ("wind", "bob")
    assert len(found.alerts) > 5
    assert found.loss is not None
    assert found.loss["money"] == pytest.approx(40 * found.loss["wrong_decisions"])
    assert found.loss["wrong_decisions"] > 30
    failing = ws.status()
    assert (failing.targets[0]["waiting"], "FAILS" in str(failing)) == (1, True)
    assert main(["deliver", "--now"]) == 3
    receiver.start()
    assert main(["deliver", "--now"]) == 0
    for _ in range(3):
        assert ws.deliver(now=True).sent == 0
    ((headers, body),) = receiver.requests  # once
    told = Webhook(secret).verify(body, headers)
    assert (told["type"], told["data"]["incident"]["id"]) == ("incident.opened", found.id)
    assert told["data"]["incident"]["segments"][0]["segment"] == "origin=JFK"
    assert len(body) < 20_000
    assert "FAILS" not in str(ws.status())
    assert main(["acknowledge", found.id, "--reason", "looking at the sensor"]) == 0
    log_days(ws, FAULT + 2, END)  # until the sensor is repaired, and after
    ws.monitor("delay")
    after = ws.incident(found.id)
    assert [row["id"] for row in ws.incidents()] == [found.id]
    assert (after.state, after.timeline[-1]["event"]) == ("healed", "healed")
    assert [body["type"] for body in receiver.bodies] == ["incident.opened", "incident.healed"]
    capsys.readouterr()
    assert main(["resolve", found.id, "--reason", "sensor replaced"]) == 0
    assert "resolved, owned by bob" in capsys.readouterr().out
    assert ws.verify_audit().ok
