"""Streaming the log gives what reading each window whole gives, however it was written and cut."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from modelops_jupyter.log import PredictionLog, stream
from modelops_jupyter.monitoring.scanning import WindowProfile, scan_log
from modelops_jupyter.profiles import Profile, Reference, build_reference, scan
from modelops_jupyter.roles import SERVICE, Series

BEGIN = datetime(2013, 4, 1, tzinfo=UTC)
DAYS = 6
ROWS = 4000


def times(minutes: np.ndarray) -> pa.Array:
    start = int(BEGIN.timestamp()) * 1_000_000
    return pa.array(start + minutes * 60_000_000).cast(pa.timestamp("us", tz="UTC"))


def rows(seed: int = 0) -> pa.Table:
    """Return predictions of six days in no order, some requests logged again the same day or another."""
    generator = np.random.default_rng(seed)
    number = generator.integers(0, ROWS * 3 // 4, ROWS)
    score = generator.random(ROWS)
    wind = generator.normal(size=ROWS)
    return pa.table(
        {
            "request_id": pa.array([f"r{n}" for n in number]),
            "timestamp": times(generator.permutation(DAYS * 1440)[:ROWS]),
            "model": pa.array(["m"] * ROWS),
            "version": pa.array(generator.choice([1, 2], ROWS), pa.int64()),
            "alias": pa.array([""] * ROWS),
            "prediction": pa.array(np.where(score > 0.5, "1", "0").tolist()),
            "score": pa.array(score),
            "decision": pa.array([""] * ROWS),
            "wind": pa.array(np.where(wind > 2, np.nan, wind)),
            "origin": pa.array([None if n % 50 == 0 else f"a{n % 4}" for n in number]),
            "gate": pa.array((number % 7).astype("int64"), mask=number % 11 == 0),
            "night": pa.array(number % 2 == 0),
        }
    )


def labels(seed: int = 1) -> pa.Table:
    generator = np.random.default_rng(seed)
    number = generator.integers(0, ROWS, ROWS)  # some of them of no request, some revised
    at = times(generator.integers(0, 30 * 1440, ROWS))
    return pa.table(
        {
            "request_id": pa.array([f"r{n}" for n in number]),
            "label": pa.array(generator.choice(["0", "1"], ROWS).tolist()),
            "event_time": at,
            "arrival_time": at,
        }
    )


SAMPLED = 40
TABLE, LABELS = rows(), labels()
FEATURES = TABLE.select(["wind", "origin", "gate", "night"]).slice(0, 1000)


def reference() -> Reference:
    score = TABLE["score"].to_numpy()[:1000]
    said = TABLE["prediction"].to_numpy()[:1000]
    return build_reference(FEATURES, scores=score, predictions=said, labels=said, positive="1")


REFERENCES = {1: reference(), 2: reference()}


def written(folder: Path, order: np.ndarray, batches: int) -> PredictionLog:
    log = PredictionLog(folder)
    for part in np.array_split(order, batches):
        log.append_predictions("m", TABLE.take(pa.array(part)))
    for part in np.array_split(np.arange(ROWS), 2):
        log.append_labels("m", LABELS.take(pa.array(part)))
    return log


def profiles(log: PredictionLog, days: int = DAYS, series: Series = SERVICE) -> list[WindowProfile]:
    end = BEGIN + timedelta(days=days)
    windows = scan_log(log, "m", BEGIN, end, REFERENCES, "1D", ["origin", "gate"], SAMPLED)
    return [window for window in windows if window.series == series]


def same(one: Profile, other: Profile) -> bool:
    columns = all(
        (a.counts, a.nulls, a.nan, a.infinite, a.zeros, a.minimum, a.maximum, a.unseen, a.others, a.characters)
        == (b.counts, b.nulls, b.nan, b.infinite, b.zeros, b.minimum, b.maximum, b.unseen, b.others, b.characters)
        and a.powers == pytest.approx(b.powers, abs=1e-9)
        for a, b in ((column, other.columns[name]) for name, column in one.columns.items())
    )
    outcomes = (one.outcomes.cells, one.outcomes.confusion) == (other.outcomes.cells, other.outcomes.confusion)
    ends = (one.rows, one.versions, one.first, one.last) == (other.rows, other.versions, other.first, other.last)
    ends = ends and one.sample == other.sample
    return columns and outcomes and ends and one.outcomes.brier == pytest.approx(other.outcomes.brier)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[Profile]:
    """Return the profile of each day, read whole."""
    log = written(tmp_path_factory.mktemp("whole"), np.arange(ROWS), 1)
    found = []
    for day in range(DAYS):
        start = BEGIN + timedelta(days=day)
        table = log.read("m", start, start + timedelta(days=1))
        assert table is not None
        found.append(scan(table, REFERENCES[1].binning, SAMPLED))
    assert sum(profile.rows for profile in found) < ROWS  # there are repeats to leave out
    assert sum(profile.outcomes.labelled for profile in found) > ROWS / 4
    return found


@pytest.mark.parametrize("small", [0, 1 << 17], ids=["columns", "files"])
@pytest.mark.parametrize("at_once", [300, 2_000_000])
@pytest.mark.parametrize("sorted_", [True, False], ids=["in order", "mixed"])
def test_every_way_of_writing_and_cutting_gives_the_same_profiles(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expected: list[Profile],
    small: int,
    at_once: int,
    sorted_: bool,
) -> None:
    monkeypatch.setattr(stream, "SMALL_FILE", small)
    monkeypatch.setattr(stream, "ROWS_AT_ONCE", at_once)
    order = np.argsort(TABLE["timestamp"].to_numpy()) if sorted_ else np.random.default_rng(3).permutation(ROWS)
    log = written(tmp_path, order, 9)
    found = profiles(log)
    for version in (1, 2):  # both answered some of the requests: each has a series of its own
        own = profiles(log, series=Series(version))
        assert len(own) == DAYS
        for window in own:
            table = log.read("m", window.start, window.start + timedelta(days=1), series=window.series)
            assert table is not None
            assert same(window.profile, scan(table, REFERENCES[version].binning, SAMPLED))
    assert [window.start for window in found] == [BEGIN + timedelta(days=day) for day in range(DAYS)]
    assert all(same(window.profile, whole) for window, whole in zip(found, expected, strict=True))
    for window in found:
        for segments in window.segments.values():
            assert sum(profile.rows for profile in segments.values()) == window.profile.rows


def test_a_log_in_order_is_read_in_slabs_of_whole_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "ROWS_AT_ONCE", 1000)
    monkeypatch.setattr(stream, "SMALL_FILE", 0)
    log = written(tmp_path, np.argsort(TABLE["timestamp"].to_numpy()), 12)
    day = 86_400_000_000

    def cut(time: int) -> int:
        return time // day * day

    slabs = list(log.stream("m", BEGIN, BEGIN + timedelta(days=DAYS), cut, lambda times: times // day))
    assert 3 <= len(slabs) <= 6
    assert all(slab.start % day == 0 for slab in slabs)
    assert [a.end for a in slabs[:-1]] == [b.start for b in slabs[1:]]
    assert max(sum(piece.rows for piece in slab.pieces) for slab in slabs) < 2200


def test_a_part_of_the_log_is_its_windows_alone(tmp_path: Path, expected: list[Profile]) -> None:
    log = written(tmp_path, np.arange(ROWS), 3)
    found = profiles(log, days=2)
    assert len(found) == 2
    assert all(same(window.profile, whole) for window, whole in zip(found, expected[:2], strict=True))


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/New_York"])
def test_the_windows_are_the_same_whatever_the_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: list[Profile], zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        found = profiles(written(tmp_path, np.arange(ROWS), 3))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [window.start for window in found] == [BEGIN + timedelta(days=day) for day in range(DAYS)]
    assert all(same(window.profile, whole) for window, whole in zip(found, expected, strict=True))
