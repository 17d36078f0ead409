"""A model's page, read from the store alone: the figures are those of the log."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.actions.overview import DriftMap
from modelops_jupyter.dashboards.model_panels import most_drifted
from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.monitoring.record.results import Finding, WindowResult
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace


@pytest.fixture
def ws(settings: Settings) -> Workspace:
    """Two versions; five days served by the first, the last two of them drifted."""
    ws = Workspace(settings)
    generator = np.random.default_rng(0)
    x = pd.DataFrame({"wind": generator.normal(size=2000), "rain": generator.normal(size=2000)})
    y = (x["wind"] + generator.normal(size=2000) > 0).astype(int)
    for _ in range(2):
        ws.register(LogisticRegression().fit(x, y), "delay", data=x[::2], target=y[::2], reference=(x[1::2], y[1::2]))
    ws.approve("delay/1", reason="ok")
    ws.promote("delay/1", reason="first")
    for day in range(5):
        rows = x.sample(400, random_state=day).reset_index(drop=True)
        rows["wind"] += 2.0 * (day > 2)
        said, score = ws.predict("delay/1", rows)
        ids = [f"{day}-{n}" for n in range(400)]
        at = pd.Timestamp("2013-04-01", tz="UTC") + pd.Timedelta(days=day)
        frame = rows.assign(id=ids, at=at, said=said, score=score)
        ws.log_predictions("delay/1", frame, id="id", time="at", prediction="said", score="score")
    ws.monitor("delay")
    return ws


def test_the_overview_says_what_drifted_and_who_served(ws: Workspace) -> None:
    page = ws.overview("delay")
    assert page.summary.champion == 1
    assert [window.version for window in page.windows] == [1] * 5
    assert page.drift.columns.index("wind") < page.drift.columns.index("rain")
    assert page.drift.values["wind"][-1] > page.drift.values["rain"][-1]
    assert (any(page.drift.found["wind"]), any(page.drift.found["rain"])) == (True, False)
    assert [entry["subject"] for entry in page.audit][-1] == "delay/1"
    assert "promote" in str(page)


def test_distributions_are_shares_of_the_log(ws: Workspace) -> None:
    together = ws.distribution("delay", "wind")
    one = ws.distribution("delay", "wind", window="2013-04-05T00:00:00+00:00")
    assert one == ws.distribution("delay", "wind", window="2013-04-05")
    assert one == ws.distribution("delay", "wind", window="2013-04-05T03:30+02:00")
    with pytest.raises(InvalidInput, match="'friday' is no time: write it as 2013-07-01"):
        ws.distribution("delay", "wind", window="friday")
    for found in (together, one):
        assert sum(found.reference) == pytest.approx(1)
        assert sum(found.current) == pytest.approx(1)
        assert len(found.bins) == len(found.reference) == len(found.current)
    last_day = pd.Timestamp("2013-04-05", tz="UTC")
    last = ws.log.read("delay", last_day, last_day + pd.Timedelta(days=1)).to_pandas()["wind"]
    highest = float(one.bins[-3].removeprefix("over "))
    assert one.current[-3] == pytest.approx((last > highest).mean(), abs=0.01)


def test_strangers_are_named(ws: Workspace) -> None:
    with pytest.raises(NotFound, match="snow"):
        ws.distribution("delay", "snow")
    with pytest.raises(NotFound, match="1999"):
        ws.distribution("delay", "wind", window="1999-01-01T00:00:00+00:00")
    with pytest.raises(NotFound, match="stranger"):
        ws.overview("stranger")


def window(day: int, psi: dict[str, float], cycle: dict[str, float], *findings: Finding) -> WindowResult:
    start, end = (f"2013-04-{d:02d}T00:00:00+00:00" for d in (day, day + 1))
    drift = {name: {"psi_debiased": {"value": value, "reason": None}} for name, value in psi.items()}
    together = {name: {"jensen_shannon": value} for name, value in cycle.items()}
    return WindowResult(start, end, 400, 0, {"1": 400}, {}, drift, findings, cycle=together)


def test_the_drift_map_is_in_the_order_of_what_was_found_and_then_of_whole_weeks() -> None:
    psi = {"weekday": 6.0, "slight": 0.1, "plain": 0.3, "tied": 0.05, "calm": 0.01, "young": 0.02}
    together = {"weekday": 0.001, "slight": 0.1, "plain": 0.4, "tied": 0.002, "calm": 0.05}
    slight = Finding("drift", "slight", "psi", 0.11, 0.1)
    plain = Finding("drift", "plain", "rank_shift", -0.3, 0.1)
    tied = Finding("drift", "tied", "recent_dependence", 0.9, 0.1)
    missing = Finding("quality", "calm", "null_rate", 0.9, 0.1)
    other = Finding("drift", "plain", "recent_jensen_shannon", 0.12, 0.1)
    windows = [
        window(1, psi, {}),
        window(2, psi, together, slight, plain, other, tied, missing),
        window(3, psi, together, slight, tied),
    ]
    drift = DriftMap.of(windows)
    assert drift.columns == ("plain", "slight", "calm", "tied", "weekday", "young")
    assert [name for name in drift.columns if any(drift.found[name])] == ["plain", "slight"]
    assert drift.found["slight"] == (False, True, True)
    assert most_drifted(drift, windows[2].window_start, 2) == ["slight", "plain"]
    assert most_drifted(drift, windows[1].window_start, 1) == ["plain"]
    assert DriftMap.of([window(1, {"weekday": 6.0, "calm": 0.1}, {})]).columns == ("weekday", "calm")  # no week yet
    assert DriftMap.of([]).columns == ()
