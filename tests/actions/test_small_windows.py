"""Windows with too few rows to be judged: said why there is no figure, and which length has rows enough."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.dashboards import model_panels
from modelops_jupyter.display import models
from modelops_jupyter.monitoring.figures.volume import small_windows_sentence
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace


@pytest.fixture
def ws(settings: Settings) -> Workspace:
    with Workspace(settings) as workspace:
        yield workspace


def log_days(ws: Workspace, days: int, a_day: int, *, labels: bool = True) -> None:
    generator = np.random.default_rng(0)
    x = pd.DataFrame({"wind": generator.normal(size=days * a_day)})
    y = (x["wind"] + generator.normal(size=len(x)) > 0).astype(int)
    fitted = LogisticRegression().fit(x, y)
    ws.register(fitted, "delay", data=x, target=y)
    ids = [f"{n:06d}" for n in range(len(x))]
    at = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(len(x)) / a_day, unit="D")
    rows = x.assign(id=ids, at=at, said=fitted.predict(x), score=fitted.predict_proba(x)[:, 1])
    ws.log_predictions("delay/1", rows, id="id", time="at", prediction="said", score="score")
    if labels:
        ws.log_labels("delay", pd.DataFrame({"id": ids, "late": y}), id="id", label="late")


def test_every_page_says_why_there_is_no_figure_and_what_to_do(ws: Workspace) -> None:
    log_days(ws, 60, 3)
    report, page = ws.monitor("delay"), ws.overview("delay")
    small = "9 of the last 9 windows have fewer than 30 rows, too few to be judged: wait until more rows are logged."
    why = "180 of 180 cases have their outcome, but no day has a figure: 21 labels, 30 are needed."
    assert small in str(report)
    assert {small, why} <= {line.strip() for line in str(page).splitlines()}
    assert small in str(ws.status())
    assert page.summary.health == ws.models()[0]["health"] == "not judged"
    drawn = [models.overview(page), model_panels.summary(page, "1D"), model_panels.performance(page, None)]
    assert [small in drawn[0], small in drawn[1], why in drawn[2]] == [True, True, True]
    assert not any("o outcomes" in text or "No window has labels" in text for text in drawn)
    assert page.to_dict()["no_figures"] == why
    assert page.to_dict()["summary"]["remarks"][0] == small


def test_small_days_are_judged_together_and_every_page_says_so(ws: Workspace) -> None:
    log_days(ws, 40, 24)
    report, page = ws.monitor("delay"), ws.overview("delay")
    pooled = (
        "About 24 rows a day are too few to judge each alone (30 are needed): days are judged together, the last time "
        "4 days, 96 rows. The volume suits windows of a week (1W), about 168 rows each."
    )
    assert pooled in str(report)
    assert pooled in str(page)
    assert pooled in str(ws.status())
    assert pooled in str(models.overview(page))
    assert pooled in str(model_panels.summary(page, "1D"))
    assert "4 days judged together" in str(model_panels.chosen(page, report.windows[-2].window_start, None, "1D"))
    assert page.summary.health == "healthy"
    assert page.no_figures == ""
    asked = ws.distribution("delay", "wind", window="2026-01-14")  # the last of three days together
    assert asked.since == "2026-01-12T00:00:00+00:00"
    assert sum(window.rows for window in report.windows) == 960
    for window in report.windows[:-1]:
        assert window.performance["accuracy"]["value"] is not None
        assert window.drift["wind"]["jensen_shannon"]["value"] is not None
        assert window.estimated["accuracy"]["value"] is not None


def test_what_it_advises_has_figures(ws: Workspace) -> None:
    log_days(ws, 40, 15)
    assert "windows of a week (1W), about 105 rows each" in str(ws.monitor("delay"))
    report = ws.monitor("delay", every="1W")
    figures = [window.performance["accuracy"]["value"] for window in report.windows if window.rows >= 30]
    assert len(figures) >= 5
    assert None not in figures
    assert "fewer than 30 rows" not in str(report)


def test_without_outcomes_it_asks_for_them(ws: Workspace) -> None:
    log_days(ws, 10, 60, labels=False)
    ws.monitor("delay")
    page = ws.overview("delay")
    assert page.no_figures == ""
    assert page.summary.small_windows == ""
    assert page.summary.health == "healthy"


@given(
    st.integers(0, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    st.integers(0, 60),
    st.floats(0.01, 1e5),
    st.sampled_from(["1h", "1D", "1W"]),
)
def test_the_length_that_is_advised_is_longer_and_large_enough(
    windows: tuple[int, int], pooled: int, rows_per_day: float, every: str
) -> None:
    pools = {"last_windows": 3, "last_rows": 72}
    volume = {"windows": windows[0], "small": windows[1], "pooled": pooled, "rows_per_day": rows_per_day, **pools}
    sentence = small_windows_sentence(volume, every)
    assert bool(sentence) == (windows[0] > 0 and 2 * max(windows[1], pooled) >= windows[0])
    lengths = ["1h", "1D", "1W"]
    advised = next((length for length in lengths if f"({length})" in sentence), None)
    if advised is not None:
        days = {"1h": 1 / 24, "1D": 1.0, "1W": 7.0}[advised]
        assert lengths.index(advised) > lengths.index(every)
        assert rows_per_day * days >= 30
    elif "too few to be judged" in sentence:
        assert "wait until more rows are logged" in sentence
        assert every == "1W" or rows_per_day * 7 < 30
