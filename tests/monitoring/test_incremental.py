"""However the rows and labels of a year come in, day by day or all at once, findings and alerts are the same."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.actor import Actor
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring import Alert, AlertRules, MonitorReport, WindowResult, run_monitor
from modelops_jupyter.monitoring import past as past_module
from modelops_jupyter.monitoring.incidents.alerts import raise_alerts
from modelops_jupyter.monitoring.record.results import Finding
from modelops_jupyter.profiles import Reference, build_reference
from modelops_jupyter.store import InMemoryStore

pytestmark = pytest.mark.slow

ANN = Actor("ann", "self-asserted")
BEGIN = 1_364_774_400_000_000  # 2013-04-01
DAY = 86_400_000_000
ROWS = 90
AIRPORTS = ("JFK", "LGA", "EWR")


def features(generator: np.random.Generator, rows: int, day: int = 0) -> dict[str, pa.Array]:
    """Wind rises for a while, then origin changes for good; one airport is closed for months."""
    wind = generator.normal(1.5 if 30 <= day < 36 or day >= 158 else 0.0, 1.0, rows)
    shares = [0.5, 0.5, 0.0] if 20 <= day < 115 else [0.4, 0.3, 0.3]
    origin = generator.choice(AIRPORTS, rows, p=[0.05, 0.95, 0.0] if 60 <= day < 160 else shares)
    return {"wind": pa.array(wind), "origin": pa.array(origin)}


def reference(seed: int) -> Reference:
    generator = np.random.default_rng(seed)
    table = pa.table(features(generator, 2000))
    score = generator.random(2000)
    label = np.where(generator.random(2000) < score, "1", "0")
    said = np.where(score > 0.5, "1", "0")
    return build_reference(table, scores=score, predictions=said, labels=label, positive="1", segments=["origin"])


REFERENCES = {1: reference(1), 2: reference(2)}


def day_of(day: int, seed: int) -> tuple[pa.Table, pa.Table]:
    """Return the predictions of a day, and their labels; the model is wrong for two weeks."""
    generator = np.random.default_rng([seed, day])
    score = generator.random(ROWS)
    chance = 1 - score if 80 <= day < 94 else score
    ids = [f"{day}-{n}" for n in range(ROWS)]
    times = pa.array(BEGIN + day * DAY + np.sort(generator.integers(0, DAY, ROWS))).cast(pa.timestamp("us", tz="UTC"))
    rows = {
        "request_id": pa.array(ids),
        "timestamp": times,
        "model": pa.array(["m"] * ROWS),
        "version": pa.array([2 if 70 <= day < 120 else 1] * ROWS, pa.int64()),
        "alias": pa.array([""] * ROWS),
        "prediction": pa.array(np.where(score > 0.5, "1", "0")),
        "score": pa.array(score),
        "decision": pa.array([""] * ROWS),
    }
    label = pa.array(np.where(generator.random(ROWS) < chance, "1", "0"))
    labels = {"request_id": pa.array(ids), "label": label, "event_time": times, "arrival_time": times}
    return pa.table({**rows, **features(generator, ROWS, day)}), pa.table(labels)


def arrivals(days: int, seed: int) -> Iterator[list[tuple[str, pa.Table]]]:
    """Yield what comes between two runs: some days, some late ones, and labels days after their predictions."""
    generator = np.random.default_rng(seed)
    due: list[tuple[int, str, pa.Table]] = []
    for day in range(days):
        if 50 <= day < 53:
            continue  # nothing was served
        rows, labels = day_of(day, seed)
        late = day + int(generator.choice([0, 0, 0, 0, 0, 0, 0, 1, 4]))
        due.append((late, "predictions", rows))
        due.append((late + int(generator.integers(0, 12)), "labels", labels))
    at = 0
    while due:
        at += int(generator.integers(4, 20))
        ready = [(kind, table) for time, kind, table in due if time <= at]
        due = [item for item in due if item[0] > at]
        yield sorted(ready, key=lambda item: item[0], reverse=True)


def run(store: InMemoryStore, log: PredictionLog, budget: AlertRules | None = None) -> MonitorReport:
    return run_monitor("m", store=store, log=log, references=REFERENCES, segments=("origin",), rules=budget, actor=ANN)


def said(window: WindowResult) -> dict[str, Any]:
    """Return what a window says that depends on others, and whatever else is exact in any order of adding up."""
    body = window.to_dict()
    kept = {name: body[name] for name in ("window_start", "segment", "rows", "labelled", "versions")}
    findings = [{**finding, "figure": None, "threshold": None} for finding in body["findings"]]
    return {**kept, "findings": sorted(findings, key=str)}


def test_what_comes_bit_by_bit_is_judged_as_if_it_had_come_at_once(tmp_path: Path) -> None:
    log, store = PredictionLog(tmp_path / "log"), InMemoryStore()
    runs = 0
    for arrived in arrivals(165, 5):
        for kind, table in arrived:
            (log.append_predictions if kind == "predictions" else log.append_labels)("m", table)
        bit_by_bit = run(store, log)
        runs += 1
    fresh = InMemoryStore()
    at_once = run(fresh, log)
    assert runs > 10
    assert {alert.kind for alert in at_once.alerts} >= {"drift", "performance"}
    assert {alert.state for alert in at_once.alerts} == {"open", "recovered", "superseded"}
    assert any(alert.segment for alert in at_once.alerts)
    for mine, other in ((bit_by_bit.windows, at_once.windows), (bit_by_bit.segments, at_once.segments)):
        assert len(mine) == len(other)
        ordered = (
            sorted(map(said, windows), key=lambda w: (w["window_start"], w["segment"])) for windows in (mine, other)
        )
        for one, another in zip(*ordered, strict=True):
            assert one == another
    for one, another in zip(bit_by_bit.windows, at_once.windows, strict=True):
        assert one.cycle.keys() == another.cycle.keys()
        for name, figures in another.remembered.items():
            assert dict(one.remembered[name]) == pytest.approx(dict(figures))
    for alert, other_alert in zip(bit_by_bit.alerts, at_once.alerts, strict=True):
        assert asdict(alert) == {
            **asdict(other_alert),
            "figure": pytest.approx(other_alert.figure),
            "threshold": pytest.approx(other_alert.threshold),
            "surges": tuple((at, pytest.approx(a), pytest.approx(b)) for at, a, b in other_alert.surges),
            "message": alert.message,
        }
    states = [each.get("monitor", "m/1D") for each in (store, fresh)]
    assert states[0] is not None
    assert states[1] is not None
    for key in ("windows", "realised", "metric", "metrics", "tracks", "through", "first_error"):
        assert states[0].body[key] == states[1].body[key], key
    assert states[0].body["line"] == pytest.approx(states[1].body["line"], nan_ok=True)


def test_a_day_more_reads_no_more_of_the_past_than_judging_takes(tmp_path: Path, monkeypatch: Any) -> None:
    log, store = PredictionLog(tmp_path / "log"), InMemoryStore()
    for day in range(10, 20):  # before anything drifts
        log.append_predictions("m", day_of(day, 0)[0])
    run(store, log)
    monkeypatch.setattr(past_module, "REACH", 2)
    read: list[tuple[str, str | None]] = []
    find = store.find

    def noted(kind: str, subject: str | None = None, **bounds: Any) -> Any:
        if bounds.get("bodies", True):  # which windows there are is read of the index alone
            read.append((kind, bounds.get("since")))
        return find(kind, subject, **bounds)

    monkeypatch.setattr(store, "find", noted)
    log.append_predictions("m", day_of(20, 0)[0])
    report = run(store, log)
    assert not [since for kind, since in read if kind in ("window", "segment_window") and since == "m/1D/"]
    assert [len(report.windows), report.new_windows] == [11, 1]
    assert len(report.segments) == 2 * 11 + 10  # one airport closes on the last day


findings_of_days = st.lists(st.sampled_from(["", "", "", "lingering", "likely", "plain"]), min_size=2, max_size=25)


@given(findings_of_days, st.data())
def test_alerts_go_on_from_any_window(levels: list[str], data: st.DataObject) -> None:
    days = [f"2013-04-{day:02d}T00:00:00+00:00" for day in range(1, len(levels) + 1)]
    served = data.draw(st.lists(st.sampled_from(["1", "1", "1", "2"]), min_size=len(levels), max_size=len(levels)))
    windows = [
        WindowResult(
            at, at, 9, 0, {version: 9}, {}, {}, (Finding("drift", "x", "psi", 0.3, 0.2, level=level),) if level else ()
        )
        for at, level, version in zip(days, levels, served, strict=True)
    ]
    rules = AlertRules()
    whole = raise_alerts("m", windows, rules)
    # What was known may rest on other findings of the windows that are judged again.
    first = data.draw(st.integers(0, len(levels) - 1))
    other = [replace(w, findings=()) if data.draw(st.booleans()) else w for w in windows[first:]]
    known: tuple[Alert, ...] = raise_alerts("m", [*windows[:first], *other], rules)
    again = raise_alerts("m", windows[max(0, first - rules.windows**2) :], rules, known, days[first])
    assert again == whole
