"""Static HTML: readable, bounded, without script, and every user's text escaped."""

from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from made import HOSTILE, day, move, overview

from modelops_jupyter.actions.adopted import Adoption
from modelops_jupyter.actions.catalogue import Status
from modelops_jupyter.actions.overview import Distribution, SeriesFigures
from modelops_jupyter.actions.registration import RegisteredVersion
from modelops_jupyter.display.bundle import PLOTLY, mimebundle, plotly_chart, static_html
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.lines import performance_chart
from modelops_jupyter.display.plain import alert_sentence
from modelops_jupyter.display.series import Series, performance_series, report_series
from modelops_jupyter.governance import CheckResult, Decision, GateReport, ModelCard, Transition, compare
from modelops_jupyter.listing import Listing
from modelops_jupyter.monitoring import (
    Alert,
    Backtest,
    BacktestPoint,
    Detection,
    Explanation,
    Figure,
    MonitorReport,
    WindowResult,
)
from modelops_jupyter.monitoring.explaining.multivariate import ColumnShare, MultivariateDrift
from modelops_jupyter.monitoring.explaining.segments import Segment
from modelops_jupyter.monitoring.figures.curves import PerformanceCurves
from modelops_jupyter.pipelines import PipelineRun, StepRun
from modelops_jupyter.presentable import Presentable


class Tags(HTMLParser):
    """Collects the tags and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    return parser.found


def report(text: str = "delay", windows: int = 5) -> MonitorReport:
    figures = {"roc_auc": {"value": 0.8, "reason": None}}
    drift = {text: {"psi": {"value": 0.3, "reason": None}}}
    results = tuple(WindowResult(day(n), day(n + 1), 400, 390, {"1": 400}, figures, drift, ()) for n in range(windows))
    alert = Alert(text, "drift", text, "psi", 0.3, 0.2, day(1), day(2), day(3), "open", f"{text}: psi was 0.3")
    return MonitorReport(text, "1D", results, (alert,), windows)


def backtest(text: str = "delay") -> Backtest:
    detections = (Detection("shift", 0.1, 1.0, 2.0), Detection("performance", 0.2, 0.5, 4.0, 0.06))
    sizes = {"shift": 0.1, "missing": None, "performance": 0.2}
    points = tuple(
        BacktestPoint(budget, promised, promised / 2, 0.0, promised, 3, sizes, detections)
        for budget, promised in (("1/month", 1.0), ("1/week", 4.35))
    )
    return Backtest(text, "1D", 30, text, "roc_auc", "1/month", 7, points)


def everything(text: str) -> list[Presentable]:
    row = {"name": text, "health": text, "metric": text, "sparkline": (0.1, None, 0.2), "state": text, "at": text}
    frame = pd.DataFrame({"origin": [text] * 200})
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200).astype(str)
    model = {
        "unsafe": True,
        "unsafe_versions": [1, 2],
        "name": text,
        "kind": "ml",
        "champion": 1,
        "versions": 1,
        "health": "alert",
        "windows": 1,
        "data_through": day(0),
        "remarks": [text],
        "beside": [
            {
                "name": text,
                "version": 1,
                "role": text,
                "windows": 2,
                "data_through": day(0),
                "metric": text,
                "figure": 0.5,
                "open_alerts": 1,
            }
        ],
        "open_alerts": 1,
    }
    harm = Segment(text, (text,), 9, 0.1, 0.2, None, 0.4, 0.01, 0.001)
    check = CheckResult(text, False, True, 0.5, 0.6, f"{text} 0.5")
    taken = {"model": text, "version": 1, "aliases": text, "flavor": text, "unsafe": True, "task": text}
    return [
        Adoption(
            ({**taken, "reference": False, "note": text},),
            ({"model": text, "versions": 2},),
            ({"model": text, "version": None, "reason": text},),
            (text,),
        ),
        Adoption(notes=(text,)),
        Listing(text, tuple(row), (row,)),
        Listing(text, tuple(row), (), text),
        Status(
            text, text, (model,), (move(1, day(0), reason=text),), ({"state": "open", "message": text},), (), (text,)
        ),
        Status(text, text, (), (), (), (), (text,)),
        Status(text, text, (), (), (), unadopted=3),
        overview(text=text, name=text),
        overview(windows=0, text=text, name=text),
        report(text),
        report(text, windows=0),
        Distribution(text, (text, "other", "missing"), (1.0, 0, 0), (0.5, 0.5, 0), day(0), day(3)),
        PerformanceCurves(confusion={text: {text: 3}}),
        RegisteredVersion(text, 1, {"flavor": text, "created_by": text, "digest": text, "metrics": {text: 1}}, (text,)),
        GateReport(text, 1, text, False, (check,), (text,), True, text, text, text),
        compare(text, text, frame, y, y, y[::-1].copy(), None, None, "classification", ("origin",)),
        compare(text, text, frame, None, np.char.add(text, y), y, None, None, "decision", ("origin",)),
        compare(text, text, frame, None, np.arange(200).astype(str), y, None, None, "decision", ("origin",)),
        ModelCard(text, ((text, ((text, text),)), (text, ()))),
        Transition(text, text, 1, 2, "promote", text, text, text, day(0)),
        Decision(text, 1, "approve", text, text, text, day(0), text, True),
        Explanation(
            text,
            day(1),
            day(2),
            day(0),
            day(1),
            "brier_score",
            0.1,
            0.2,
            Figure(0.1, low=0.05, high=0.15),
            90,
            9,
            (harm,),
            ({"timestamp": day(1), "request_id": text, "prediction": text, text: text, "wind": None},),
        ),
        Explanation(
            text, day(1), day(2), day(0), day(1), "brier_score", 0.1, 0.2, Figure(0.1, low=-1.0, high=1.2), 90, 9, ()
        ),
        MultivariateDrift(Figure(0.6, None, 0.5, 0.7, 0.01), Figure(None, text), (ColumnShare(text, 0.1),), 90, 90),
        backtest(text),
        PipelineRun(text, text, text, (StepRun(text, text, text, text, 1.0),), text),
    ]


@pytest.mark.parametrize("result", everything(HOSTILE), ids=lambda result: type(result).__name__)
def test_hostile_text_stays_text(result: Presentable) -> None:
    html = str(static_html(result))
    found = tags(html)
    assert not [tag for tag, _ in found if tag in ("img", "script", "style", "link", "iframe")]
    assert not [name for _, attributes in found for name in attributes if name.startswith("on")]
    assert "&lt;img" in html


@pytest.mark.parametrize("result", everything("plain"), ids=lambda result: type(result).__name__)
def test_every_result_has_text_and_html_that_closes_its_tags(result: Presentable) -> None:
    bundle = mimebundle(result)
    assert {"text/plain", "text/html"} <= set(bundle) <= {"text/plain", "text/html", PLOTLY}
    ElementTree.fromstring(f"<div>{bundle['text/html']}</div>")  # raises where a tag is left open
    assert "background:" not in bundle["text/html"]


@pytest.mark.parametrize(("rows", "shown", "rest"), [(0, 0, None), (1, 1, None), (1000, 50, "and 950 more")])
def test_listings_are_bounded(rows: int, shown: int, rest: str | None) -> None:
    items = tuple({"name": f"m{n}", "health": "healthy"} for n in range(rows))
    html = str(static_html(Listing("Models", ("name", "health"), items, "No models yet.")))
    assert html.count("<tr>") == (shown + 1 if rows else 0)
    assert "and " not in html if rest is None else rest in html
    assert rows or "No models yet." in html


def test_health_is_a_word_and_an_icon() -> None:
    html = str(static_html(Listing("Models", ("health",), ({"health": "alert"}, {"health": "not judged"}))))
    assert "✕" in html
    assert "> alert<" in html
    assert "not judged" in html


def test_the_overview_tells_its_figures_without_svg() -> None:
    html = str(static_html(overview(windows=25)))
    text = html[html.index("in figures") :]
    assert "0.776" in text  # the last window: 0.8 - 24 / 1000
    assert "2013-04-25" in text
    assert "T00:00:00" not in html


def test_a_year_of_windows_stays_small() -> None:
    assert len(str(static_html(overview(windows=365, features=40)))) < 250_000


def test_a_chart_comes_along_only_if_it_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PLOTLY in mimebundle(overview())
    assert PLOTLY in mimebundle(report())
    assert PLOTLY not in mimebundle(overview(windows=0))
    assert PLOTLY not in mimebundle(Listing("x", (), ()))
    monkeypatch.setattr("modelops_jupyter.display.bundle.LARGEST_CHART", 1000)
    assert plotly_chart(overview()) is None


def test_elements_escape_everything_but_html() -> None:
    assert element("b", "1 < 2", title='"') == '<b title="&quot;">1 &lt; 2</b>'
    assert join(Html("<i>"), "<i>", None) == "<i>&lt;i&gt;"


def test_a_backtest_shows_what_each_budget_costs_and_sees() -> None:
    html = str(static_html(backtest()))
    (drawn,) = [tag for tag in tags(html) if tag[0] == "svg"]
    assert drawn[1]["aria-label"] == "What each of 2 alert budgets of delay costs and sees"
    assert "1/month (in force)" in html
    assert "0.50 (0.00 to 1.00)" in html
    # A shift is seen after 2 windows; the fall after 4 in half of its trials, else not within 7.
    assert "<td" in html
    assert f"{(2 + (4 + 7) / 2) / 2:.1f}" in html
    assert ">none</text>" in html  # missing values were never seen


def test_alerts_are_told_without_statistics_first() -> None:
    drift = {"kind": "drift", "column": "score", "metric": "recent_jensen_shannon", "figure": 0.5, "threshold": 0.125}
    assert alert_sentence({**drift, "segment": "origin=JFK"}) == (
        "The model's score is not spread as it was when the model was validated, for origin=JFK "
        "(Jensen-Shannon distance of the latest windows together 0.500, threshold 0.125)."
    )
    missing = {"kind": "quality", "column": HOSTILE, "metric": "null_rate", "figure": 0.4, "threshold": 0.1}
    assert alert_sentence(missing).startswith(f"More values of “{HOSTILE}” are missing (null rate 0.400")
    worse = {"kind": "performance", "column": "", "metric": "roc_auc", "figure": 0.6, "threshold": 0.7}
    assert alert_sentence(worse).startswith("The model's results are worse")
    other = {"kind": "concept", "column": "", "metric": "x", "model": "m", "message": "m: roc auc was 0.7"}
    assert alert_sentence(other) == "ROC AUC was 0.7"


def spread(windows: int, widest: float) -> Series:
    """Return a series whose estimates have an interval; that of the second window is the widest."""
    figures = [
        replace(w, value=0.8, estimated=0.8, estimated_low=widest if n == 1 else 0.75, estimated_high=0.85)
        for n, w in enumerate(overview(windows).windows)
    ]
    return Series("roc_auc", tuple(figures), (None,) * windows, ())


def test_intervals_of_estimates_are_whole_and_where_they_are_cut_it_is_said() -> None:
    few, many, even = (str(performance_chart(spread(*of))) for of in ((5, 0.3), (100, 0.3), (100, 0.75)))
    beyond = "widest intervals cut off"
    assert (beyond in few, beyond in many, beyond in even) == (False, True, False)
    assert ">0.2</text>" in few
    assert ">0.2</text>" not in many  # one window does not flatten the line of all


def test_a_report_shows_the_metric_that_the_page_shows() -> None:
    performance = {name: {"value": 0.8, "reason": None} for name in ("accuracy", "roc_auc")}
    window = replace(report(windows=1).windows[0], performance=performance)
    assert report_series(replace(report(windows=1), windows=(window,))).metric == "roc_auc"


def test_series_beside_what_was_served_are_drawn_named_and_compared_with_it() -> None:
    page = overview()
    windows = tuple(replace(w, version=2, value=None if w.value is None else w.value / 2) for w in page.windows)
    names = [(version, role) for version in (2, 3) for role in ("canary", "shadow")]
    beside = tuple(SeriesFigures(version, role, windows, 0.9, 1) for version, role in names)
    chart = str(performance_chart(performance_series(replace(page, beside=beside))))
    height = float(ElementTree.fromstring(chart).attrib["viewBox"].split()[3])
    texts = ElementTree.fromstring(chart).findall(".//{*}text")
    places = {t.text: (float(t.attrib["x"]), float(t.attrib["y"])) for t in texts}
    for each in beside:
        left, row = places[each.name]
        assert left + 6 * len(each.name) < 960
        assert row < height
    html = static_html(replace(page, beside=beside))
    assert html is not None
    last = next(w for w in reversed(windows) if w.value is not None)
    served = next(w for w in page.windows if w.start == last.start)
    assert "Version 3 as shadow" in html
    assert f"{last.value:.3f}" in html
    assert f"{served.value:.3f}" in html
    assert "Beside what was served" not in str(static_html(page))
