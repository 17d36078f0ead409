"""Tables change under a monitor: replaced, emptied, compacted, of other columns. It follows, or says a sentence."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from delta_features import create, delete
from deltalake import DeltaTable, write_deltalake
from scored_tables import COLUMNS, Watched, check, days

from modelops_jupyter.errors import InvalidFrame, InvalidInput, NotFound
from modelops_jupyter.frames import to_arrow
from modelops_jupyter.source_settings import parse_source

MERGED = {**COLUMNS, "label": "late"}


def write(folder: Path, rows: pd.DataFrame | pa.Table, name: str = "part", **how: Any) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    table = rows if isinstance(rows, pa.Table) else to_arrow(rows)
    pq.write_table(table, folder / f"{name}.parquet", **how)


def folder(tmp_path: Path, **settings: Any) -> Watched:
    return Watched(tmp_path, {"table": "said", "columns": MERGED, **settings})


def delta(tmp_path: Path) -> Watched:
    return Watched(tmp_path, {"table": "delta:said", "columns": MERGED})


def test_a_delta_table_that_is_replaced_is_read_anew(tmp_path: Path) -> None:
    rows, model = days(range(3)), delta(tmp_path)
    write_deltalake(str(tmp_path / "said"), to_arrow(rows))
    check(model.run(), rows)
    flipped = rows.assign(said=1 - rows["said"])
    write_deltalake(str(tmp_path / "said"), to_arrow(flipped), mode="overwrite")
    check(model.run(), flipped)
    shutil.rmtree(tmp_path / "said")
    write_deltalake(str(tmp_path / "said"), to_arrow(rows))  # of the same version as before
    assert model.changed() is not None
    check(model.run(), rows)


def test_a_delta_table_that_is_emptied_leaves_the_figures_as_they_were(tmp_path: Path) -> None:
    rows, model = days(range(3)), delta(tmp_path)
    write_deltalake(str(tmp_path / "said"), to_arrow(rows))
    model.run()
    table = DeltaTable(tmp_path / "said")
    table.delete("at < '2026-03-02T00:00:00Z'")
    report = model.run()
    assert "No row is left of 1 window (2026-03-01): their results stand as they were." in report.remark
    check(report, rows)
    assert model.run().remark == report.remark  # in the next run too
    table.delete()
    for _ in range(2):
        report = model.run()
        assert "No prediction of delay is left" in report.remark
        assert "No row is left of 3 windows (2026-03-01 to 2026-03-03)" in report.remark
        check(report, rows)
    write_deltalake(str(tmp_path / "said"), to_arrow(rows.assign(said=1)), mode="append")
    report = model.run()
    check(report, rows.assign(said=1))
    assert report.remark == ""


def test_rows_that_were_deleted_after_a_compaction_and_its_vacuum(tmp_path: Path) -> None:
    rows, model = days(range(4)), delta(tmp_path)
    for number in range(3):
        write_deltalake(str(tmp_path / "said"), to_arrow(rows[200 * number : 200 * number + 200]), mode="append")
    model.run()
    table = DeltaTable(tmp_path / "said")
    write_deltalake(table, to_arrow(rows[600:]), mode="append")
    table.optimize.compact()
    table.delete("id = '1-7'")
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    check(model.run(), rows.drop(index=207))
    assert model.changed() is None


def test_files_that_are_rewritten_merged_and_removed(tmp_path: Path) -> None:
    rows, model = days(range(4)), folder(tmp_path)
    for number in range(4):
        write(tmp_path / "said", rows[200 * number : 200 * number + 200], f"{number}")
    check(model.run(), rows)
    now = rows.copy()
    now.loc[200:260, "said"] = 1 - now.loc[200:260, "said"]
    write(tmp_path / "said", now[200:400], "1")
    changed = model.changed()
    assert changed is not None
    assert (changed[0], changed[1]) == (rows["at"][200], rows["at"][399])
    check(model.run(), now)
    write(tmp_path / "said", now, "all")  # somebody puts small files together
    for number in range(4):
        (tmp_path / "said" / f"{number}.parquet").unlink()
    check(model.run(), now)
    (tmp_path / "said" / "all.parquet").unlink()
    assert "No prediction of delay is left" in model.run().remark


def test_files_that_are_being_written_and_notes_are_no_data(tmp_path: Path) -> None:
    rows, model = days(range(2)), folder(tmp_path)
    write(tmp_path / "said", rows)
    write(tmp_path / "said" / "_temporary" / "0", rows, "x")
    (tmp_path / "said" / "_SUCCESS").write_text("")
    (tmp_path / "said" / ".part.parquet.crc").write_text("x")
    check(model.run(), rows)
    (tmp_path / "said" / "torn.parquet").write_bytes(b"PAR1 and no more")
    check(model.run(), rows)
    (problem,) = model.problems
    assert re.fullmatch(r"Left out: 'torn\.parquet' of said cannot be read \(.*\): .*try again; .*", problem)


def test_columns_of_paths(tmp_path: Path) -> None:
    """As Spark, Hive and pandas' partition_cols write them; version is one of them, and a day that is no feature."""
    rows, model = days(range(3)), folder(tmp_path)
    for day, part in rows.groupby(rows["at"].dt.strftime("%Y-%m-%d")):
        for origin in ("JFK", "LGA"):
            chosen = part[part["origin"] == origin].drop(columns="origin")
            write(tmp_path / "said" / f"day={day}" / "version=3" / f"origin={origin}", chosen)
    report = model.run()
    check(report, rows)
    assert {tuple(window.versions.items()) for window in report.windows} == {(("3", 200),)}
    table = model.open().read("delay", rows["at"][0], rows["at"][599])
    assert table is not None
    assert sorted(table["origin"].to_pylist()) == sorted(rows["origin"][:599])


@pytest.mark.parametrize("zone", ["", "Europe/Rome"])
def test_times_without_a_zone(tmp_path: Path, zone: str) -> None:
    rows = days(range(3))
    local = rows.assign(at=rows["at"].dt.tz_convert("Europe/Rome").dt.tz_localize(None))
    write(tmp_path / "said", local)
    write_deltalake(str(tmp_path / "delta"), to_arrow(local))
    for table in ("said", "delta:delta"):
        model = folder(tmp_path, table=table, **({"zone": zone} if zone else {}))
        if zone:
            check(model.run(), rows)
            assert model.changed() is None
        else:
            with pytest.raises(InvalidFrame, match=r"'at' of .* holds times without a time zone: .*zone ="):
                model.run()


def test_instants_as_spark_writes_them(tmp_path: Path) -> None:
    """INT96, without statistics and zone; what says that they are instants stands in the footer."""
    rows, model = days(range(3)), folder(tmp_path)
    fields = [{"name": "at", "type": "timestamp", "nullable": True, "metadata": {}}]
    spark = {"org.apache.spark.sql.parquet.row.metadata": json.dumps({"type": "struct", "fields": fields})}
    naive = to_arrow(rows.assign(at=rows["at"].dt.tz_localize(None))).replace_schema_metadata(spark)
    for number in range(3):
        day = naive.slice(200 * number, 200)
        write(tmp_path / "said", day, f"{number}", use_deprecated_int96_timestamps=True)
    check(model.run(), rows)
    assert model.changed() is None
    write(tmp_path / "said", naive.slice(0, 50), "again", use_deprecated_int96_timestamps=True)
    changed = model.changed()
    assert changed is not None
    assert changed[1] == rows["at"][49]
    check(model.run(), rows)


def test_a_schema_that_changes_between_runs(tmp_path: Path) -> None:
    rows, model = days(range(4)), folder(tmp_path)
    write(tmp_path / "said", rows[:200], "0")
    check(model.run(), rows[:200])
    # A new column, others in another order, ids and scores in other types.
    other = rows[200:400].assign(carrier="UA").astype({"said": "int8", "p": "float32", "wind": "float32"})
    write(tmp_path / "said", other[other.columns[::-1]], "1")
    check(model.run(), rows[:400], 1e-6)
    write(tmp_path / "said", rows[400:600].drop(columns="id"), "2")
    left_out(model, rows[:400], r"'2\.parquet' of said has no column 'id', which stands for 'request_id'")
    write(tmp_path / "said", rows[400:600].assign(at=rows["at"][400:600].astype(str)), "2")
    left_out(model, rows[:400], r"'at' of '2\.parquet' of said holds .*string, not times")
    write(tmp_path / "said", rows[400:600].assign(p="high"), "2")
    left_out(model, rows[:400], r"'p' of '2\.parquet' of said holds .*string, not scores")
    write(tmp_path / "said", rows[400:600].assign(p=2.0), "2")
    left_out(model, rows[:400], r"'p' of '2\.parquet' of said holds 2: a score is the probability")
    write(tmp_path / "said", rows[400:600].assign(said=7), "2")
    left_out(model, rows[:400], r"'said' holds '7', which is not a class of delay: its classes are 0, 1")
    write(tmp_path / "said", rows[400:600].assign(said=rows["said"][400:600] == 1), "2")
    check(model.run(), rows[:600], 1e-6)


def left_out(model: Watched, rows: pd.DataFrame, why: str) -> None:
    """Check that the figures are those of `rows`, and that one file is left out and named."""
    check(model.run(), rows, 1e-6)
    (problem,) = model.problems
    assert re.search(f"Left out: .*{why}", problem), problem


def test_an_old_file_without_what_newer_ones_have(tmp_path: Path) -> None:
    rows, model = days(range(2)), folder(tmp_path)
    write(tmp_path / "said", rows[:200].drop(columns="id"), "0")
    write(tmp_path / "said", rows[200:], "1")
    left_out(model, rows[200:], r"'0\.parquet' of said has no column 'id'")
    write(tmp_path / "said", rows[:200].drop(columns=["late", "wind"]), "0")
    write(tmp_path / "said", rows[200:], "1")
    check(model.run(), rows.assign(late=rows["late"].where(rows.index >= 200)))


def test_rows_without_time_or_id(tmp_path: Path) -> None:
    rows, model = days(range(2)), folder(tmp_path)
    holes = rows.assign(at=rows["at"].where(rows.index != 3), id=rows["id"].where(~rows.index.isin([5, 6])))
    write(tmp_path / "said", holes)
    check(model.run(), rows.drop(index=3))
    far = rows.assign(at=rows["at"].astype("datetime64[us, UTC]"))
    far.loc[4, "at"] = pd.Timestamp("9999-12-31", tz="UTC").as_unit("us")
    write(tmp_path / "said", far)
    check(Watched(tmp_path, model.source).run(), rows.drop(index=4))


def test_missing_columns_and_tables_are_named(tmp_path: Path) -> None:
    write(tmp_path / "said", days(range(1)))
    with pytest.raises(
        InvalidFrame, match=r"said has no column 'when', which stands for 'timestamp'.* it has 'id', 'at'"
    ):
        folder(tmp_path, columns={**MERGED, "timestamp": "when"}).run()
    with pytest.raises(InvalidFrame, match=r"said has no column 'updated', which key = names"):
        folder(tmp_path, key="updated").run()
    with pytest.raises(NotFound, match=r"no folder .*elsewhere"):
        folder(tmp_path, table="elsewhere").run()
    with pytest.raises(NotFound, match=r"no Delta table at elsewhere"):
        folder(tmp_path, table="delta:elsewhere").run()
    with pytest.raises(InvalidInput, match=r"names \$MODELOPS_SECRET_BUCKET, which is not set"):
        folder(tmp_path, table="s3://$MODELOPS_SECRET_BUCKET/said").run()


def test_of_a_request_the_row_with_the_greatest_key_counts(tmp_path: Path) -> None:
    rows = days(range(2))
    write(tmp_path / "said", rows.assign(said=1 - rows["said"], updated=2), "0")
    write(tmp_path / "said", rows.assign(updated=1), "1")  # is newer as a file
    check(folder(tmp_path, key="updated").run(), rows.assign(said=1 - rows["said"]))
    check(folder(tmp_path).run(), rows)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "must have one of table and query"),
    ({"table": "x", "query": "SELECT 1", "database": "sqlite://", "key": "k"}, "must have one of table and query"),
    ({"query": "SELECT 1"}, "has no database"),
    ({"query": "SELECT 1", "database": "sqlite://"}, "has no key"),
    ({"table": "x", "zone": "Mars"}, "'Mars', which is no time zone"),
    ({"table": "x", "colour": 1}, "unknown setting 'colour'"),
    ({"table": "x", "columns": {"a": 1}}, r"columns\.a must be text"),
    ({"table": "x", "version": 0}, "version must be the number"),
    ({"table": "x", "format": "csv"}, "format must be one of"),
    ({"table": "x", "labels": {"columns": {}}}, r"labels must have one of table"),
    ({"table": 3}, "table must be text"),
    ({"query": "q", "database": "d", "key": "k", "format": "inference_table"}, "name it as table"),
    ({"table": "x", "options": {"secret": 77_001}}, "must be text, not …"),
]


@pytest.mark.parametrize(("entry", "message"), WRONG, ids=[message for _, message in WRONG])
def test_settings_that_cannot_be_are_named(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        parse_source("modelops.toml: source.delay", entry)
    assert "source.delay" in str(error.value)
    assert "77001" not in str(error.value)


@pytest.mark.parametrize("apart", [False, True], ids=["labels in a column", "labels apart"])
def test_rows_deleted_without_writing_the_file_again(tmp_path: Path, apart: bool) -> None:
    """As Databricks does by default; its columns have other names in the files than in the table."""
    rows = days(range(3))
    create(tmp_path / "said", to_arrow(rows.drop(columns="late") if apart else rows))
    source: dict[str, Any] = {"table": "said", "columns": MERGED}
    if apart:
        create(tmp_path / "came", to_arrow(rows[["id", "late"]]))
        labels = {"table": "came", "columns": {"request_id": "id", "label": "late"}}
        source = {"table": "said", "columns": COLUMNS, "labels": labels}
    model = Watched(tmp_path, source)
    check(model.run(), rows)
    gone = [0, 7, 399]
    delete(tmp_path / "said", 1, len(rows), gone)
    assert model.changed() is not None
    check(model.run(), rows.drop(index=gone))
    assert model.changed() is None
    if apart:
        delete(tmp_path / "came", 1, len(rows), [5, 450])
        now = rows.assign(late=rows["late"].where(~rows.index.isin([5, 450]))).drop(index=gone)
        check(model.run(), now)
        assert model.changed() is None


def test_a_delta_table_whose_log_knows_no_times(tmp_path: Path) -> None:
    """Delta keeps statistics of the first columns alone; then the files say which times they have."""
    rows, model = days(range(3)), delta(tmp_path)
    few: dict[str, Any] = {"configuration": {"delta.dataSkippingNumIndexedCols": "0"}}
    for number in range(3):
        part = to_arrow(rows[200 * number : 200 * number + 200])
        write_deltalake(str(tmp_path / "said"), part, mode="append", **(few if not number else {}))
    check(model.run(), rows)
    write_deltalake(str(tmp_path / "said"), to_arrow(rows[:10].assign(said=1)), mode="append")
    assert model.changed() == (rows["at"][0], rows["at"][9])
    check(model.run(), rows.assign(said=rows["said"].where(rows.index >= 10, 1)))


def test_read_in_another_way_everything_is_new(tmp_path: Path) -> None:
    rows = days(range(3))
    write(tmp_path / "said", rows.assign(other=1 - rows["said"]))
    model = folder(tmp_path)
    check(model.run(), rows)
    model.source = {**model.source, "columns": {**MERGED, "prediction": "other"}}
    assert model.changed() is not None
    check(model.run(), rows.assign(said=1 - rows["said"]))
    assert model.changed() is None
