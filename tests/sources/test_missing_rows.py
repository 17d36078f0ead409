"""Windows whose rows are gone stay in sight: in reports, on the pages and in `status`, until the rows are back."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scored_tables import COLUMNS, Watched, days

from modelops_jupyter.actions import casework
from modelops_jupyter.actions.fleet import read_fleet
from modelops_jupyter.actions.overview import read_overview
from modelops_jupyter.actor import Actor
from modelops_jupyter.display.bundle import static_html
from modelops_jupyter.frames import to_arrow
from modelops_jupyter.monitoring import load_report
from modelops_jupyter.monitoring.incidents.missing_rows import incident_id, windows_text
from modelops_jupyter.profiles import window_start
from modelops_jupyter.store import Change, Put, Store

ANN = Actor("ann", "self-asserted")
NUMBERS = range(5)


def put(folder: Path, number: int) -> None:
    folder.mkdir(exist_ok=True)
    to_arrow(days(range(number, number + 1))).to_pandas().to_parquet(folder / f"{number}.parquet")


def watched(tmp_path: Path, **more: object) -> Watched:
    return Watched(tmp_path, {"table": "said", "columns": {**COLUMNS, "label": "late"}, **more})


def window_of(number: int, every: str) -> str:
    return window_start(datetime(2026, 3, 1 + number, tzinfo=UTC), every).isoformat()


def starts(numbers: set[int]) -> list[str]:
    return [window_of(number, "1D") for number in sorted(numbers)]


def missing(store: Store) -> list[str]:
    record = store.get("monitor", "delay/1D")
    assert record is not None
    return list(record.body["without_rows"])


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.sets(st.sampled_from(list(NUMBERS)), max_size=5), min_size=1, max_size=5),
    st.sampled_from(["1D", "1W"]),
)
def test_what_lacks_rows_is_on_record_whatever_comes_and_goes(
    tmp_path_factory: pytest.TempPathFactory, there: list[set[int]], every: str
) -> None:
    """Files of a day each come and go: a window that was ever judged either has rows or is named, in every run."""
    place = tmp_path_factory.mktemp("table")
    model, ever = watched(place), set(NUMBERS)
    for now in [ever, *there, ever]:
        shutil.rmtree(place / "said", ignore_errors=True)
        (place / "said").mkdir()
        for number in now:
            put(place / "said", number)
        report = model.run(every=every)
        body = model.store.get("monitor", f"delay/{every}")
        assert body is not None
        left = {window_of(number, every) for number in now}
        assert body.body["without_rows"] == sorted({window_of(number, every) for number in ever} - left)
        assert bool(body.body["without_rows"]) == ("No row is left of" in report.remark)
        record = model.store.get("incident", incident_id("delay", every))
        assert (record is not None and record.body["firing"]) == bool(body.body["without_rows"])


def test_it_stays_in_sight_until_the_rows_are_back_or_a_person_resolves_it(tmp_path: Path) -> None:
    model = watched(tmp_path)
    for number in NUMBERS:
        put(tmp_path / "said", number)
    model.run()
    model.store.commit(Change(puts=(Put("model", "delay", {"kind": "ml", "description": ""}, "delay"),)))
    assert read_fleet(model.store)[0].without_rows == ""
    (tmp_path / "said" / "1.parquet").unlink()
    (tmp_path / "said" / "3.parquet").unlink()
    said = "No row is left of 2 windows (2026-03-02, 2026-03-04): their results stand as they were."
    for _ in range(2):
        assert model.run().remark.startswith(said)
    identity = incident_id("delay", "1D")
    for text in (
        read_fleet(model.store)[0].without_rows,
        load_report(model.store, "delay").remark,
        static_html(read_overview(model.store, "delay")),
    ):
        assert said in text
        assert f"modelops resolve {identity}" in text
    found = casework.incident(model.store, identity)
    assert (found.state, found.cause, found.first_window) == ("open", "monitoring", starts({1})[0])
    put(tmp_path / "said", 1)
    assert "No row is left of 1 window (2026-03-04)" in model.run().remark
    casework.resolve(model.store, identity, "we keep rows for a week", ANN)
    for remark in (model.run().remark, load_report(model.store, "delay").remark):
        assert remark == ""
    assert read_fleet(model.store)[0].without_rows == ""
    (tmp_path / "said" / "0.parquet").unlink()  # more than what was resolved
    assert "No row is left of 2 windows (2026-03-01, 2026-03-04)" in model.run().remark
    for number in NUMBERS:
        put(tmp_path / "said", number)
    assert model.run().remark == ""
    assert casework.incident(model.store, identity).state == "recovered"


def test_another_time_zone_in_the_settings_leaves_windows_without_rows(tmp_path: Path) -> None:
    rows = days(range(2))
    (tmp_path / "said").mkdir()
    naive = rows.assign(at=pd.to_datetime(rows["at"]).dt.tz_localize(None))
    naive[naive["at"] < "2026-03-01T02:00:00"].to_parquet(tmp_path / "said" / "0.parquet")
    model = watched(tmp_path, zone="UTC")
    model.run()
    model.source = {**model.source, "zone": "Asia/Tokyo"}  # nine hours earlier: the day before
    assert "No row is left of 1 window (2026-03-01)" in model.run().remark
    assert missing(model.store) == starts({0})


@given(st.sets(st.integers(0, 40), min_size=1))
def test_windows_in_a_row_are_one_span(numbers: set[int]) -> None:
    begin = pd.Timestamp("2026-03-01", tz="UTC")
    text = windows_text([(begin + pd.Timedelta(days=n)).isoformat() for n in numbers], "1D")
    ends = sum(number + 1 not in numbers for number in numbers)
    assert text.startswith(f"{len(numbers)} window")
    assert text.count(", ") == min(ends, 3) - 1
    assert ("more stretch" in text) == (ends > 3)
