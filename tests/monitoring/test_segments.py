"""Segments add up to their window, are compared with their own reference, and name where a fault is."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.monitoring import load_report
from modelops_jupyter.monitoring.scanning import Part, scan_windows
from modelops_jupyter.profiles import Reference, build_reference, merge, scan, window_start
from modelops_jupyter.profiles.segments import MOST_SEGMENTS, Slicing
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

AIRPORTS = ("JFK", "LGA", "EWR")
BEGIN = datetime(2013, 4, 1, tzinfo=UTC)


def built(seed: int = 0) -> Reference:
    generator = np.random.default_rng(seed)
    features = pa.table({"wind": generator.normal(size=600), "origin": generator.choice(AIRPORTS, 600)})
    score = generator.random(600)
    said = np.where(score > 0.5, "1", "0")
    return build_reference(features, scores=score, predictions=said, labels=said, positive="1")


REFERENCES = {1: built(), 2: built(1)}
rows = st.lists(
    st.tuples(
        st.integers(0, 3 * 24 * 60),
        st.sampled_from([*AIRPORTS, "SFO", None]),
        st.one_of(st.none(), st.floats(-3, 3), st.just(np.inf)),
        st.floats(0, 1),
        st.sampled_from(["0", "1", None]),
        st.sampled_from([1, 2, 9]),
    ),
    min_size=1,
    max_size=60,
)


def logged(values: list[tuple[int, str | None, float | None, float, str | None, int]]) -> pa.Table:
    minute, origin, wind, score, label, version = zip(*values, strict=True)
    return pa.table(
        {
            "timestamp": pa.array([int(BEGIN.timestamp() + 60 * m) * 1_000_000 for m in minute]).cast(
                pa.timestamp("us", tz="UTC")
            ),
            "origin": pa.array(origin, pa.string()),
            "wind": pa.array(wind, pa.float64()),
            "prediction": pa.array(["1" if s > 0.5 else "0" for s in score]),
            "score": pa.array(score, pa.float64()),
            "label": pa.array(label, pa.string()),
            "version": pa.array(version, pa.int64()),
        }
    )


@given(rows)
def test_the_windows_and_their_segments_are_what_a_scan_of_their_rows_gives(
    values: list[tuple[int, str | None, float | None, float, str | None, int]],
) -> None:
    table = logged(values)
    starts = pd.Series([window_start(t.as_py(), "1D") for t in table["timestamp"]])
    found = list(scan_windows([Part.of_log(table, "1D")], REFERENCES, "1D", ["origin", "wind"]))
    assert [window.start for window in found] == sorted(set(starts))
    for window in found:
        inside = table.filter(pa.array(starts == window.start))
        served = [v for v in inside["version"].to_pylist() if v in REFERENCES]
        assert window.version == (max(served, key=lambda v: (served.count(v), v)) if served else 2)
        whole = scan(inside, REFERENCES[window.version].binning)
        assert window.profile.columns["origin"] == whole.columns["origin"]
        assert window.profile.columns["wind"].counts == whole.columns["wind"].counts
        assert window.profile.outcomes.cells == whole.outcomes.cells
        assert set(window.segments) == {"origin", "wind"}
        for profiles in window.segments.values():
            union = reduce(merge, profiles.values())
            assert union.rows == whole.rows
            assert union.versions == whole.versions
            assert union.columns["origin"] == whole.columns["origin"]
            for name in ("wind", "score"):
                one, other = union.columns[name], whole.columns[name]
                assert (one.counts, one.missing, one.minimum) == (other.counts, other.missing, other.minimum)
                assert one.powers == pytest.approx(other.powers, abs=1e-9)
            assert union.outcomes.confusion == whole.outcomes.confusion
            assert (union.first, union.last) == (whole.first, whole.last)
        for airport in AIRPORTS:
            count = inside["origin"].to_pylist().count(airport)
            profile = window.segments["origin"].get(f"origin={airport}")
            assert (profile.rows if profile else 0) == count


def test_a_reference_is_sliced_as_its_windows_are() -> None:
    reference = REFERENCES[1]
    assert set(reference.segments) == {"origin", "wind"}
    assert set(reference.segments["origin"]) == {"origin=JFK", "origin=LGA", "origin=EWR", "origin=(other)"}
    assert reduce(merge, reference.segments["wind"].values()).rows == 600
    assert len(reference.segments["wind"]) == 5
    many = build_reference(pa.table({"tail": [f"N{n}" for n in range(90)] * 2}))
    labels = Slicing("tail", many.binning.columns["tail"]).labels
    assert len(labels) == len(many.segments["tail"]) == MOST_SEGMENTS + 1
    assert many.segments["tail"]["tail=(other)"].rows == 180 - 2 * MOST_SEGMENTS


def flights(day: int, broken: bool = False) -> pd.DataFrame:
    generator = np.random.default_rng(day)
    frame = pd.DataFrame({"wind": generator.normal(0, 1, 1500), "origin": generator.choice(AIRPORTS, 1500)})
    frame["wind"] += np.where(frame["origin"] == "JFK", 3.0, 0.0)  # JFK differs from the rest, and always did
    if broken:
        frame.loc[frame["origin"] == "EWR", "wind"] *= 0.2
    return frame.assign(
        id=[f"{day}-{n}" for n in range(1500)],
        at=pd.Timestamp(BEGIN) + pd.Timedelta(days=day) + pd.to_timedelta(np.arange(1500) % 1440, unit="min"),
        said=(frame["wind"] > 1).astype(int),
    )


def log(ws: Workspace, day: int, broken: bool = False) -> None:
    ws.log_predictions("delay/1", flights(day, broken), id="id", time="at", prediction="said", batch_id=str(day))


def test_a_fault_in_one_airport_is_found_there(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    ws = Workspace(settings)
    known = flights(99)
    inputs = make_column_transformer((OneHotEncoder(), ["origin"]), ("passthrough", ["wind"]))
    model = make_pipeline(inputs, LogisticRegression()).fit(known[["wind", "origin"]], known["said"])
    ws.register(model, "delay", data=known[["wind", "origin"]], target=known["said"])
    for day in range(3):
        log(ws, day)
    with pytest.raises(InvalidInput, match="'wing'"):
        ws.monitor("delay", segments=["wing"])
    report = ws.monitor("delay")
    assert (len(report.windows), report.segments) == (3, ())
    report = ws.monitor("delay", segments=["origin"])  # the windows from before are sliced as well
    assert {window.segment for window in report.segments} == {f"origin={airport}" for airport in AIRPORTS}
    assert len(report.segments) == 9
    # JFK has a distribution of its own: compared with its own reference it is as ever.
    assert not any(f.column == "wind" for window in (*report.windows, *report.segments) for f in window.findings)
    for day in range(3, 6):
        log(ws, day, broken=True)
    report = ws.monitor("delay")  # and stays sliced
    assert (len(report.windows), report.new_windows, len(report.segments)) == (6, 3, 18)
    assert {a.segment for a in report.alerts if a.column == "wind" and a.segment} == {"origin=EWR"}
    assert "where origin=EWR" in next(a.message for a in report.alerts if a.segment)
    stored = load_report(ws.store, "delay")
    # Of the last cycle only what later windows are judged by is on record.
    whole, slices = (
        tuple(replace(window, cycle=window.remembered) for window in windows)
        for windows in (report.windows, report.segments)
    )
    assert (tuple(stored.windows), tuple(stored.segments), set(stored.alerts)) == (
        whole,
        slices,
        set(report.alerts),
    )
    frame = report.to_frame()
    assert set(frame["segment"].dropna()) == {f"origin={airport}" for airport in AIRPORTS}
    assert len(frame[frame["segment"].isna() & (frame["metric"] == "psi") & (frame["column"] == "wind")]) == 6
    assert ws.overview("delay").drift.starts == tuple(window.window_start for window in report.windows)
    assert main(["monitor", "delay", "--segments", "--workspace", str(settings.project)]) == 0
    assert "origin=EWR" not in capsys.readouterr().out
    assert load_report(ws.store, "delay").segments == ()
    assert not any(alert["segment"] for alert in ws.alerts("delay"))
