"""Two tables are compared as the monitor compares a log with a reference, without a model or a workspace."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from IPython.core.interactiveshell import InteractiveShell
from scipy.spatial.distance import jensenshannon

import modelops_jupyter as mo
from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidFrame, InvalidInput, NotFound
from modelops_jupyter.frames import zones_in_arrow

DAYS, ROWS = 20, 400


def rows(days: int, seed: int, shifted_from: int | None = None) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    times = pd.date_range("2026-05-01", periods=days * ROWS, freq=pd.Timedelta(days=1) / ROWS, tz="UTC")
    frame = pd.DataFrame(
        {
            "timestamp": times,
            "wind <b>": generator.normal(10, 3, len(times)),
            "stops": generator.integers(0, 5, len(times)),
            "origin": generator.choice(["JFK", "LGA", "EWR"], len(times)),
        }
    )
    if shifted_from is not None:
        frame.loc[frame.index >= shifted_from * ROWS, "wind <b>"] += 6
    return frame


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    return rows(DAYS, 1)


def test_rows_like_the_reference_raise_no_alert(reference: pd.DataFrame) -> None:
    report = mo.compare_data(reference, rows(DAYS, 2))

    assert [window.rows for window in report.windows] == [ROWS] * DAYS
    assert report.windows[0].window_start == "2026-05-01T00:00:00+00:00"
    assert report.alerts == ()


def test_a_shift_is_an_alert_of_its_column_on_its_first_day(reference: pd.DataFrame) -> None:
    report = mo.compare_data(reference, rows(DAYS, 2, shifted_from=12))

    assert {alert.column for alert in report.alerts} == {"wind <b>"}
    assert min(alert.window_start for alert in report.alerts).startswith("2026-05-13")
    shown = report._repr_mimebundle_()["text/html"]
    assert "wind <b>" not in shown
    assert "wind &lt;b&gt;" in shown


@pytest.mark.parametrize(("every", "windows"), [("1D", DAYS), ("1W", 4), ("1h", 24 * DAYS)])
def test_a_shift_that_was_there_from_the_first_row_is_told_at_once(
    reference: pd.DataFrame, every: str, windows: int
) -> None:
    current = rows(DAYS, 2)
    current["wind <b>"] += 1.5  # half a standard deviation

    report = mo.compare_data(reference, current, every=every)

    assert len(report.windows) == windows
    first = min(alert.window_start for alert in report.alerts if alert.column == "wind <b>")
    assert first in {window.window_start for window in report.windows[: 24 if every == "1h" else 1]}


def test_what_never_drifts_keeps_to_the_budget() -> None:
    generator = np.random.default_rng(11)
    known = pd.DataFrame(generator.normal(size=(20_000, 8))).add_prefix("x")
    alerts = 0
    for _ in range(10):
        now = pd.DataFrame(generator.normal(size=(6_000, 8))).add_prefix("x")
        now["timestamp"] = pd.date_range("2026-05-01", periods=len(now), freq="432s", tz="UTC")
        alerts += len(mo.compare_data(known, now).alerts)

    assert alerts <= 16  # ten months under one alert a month: Poisson's 97.5 % quantile is 17


def test_the_figures_are_those_of_the_raw_rows(reference: pd.DataFrame) -> None:
    current = rows(3, 2)

    figure = mo.compare_data(reference, current).windows[1].drift["origin"]["jensen_shannon"]["value"]

    day = current[ROWS : 2 * ROWS]["origin"].value_counts().sort_index()
    raw = jensenshannon(reference["origin"].value_counts().sort_index(), day, base=2)
    assert figure == pytest.approx(raw, rel=1e-9)


def test_files_and_tables_of_every_kind_say_the_same(reference: pd.DataFrame, tmp_path: Path) -> None:
    current = rows(8, 2).rename(columns={"timestamp": "at"}).sample(frac=0.5, random_state=1)  # an index with gaps
    current["size"] = pd.Categorical([1.5, 2.5] * (len(current) // 2))
    current["sure"] = pd.Categorical([True, False] * (len(current) // 2))
    reference = reference.sample(frac=0.5, random_state=2).assign(size=1.5, sure=True)
    files = [tmp_path / "reference.parquet", tmp_path / "current.parquet"]
    for frame, file in zip((reference, current), files, strict=True):
        frame.to_parquet(file, row_group_size=700)

    found = [
        mo.compare_data(before, now, timestamp="at").windows
        for before, now in (
            (reference, current),
            (str(files[0]), files[1]),
            (reference.to_dict("series"), pa.Table.from_pandas(zones_in_arrow(current))),
        )
    ]

    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("name", ["version", "timestamp", "label", "prediction", "score", "request_id"])
@pytest.mark.parametrize(
    "values", [["a", "b", None], [1, 2, 3], [True, False, True]], ids=["texts", "numbers", "truths"]
)
def test_a_feature_may_have_a_name_that_a_log_uses(name: str, values: list[Any]) -> None:
    known = pd.DataFrame({name: values * 100, "at": pd.date_range("2026-05-01", periods=300, freq="9min", tz="UTC")})

    report = mo.compare_data(known, known, timestamp="at")

    assert report.windows[0].drift[name]["psi"]["value"] is not None
    assert set(report.windows[0].drift) == {name}
    assert report.windows[0].versions == {}


@pytest.mark.parametrize(
    ("before", "now", "figure", "found"),
    [
        (pa.array([1.0, 2.0] * 50), pa.nulls(100), "null_rate", 1.0),
        (pa.array(["a", "b"] * 50), pa.nulls(100), "null_rate", 1.0),
        (pa.array([2**62, 2**53 + 1] * 50), pa.array([2**62, 2**53 + 1] * 50), "psi", 0.0),
        (pa.array([2**63 + 1] * 100, pa.uint64()), pa.array([2**63 + 1] * 100, pa.uint64()), "psi", 0.0),
        (pa.array(["a", "b"] * 50), pa.array([{"x": 1}, None] * 50), "mistyped_rate", 0.5),
        (pa.array(["a", "b"] * 50), pa.array([b"\xff", b"b"] * 50), "mistyped_rate", 1.0),
        (pa.array([1.0, 2.0] * 50), pa.array(["a", None] * 50), "mistyped_rate", 0.5),
        (
            pa.array(["a", None] * 50),
            pa.DictionaryArray.from_arrays(pa.array([0, 1] * 50), pa.array(["a", None])),
            "psi",
            0.0,
        ),
        (
            pa.array(["a", "b"] * 50),
            pa.DictionaryArray.from_arrays(pa.array([0, 1] * 50, pa.uint64()), pa.array(["a", "b"])),
            "psi",
            0.0,
        ),
        (pa.array(["a", "b"] * 50, pa.string_view()), pa.array(["a", "b"] * 50, pa.large_string()), "psi", 0.0),
        (pa.array([1e308, -1e308] * 50), pa.array([1e308, -1e308] * 50), "psi", 0.0),
    ],
)
def test_odd_columns_are_counted(before: pa.Array, now: pa.Array, figure: str, found: float, recwarn: Any) -> None:
    at = pa.array(pd.date_range("2026-05-01", periods=100, freq="1min", tz="UTC"))

    report = mo.compare_data(pa.table({"x": before}), pa.table({"x": now, "timestamp": at}))

    assert report.windows[0].drift["x"][figure]["value"] == pytest.approx(found)
    assert not [warning for warning in recwarn if issubclass(warning.category, RuntimeWarning)]


def test_a_frame_may_have_its_times_in_its_index(reference: pd.DataFrame) -> None:
    current = rows(3, 2)

    assert (
        mo.compare_data(reference, current.set_index("timestamp")).windows
        == mo.compare_data(reference, current).windows
    )


def test_a_column_that_is_gone_is_missing(reference: pd.DataFrame) -> None:
    report = mo.compare_data(reference, rows(3, 2).drop(columns="stops"))

    assert report.windows[0].drift["stops"]["null_rate"]["value"] == 1.0
    (alert,) = [alert for alert in report.alerts if alert.column == "stops"]
    assert alert.message.startswith("current: stops has no value at all in the window from 2026-05-01")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda frame: frame.assign(timestamp=frame["timestamp"].dt.tz_localize(None)), InvalidFrame, "time zone"),
        (
            lambda frame: frame.assign(timestamp=frame["timestamp"].where(frame.index > 3)),
            InvalidFrame,
            "missing times",
        ),
        (lambda frame: frame[:0], InvalidFrame, "current has no rows"),
        (lambda frame: 3, InvalidFrame, "current must be a table"),
        (lambda frame: "nowhere.parquet", NotFound, "nowhere.parquet"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(
    reference: pd.DataFrame, change: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        mo.compare_data(reference, change(rows(2, 2)))


def test_a_file_of_another_kind_or_without_rows_is_refused(reference: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "notes.parquet").write_text("not what it says")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1" + bytes(90) + b"PAR1")
    pq.write_table(pa.table({"timestamp": pa.array([], pa.timestamp("us", "UTC"))}), tmp_path / "empty.parquet")

    with pytest.raises(InvalidFrame, match="no Parquet file"):
        mo.compare_data(reference, tmp_path / "notes.parquet")
    with pytest.raises(InvalidFrame, match="no Parquet file"):
        mo.compare_data(tmp_path / "cut.parquet", reference)
    with pytest.raises(InvalidFrame, match="two columns 'x'"):
        mo.compare_data(pa.table([pa.array([1]), pa.array([2])], names=["x", "x"]), reference)
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(InvalidInput, match=r"give a \.parquet or \.csv file"):
            mo.compare_data(path, reference)
    with pytest.raises(NotFound, match="There is no file"):
        mo.compare_data(tmp_path / "nowhere.csv", reference)
    with pytest.raises(InvalidFrame, match="no column 'when'"):
        mo.compare_data(reference, rows(2, 2), timestamp="when")
    with pytest.raises(InvalidFrame, match="has no rows"):
        mo.compare_data(tmp_path / "empty.parquet", reference)
    with pytest.raises(InvalidInput, match="fortnight"):
        mo.compare_data(reference, rows(2, 2), every="1 fortnight")


def test_columns_that_the_reference_lacks_are_named(reference: pd.DataFrame) -> None:
    assert mo.compare_data(reference, rows(3, 2)).remark == ""
    times = reference[["timestamp"]]
    with pytest.raises(InvalidFrame, match="no column to compare in common"):
        mo.compare_data(times, rows(3, 2))
    with pytest.raises(InvalidFrame, match="no column to compare in common"):
        mo.compare_data(reference, rows(3, 2)[["timestamp"]])
    more = mo.compare_data(reference, rows(3, 2).assign(**{"new <b>": 1.0, "also": "x"}))
    assert more.remark == "The reference lacks new <b>, also: nothing is said of what only current has."
    assert more.remark in str(more)
    assert "new &lt;b&gt;, also" in more._repr_mimebundle_()["text/html"]
    wide = pd.DataFrame(1.0, index=range(3 * ROWS), columns=[f"c{n}" for n in range(1200)])
    many = mo.compare_data(reference, pd.concat([rows(3, 2), wide], axis=1))
    assert "c9 and 1,190 more: " in many.remark


def test_two_files_are_compared_from_a_shell_and_from_a_notebook(
    reference: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shifted = rows(5, 2, shifted_from=3).rename(columns={"timestamp": "at"})
    reference.drop(columns="timestamp").to_parquet("reference.parquet")
    shifted.to_parquet("current.parquet")
    shifted.to_csv("current.csv", index=False)
    expected = mo.compare_data("reference.parquet", "current.parquet", timestamp="at", alert_budget="1/week")
    assert {alert.column for alert in expected.alerts} == {"wind <b>"}
    for file in ("current.parquet", "current.csv"):
        assert main(["compare-data", "reference.parquet", file, "--timestamp", "at", "--alert-budget", "1/week"]) == 0
        assert capsys.readouterr().out == f"{expected}\n"
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "modelops_jupyter")
    shell.user_ns["now"] = shifted
    found = shell.run_line_magic("modelops", "compare-data reference.parquet now --timestamp at --alert-budget 1/week")
    shell.history_manager.end_session()
    assert (found.windows, found.alerts) == (expected.windows, expected.alerts)
    assert not (tmp_path / ".modelops").exists()
    (tmp_path / "modelops.toml").write_text('alert_budget = "1/week"')
    assert mo.open(tmp_path).compare_data("reference.parquet", shifted, timestamp="at").alerts == expected.alerts


def test_what_cannot_be_judged_is_said(reference: pd.DataFrame) -> None:
    """Windows of a few rows, a number that the reference never had, values that are none to compare."""
    few = mo.compare_data(reference, rows(3, 2).iloc[::50])
    assert few.remark.startswith("3 windows of 3 with fewer than 30 rows")
    assert few.remark in few._repr_mimebundle_()["text/html"]
    lists = [[1]] * len(reference)
    odd = mo.compare_data(reference.assign(gap=np.nan, list=lists), rows(3, 2).assign(gap=1.0, list=[[2]] * 3 * ROWS))
    assert "The reference has no value of gap" in odd.remark
    assert "not compared: list." in odd.remark
    tiny = mo.compare_data(reference.iloc[:9], rows(3, 2))
    assert tiny.remark == "The reference has 9 rows; 30 are the fewest to compare with."


@pytest.mark.parametrize("year", [1700, 1900, 9999])
@pytest.mark.parametrize("end", ["Z", "+01:00", ""])
def test_texts_are_times_by_their_zone_or_the_one_named_and_odd_years_are_named(year: int, end: str) -> None:
    before = pa.table({"x": range(200)})
    texts = [f"2026-01-{1 + n // 100:02d} 12:00:00{end}" for n in range(200)]
    zone = None if end else "Europe/Rome"
    windows = mo.compare_data(before, before.append_column("timestamp", pa.array(texts)), zone=zone).windows
    assert [window.window_start[:10] for window in windows] == ["2026-01-01", "2026-01-02"]
    texts[7] = f"{year}-06-01 00:00:00{end}"
    with pytest.raises(
        InvalidFrame, match=rf"Column 'timestamp' holds {year}-0\d-\d\d, which stands for a missing time"
    ):
        mo.compare_data(before, before.append_column("timestamp", pa.array(texts)), zone=zone)
    if not end:
        with pytest.raises(InvalidFrame, match="name the zone"):
            mo.compare_data(before, before.append_column("timestamp", pa.array(texts)))
