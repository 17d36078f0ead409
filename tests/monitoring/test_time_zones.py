"""Windows of a time zone: its own days, of 23 and 25 hours too, whatever batches the rows come in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring import MonitorReport, run_monitor
from modelops_jupyter.profiles import Reference, build_reference
from modelops_jupyter.profiles.calendars import Calendar, wall_time
from modelops_jupyter.settings import UseCase, find_settings
from modelops_jupyter.store import InMemoryStore

ANN = Actor("ann", "self-asserted")
NEW_YORK = "America/New_York"
# Half hours, midnights that are left out or come twice, a day that is left out, both sides of the date line.
ZONES = [NEW_YORK, "Europe/Rome", "Asia/Kolkata", "America/Sao_Paulo", "America/Havana", "Pacific/Apia", "Pacific/Niue"]
YEARS = st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
HOURS = st.integers(0, 24 * 400 * 60).map(lambda minutes: timedelta(minutes=minutes))
TIMES = st.tuples(YEARS, st.lists(HOURS, max_size=6)).map(lambda drawn: [drawn[0], *(drawn[0] + h for h in drawn[1])])


@given(st.sampled_from(["UTC", *ZONES]), st.sampled_from(["1h", "1D", "1W"]), TIMES)
def test_every_time_is_in_the_window_of_its_day(zone: str, every: str, times: list[datetime]) -> None:
    calendar = Calendar(every, zone)
    micros = np.array(sorted((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for at in times))
    numbers = calendar.numbers(micros)
    assert calendar.runs(micros).each().tolist() == numbers.tolist()
    for at, number, time in zip(sorted(times), numbers.tolist(), micros.tolist(), strict=True):
        start = calendar.start(at)
        end = calendar.end(start)
        assert start <= at < end
        assert (start, end) == (calendar.at(number), calendar.at(number + 1))
        assert calendar.cut(time) == (start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        assert datetime.fromisoformat(start.isoformat()) == start
        if every == "1D":
            assert wall_time(start).date() == at.astimezone(ZoneInfo(zone)).date()
        if every == "1W":
            assert wall_time(start).weekday() == 0


BEGIN = datetime(2026, 2, 9, tzinfo=UTC)  # a Monday; clocks in New York go forward on March 8
HOURLY = 4


def batch(day: int) -> pa.Table:
    """Return the predictions of a day of UTC."""
    rows, generator = 24 * HOURLY, np.random.default_rng([3, day])
    at = [BEGIN + timedelta(days=day, hours=(n + 0.5) / HOURLY) for n in range(rows)]
    return pa.table(
        {
            "request_id": pa.array([f"{day}-{n}" for n in range(rows)]),
            "timestamp": pa.array(at, pa.timestamp("us", tz="UTC")),
            "model": pa.array(["m"] * rows),
            "version": pa.array([1] * rows, pa.int64()),
            "alias": pa.array([""] * rows),
            "prediction": pa.array(generator.choice(["0", "1"], rows)),
            "score": pa.array(generator.random(rows)),
            "decision": pa.array([""] * rows),
            "wind": pa.array(generator.normal(size=rows)),
        }
    )


@pytest.fixture(scope="module")
def reference() -> Reference:
    generator = np.random.default_rng(0)
    said = generator.choice(["0", "1"], 2000)
    return build_reference(pa.table({"wind": generator.normal(size=2000)}), predictions=said, segments=[])


def run(store: InMemoryStore, log: PredictionLog, reference: Reference, zone: str | None = NEW_YORK) -> MonitorReport:
    use_case = UseCase(time_zone=zone)
    return run_monitor("m", store=store, log=log, references={1: reference}, use_case=use_case, actor=ANN)


def shown(report: MonitorReport) -> list[Any]:
    return [(w.window_start, w.window_end, w.rows, [f.key for f in w.findings]) for w in report.windows]


def test_days_of_new_york_replayed_by_days_of_utc(tmp_path: Path, reference: Reference) -> None:
    """None of them is blamed for the hours that come with the next batch; one that stays short is."""
    log, store = PredictionLog(tmp_path / "log"), InMemoryStore()
    blamed: set[str] = set()
    log.append_predictions("m", pa.concat_tables(batch(day) for day in range(20)))
    for day in range(20, 32):
        rows = batch(day)
        log.append_predictions("m", rows.slice(0, 40) if day == 28 else rows)
        report = run(store, log, reference)
        blamed |= {alert.window_start[:10] for alert in report.alerts if alert.kind == "volume"}
    assert blamed == {"2026-03-09"}
    lengths = {w.window_start: w.rows // HOURLY for w in report.windows[1:-1]}
    assert lengths["2026-03-08T00:00:00-05:00"] == 23
    assert {hours for start, hours in lengths.items() if start[:10] not in {"2026-03-08", "2026-03-09"}} == {24}
    assert lengths["2026-03-07T00:00:00-05:00"] == lengths["2026-03-10T00:00:00-04:00"] == 24
    assert shown(report) == shown(run(InMemoryStore(), log, reference))
    in_utc = run(store, log, reference, None)
    assert shown(in_utc) == shown(run(InMemoryStore(), log, reference, None))
    assert all(window.window_start.endswith("T00:00:00+00:00") for window in in_utc.windows)
    assert "No row is left" not in in_utc.remark


def test_settings_name_the_zone_of_a_model(tmp_path: Path) -> None:
    file = tmp_path / "modelops.toml"
    file.write_text('[use_case.m]\ntime_zone = "America/New_York"\n')
    assert find_settings(file).use_cases["m"].time_zone == NEW_YORK
    file.write_text('[use_case.m]\ntime_zone = "New York"\n')
    with pytest.raises(InvalidInput, match="names no time zone 'New York'"):
        find_settings(file)
