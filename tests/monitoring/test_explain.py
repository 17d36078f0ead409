"""Segments that explain a fall: the one that was put in is found, and nothing where there is nothing."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.monitoring.explaining.segments import Losses, cut_columns, find_segments
from modelops_jupyter.profiles import build_reference
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

AIRPORTS = np.array(["EWR", "JFK", "LGA"])


def rows(seed: int, windows: int = 20, each: int = 300) -> tuple[pd.DataFrame, Losses]:
    """Return features and losses of windows that differ from day to day, the last quarter of them to be explained."""
    generator = np.random.default_rng(seed)
    n = windows * each
    wind, rain, origin = generator.normal(0, 1, n), generator.exponential(1, n), generator.choice(AIRPORTS, n)
    frame = pd.DataFrame({"wind": wind, "rain": rain, "origin": origin})
    frame.loc[generator.random(n) < 0.1, "rain"] = np.nan
    window = np.repeat(np.arange(windows), each)
    level = generator.gamma(4, 0.05, windows)[window]
    now = np.arange(windows) >= windows * 3 // 4
    return frame, Losses(generator.exponential(level), window, now)


def searched(frame: pd.DataFrame, losses: Losses) -> list[str]:
    table = pa.Table.from_pandas(frame)
    binnings = build_reference(table, segments=()).binning.columns
    return [segment.name for segment in find_segments(losses, cut_columns(table, binnings, binnings))]


def with_loss(losses: Losses, inside: pd.Series, more: float) -> Losses:
    harmed = inside.to_numpy() & losses.now[losses.window]
    return Losses(losses.loss + more * harmed, losses.window, losses.now)


def test_where_nothing_stands_out_nothing_is_named() -> None:
    """Under windows that differ as a whole, at most 4 of 25 searches name anything."""
    assert sum(bool(searched(*rows(seed, 16, 100))) for seed in range(25)) <= 4


@pytest.mark.parametrize("windows", [20, 4])
def test_the_harmed_airport_comes_first(windows: int) -> None:
    frame, losses = rows(1, windows)
    assert searched(frame, with_loss(losses, frame["origin"] == "JFK", 0.3))[0] == "origin=JFK"


def test_a_range_and_missing_values_are_found() -> None:
    frame, losses = rows(2)
    name = searched(frame, with_loss(losses, frame["wind"] > 1, 0.5))[0]
    assert name.startswith("wind > ")
    assert float(name.rpartition(" ")[2]) == pytest.approx(1, abs=0.35)
    assert searched(frame, with_loss(losses, frame["rain"].isna(), 0.5))[0] == "rain is missing"


def test_a_pair_is_found_where_neither_column_suffices() -> None:
    frame, losses = rows(3)
    both = (frame["origin"] == "LGA") & (frame["wind"] < 0)
    assert any("origin=LGA" in name and " and " in name for name in searched(frame, with_loss(losses, both, 0.4)))


def test_a_bad_segment_that_becomes_frequent_is_found() -> None:
    """Its loss is the same as ever: there is more of it."""
    frame, losses = rows(4)
    generator = np.random.default_rng(0)
    wet = generator.random(len(frame)) < np.where(losses.now[losses.window], 0.4, 0.1)
    frame["rain"] = np.where(wet, 5.0, 0.0)
    worse = Losses(losses.loss + 0.4 * wet, losses.window, losses.now)
    assert "rain > 0" in searched(frame, worse)


@given(st.integers(0, 1000), st.sampled_from(["wind", "rain", "origin"]))
def test_excesses_of_disjoint_segments_add_up_to_nothing(seed: int, column: str) -> None:
    frame, losses = rows(seed, windows=8, each=60)
    table = pa.Table.from_pandas(frame)
    (cut,) = cut_columns(table, build_reference(table, segments=()).binning.columns, [column])
    sums = losses.sums(cut)
    assert sums.rows.sum() == len(frame)
    assert sums.loss.sum() == pytest.approx(losses.loss.sum())
    assert sums.excess.sum(0) == pytest.approx(np.zeros(8), abs=1e-9)
    if cut.edges:
        ranges = sums.joined(cut.candidates)
        for (first, last), found in zip(cut.candidates, ranges.excess, strict=True):
            assert found == pytest.approx(sums.excess[first : last + 1].sum(0), abs=1e-9)


def test_a_fault_in_one_airport_from_the_log(settings: Settings) -> None:
    (settings.project / "modelops.toml").write_text('actor = "ann"\n')
    ws = Workspace(settings)
    generator = np.random.default_rng(0)

    def day(number: int) -> tuple[pd.DataFrame, pd.Series]:
        x = pd.DataFrame({"wind": generator.normal(0, 1, 400), "origin": generator.integers(0, 3, 400).astype(float)})
        chance = 1 / (1 + np.exp(-2 * x["wind"]))
        if number >= 8:
            chance = chance.where(x["origin"] != 1, 1 - chance)
        return x, pd.Series((generator.random(400) < chance).astype(int))

    x, y = day(0)
    ws.register(LogisticRegression().fit(x, y), "delay", data=x, target=y)
    with pytest.raises(NotFound, match="no monitored windows"):
        ws.explain("delay")
    for number in range(10):
        x, y = day(number)
        said, score = ws.predict("delay/1", x)
        ids = [f"{number}-{n}" for n in range(400)]
        times = pd.Timestamp("2013-04-01", tz="UTC") + pd.Timedelta(days=number, minutes=5)
        frame = x.assign(id=ids, at=times, said=said, score=score)
        ws.log_predictions("delay/1", frame, id="id", time="at", prediction="said", score="score")
        ws.log_labels("delay", pd.DataFrame({"id": ids, "late": y}), id="id", label="late")
    ws.monitor("delay")
    found = ws.explain("delay")  # the windows of the alert
    assert (found.metric, found.rows_before, found.rows_now) == ("brier_score", 3200, 800)  # the alert's windows
    assert found.segments[0].columns == ("origin",)
    assert found.segments[0].loss_now > 2 * found.segments[0].loss_before  # type: ignore[operator]
    assert "0 < origin <= 1: adds" in str(found)
    assert len(found.examples) == 5
    worst = pd.DataFrame(found.examples)
    assert set(worst["origin"]) == {1.0}
    assert (worst["timestamp"] >= "2013-04-09").all()
    off = (worst["score"] - worst["label"].astype(float)).abs()
    assert (off > 0.9).all()
    assert off.is_monotonic_decreasing
    assert worst["request_id"][0] in found._repr_mimebundle_()["text/html"]
    assert found.to_frame()["name"][0] == found.segments[0].name
    one = ws.explain("delay", window="2013-04-10")
    assert one.rows_now == 400
    drift = ws.multivariate_drift("delay", window="2013-04-09", until="2013-04-10")
    assert (drift.rows_before, drift.rows_now) == (3200, 800)
    assert drift.roc_auc.p_value > 0.01  # type: ignore[operator]  # the fault is in the labels, not in the features
    assert {share.column for share in drift.columns} == {"wind", "origin"}
    with pytest.raises(NotFound, match="no window"):
        ws.explain("delay", window="2014-01-01")
    with pytest.raises(InvalidInput, match="No window before"):
        ws.explain("delay", window="2013-04-01")
    with pytest.raises(InvalidInput, match="no time"):
        ws.explain("delay", window="yesterday")
