"""The log on real Delta tables: exact schemas, harmless retries, labels as a set of events, nothing lost unseen."""

import errno
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelops_jupyter.errors import Conflict, InvalidFrame, InvalidInput, LogDamaged, StoreBusy, StoreFull
from modelops_jupyter.log import Extent, PredictionLog, read_quarantine, table_problems
from modelops_jupyter.log import table as batch_table
from modelops_jupyter.log.table import BatchTable

START = datetime(2013, 4, 1, tzinfo=UTC)
TIME = pa.timestamp("us", tz="UTC")


def predictions(count: int = 4, first: int = 0, **features: list[object]) -> pa.Table:
    rows = range(first, first + count)
    own = {
        "request_id": pa.array([f"r{n}" for n in rows]),
        "timestamp": pa.array([START + timedelta(hours=12 * n) for n in rows], TIME),
        "model": pa.array(["m"] * count),
        "version": pa.array([1] * count, pa.int64()),
        "alias": pa.array(["champion"] * count),
        "prediction": pa.array(["1"] * count),
        "score": pa.array([0.5] * count),
        "decision": pa.array([""] * count),
    }
    return pa.table({**own, **(features or {"x": list(range(count))})})


def labels(events: list[tuple[str, str, int, int]]) -> pa.Table:
    ids, values, happened, arrived = zip(*events, strict=True)
    return pa.table(
        {
            "request_id": pa.array(ids),
            "label": pa.array(values),
            "event_time": pa.array([START + timedelta(days=n) for n in happened], TIME),
            "arrival_time": pa.array([START + timedelta(days=n) for n in arrived], TIME),
        }
    )


def read(log: PredictionLog, days: int = 100) -> pa.Table:
    table = log.read("m", START, START + timedelta(days=days))
    assert table is not None
    return table


def test_windows_are_half_open(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    assert log.read("m", START, START + timedelta(days=1)) is None
    log.append_predictions("m", predictions())
    assert read(log, days=1)["request_id"].to_pylist() == ["r0", "r1"]


def test_a_retried_batch_is_harmless(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    assert not log.append_predictions("m", predictions(), batch_id="a").repeated
    assert log.append_predictions("m", predictions(), batch_id="a").repeated
    assert read(log).num_rows == 4


def test_a_request_logged_twice_counts_once(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    log.append_predictions("m", predictions())
    log.append_predictions("m", predictions())
    assert sorted(read(log)["request_id"].to_pylist()) == ["r0", "r1", "r2", "r3"]


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ({"x": [True, False, True, True]}, "holds bool"),
        ({"y": [1, 2, 3, 4]}, "'x' is missing"),
        ({"x": ["1", "2", "3", "4"]}, "holds string"),
    ],
)
def test_a_misfit_is_quarantined_and_named(tmp_path: Path, features: dict[str, list[object]], reason: str) -> None:
    log = PredictionLog(tmp_path)
    log.append_predictions("m", predictions())
    with pytest.raises(InvalidFrame, match=reason):
        log.append_predictions("m", predictions(first=4, **features), features=["x"])
    assert read(log).num_rows == 4
    (kept,) = read_quarantine(tmp_path)
    assert (kept["model"], kept["table"], kept["rows"]) == ("m", "predictions", 4)
    assert reason in kept["reason"]
    assert pq.read_table(kept["file"]).num_rows == 4
    Path(kept["file"]).unlink()
    assert read_quarantine(tmp_path) == ()


def test_naive_times_are_refused(tmp_path: Path) -> None:
    table = predictions()
    naive = table.set_column(1, "timestamp", table["timestamp"].cast(pa.timestamp("us")))
    with pytest.raises(InvalidFrame, match="time zone"):
        PredictionLog(tmp_path).append_predictions("m", naive)


EVENTS = st.lists(
    st.tuples(st.sampled_from(["r0", "r1"]), st.sampled_from("01"), st.integers(0, 2)), min_size=1, max_size=5
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, data=st.data())
def test_labels_depend_on_the_set_of_events_only(tmp_path: Path, events: list, data: st.DataObject) -> None:
    """Whenever they arrive, and in whichever batches: the latest event time counts, then the greatest label."""
    expected = {request: max((at, label) for r, label, at in events if r == request)[1] for request, *_ in events}
    order, cut = data.draw(st.permutations(events)), data.draw(st.integers(0, len(events)))
    arrived = [(*event, 10 + n) for n, event in enumerate(order)]
    log = PredictionLog(tmp_path / uuid4().hex)
    for part in (arrived[:cut], None, arrived[cut:]):
        if part is None:
            log.append_predictions("m", predictions())
        elif part:
            log.append_labels("m", labels(part))
    table = read(log)
    known = zip(table["request_id"].to_pylist(), table["label"].to_pylist(), strict=True)
    assert {request: label for request, label in known if label is not None} == expected
    latest = {r: max(at for other, _, at in events if other == r) for r, *_ in events}
    several = {r: at for r, at in latest.items() if len({e[1] for e in events if (e[0], e[2]) == (r, at)}) > 1}
    conflicts = log.label_conflicts("m", pa.chunked_array([["r0", "r1"]]))
    times = [time.replace(tzinfo=UTC) for time in conflicts["event_time"].to_pylist()]
    named = dict(zip(conflicts["request_id"].to_pylist(), times, strict=True))
    assert named == {request: START + timedelta(days=at) for request, at in several.items()}


def test_late_labels_name_the_span_they_touch(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    log.append_predictions("m", predictions())
    before = log.extent("m")
    assert before is not None
    assert log.changed_since("m", before.position) is None
    log.append_labels("m", labels([("r2", "1", 9, 9)]))
    touched = START + timedelta(hours=24)
    assert log.changed_since("m", before.position) == (touched, touched)


def test_a_lost_file_is_an_error_never_a_smaller_window(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    log.append_predictions("m", predictions())
    log.append_predictions("m", predictions(first=4))
    next((tmp_path / "m" / "predictions").glob("*.parquet")).unlink()
    with pytest.raises(LogDamaged, match="gone"):
        read(log)


def test_an_emptied_commit_is_an_error_never_a_smaller_window(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    log.append_predictions("m", predictions())
    log.append_predictions("m", predictions(first=4))
    (tmp_path / "m" / "predictions" / "_delta_log" / "00000000000000000001.json").write_text("")
    with pytest.raises(LogDamaged, match=r"8 were written"):
        read(log)


def killed_before_the_note(tmp_path: Path, log: PredictionLog, rows: pa.Table, batch_id: str) -> None:
    """Leave what a writer leaves that is killed between Delta's commit and our note."""
    manifest = tmp_path / "m" / "predictions.manifest.json"
    before = manifest.read_bytes() if manifest.exists() else None
    log.append_predictions("m", rows, batch_id=batch_id)
    manifest.rename(manifest.with_suffix(".next"))
    if before is not None:
        manifest.write_bytes(before)


def written(log: PredictionLog) -> int:
    extent = log.extent("m")
    assert extent is not None
    return extent.rows


@pytest.mark.parametrize("then", ["the same batch", "another batch"])
def test_a_batch_whose_writer_was_killed_is_counted_with_the_next_append(tmp_path: Path, then: str) -> None:
    log = PredictionLog(tmp_path)
    log.append_predictions("m", predictions(2), batch_id="a")
    killed_before_the_note(tmp_path, log, predictions(2, 2), "b")
    assert written(log) == 4
    again = then == "the same batch"
    assert (
        log.append_predictions("m", predictions(2, 2 if again else 4), batch_id="b" if again else "c").repeated == again
    )
    assert written(log) == (4 if again else 6)
    (tmp_path / "m" / "predictions" / "_delta_log" / "00000000000000000001.json").write_text("")
    with pytest.raises(LogDamaged, match="were written"):
        read(log)


def test_a_batch_id_that_stands_for_other_rows_is_a_conflict(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    killed_before_the_note(tmp_path, log, predictions(2), "a")
    for other in (predictions(3), predictions(1), predictions(2, 5)):
        with pytest.raises(Conflict, match=r"'a' is in .* with other rows"):
            log.append_predictions("m", other, batch_id="a")
    assert read(log).num_rows == 2


def test_a_batch_scored_again_or_sent_later_is_the_same(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    first = predictions()
    log.append_predictions("m", first, batch_id="a")
    rescored = first.set_column(3, "version", pa.array([2] * 4, pa.int64()))
    rescored = rescored.set_column(6, "score", pa.array([0.5 + 1e-16] * 4))
    assert log.append_predictions("m", rescored.select(list(reversed(first.column_names))), batch_id="a").repeated
    assert read(log)["version"].to_pylist() == [1] * 4
    log.append_labels("m", labels([("r0", "1", 3, 3)]), batch_id="a")
    assert log.append_labels("m", labels([("r0", "1", 4, 4)]), batch_id="a").repeated
    with pytest.raises(Conflict):
        log.append_labels("m", labels([("r0", "1", 2, 4)]), batch_id="a")


@pytest.mark.parametrize("rows", [predictions(2), predictions(2, x=[0.5, 1.5])], ids=["fitting", "misfit"])
def test_a_full_disk_is_named_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: pa.Table
) -> None:
    log = PredictionLog(tmp_path)
    log.append_predictions("m", predictions(1))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        disk.setattr(pq, "write_table", full)
        with pytest.raises(StoreFull, match="No room"):
            log.append_predictions("m", rows)
    assert written(log) == 1
    log.append_predictions("m", predictions(2, 1))
    assert written(log) == 3


def test_who_reads_while_a_batch_comes_in_is_not_told_of_damage(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    log.append_predictions("m", predictions())
    batches = BatchTable(tmp_path / "m" / "predictions")
    table = batches.open()
    assert table is not None
    log.append_predictions("m", predictions(first=4))
    assert batches.verify(table) == 4


def test_a_writer_that_holds_the_log_too_long_is_named_and_readers_never_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_table, "BUSY_SECONDS", 0.3)
    log = PredictionLog(tmp_path)
    log.append_predictions("m", predictions())
    with FileLock(tmp_path / "m" / "predictions.lock"):
        with pytest.raises(StoreBusy, match="predictions stayed locked"):
            log.append_predictions("m", predictions(first=4))
        assert read(log).num_rows == 4
    log.append_predictions("m", predictions(first=4))
    assert read(log).num_rows == 8


def test_a_version_whose_log_delta_has_cleaned_up_makes_everything_new(tmp_path: Path) -> None:
    """delta-rs removes commits of over 30 days ago at every hundredth: a model that nobody watched for a month."""
    log = PredictionLog(tmp_path)
    log.append_labels("m", labels([("r0", "1", 1, 1)]))
    log.append_predictions("m", predictions())
    commits = tmp_path / "m" / "predictions" / "_delta_log"
    for n in range(1, 100):
        log.append_predictions("m", predictions(1, first=n))
    month_ago = time.time() - 40 * 86400
    for file in commits.iterdir():
        os.utime(file, (month_ago, month_ago))
    for n in range(100, 200):
        log.append_predictions("m", predictions(1, first=n))
    assert not (commits / "00000000000000000000.json").exists()
    touched = log.changed_since("m", {"predictions": 3, "labels": 0})
    assert touched == (START, START + timedelta(hours=12 * 199))
    newest = log.changed_since("m", {"predictions": 198, "labels": 0})
    assert newest is not None
    assert newest[0] == START + timedelta(hours=12 * 199)


@pytest.mark.parametrize("name", ["My models", "Modèles ü", "a#b", "a+b&c", "100 % sure"])
def test_a_log_lies_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    """Delta gives the paths of files as they stand in an address."""
    log = PredictionLog(tmp_path / name)
    log.append_predictions("m", predictions(4))
    log.append_predictions("m", predictions(4, first=4))

    extent = log.extent("m")
    assert extent is not None
    assert extent.rows == 8
    found = log.read("m", extent.start, extent.end + timedelta(days=1))
    assert found is not None
    assert found.num_rows == 8
    assert log.changed_since("m", {"predictions": 0, "labels": -1}) is not None


def test_a_folder_that_delta_takes_for_another_is_refused(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path / "a%20b")
    with pytest.raises(InvalidInput, match=r"a%20b.*Rename"):
        log.append_predictions("m", predictions(4))
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize("count", [3, 40_000])  # small files are read together, large ones by row group
def test_of_a_request_logged_again_with_other_values_the_first_counts(tmp_path: Path, count: int) -> None:
    """However Delta names the files, and whoever reads."""
    times = [START + timedelta(seconds=n) for n in range(count)]
    for attempt in range(5):
        log = PredictionLog(tmp_path / str(attempt))
        for value in (1, 2, 3):
            batch = predictions(count, x=[float(value)] * count)
            log.append_predictions("m", batch.set_column(1, "timestamp", pa.array(times, TIME)))
        slabs = log.stream("m", START, START + timedelta(days=1), lambda time: time, lambda times: times // 10**12)
        pieces = [piece for slab in slabs for piece in slab.pieces]
        values = [piece.read("x").to_numpy()[piece.counted] for piece in pieces]
        assert sum(map(len, values)) == count
        assert {float(value) for part in values for value in set(part)} == {1.0}
        assert set(read(log)["x"].to_pylist()) == {1.0}


def changes(log: PredictionLog, before: Extent | None) -> tuple[datetime, datetime] | None:
    assert before is not None
    return log.changed_since("m", before.position)


@pytest.mark.parametrize("rewrite", ["compact", "z_order", "vacuum"])
def test_after_a_compaction_only_what_was_appended_is_new(tmp_path: Path, rewrite: str) -> None:
    log = PredictionLog(tmp_path)
    for n in range(6):
        log.append_predictions("m", predictions(2, first=2 * n))
        log.append_labels("m", labels([(f"r{2 * n}", "1", 1, 1)]))
    before = log.extent("m")
    log.append_predictions("m", predictions(2, first=12))  # is not read yet
    for name in ("predictions", "labels"):
        table = DeltaTable(tmp_path / "m" / name)
        table.optimize.z_order(["request_id"]) if rewrite == "z_order" else table.optimize.compact()
        if rewrite == "vacuum":
            table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)

    touched = changes(log, before)
    assert touched is not None
    vacuumed = rewrite == "vacuum"  # then the rows lie in the compacted file alone
    assert touched == (START if vacuumed else START + timedelta(hours=12 * 12), START + timedelta(hours=12 * 13))

    after = log.extent("m")
    assert after is not None
    assert (after.rows, after.labels) == (14, 6)
    assert changes(log, after) is None
    said = [problem.what for problem in table_problems(tmp_path / "m" / "predictions")]
    assert said
    assert set(said) == {"a compaction wrote it, and its bytes are not on record yet"}
    DeltaTable(tmp_path / "m" / "predictions").optimize.compact()
    assert changes(log, after) is None
    log.append_predictions("m", predictions(2, first=14))
    assert changes(log, after) == (START + timedelta(hours=12 * 14), START + timedelta(hours=12 * 15))
    assert read(log).num_rows == 16
    assert table_problems(tmp_path / "m" / "predictions") == []
