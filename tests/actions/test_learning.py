"""What a monitor does not judge yet is said wherever its model is shown."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.actions.fleet import learning
from modelops_jupyter.dashboards import model_panels
from modelops_jupyter.display import mimebundle
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

UNTIL = "still learning how days differ, until 2013-04-22"


def log_day(ws: Workspace, day: int) -> None:
    """Log a day of rows that are a little off the reference, as a season could bring them."""
    generator = np.random.default_rng(day)
    frame = pd.DataFrame({"wind": generator.normal(0.5, 1, 400), "rain": generator.normal(size=400)})
    said, score = ws.predict("delay/1", frame)
    at = pd.Timestamp("2013-04-01", tz="UTC") + pd.Timedelta(days=day)
    frame = frame.assign(id=[f"{day}-{n}" for n in range(400)], at=at, said=said, score=score)
    ws.log_predictions("delay/1", frame, id="id", time="at", prediction="said", score="score")


def test_drift_from_the_first_window_on_is_told_when_the_page_says_so(settings: Settings) -> None:
    ws = Workspace(settings)
    generator = np.random.default_rng(0)
    x = pd.DataFrame({"wind": generator.normal(size=4000), "rain": generator.normal(size=4000)})
    y = (x["wind"] + generator.normal(size=4000) > 0).astype(int)
    ws.register(LogisticRegression().fit(x, y), "delay", data=x, target=y)
    for day in range(20):
        log_day(ws, day)
    young = ws.monitor("delay")
    page = ws.overview("delay")
    told = (young, ws.status(), page)
    for text in (str(young), str(ws.status()), *(mimebundle(each)["text/html"] for each in told)):
        assert UNTIL in text
    assert UNTIL in model_panels.summary(page, "1D")
    assert ws.models()[0]["learning"] == page.summary.learning == young.remark
    assert [alert for alert in young.alerts if alert.column == "wind"] == []
    log_day(ws, 20)
    grown = ws.monitor("delay")
    page = ws.overview("delay")
    assert (grown.remark, page.summary.learning) == ("", "")
    assert [alert.column for alert in grown.alerts if alert.window_start.startswith("2013-04-21")].count("wind") == 1
    assert not any("learning" in text for text in (str(grown), str(ws.status()), model_panels.summary(page, "1D")))


@pytest.mark.parametrize(
    ("champion", "through", "told"),
    [
        (None, "2013-06-10", "days differ, until 2013-06-22"),
        (None, "2013-06-22", ""),
        (2, "2013-06-10", "days differ, until 2013-06-22"),
        (1, "2013-06-10", ""),  # it came back and has been learned long since
        (3, "2013-06-10", ""),  # it has not served yet
    ],
)
def test_it_learns_of_each_version_anew(champion: int | None, through: str, told: str) -> None:
    tracks = [["", 1, "2013-04-01T00:00:00+00:00"], ["", 2, "2013-06-01T00:00:00+00:00"]]
    tracks += [["origin=JFK", 2, "2013-06-09T00:00:00+00:00"]]
    found = learning({"every": "1D", "through": f"{through}T00:00:00+00:00", "tracks": tracks}, champion)
    assert told in found
    assert bool(told) == bool(found)
