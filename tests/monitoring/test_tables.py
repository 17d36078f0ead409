"""Results under the names people know: a tidy frame, Databricks' tables, NannyML's chunks, Evidently's tests."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.monitoring import MonitorReport, WindowResult, measure_window
from modelops_jupyter.monitoring.record.results import Finding
from modelops_jupyter.monitoring.record.spellings import MonitorWords, monitor_words
from modelops_jupyter.profiles import build_reference, scan

START = datetime(2013, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def report() -> MonitorReport:
    """Return three measured days, the last without labels, and a segment of each."""
    generator = np.random.default_rng(0)

    def rows(n: int) -> dict[str, np.ndarray]:
        score = generator.random(n)
        y = np.where(generator.random(n) < score, "1", "0")
        wind = np.where(generator.random(n) < 0.1, np.nan, generator.normal(0, 1, n))
        origin = generator.choice(["JFK", "LGA"], n)
        return {
            "wind": wind,
            "origin": origin,
            "score": score,
            "prediction": np.where(score > 0.5, "1", "0"),
            "label": y,
        }

    before = rows(4000)
    reference = build_reference(
        pa.table({"wind": before["wind"], "origin": before["origin"]}),
        scores=before["score"],
        predictions=before["prediction"],
        labels=before["label"],
        positive="1",
    )

    def day(number: int, segment: str) -> WindowResult:
        table = pa.table({**rows(500), "version": np.ones(500, "int64")})
        table = table.drop_columns(["label"]) if number == 2 else table
        start, end = START + timedelta(days=number), START + timedelta(days=number + 1)
        found = measure_window(reference, scan(table, reference.binning), start, end)
        finding = Finding("performance", "", "roc_auc", 0.5, 0.6)
        return WindowResult(**{**vars(found), "segment": segment, "findings": (finding,) if number == 1 else ()})

    whole, slices = ([day(n, segment) for n in range(3)] for segment in ("", "origin=JFK"))
    return MonitorReport("delay", "1D", tuple(whole), (), 3, tuple(slices))


def test_the_tidy_frame_has_segments_and_intervals(report: MonitorReport) -> None:
    frame = report.to_frame()
    assert set(frame["segment"].dropna()) == {"origin=JFK"}
    auc = frame[(frame["metric"] == "roc_auc") & frame["segment"].isna()]
    assert (auc["low"][:2] < auc["value"][:2]).all()
    assert auc["reason"].tolist()[2] == "no labels"
    estimated = frame[frame["metric"] == "estimated_roc_auc"]
    assert estimated["value"].notna().all()
    tested = frame[(frame["metric"] == "chi_square") & (frame["column"] == "origin")]
    assert tested["p_value"].between(0, 1).all()
    assert not frame.duplicated(["window_start", "segment", "column", "metric"]).any()


def test_databricks_profile_metrics(report: MonitorReport) -> None:
    table = report.profile_metrics()
    names = ["window", "granularity", "column_name", "slice_key", "slice_value", "log_type"]
    assert list(table.columns[:6]) == names
    whole = table[(table["column_name"] == ":table") & table["slice_key"].isna()]
    assert whole["count"].tolist() == [500] * 3
    first = report.windows[0]
    assert whole["roc_auc_score"].iloc[0] == first.performance["roc_auc"]["value"]
    assert whole["accuracy_score"].isna().tolist() == [False, False, True]
    wind = table[(table["column_name"] == "wind") & (table["slice_value"] == "JFK")]
    assert wind["percent_null"].between(5, 15).all()
    assert set(wind["granularity"]) == {"1 day"}
    assert whole["window"].iloc[0] == pd.Interval(pd.Timestamp(START), pd.Timestamp(START) + pd.Timedelta("1D"), "left")


def test_databricks_drift_metrics(report: MonitorReport) -> None:
    table = report.drift_metrics()
    assert set(table["drift_type"]) == {"BASELINE"}
    assert set(table["column_name"]) == {"wind", "origin", "score", "prediction"}
    wind = table[(table["column_name"] == "wind") & table["slice_key"].isna()].iloc[0]
    drift = report.windows[0].drift["wind"]
    assert wind["population_stability_index"] == drift["psi"]["value"]
    assert wind["ks_test"] == {
        "statistic": drift["kolmogorov_smirnov"]["value"],
        "pvalue": drift["kolmogorov_smirnov"]["p_value"],
    }
    assert "percent_null" not in table


def test_nannymls_chunks(report: MonitorReport) -> None:
    table = report.chunks()
    auc = table[table["column_name"] == "roc_auc"]
    assert auc["key"].tolist()[0] == "[2013-04-01:2013-04-01]"
    assert auc[auc["kind"] == "realized"]["alert"].tolist() == [False, True, False]
    assert (auc["upper_confidence_boundary"].dropna() >= auc["value"].dropna()).all()
    assert auc["end_date"].iloc[0] < auc["start_date"].iloc[2]


def test_an_empty_report_has_empty_tables() -> None:
    empty = MonitorReport("delay", "1D", (), (), 0)
    assert [len(table) for table in (empty.to_frame(), empty.profile_metrics(), empty.drift_metrics())] == [0, 0, 0]
    assert "drift_type" in empty.drift_metrics()
    assert len(empty.chunks()) == 0
    assert empty.test("roc_auc", gt=0).passed


def test_evidentlys_conditions(report: MonitorReport) -> None:
    good = report.test("roc_auc", gte=0.7, lt=1)
    assert good.passed
    assert {result.status for result in good.results} == {"SUCCESS", "ERROR"}
    bad = report.test("null_rate", column="wind", lt=0.01)
    assert not bad.passed
    assert "null_rate of wind where origin=JFK is" in str(bad)
    assert len(bad.to_frame()) == 6
    assert report.test("unseen_rate", column="origin", eq=0, is_in=[0.0], not_in=[1.0], not_eq=1, lte=0).passed
    assert report.test("estimated_roc_auc", gt=0.6).passed
    with pytest.raises(InvalidInput, match="below"):
        report.test("roc_auc", below=1)
    with pytest.raises(NotFound, match="to_frame"):
        report.test("roc_auk", gt=1)


def test_databricks_words_are_understood() -> None:
    words = {
        "problem_type": "PROBLEM_TYPE_CLASSIFICATION",
        "timestamp_column": "timestamp",
        "granularities": ["1 week"],
        "prediction_column": "prediction",
        "label_column": "label",
        "slicing_exprs": ["origin"],
        "baseline": None,
    }
    assert monitor_words(words) == MonitorWords("1W", ("origin",), "classification")
    assert monitor_words({"chunk_period": "D"}) == MonitorWords("1D")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"window": "1D"}, "no option 'window'"),
        ({"granularities": ["1 day", "1 week"]}, "once for each"),
        ({"granularities": "1 year"}, "1 hour, 1 day or 1 week"),
        ({"timestamp_column": "at"}, "log_predictions"),
        ({"slicing_exprs": ["distance > 100"]}, "a column's name"),
        ({"problem_type": "ranking"}, "classification or regression"),
        ({"baseline": "table"}, "reference="),
    ],
)
def test_words_that_cannot_be_meant_are_named(words: dict, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        monitor_words(words)
