"""Windows of few rows are judged together: in pools that hold each row once, the same ones however rows come in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.actor import Actor
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring import MonitorReport, run_monitor
from modelops_jupyter.monitoring.pooling import frame_start, pool_windows
from modelops_jupyter.monitoring.scanning import WindowProfile
from modelops_jupyter.profiles import Profile, build_reference, window_length
from modelops_jupyter.profiles.calendars import Calendar
from modelops_jupyter.store import InMemoryStore

ANN = Actor("ann", "self-asserted")
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
EVERY = st.sampled_from(["1h", "1D", "1W"])


def windows_of(rows: list[int], versions: list[int], every: str) -> list[WindowProfile]:
    length = window_length(every)
    begin = frame_start(MONDAY, every).replace(tzinfo=UTC)
    return [
        WindowProfile(begin + n * length, begin + (n + 1) * length, version, Profile(count, {version: count}, {}), {})
        for n, (count, version) in enumerate(zip(rows, versions, strict=True))
        if count
    ]


@given(st.lists(st.tuples(st.integers(0, 90), st.sampled_from([1, 1, 1, 2])), min_size=1, max_size=60), EVERY)
def test_pools_hold_each_row_once_and_end_with_their_frame(days: list[tuple[int, int]], every: str) -> None:
    base = windows_of([rows for rows, _ in days], [version for _, version in days], every)
    if not base:
        return
    pools = list(pool_windows(base, Calendar(every), base[-1].start))
    assert sum(pool.profile.rows for pool in pools) == sum(window.profile.rows for window in base)
    for pool in pools:
        own = [window for window in base if pool.start <= window.start < pool.end]
        assert sum(window.profile.rows for window in own) == pool.profile.rows
        assert {window.version for window in own} == {pool.version}
        assert pool.windows == (pool.end - pool.start) // window_length(every)
        assert frame_start(pool.start, every) == frame_start(own[-1].start, every)
        if pool.windows > 1:
            assert any(window.profile.rows < 30 for window in own)


@given(st.integers(9, 29), st.integers(1, 8))
def test_steady_few_rows_are_all_judged_once_a_week_is_over(a_day: int, weeks: int) -> None:
    base = windows_of([a_day] * 7 * weeks, [1] * 7 * weeks, "1D")
    assert all(pool.profile.rows >= 30 for pool in pool_windows(base, Calendar("1D"), base[-1].start))


@given(st.lists(st.integers(30, 90), min_size=4, max_size=4), st.lists(st.integers(0, 29), min_size=3, max_size=3))
def test_quiet_weekends_of_a_busy_model_change_nothing(busy: list[int], quiet: list[int]) -> None:
    base = windows_of([*busy, *quiet], [1] * 7, "1D")
    assert list(pool_windows(base, Calendar("1D"), base[-1].start)) == base


def table_of(day: int, rows: int) -> tuple[pa.Table, pa.Table]:
    """Return the predictions of a day and their labels: wind changes its unit on day 30."""
    generator = np.random.default_rng([7, day])
    score = generator.random(rows)
    ids = [f"{day}-{n}" for n in range(rows)]
    at = [MONDAY + day * DAY + (n + 0.5) / rows * DAY for n in range(rows)]
    times = pa.array(at, pa.timestamp("us", tz="UTC"))
    predictions = {
        "request_id": pa.array(ids),
        "timestamp": times,
        "model": pa.array(["m"] * rows),
        "version": pa.array([1] * rows, pa.int64()),
        "alias": pa.array([""] * rows),
        "prediction": pa.array(np.where(score > 0.5, "1", "0")),
        "score": pa.array(score),
        "decision": pa.array([""] * rows),
        "wind": pa.array(generator.normal(8.0 if day >= 30 else 0.0, 1.0, rows)),
        "origin": pa.array(generator.choice(["JFK", "LGA"], rows)),
    }
    label = pa.array(np.where(generator.random(rows) < score, "1", "0"))
    return pa.table(predictions), pa.table(
        {"request_id": pa.array(ids), "label": label, "event_time": times, "arrival_time": times}
    )


@pytest.fixture(scope="module")
def reference() -> Any:
    generator = np.random.default_rng(0)
    score = generator.random(2000)
    known = pa.table({"wind": generator.normal(size=2000), "origin": generator.choice(["JFK", "LGA"], 2000)})
    label = np.where(generator.random(2000) < score, "1", "0")
    said = np.where(score > 0.5, "1", "0")
    return build_reference(known, scores=score, predictions=said, labels=label, positive="1", segments=["origin"])


def shown(report: MonitorReport) -> list[Any]:
    """Return the windows of a report and what is found in them."""
    windows = sorted((*report.windows, *report.segments), key=lambda w: (w.window_start, w.segment))
    return [
        (w.window_start, w.window_end, w.segment, w.rows, w.labelled, w.pooled, {f.key for f in w.findings})
        for w in windows
    ]


# Weeks with few rows and with many, days without any, a week that becomes large by what comes late.
ROWS = [24, 24, 24, 24, 24, 24, 24, 15, 0, 15, 15, 15, 0, 0, 90, 80, 20, 70, 90, 5, 10, 20, 31, 9, 9, 9, 0, 9, 24, 24]
ROWS += [24, 24, 24, 24, 24, 3, 3, 3, 0, 3, 3, 3, 24]


@pytest.mark.parametrize("seed", [1])
def test_pools_are_the_same_however_rows_come_in(seed: int, tmp_path: Path, reference: Any) -> None:
    log, store, generator = PredictionLog(tmp_path / "log"), InMemoryStore(), np.random.default_rng(seed)

    def run(kept: InMemoryStore) -> MonitorReport:
        return run_monitor("m", store=kept, log=log, references={1: reference}, segments=("origin",), actor=ANN)

    due = sorted((day + int(generator.choice([0, 0, 0, 2, 6])), day, rows) for day, rows in enumerate(ROWS) if rows)
    while due:
        until = due[0][0] + int(generator.integers(8, 20))
        arrived = [item for item in due if item[0] < until]
        due = due[len(arrived) :]
        tables = [table_of(day, rows) for _, day, rows in arrived]
        log.append_predictions("m", pa.concat_tables([predictions for predictions, _ in tables]))
        log.append_labels("m", pa.concat_tables([labels for _, labels in tables]))
        bit_by_bit = run(store)
    at_once = run(InMemoryStore())
    assert shown(bit_by_bit) == shown(at_once)
    assert sum(window.rows for window in at_once.windows) == sum(ROWS)
    assert bit_by_bit.remark == at_once.remark  # no window counts as one that lost its rows
    told = [
        [(a.metric, a.column, a.segment, a.window_start, a.message) for a in r.alerts] for r in (bit_by_bit, at_once)
    ]
    assert told[0] == told[1]
    alert = next(alert for alert in at_once.alerts if alert.column == "wind")
    assert alert.window_start[:10] in {"2026-02-02", "2026-02-05"}
    assert "judged on 3 days, 72 rows together" in next(a.message for a in at_once.alerts if a.column == "wind")
