"""Results of a window's segments come back from the record as they went."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.monitoring import Finding, WindowResult
from modelops_jupyter.monitoring.record.later import LaterSlices
from modelops_jupyter.monitoring.record.packed import by_window, numbers, table
from modelops_jupyter.monitoring.record.slices import pack_slices, unpack_slices

COLUMNS, METRICS = ("wind", "dewp", "<b>carrier</b>"), ("psi", "chi_square", "dependence")
floats = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def figures(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"value": None, "reason": draw(st.sampled_from(["too few rows", "all missing"]))}
    figure: dict[str, Any] = {"value": draw(floats), "reason": None}
    for word in ("low", "high", "p_value", "error"):
        if draw(st.booleans()):
            figure[word] = draw(floats)
    if draw(st.booleans()):
        figure["degrees"] = draw(st.integers(0, 99))
    return figure


by_metric = st.dictionaries(st.sampled_from(METRICS), figures(), max_size=3)


@st.composite
def results(draw: st.DrawFn) -> list[WindowResult]:
    found = []
    for segment in draw(st.lists(st.sampled_from(["a=1", "a=2", "b=<i>", "b=(other)"]), min_size=1, unique=True)):
        drift = draw(st.fixed_dictionaries({name: by_metric for name in COLUMNS}))
        for name in COLUMNS:
            if "dependence" in drift[name]:
                drift[name]["dependence"]["with"] = draw(st.sampled_from(COLUMNS))
        cycle = {name: {"jensen_shannon": draw(floats)} for name in COLUMNS if draw(st.booleans())}
        finding = Finding("drift", "wind", "psi", draw(floats), 0.2, segment, since="2026-05-01T00:00:00+00:00")
        found.append(
            WindowResult(
                window_start="2026-05-01T00:00:00+00:00",
                window_end="2026-05-02T00:00:00+00:00",
                rows=draw(st.integers(0, 9)),
                labelled=draw(st.integers(0, 9)),
                versions={"3": 2},
                performance=draw(by_metric),
                drift=drift,
                findings=(finding,) * draw(st.integers(0, 2)),
                estimated=draw(by_metric),
                quality=draw(by_metric),
                concept=draw(by_metric),
                segment=segment,
                cycle=cycle,
            )
        )
    return found


@given(results())
def test_what_is_kept_of_segments_comes_back(windows: list[WindowResult]) -> None:
    kept = json.loads(json.dumps(pack_slices(windows), allow_nan=False))

    back = unpack_slices(kept)

    assert [window.to_dict() for window in back] == [window.to_dict() for window in windows]
    assert json.loads(json.dumps(pack_slices(back))) == kept


@given(results(), st.sampled_from(METRICS), st.sampled_from(["value", "low", "degrees"]))
def test_a_metric_is_read_alone_as_it_is_among_all(windows: list[WindowResult], metric: str, word: str) -> None:
    drift = [window.drift for window in unpack_slices(pack_slices(windows))]
    plain = [window.drift for window in windows]

    for kept, before in zip(drift, plain, strict=True):
        np.testing.assert_array_equal(numbers(kept, COLUMNS, metric, word), numbers(before, COLUMNS, metric, word))
    np.testing.assert_array_equal(table(drift, COLUMNS, metric), table(plain, COLUMNS, metric))
    assert by_window(drift, metric)[1] == {name: tuple(row) for name, row in by_window(plain, metric)[1].items()}


@given(st.lists(results(), min_size=1, max_size=3), results(), st.sampled_from(METRICS))
def test_a_metric_of_all_segments_is_read_as_one_array(
    days: list[list[WindowResult]], judged: list[WindowResult], metric: str
) -> None:
    """From the record, and with what a run judged after it: what each window by itself says."""
    days = [[replace(w, window_start=f"2026-05-{n + 1:02}") for w in windows] for n, windows in enumerate(days)]
    judged = [replace(window, window_start="2026-05-09") for window in judged]
    bodies = [json.loads(json.dumps(pack_slices(windows))) for windows in days]

    found = LaterSlices(lambda: bodies, judged).drift(metric)

    assert found.starts == (*(windows[0].window_start for windows in days), "2026-05-09")
    wanted = np.full(found.values.shape, np.nan)
    for window in (*(w for windows in days for w in windows), *judged):
        place = found.starts.index(window.window_start), found.segments.index(window.segment)
        wanted[place] = numbers(window.drift, found.columns, metric)
    np.testing.assert_array_equal(found.values, wanted)
    drifted = {(w.window_start, w.segment) for windows in (*days, judged) for w in windows if w.findings}
    places = np.argwhere(found.found).tolist()
    assert {(found.starts[n], found.segments[k]) for n, k in places} == drifted
    for segment in found.segments:
        np.testing.assert_array_equal(found.of(segment), wanted[:, found.segments.index(segment)])


def test_segments_judged_again_are_kept_with_their_new_findings() -> None:
    figure = {"value": 0.1, "reason": None}
    windows = [
        WindowResult("2026-05-01", "2026-05-02", 9, 0, {"1": 9}, {}, {"wind": {"psi": figure}}, (), segment=segment)
        for segment in ("a=1", "a=2")
    ]
    first, second = unpack_slices(pack_slices(windows))
    found = (Finding("drift", "wind", "psi", 0.1, 0.05, "a=2"),)

    again = unpack_slices(json.loads(json.dumps(pack_slices([second, replace(first, findings=found)]))))

    assert [(window.segment, window.findings) for window in again] == [("a=2", ()), ("a=1", found)]
    assert [dict(window.drift["wind"]) for window in again] == [{"psi": figure}, {"psi": figure}]


def test_a_figure_that_the_record_has_no_place_for_is_refused() -> None:
    odd = {"wind": {"psi": {"value": 0.1, "reason": None, "colour": "red"}}}
    window = WindowResult("2026-05-01", "2026-05-02", 9, 0, {"1": 9}, {}, odd, (), segment="a=1")

    with pytest.raises(ValueError, match="colour"):
        pack_slices([window])
