"""A prediction is (request id, version, role): every role of a version has a series of figures, and mixes with none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

import modelops_jupyter as mo
from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.frames import to_arrow
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring import MonitorReport, WindowResult, load_report, run_monitor
from modelops_jupyter.profiles import Reference, build_reference
from modelops_jupyter.roles import ROLES, Series
from modelops_jupyter.store import InMemoryStore

ROWS = 10_000
DAYS = 4
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
ANN = Actor("ann", "self-asserted")


def weather(rows: int, seed: int) -> pd.DataFrame:
    """Return features and labels of flights; what is late follows from wind and rain."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"wind": generator.normal(size=rows), "rain": generator.normal(size=rows)})
    noise = generator.normal(scale=0.8, size=rows)
    return frame.assign(late=np.where(frame["wind"] + frame["rain"] + noise > 0, "yes", "no"))


def requests(frame: pd.DataFrame, model: LogisticRegression, columns: Sequence[str]) -> pd.DataFrame:
    """Return what a model answers: scores of three decimals, so that no two different ones share a cell."""
    score = model.predict_proba(frame[[*columns]])[:, 1].round(3)
    answers = {"said": np.where(score > 0.5, "yes", "no"), "p": score}
    times = pd.date_range(BEGIN, periods=len(frame), freq=timedelta(days=DAYS) / len(frame))
    return frame.drop(columns="late").assign(id=np.arange(len(frame)), at=times, **answers)


@dataclass(frozen=True)
class Desk:
    """A workspace with a champion that saw wind alone and a challenger that saw rain too, and the flights of days."""

    ws: mo.Workspace
    flights: pd.DataFrame
    served: pd.DataFrame
    shadow: pd.DataFrame

    def log(self, reference: str, rows: pd.DataFrame, role: str = "served", batch_id: str | None = None) -> object:
        columns = {"id": "id", "time": "at", "prediction": "said", "score": "p"}
        return self.ws.log_predictions(reference, rows, **columns, role=role, batch_id=batch_id)

    def label(self) -> None:
        frame = self.flights.assign(id=np.arange(len(self.flights)))
        self.ws.log_labels("delay", frame, id="id", label="late")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    past, flights = weather(3000, 1), weather(ROWS, 2)
    features = past[["wind", "rain"]]
    ws = mo.open(tmp_path)
    models = {}
    for columns in (("wind",), ("wind", "rain")):
        model = LogisticRegression().fit(past[[*columns]], past["late"])
        ws.register(model, "delay", data=features[[*columns]], target=past["late"], reference=past, outcomes="late")
        models[columns] = model
    answers = [requests(flights, model, columns) for columns, model in models.items()]
    return Desk(ws, flights, *answers)


def figures(truth: pd.Series, answers: pd.DataFrame) -> dict[str, float]:
    late = truth == "yes"
    return {
        "roc_auc": roc_auc_score(late, answers["p"]),
        "log_loss": log_loss(late, answers["p"]),
        "brier_score": brier_score_loss(late, answers["p"]),
        "accuracy": accuracy_score(truth, answers["said"]),
    }


def test_two_roles_on_the_same_ids_give_two_series_each_equal_to_scikit_learn(desk: Desk) -> None:
    desk.log("delay/1", desk.served)
    assert "there already" not in str(desk.log("delay/2", desk.shadow, "shadow"))
    desk.label()
    report = desk.ws.monitor("delay")
    assert [str(each.series) for each in report.beside] == ["version 2 as shadow"]
    days = desk.served["at"].dt.floor("D")
    for windows, answers, version, role in (
        (report.windows, desk.served, 1, "served"),
        (report.of(2, "shadow").windows, desk.shadow, 2, "shadow"),
    ):
        assert len(windows) == DAYS
        assert sum(window.rows for window in windows) == ROWS
        for window in windows:
            day = days == pd.Timestamp(window.window_start)
            expected = figures(desk.flights["late"][day], answers[day])
            assert {name: window.performance[name]["value"] for name in expected} == pytest.approx(expected, abs=1e-12)
            assert (window.role, window.versions) == (role, {f"{version}": int(day.sum())})
    better = [window.performance["roc_auc"]["value"] for window in report.of(2, "shadow").windows]
    assert min(better) > max(window.performance["roc_auc"]["value"] for window in report.windows)
    table = report.to_frame()
    assert set(zip(table["version"], table["role"], strict=True)) == {(1, "served"), (2, "shadow")}


SCORES = np.random.default_rng(5).random(500)
SAID = np.where(SCORES > 0.5, "1", "0")
ACTUAL = np.where(np.random.default_rng(6).random(500) < SCORES, "1", "0")
REFERENCES: dict[int, Reference] = {
    version: build_reference(
        pa.table({"x": SCORES}), scores=SCORES, predictions=SAID, labels=ACTUAL, positive="1", segments=[]
    )
    for version in (1, 2)
}


def logged(seed: int, rows: int, ids: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return predictions of three days, any id by any version in any role and more than once, and labels of some."""
    generator = np.random.default_rng(seed)
    score = generator.random(rows)
    minutes = generator.permutation(3 * 1440)[:rows]
    predictions = pd.DataFrame(
        {
            "request_id": [f"r{n}" for n in generator.integers(0, ids, rows)],
            "timestamp": pd.Timestamp(BEGIN) + pd.to_timedelta(minutes, unit="min"),
            "model": "m",
            "version": generator.choice([1, 2], rows),
            "role": generator.choice(ROLES, rows, p=[0.5, 0.3, 0.2]),
            "alias": "",
            "prediction": np.where(score > 0.5, "1", "0"),
            "score": score,
            "decision": "",
            "x": generator.random(rows),
        }
    )
    labels = pd.DataFrame({"request_id": [f"r{n}" for n in range(ids)], "label": generator.choice(["0", "1"], ids)})
    labels["event_time"] = labels["arrival_time"] = pd.Timestamp(BEGIN) + pd.Timedelta(days=5)
    return predictions, labels.sample(frac=0.8, random_state=seed)


def as_log(frame: pd.DataFrame) -> pa.Table:
    times = [name for name in frame.columns if name.endswith(("timestamp", "_time"))]
    return to_arrow(frame.astype(dict.fromkeys(times, "datetime64[us, UTC]")))


def by_pandas(predictions: pd.DataFrame, labels: pd.DataFrame) -> dict[tuple[str, Series], pd.DataFrame]:
    """Return the rows of each window and series: of each request the first, with its label."""
    label_of = labels.set_index("request_id")["label"]
    frame = predictions.sort_values("timestamp").assign(label=predictions["request_id"].map(label_of))
    frame["day"] = frame["timestamp"].dt.floor("D")
    served = frame[frame["role"] == "served"]
    others = frame[frame["role"] != "served"].groupby(["role", "version"])
    groups = [("served", 0, served), *((role, version, rows) for (role, version), rows in others)]
    answers = served.groupby(["day", "request_id"])["version"].transform("nunique")
    twice = served[answers > 1].groupby(["day", "version"]).size().index
    own = served[served.set_index(["day", "version"]).index.isin(twice)]
    groups += [("served", version, rows) for version, rows in own.groupby("version")]
    return {
        (day.isoformat(), Series(version, role)): rows.drop_duplicates("request_id")
        for role, version, group in groups
        for day, rows in group.groupby("day")
    }


def check(window: WindowResult, rows: pd.DataFrame) -> None:
    known = rows.dropna(subset="label")
    assert (window.rows, window.labelled) == (len(rows), len(known))
    assert window.versions == {str(v): int(n) for v, n in rows["version"].value_counts().items()}
    if window.performance["accuracy"]["value"] is not None:
        right = float((known["prediction"] == known["label"]).mean())
        assert window.performance["accuracy"]["value"] == pytest.approx(right)
        squares = float(np.mean((known["score"] - (known["label"] == "1")) ** 2))
        assert window.performance["brier_score"]["value"] == pytest.approx(squares)


def judged(report: MonitorReport) -> list[object]:
    return [
        (each.series, [(w.window_start, dict(w.performance), w.findings, w.role) for w in each.windows], each.alerts)
        for each in (report, *report.beside)
    ]


def days_of(window: WindowResult, series: Series) -> list[tuple[str, Series]]:
    start, end = datetime.fromisoformat(window.window_start), datetime.fromisoformat(window.window_end)
    return [((start + timedelta(days=n)).isoformat(), series) for n in range((end - start).days)]


# No shrinking: an example takes seconds, and a seed that fails is short as it is.
@settings(deadline=None, max_examples=8, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.integers(0, 10_000), st.sampled_from([60, 400, 900]), st.sampled_from([20, 300]), st.data())
def test_whatever_comes_in_whichever_order_the_figures_are_those_of_a_group_by(
    tmp_path_factory: pytest.TempPathFactory, seed: int, rows: int, ids: int, data: st.DataObject
) -> None:
    predictions, labels = logged(seed, rows, ids)
    batches: list[tuple[str, pd.DataFrame]] = [
        ("predictions", part)
        for _, group in predictions.groupby(["version", "role"])
        for part in (group.iloc[: len(group) // 2], group.iloc[len(group) // 2 :])
    ]
    batches += [("labels", labels.iloc[::2]), ("labels", labels.iloc[1::2])]
    store, log = InMemoryStore(), PredictionLog(tmp_path_factory.mktemp("log"))
    for table, frame in data.draw(st.permutations(batches)):
        if len(frame) and table == "predictions":
            log.append_predictions("m", as_log(frame), features=["x"])
        elif len(frame):
            log.append_labels("m", as_log(frame))
        if data.draw(st.booleans()):
            run_monitor("m", store=store, log=log, references=REFERENCES, actor=ANN)
    report = run_monitor("m", store=store, log=log, references=REFERENCES, actor=ANN)
    expected = by_pandas(predictions, labels)
    windows = {(w.window_start, each.series): w for each in (report, *report.beside) for w in each.windows}
    days = [place for (_, series), window in windows.items() for place in days_of(window, series) if place in expected]
    assert sorted(days) == sorted(expected)  # days of few rows are judged together, each day once
    for (_, series), window in windows.items():
        rows = pd.concat([expected[place] for place in days_of(window, series) if place in expected])
        check(window, rows)
    for (day, series), rows in expected.items():
        start = datetime.fromisoformat(day)
        table = log.read("m", start, start + timedelta(days=1), series=series)
        assert table is not None
        assert sorted(table["score"].to_pylist()) == sorted(rows["score"])
    assert judged(load_report(store, "m")) == judged(report)


def test_the_logged_requests_of_both_are_compared_in_pairs(desk: Desk) -> None:
    with pytest.raises(NotFound, match="There is no prediction of"):
        desk.ws.compare("delay/1", "delay/2")
    desk.log("delay/1", desk.served)
    with pytest.raises(NotFound, match="role='shadow'"):
        desk.ws.compare("delay/1", "delay/2")
    some = np.arange(ROWS) % 3 > 0  # the shadow was not asked about each
    desk.log("delay/2", desk.shadow[some].sample(frac=1.0, random_state=1), "shadow")
    assert [metric.metric for metric in desk.ws.compare("delay/1", "delay/2").metrics] == ["agreement"]
    desk.label()
    comparison = desk.ws.compare("delay/1", "delay/2")
    assert comparison.rows == some.sum()
    ours = {metric.metric: (metric.a, metric.b) for metric in comparison.metrics}
    sides = [figures(desk.flights["late"][some], answers[some]) for answers in (desk.served, desk.shadow)]
    for name in ("roc_auc", "log_loss", "brier_score", "accuracy"):
        assert ours[name] == pytest.approx(tuple(side[name] for side in sides))
    with pytest.raises(InvalidInput, match="target"):
        desk.ws.compare("delay/1", "delay/2", target="late")


def test_a_role_and_a_version_that_are_not_there_are_told(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="role is served, shadow or canary, not 'shade'"):
        desk.log("delay/1", desk.served, "shade")
    with pytest.raises(InvalidInput, match="names none: write delay/2 or delay@challenger"):
        desk.log("delay", desk.served, "shadow")
    desk.log("delay/1", desk.served)
    with pytest.raises(NotFound, match="no predictions of version 2 as canary"):
        desk.ws.monitor("delay").of(2, "canary")


def test_the_same_batch_of_another_role_is_another_batch_and_sent_again_it_changes_nothing(desk: Desk) -> None:
    for _ in range(2):
        first = desk.log("delay/1", desk.served, batch_id="march")
        second = desk.log("delay/2", desk.shadow, "shadow", batch_id="march")
    assert "was there already" in str(first)
    assert "was there already" in str(second)
    report = desk.ws.monitor("delay")
    assert [sum(w.rows for w in each.windows) for each in (report, *report.beside)] == [ROWS, ROWS]


def test_a_shadow_that_fails_alerts_under_its_name_and_opens_no_incident_of_the_served_model(desk: Desk) -> None:
    desk.log("delay/1", desk.served)
    wrong = desk.shadow.assign(p=1 - desk.shadow["p"], said=desk.shadow["said"].map({"yes": "no", "no": "yes"}))
    desk.log("delay/2", wrong, "shadow")
    desk.label()
    report = desk.ws.monitor("delay")
    alerts = desk.ws.alerts("delay", state="open").rows
    assert [alert["metric"] for alert in alerts if alert["role"] == "shadow" and alert["kind"] == "performance"]
    assert {alert["role"] for alert in alerts} == {"shadow"}
    assert all(alert["message"].startswith("delay, version 2 as shadow: ") for alert in alerts)
    assert not desk.ws.incidents().rows
    assert not desk.ws.store.find("outbox")
    page = desk.ws.overview("delay")
    assert (page.summary.health, page.summary.open_alerts) == ("healthy", 0)
    assert page.beside[0].open_alerts == len(alerts)
    assert not report.alerts
    assert "version 2 as shadow" in str(report)


def test_a_log_from_before_roles_was_served_also_where_a_feature_had_that_name(tmp_path: Path) -> None:
    predictions, _ = logged(1, 200, 500)
    rows = predictions.assign(version=1)
    log = PredictionLog(tmp_path)
    jobs = as_log(rows.assign(role=np.where(rows.index % 2, "engineer", "nurse")))
    log._table("m", "predictions").append(jobs, None, own=jobs.column_names, same=("request_id",), required=())
    report = run_monitor("m", store=InMemoryStore(), log=log, references=REFERENCES, actor=ANN)
    assert report.beside == ()
    firsts = rows.groupby(rows["timestamp"].dt.floor("D"))["request_id"].nunique()
    assert [window.rows for window in report.windows] == firsts.to_list()


def test_a_file_is_scored_and_logged_in_the_shadow(desk: Desk, tmp_path: Path) -> None:
    table = desk.served[["id", "at", "wind", "rain"]]
    with pytest.raises(InvalidInput, match="say log=True"):
        desk.ws.predict_file("delay/2", table, tmp_path / "out.parquet", role="shadow")
    desk.log("delay/1", desk.served)
    desk.ws.predict_file("delay/2", table, tmp_path / "out.parquet", log=True, id="id", time="at", role="shadow")
    report = desk.ws.monitor("delay")
    assert [sum(w.rows for w in each.windows) for each in (report, *report.beside)] == [ROWS, ROWS]
