"""A model is monitored on a table that others write: figures are scikit-learn's, whatever comes late or corrected."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from scored_tables import BEGIN, COLUMNS, Watched, check, day, days

from modelops_jupyter.frames import to_arrow

Write = Callable[[Path, pd.DataFrame, str], None]


def to_parquet(folder: Path, rows: pd.DataFrame, name: str) -> None:
    folder.mkdir(exist_ok=True)
    pq.write_table(to_arrow(rows), folder / f"{name}.parquet")


def to_delta(folder: Path, rows: pd.DataFrame, name: str) -> None:
    write_deltalake(str(folder), to_arrow(rows), mode="append")


KINDS = [pytest.param(to_parquet, "", id="parquet"), pytest.param(to_delta, "delta:", id="delta")]


def times(first: int, last: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    return BEGIN + pd.Timedelta(days=first), BEGIN + pd.Timedelta(days=last + 1)


@pytest.mark.parametrize(("write", "prefix"), KINDS)
def test_late_and_corrected_rows_and_labels(tmp_path: Path, write: Write, prefix: str) -> None:
    rows = days(range(8))
    labels = rows[["id", "late"]]
    watched = Watched(
        tmp_path,
        {
            "table": f"{prefix}said",
            "columns": COLUMNS,
            "labels": {"table": f"{prefix}came", "columns": {"request_id": "id", "label": "late"}},
        },
    )
    on_time = rows.drop(index=range(300, 320))  # some rows of the second day come late
    for number in range(6):
        write(tmp_path / "said", on_time[on_time["id"].str.startswith(f"{number}-")], f"day {number}")
    write(tmp_path / "came", labels[:700], "first")
    known = on_time[on_time["id"].isin(rows["id"][:1200])].assign(late=lambda r: r["late"].where(r.index < 700))
    check(watched.run(), known)
    assert watched.changed() is None

    write(tmp_path / "said", rows[1200:1400], "day 6")
    changed = watched.changed()
    assert changed is not None
    assert changed[0] >= times(6, 6)[0]
    check(watched.run(), pd.concat([known, rows[1200:1400].assign(late=None)]))

    write(tmp_path / "said", rows[300:320], "late")
    wrong = rows[400:420].assign(said=1 - rows["said"][400:420], p=1 - rows["p"][400:420])
    write(tmp_path / "said", wrong, "corrected")  # a row that is written again counts
    write(tmp_path / "came", labels[700:1000], "second")
    write(tmp_path / "came", labels[:50].assign(late=1 - labels["late"][:50]), "third")
    now = rows[:1400].copy()
    now.loc[400:419, ["said", "p"]] = wrong[["said", "p"]]
    now.loc[:49, "late"] = 1 - now.loc[:49, "late"]
    now["late"] = now["late"].where(now.index < 1000)
    check(watched.run(), now)
    assert watched.changed() is None
    fresh = Watched(tmp_path, watched.source)
    check(fresh.run(), now)
    assert {path.name for path in tmp_path.iterdir()} == {"said", "came"}  # nothing was copied


def test_labels_in_a_column_that_a_merge_fills(tmp_path: Path) -> None:
    rows = days(range(4))
    watched = Watched(tmp_path, {"table": "delta:said", "columns": {**COLUMNS, "label": "late"}})
    unknown = rows.assign(late=pd.Series([None] * len(rows), dtype="Int64"))
    for number in range(4):
        to_delta(tmp_path / "said", unknown[200 * number : 200 * (number + 1)], "")
    check(watched.run(), unknown)
    source = to_arrow(rows[["id", "late"]][:250])
    table = DeltaTable(tmp_path / "said")
    table.merge(source, "t.id = s.id", source_alias="s", target_alias="t").when_matched_update(
        {"late": "s.late"}
    ).execute()
    changed = watched.changed()
    assert changed is not None
    assert changed[1] < times(2, 2)[0]
    now = rows.assign(late=rows["late"].where(rows.index < 250).astype("Int64"))
    check(watched.run(), now)
    table.delete("id = '3-0'")
    check(watched.run(), now.drop(index=600))
    for rewrite in (table.optimize.compact, lambda: table.optimize.z_order(["id"])):
        rewrite()
        assert watched.changed() is None
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    assert watched.changed() is None
    check(watched.run(), now.drop(index=600))
    assert day(0).equals(rows[:200])


@pytest.mark.parametrize(("write", "prefix"), KINDS)
def test_roles_of_a_table_are_series_of_their_own(tmp_path: Path, write: Write, prefix: str) -> None:
    rows = days(range(4))
    shadow = rows.assign(said=1 - rows["said"], p=1 - rows["p"])
    columns = {**COLUMNS, "label": "late", "role": "part"}
    watched = Watched(tmp_path, {"table": f"{prefix}said", "columns": columns})
    both = pd.concat([rows.assign(part="served"), shadow.assign(part="shadow")])
    write(tmp_path / "said", both, "both")
    report = watched.run()
    check(report, rows)
    (beside,) = report.beside
    check(beside, shadow)
    assert beside.series.role == "shadow"
    write(tmp_path / "said", rows[:30].assign(said=0, part="served"), "corrected")
    check(watched.run(), rows.assign(said=rows["said"].where(rows.index >= 30, 0)))


TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]


def rewritten(rows: pd.DataFrame, number: int) -> pa.Table:
    """Return rows as another writer writes them: text and numbers of one meaning have many types."""
    table = to_arrow(rows)
    for index, field in enumerate(table.schema):
        kind = TEXTS[number % len(TEXTS)] if pa.types.is_string(field.type) else field.type
        if pa.types.is_int64(field.type):
            kind = [pa.int64(), pa.int32(), pa.int8(), pa.float64()][number % 4] if field.name == "said" else kind
        if pa.types.is_float64(field.type) and field.name != "p":
            kind = [pa.float64(), pa.float32()][number % 2]
        column = table.column(index).combine_chunks()
        text = column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)
        table = table.set_column(index, field.name, text)
    return table


def test_files_of_several_writers_are_one_table(tmp_path: Path) -> None:
    rows = days(range(6))
    watched = Watched(tmp_path, {"table": "said", "columns": {**COLUMNS, "label": "late"}})
    (tmp_path / "said").mkdir()
    for number in range(6):
        of_day = rows[rows["id"].str.startswith(f"{number}-")]
        pq.write_table(rewritten(of_day, number), tmp_path / "said" / f"{number}.parquet")
        if number == 2:
            check(watched.run(), rows[rows["id"].str[0].astype(int) <= 2])
    check(watched.run(), rows)


def test_a_table_that_labels_were_merged_into_goes_on(tmp_path: Path) -> None:
    rows = days(range(4))
    path = tmp_path / "said"
    watched = Watched(tmp_path, {"table": "delta:said", "columns": {**COLUMNS, "label": "late"}})
    first, later = rows[rows["id"].str[0].astype(int) < 3], rows[rows["id"].str[0].astype(int) == 3]
    kinds = to_arrow(rows).schema
    write_deltalake(str(path), to_arrow(first.assign(late=None)).cast(kinds))
    check(watched.run(), first.assign(late=None))
    labels = pa.Table.from_pandas(first[["id", "late"]], preserve_index=False)
    merge = DeltaTable(str(path)).merge(labels, "t.id = u.id", source_alias="u", target_alias="t")
    merge.when_matched_update({"late": "u.late"}).execute()
    check(watched.run(), first)
    write_deltalake(str(path), to_arrow(later.assign(late=None)).cast(kinds), mode="append")
    check(watched.run(), pd.concat([first, later.assign(late=None)]))
