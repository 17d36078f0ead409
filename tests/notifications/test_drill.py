"""The drill: a fault in one airport becomes one incident, told once to somebody who was away, and closes by itself."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from receiver import Receiver
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from standardwebhooks import Webhook

from modelops_jupyter.workspace import Workspace

BEGIN = pd.Timestamp("2026-05-01", tz="UTC")
HEALTHY, BROKEN, HEALED = 12, 4, 10  # a week together holds a broken day for six more
ROWS = 1500


def flights(day: int, broken: bool) -> pd.DataFrame:
    generator = np.random.default_rng(day)
    frame = pd.DataFrame(
        {"wind": generator.normal(0, 1, ROWS), "origin": generator.choice(["EWR", "JFK", "LGA"], ROWS)}
    )
    late = (frame["wind"] + generator.normal(0, 0.5, ROWS) > 1).astype(int)
    if broken:  # the sensor at Newark has lost its unit
        frame.loc[frame["origin"] == "EWR", "wind"] *= 0.2
    return frame.assign(
        id=[f"{day}-{n}" for n in range(ROWS)],
        at=BEGIN + pd.Timedelta(days=day) + pd.to_timedelta(np.arange(ROWS) % 1440, unit="min"),
        late=late,
    )


def serve(ws: Workspace, model: Pipeline, day: int, *, broken: bool = False) -> None:
    frame = flights(day, broken)
    frame["said"], frame["score"] = model.predict(frame), model.predict_proba(frame)[:, 1]
    rows = frame.drop(columns="late")
    ws.log_predictions("delay/1", rows, id="id", time="at", prediction="said", score="score")
    ws.log_labels("delay", frame[["id", "late"]], id="id", label="late")


@pytest.fixture
def model() -> Pipeline:
    known = flights(1000, broken=False)
    inputs = make_column_transformer((OneHotEncoder(), ["origin"]), ("passthrough", ["wind"]))
    return make_pipeline(inputs, LogisticRegression()).fit(known[["wind", "origin"]], known["late"])


@pytest.fixture
def ws(open_telling: Callable[[str], Workspace], model: Pipeline) -> Workspace:
    opened = open_telling('owner = "bob"\nrisk_tier = "low"')
    known = flights(1000, broken=False)
    opened.register(model, "delay", data=known[["wind", "origin"]], target=known["late"])
    return opened


def test_a_fault_in_one_airport(ws: Workspace, model: Pipeline, receiver: Receiver, secret: str) -> None:
    for day in range(HEALTHY):
        serve(ws, model, day)
    ws.monitor("delay", segments=["origin"])
    assert not ws.alerts("delay")
    receiver.requests.clear()
    receiver.stop()

    for day in range(HEALTHY, HEALTHY + BROKEN):
        serve(ws, model, day, broken=True)
        ws.watch(once=True)

    (incident,) = ws.incidents("delay")
    shown = ws.incident(incident["id"])
    assert shown.state == "open"
    assert shown.owner == "bob"
    assert shown.first_window.startswith("2026-05-13")
    assert shown.segments[0]["segment"] == "origin=EWR"
    assert shown.suspects[0]["column"] == "wind"
    assert not receiver.requests

    receiver.start()
    for _ in range(3):  # whoever asks for delivery, and however often
        ws.deliver(now=True)
    (opened,) = receiver.bodies
    assert incident["id"] in str(opened)
    headers, body = receiver.requests[0]
    Webhook(secret).verify(body, headers)

    for day in range(HEALTHY + BROKEN, HEALTHY + BROKEN + HEALED):
        serve(ws, model, day)
        ws.watch(once=True)
    assert ws.incident(incident["id"]).state == "recovered"
    assert not [alert for alert in ws.alerts("delay") if alert["state"] == "open"]
    ws.deliver(now=True)
    told = [str(body) for body in receiver.bodies]
    assert len(told) == 2
    assert "recovered" in told[1] or "resolved" in told[1]
