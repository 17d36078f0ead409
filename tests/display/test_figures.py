"""Figures show the data they were given, and nothing else."""

import json
from dataclasses import replace

from made import HOSTILE, day, move, overview

from modelops_jupyter.actions.overview import Distribution, DriftMap, ModelOverview
from modelops_jupyter.display import figures
from modelops_jupyter.display.bars import bar_list, calibration_chart, segment_bars
from modelops_jupyter.display.grids import drift_chart, shade
from modelops_jupyter.display.lines import performance_chart, sparkline
from modelops_jupyter.display.series import buckets, marks, performance_series, recent, sampled
from modelops_jupyter.monitoring import MonitorReport, WindowResult
from modelops_jupyter.monitoring.figures.curves import PerformanceCurves


def test_the_line_is_the_metric_with_gaps() -> None:
    page = overview(windows=30)
    expected, line = figures.performance_figure(page).data
    assert list(line.y) == [window.value for window in page.windows]
    assert line.connectgaps is False
    assert list(expected.y) == [0.81] * 15 + [0.82] * 15
    assert line.x[0] == "2013-04-01T12:00:00+00:00"


def with_bands(page: ModelOverview) -> ModelOverview:
    windows = tuple(
        replace(w, low=w.value - 0.05, high=w.value + 0.05, estimated=w.value + 0.02)
        if w.value is not None
        else replace(w, estimated=0.7)
        for w in page.windows
    )
    return replace(page, windows=windows)


def test_the_interval_is_a_strip_and_the_estimate_a_dotted_line() -> None:
    page = with_bands(overview(windows=30))
    _, line, low, high, estimate = figures.performance_figure(page).data
    pairs = [(a, b, c) for a, b, c in zip(low.y, line.y, high.y, strict=True) if b is not None]
    assert len(pairs) > 20
    assert all(round(b - a, 9) == round(c - b, 9) == 0.05 for a, b, c in pairs)
    assert estimate.y[9] == 0.7  # no labels yet: the estimate alone
    assert estimate.line.dash == "dot"
    drawn = str(performance_chart(performance_series(page), pickable=True))
    assert drawn.count("<polygon") == 3  # a strip for each stretch between windows without labels
    assert "estimated before outcomes are known" in drawn
    assert "ROC AUC 0.800 (0.750 to 0.850), estimated 0.820" in drawn
    assert "no labels, estimated 0.700" in drawn


def test_only_estimates_make_a_chart_too() -> None:
    page = overview(windows=5)
    windows = tuple(replace(w, value=None, estimated=0.7) for w in page.windows)
    assert performance_chart(performance_series(replace(page, windows=windows))) is not None


def test_sampling_keeps_peaks() -> None:
    page = overview(windows=5000)
    windows = [replace(w, value=0.5) for w in page.windows]
    windows[1234] = replace(windows[1234], value=0.1)
    series = sampled(performance_series(replace(page, windows=tuple(windows))), 1000)
    assert len(series.windows) <= 1002
    assert min(value for value in series.values if value is not None) == 0.1
    assert len(series.expected) == len(series.windows)


def test_segments_are_bars_in_order_with_their_intervals() -> None:
    figures_of = [("origin=JFK", 0.7), ("origin=LGA", 0.6), ("origin=EWR", None)]
    windows = tuple(
        WindowResult(
            day(0),
            day(1),
            100,
            90,
            {"1": 100},
            {"roc_auc": {"value": value, "reason": "one class" if value is None else None, "low": 0.5, "high": 0.8}},
            {},
            (),
            segment=segment,
        )
        for segment, value in figures_of
    )
    bars = segment_bars(MonitorReport("delay", "1D", windows, (), 0), "roc_auc")
    assert [bar.label for bar in bars] == ["origin=LGA", "origin=JFK", "origin=EWR"]
    assert list(figures.segments_figure(bars, "roc_auc").data[0].x) == [0.6, 0.7]
    drawn = str(bar_list(bars, "roc_auc", whole=0.65))
    assert drawn.count("<tr>") == 4
    assert 'data-sort="number"' in drawn
    assert "one class" in drawn


def test_calibration_is_the_curve() -> None:
    curve = {"score": [0.2, 0.6], "share": [0.1, 0.7], "low": [0.05, 0.6], "high": [0.2, 0.8], "rows": [50.0, 50.0]}
    shown = PerformanceCurves(calibration=curve)
    _, points = figures.calibration_figure(shown).data
    assert (list(points.x), list(points.y)) == ([0.2, 0.6], [0.1, 0.7])
    assert [round(value, 9) for value in points.error_y.arrayminus] == [0.05, 0.1]
    assert str(calibration_chart(shown)).count("<circle") == 2
    assert calibration_chart(PerformanceCurves()) is None


def test_promotions_are_marked_where_the_version_changes() -> None:
    figure = figures.performance_figure(overview(windows=30))
    assert [shape.x0 for shape in figure.layout.shapes] == [day(15)]
    assert [note.text for note in figure.layout.annotations] == ["v2 promoted"]


def test_the_drift_map_holds_every_figure_and_red_is_what_the_monitor_found() -> None:
    page = overview(windows=30, features=3)
    usual, drifted = figures.drift_figure(page).data
    assert list(usual.y) == list(drifted.y) == list(page.drift.columns)
    found = page.drift.found["column 1"]
    assert [value is None for value in usual.z[1]] == list(found)
    assert [value is None for value in drifted.z[1]] == [not each for each in found]
    shown = [a if b is None else b for a, b in zip(usual.z[1], drifted.z[1], strict=True)]
    assert [round(value, 6) for value in shown] == [round(value, 6) for value in page.drift.values["column 1"]]
    # A column that swings by nature is no finding at 0.9, one that never moves is one at 0.05.
    assert shade(0.9, False)[0] != shade(0.05, True)[0]


def test_a_finding_speaks_for_its_stretch_of_windows() -> None:
    drift = DriftMap(("a", "b", "c"), ("x",), {"x": (0.5, 0.1, 0.3)}, {"x": (False, True, False)})
    (bucket,) = buckets(drift, ["x"], 1)
    assert (bucket.values["x"], bucket.worst["x"], bucket.found["x"]) == (0.1, "b", True)


def test_distributions_are_the_shares() -> None:
    shown = Distribution("wind", ("low", "high", "other", "missing"), (0.5, 0.5, 0, 0), (0.2, 0.7, 0, 0.1), "", "")
    reference, current = figures.distribution_figure(shown).data
    assert list(reference.y) == list(shown.reference)
    assert list(current.y) == list(shown.current)


def test_long_histories_are_thinned() -> None:
    page = overview(windows=9000, features=30)
    text = figures.model_figure(page).to_json()
    data = json.loads(text)["data"]
    assert len(data[1]["y"]) <= figures.MOST_POINTS
    assert sum(len(row) for row in data[2]["z"]) <= figures.MOST_CELLS


def test_plotly_is_given_no_markup_of_users() -> None:
    text = figures.model_figure(overview(name=HOSTILE, text=HOSTILE)).to_json()
    assert "<img" not in json.loads(text)["layout"]["title"]["text"]
    assert all("<img" not in name for name in json.loads(text)["data"][2]["y"])


def test_a_promotion_within_the_windows_is_marked_at_its_own_time() -> None:
    windows = overview(windows=20).windows
    at = "2013-04-10T18:30:00+00:00"  # the new version serves from the next midnight on
    found = marks(windows, [move(1, "2013-03-31T00:00:00+00:00"), move(2, at)])
    assert [(mark.at, mark.version, mark.action) for mark in found] == [(at, 2, "promote")]


def test_a_replayed_log_is_marked_where_each_version_serves() -> None:
    windows = overview(windows=30, versions=(1, 2, 1)).windows
    late = "2026-11-01T00:00:00+00:00"
    found = marks(windows, [move(1, late), move(2, late, reason="better"), move(1, late, "rollback")])
    assert [(mark.at, mark.words) for mark in found] == [(day(10), "v2 promoted"), (day(20), "rolled back to v1")]
    assert found[0].reason == "better"


def test_a_rollback_is_marked_as_one_when_the_history_is_cut_off() -> None:
    windows = overview(windows=30, versions=(2, 3, 4, 3)).windows
    late = "2026-11-01T00:00:00+00:00"
    moves = [move(2, late), move(3, late), move(4, late), move(3, late, "rollback", "worse")]
    assert [mark.words for mark in marks(windows, moves)] == ["v3 promoted", "v4 promoted", "rolled back to v3"]
    assert [mark.words for mark in marks(windows[-10:], moves)] == ["rolled back to v3"]


def test_a_change_without_a_promotion_is_marked_as_such() -> None:
    assert [mark.words for mark in marks(overview(windows=10).windows, [])] == ["v2 serves"]


def test_buckets_show_the_worst_window() -> None:
    drift = overview(windows=10, features=1).drift
    cells = buckets(drift, drift.columns, 4)
    assert [cell.start for cell in cells] == [day(0), day(3), day(6), day(9)]
    assert [cell.worst["column 0"] for cell in cells] == [day(2), day(5), day(8), day(9)]


def test_the_last_days_alone() -> None:
    page = recent(overview(windows=100), 30)
    assert [len(page.windows), len(page.drift.starts), len(page.drift.values["column 0"])] == [30, 30, 30]
    assert recent(page, None) is page


def test_windows_without_figures_have_no_chart() -> None:
    page = overview(windows=0)
    assert performance_chart(performance_series(page)) is None
    assert drift_chart(page.drift) is None
    assert sparkline((None, None), "roc_auc") == ""
    assert "<circle" in sparkline((0.5,), "roc_auc")


def test_what_can_be_chosen_is_named() -> None:
    page = overview(windows=3, features=2)
    drawn = str(drift_chart(page.drift, pickable=True))
    assert f'data-pick="cell {day(2)} column 1"' in drawn
    assert "data-pick" not in str(drift_chart(page.drift))
    assert f'data-pick="window {day(0)}"' in str(performance_chart(performance_series(page), pickable=True))
