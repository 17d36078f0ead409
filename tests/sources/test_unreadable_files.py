"""What cannot be read of a table stops nothing else: it is left out and named, and read once it can be."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st
from scored_tables import COLUMNS, FACTS, Watched, check, days, expected

from modelops_jupyter.errors import InvalidFrame, SourceUnreachable
from modelops_jupyter.frames import to_arrow
from modelops_jupyter.monitoring import MonitorReport
from modelops_jupyter.sources import ModelFacts, parquet_folder

MERGED = {**COLUMNS, "label": "late"}
LABELS = {"table": "came", "columns": {"request_id": "id", "label": "late"}}
Damage = Callable[[Path, pd.DataFrame], None]
FEW = settings(max_examples=settings.default.max_examples // 8)


def write(folder: Path, rows: pd.DataFrame, name: object, **how: Any) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    pq.write_table(to_arrow(rows), folder / f"{name}.parquet", **how)


def write_days(folder: Path, rows: pd.DataFrame, **how: Any) -> None:
    for number in range(len(rows) // 200):
        write(folder, rows[200 * number : 200 * number + 200], number, **how)


def folder_of_days(tmp_path: Path, rows: pd.DataFrame, **settings: Any) -> Watched:
    write_days(tmp_path / "said", rows)
    return Watched(tmp_path, {"table": "said", "columns": MERGED, **settings})


def truncated(file: Path, rows: pd.DataFrame) -> None:
    os.truncate(file, file.stat().st_size // 2)


def emptied(file: Path, rows: pd.DataFrame) -> None:
    file.write_bytes(b"")


def garbled(file: Path, rows: pd.DataFrame) -> None:
    """Damage the rows and leave the footer, which says nothing of it."""
    content = bytearray(file.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    file.write_bytes(content)


def without(column: str) -> Damage:
    return lambda file, rows: write(file.parent, rows.drop(columns=column), file.stem)


def as_text(column: str, text: str) -> Damage:
    return lambda file, rows: write(file.parent, rows.assign(**{column: rows[column].astype(str) + text}), file.stem)


def of_no_class(file: Path, rows: pd.DataFrame) -> None:
    write(file.parent, rows.assign(said=rows["said"].where(rows.index != rows.index[-1], 7)), file.stem)


def beyond_one(file: Path, rows: pd.DataFrame) -> None:
    write(file.parent, rows.assign(p=rows["p"] + (rows.index == rows.index[5]) * 9), file.stem)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "truncated": (truncated, "cannot be read"),
    "emptied": (emptied, "cannot be read"),
    "garbled": (garbled, "cannot be read"),
    "no ids": (without("id"), "has no column 'id'"),
    "no times": (without("at"), "has no column 'at'"),
    "no predictions": (without("said"), "has no column 'said'"),
    "text for times": (as_text("at", " or so"), "holds (large_)?string, not times"),
    "text for scores": (as_text("p", " or so"), "holds (large_)?string, not scores"),
    "of no class": (of_no_class, "'7', which is not a class of delay"),
    "score beyond one": (beyond_one, "a score is the probability"),
}


@pytest.mark.parametrize("place", [0, 1, 2], ids=["oldest", "middle", "newest"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_cannot_be_read_is_left_out_and_named_until_it_can(tmp_path: Path, damage: str, place: int) -> None:
    rows = days(range(3))
    model = folder_of_days(tmp_path, rows)
    spoil, says = DAMAGES[damage]
    file, own = tmp_path / "said" / f"{place}.parquet", rows[200 * place : 200 * place + 200]
    whole = file.read_bytes()
    spoil(file, own)
    others = rows.drop(index=own.index)
    check(model.run(), others)
    (problem,) = model.problems
    assert problem.startswith("Left out: ")
    assert f"'{place}.parquet' of said" in problem
    assert re.search(says, problem)
    check(model.run(), others)
    assert model.problems == (problem,)
    write(tmp_path / "said", days(range(3, 4)), "3")
    check(model.run(), pd.concat([others, days(range(3, 4))]))
    assert model.problems == (problem,)
    file.write_bytes(whole)
    check(model.run(), pd.concat([rows, days(range(3, 4))]))
    assert model.problems == ()
    assert model.changed() is None


@pytest.mark.parametrize("damage", DAMAGES)
def test_where_no_file_can_be_read_the_reason_is_the_answer(tmp_path: Path, damage: str) -> None:
    rows = days(range(3))
    model = folder_of_days(tmp_path, rows)
    spoil, says = DAMAGES[damage]
    for place in range(3):
        spoil(tmp_path / "said" / f"{place}.parquet", rows[200 * place : 200 * place + 200])
    with pytest.raises((InvalidFrame, SourceUnreachable), match=says) as error:
        model.run()
    assert "\n" not in str(error.value)


def test_many_files_alike_take_no_run_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting makes all files unreadable: the second look sees it, however many there are."""
    rows = days(range(30), 20)
    for number in range(30):
        write(tmp_path / "said", rows[20 * number : 20 * number + 20].assign(said=7), number)
    opened = 0
    read = parquet_folder.open_folder

    def counted(*args: Any, **named: Any) -> Any:
        nonlocal opened
        opened += 1
        return read(*args, **named)

    monkeypatch.setattr(parquet_folder, "open_folder", counted)
    with pytest.raises(InvalidFrame, match="not a class of delay"):
        Watched(tmp_path, {"table": "said", "columns": MERGED}).run()
    assert opened <= 4


def test_a_file_that_is_written_again_and_torn_leaves_its_figures_until_it_is_whole(tmp_path: Path) -> None:
    rows = days(range(3))
    model = folder_of_days(tmp_path, rows)
    check(model.run(), rows)
    now = rows.assign(said=rows["said"].where(~rows.index.isin(range(200, 260)), 0))
    write(tmp_path / "said", now[200:400], 1)
    whole = (tmp_path / "said" / "1.parquet").read_bytes()
    truncated(tmp_path / "said" / "1.parquet", now)
    check(model.run(), rows)
    assert "'1.parquet' of said cannot be read" in model.problems[0]
    write(tmp_path / "said", days(range(3, 4)), 3)
    check(model.run(), pd.concat([rows, days(range(3, 4))]))
    (tmp_path / "said" / "1.parquet").write_bytes(whole)
    check(model.run(), pd.concat([now, days(range(3, 4))]))
    assert model.problems == ()


@pytest.mark.parametrize("place", [0, 1, 2], ids=["oldest", "middle", "newest"])
@pytest.mark.parametrize("columns", [["wind"], ["origin"], ["wind", "origin"], ["p"], ["late"]], ids=str)
def test_a_file_without_a_feature_has_missing_values_there_wherever_it_stands(
    tmp_path: Path, columns: list[str], place: int
) -> None:
    """One rule for all: rows, predictions and labels count, the column counts as missing, file and column are named."""
    rows = days(range(3))
    model = folder_of_days(tmp_path, rows)
    own = rows[200 * place : 200 * place + 200]
    write(tmp_path / "said", own.drop(columns=columns), place)
    report = model.run()
    holes = rows.copy()
    for column in columns:
        holes[column] = holes[column].where(~holes.index.isin(own.index))
    if "p" not in columns:
        check(report, holes)
    assert [window.rows for window in report.windows] == [200, 200, 200]
    for column in {"wind", "origin"} & set(columns):
        rates = [window.drift[column]["null_rate"]["value"] for window in report.windows]
        assert rates == [float(n == place) for n in range(3)]
    assert len(model.problems) == len(columns)
    for column, problem in zip(sorted(columns), sorted(model.problems), strict=True):
        assert problem.startswith(f"1 file of said without column {column!r} ('{place}.parquet')")
    write(tmp_path / "said", own, place)
    check(model.run(), rows)
    assert model.problems == ()


def test_a_feature_that_no_file_has_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    model = folder_of_days(tmp_path, days(range(3)).drop(columns="wind"))
    with pytest.raises(
        InvalidFrame, match=r"said has no column 'wind', a feature of delay \(map it .*it has 'id', 'at'"
    ):
        model.run()


def test_a_feature_that_the_model_needs_only_later(tmp_path: Path) -> None:
    """A new champion has one more feature: footers that were read already are looked at again."""
    rows = days(range(3)).assign(gust=1.0)
    model = folder_of_days(tmp_path, rows)
    write(tmp_path / "said", rows[:200].drop(columns="gust"), 0)
    check(model.run(), rows)
    assert model.problems == ()
    model.facts = ModelFacts("delay", "classification", ("0", "1"), ("wind", "origin", "gust"), 3)
    write(tmp_path / "said", days(range(3, 4)).assign(gust=2.0), 3)
    model.run()
    assert model.problems == ("1 file of said without column 'gust' ('0.parquet'): it counts as missing there.",)
    assert FACTS.features == ("wind", "origin")


UNREADABLE: dict[str, Any] = {"text": "pending", "number": 7, "fraction": 0.3}


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("place", ["a column", "a folder", "a Delta table", "a query"])
def test_labels_that_cannot_be_read_let_drift_go_on(tmp_path: Path, place: str, kind: str) -> None:
    rows = days(range(3))
    strange = rows.index % 50 == 7
    labels = rows["late"].astype(object).where(~strange, UNREADABLE[kind])
    came = pd.DataFrame({"id": rows["id"], "late": labels.astype(str if kind == "text" else float), "written": 1})
    source: dict[str, Any] = {"table": "said", "columns": COLUMNS, "labels": LABELS}
    said = rows.drop(columns="late")
    if place == "a column":
        source, said = {"table": "said", "columns": MERGED}, rows.assign(late=came["late"])
    elif place == "a folder":
        write(tmp_path / "came", came[:300], 0)
        write(tmp_path / "came", came[300:], 1)
    elif place == "a Delta table":
        write_deltalake(str(tmp_path / "came"), to_arrow(came))
    else:
        database = f"sqlite:///{tmp_path / 'came.db'}"
        engine = sa.create_engine(database)
        came.to_sql("came", engine, index=False)
        engine.dispose()
        query = {"database": database, "query": "SELECT * FROM came", "key": "written"}
        source["labels"] = {**query, "columns": LABELS["columns"]}
    write_days(tmp_path / "said", said)
    model = Watched(tmp_path, source)
    check(model.run(), rows.assign(late=rows["late"].where(~strange)))
    (problem,) = model.problems
    assert "holds labels that cannot be read" in problem
    assert f"'{UNREADABLE[kind]}'" in problem


def test_text_among_the_labels_of_a_regression(tmp_path: Path) -> None:
    rows = days(range(2))
    late = rows["late"].astype(str).where(rows.index % 50 != 7, "n/a")
    model = folder_of_days(tmp_path, rows.assign(late=late, said=rows["p"]))
    model.facts = ModelFacts("delay", "regression", (), ("wind", "origin"), 3)
    report = model.run()
    assert [window.labelled for window in report.windows] == [196, 196]
    assert "holds labels that cannot be read ('n/a')" in model.problems[0]


def damaged_labels(tmp_path: Path, rows: pd.DataFrame, damage: str) -> Callable[[], None]:
    """Spoil the labels of a model, and return what puts them right."""
    folder, aside = tmp_path / "came", tmp_path / "aside"
    shutil.copytree(folder, aside)
    if damage == "gone":
        shutil.rmtree(folder)
    elif damage == "truncated":
        for file in folder.iterdir():
            truncated(file, rows)
    elif damage == "no labels":
        for file in folder.iterdir():
            write(folder, rows[["id"]], file.stem)
    else:
        for file in folder.iterdir():
            garbled(file, rows)

    def restore() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(aside, folder, copy_function=shutil.copy)

    return restore


@pytest.mark.parametrize("late", [False, True], ids=["from the first run on", "after a run"])
@pytest.mark.parametrize("damage", ["gone", "truncated", "garbled", "no labels"])
def test_where_no_labels_can_be_read_drift_goes_on_and_they_are_read_later(
    tmp_path: Path, damage: str, late: bool
) -> None:
    rows = days(range(4))
    write_days(tmp_path / "said", rows[:600].drop(columns="late"))
    for number in range(3):
        part = rows[200 * number : 200 * number + 200]
        write(tmp_path / "came", part[["id", "late"]], number)
    model = Watched(tmp_path, {"table": "said", "columns": COLUMNS, "labels": LABELS})
    if late:
        check(model.run(), rows[:600])
    restore = damaged_labels(tmp_path, rows, damage)
    write(tmp_path / "said", rows[600:].drop(columns="late"), 3)
    known = rows["late"].where((rows.index < 600) & late)
    check(model.run(), rows.assign(late=known))
    assert model.problems
    assert model.problems[0].startswith("No labels are read: ")
    restore()
    write(tmp_path / "came", rows[["id", "late"]][600:], 3)
    check(model.run(), rows)
    assert model.problems == ()


def test_one_file_of_labels_is_left_out_and_the_others_count(tmp_path: Path) -> None:
    rows = days(range(3))
    write_days(tmp_path / "said", rows.drop(columns="late"))
    write_days(tmp_path / "came", rows[["id", "late"]])
    model = Watched(tmp_path, {"table": "said", "columns": COLUMNS, "labels": LABELS})
    whole = (tmp_path / "came" / "1.parquet").read_bytes()
    for damage in (truncated, garbled):
        damage(tmp_path / "came" / "1.parquet", rows)
        check(model.run(), rows.assign(late=rows["late"].where(~rows.index.isin(range(200, 400)))))
        (problem,) = model.problems
        assert "'1.parquet' of came cannot be read" in problem
        (tmp_path / "came" / "1.parquet").write_bytes(whole)
        check(model.run(), rows)
        model = Watched(tmp_path, model.source)


@pytest.mark.parametrize("damage", ["gone", "truncated", "garbled"])
def test_a_file_of_a_delta_table(tmp_path: Path, damage: str) -> None:
    rows = days(range(4))
    for number in range(3):
        write_deltalake(str(tmp_path / "said"), to_arrow(rows[200 * number : 200 * number + 200]), mode="append")
    model = Watched(tmp_path, {"table": "delta:said", "columns": MERGED})
    first, second = (
        {Path(uri).name for uri in DeltaTable(tmp_path / "said", version=version).file_uris()} for version in (0, 1)
    )
    (name,) = second - first
    file = tmp_path / "said" / name
    whole = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        {"truncated": truncated, "garbled": garbled}[damage](file, rows)
    others = rows[:600].drop(index=range(200, 400))
    for _ in range(2):
        check(model.run(), others)
        (problem,) = model.problems
        assert f"'{name}' of delta:said cannot be read" in problem
    write_deltalake(str(tmp_path / "said"), to_arrow(rows[600:]), mode="append")
    check(model.run(), rows.drop(index=range(200, 400)))
    file.write_bytes(whole)
    check(model.run(), rows)
    assert (model.problems, model.changed()) == ((), None)


def test_texts_that_are_no_times_among_those_of_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelops_jupyter.sources.sql.FETCHED", 70)
    monkeypatch.setattr("modelops_jupyter.sources.sql.HELD", 300)
    rows = days(range(3))
    at = rows["at"].dt.tz_localize(None).astype(str)
    strange = {3: "n/a", 250: "2026-03-02 25:61:00", 251: "", 599: "9"}
    table = rows.assign(at=[strange.get(n, text) for n, text in enumerate(at)], written=1)
    database = f"sqlite:///{tmp_path / 'said.db'}"
    engine = sa.create_engine(database)
    table.to_sql("said", engine, index=False)
    engine.dispose()
    source = {"database": database, "query": "SELECT * FROM said", "key": "written", "zone": "UTC", "columns": MERGED}
    model = Watched(tmp_path, source)
    check(model.run(), rows.drop(index=list(strange)))
    (problem,) = model.problems
    assert re.search(r"Column 'at' of .* holds texts that are no times \(.*'n/a'.*\): their rows have no time", problem)


def spoilt(report: MonitorReport, rows: pd.DataFrame) -> None:
    """Check figures, but for windows that no readable row is left of, whose results stand."""
    wanted = dict(expected(rows))
    found = {window.window_start: window.rows for window in report.windows}
    assert {start: found.get(start) for start in wanted} == {
        start: figures["rows"] for start, figures in wanted.items()
    }


@FEW
@given(st.data())
def test_whatever_is_damaged_and_repaired_the_rest_counts(data: st.DataObject) -> None:
    """Files are damaged and repaired at random between runs: the last run over whole files is that of all rows."""
    rows = days(range(5), 40)
    parts = [rows[40 * n : 40 * n + 40] for n in range(5)]
    with TemporaryDirectory() as place:
        tmp_path = Path(place)
        for number, part in enumerate(parts):
            write(tmp_path / "said", part, number)
        model = Watched(tmp_path, {"table": "said", "columns": MERGED})
        broken: set[int] = set()
        seen: set[int] = set()
        for _ in range(data.draw(st.integers(1, 3))):
            for number in data.draw(st.sets(st.integers(0, 4), max_size=4)):
                file = tmp_path / "said" / f"{number}.parquet"
                if number in broken:
                    write(tmp_path / "said", parts[number], number)
                    broken.discard(number)
                else:
                    write(tmp_path / "said", parts[number], number)
                    DAMAGES[data.draw(st.sampled_from(sorted(DAMAGES)))][0](file, parts[number])
                    broken.add(number)
            if len(broken) == 5:
                continue
            report = model.run()
            seen |= set(range(5)) - broken
            assert len(model.problems) == min(len(broken), 3) + (len(broken) > 3)
            spoilt(report, pd.concat([parts[number] for number in range(5) if number not in broken]))
            assert len(report.windows) == len(seen)
        for number in broken:
            write(tmp_path / "said", parts[number], number)
        check(model.run(), rows)
        assert model.problems == ()


def test_what_is_named_is_bounded(tmp_path: Path) -> None:
    rows = days(range(40), 10)
    for number in range(40):
        part = rows[10 * number : 10 * number + 10]
        write(tmp_path / "said", part if number == 5 else part.drop(columns="id"), number)
    labels = pd.Series([f"{'x' * 5000}{n}" for n in range(len(rows))], index=rows.index)
    write(tmp_path / "said", rows[50:60].assign(late=labels), 5)
    model = Watched(tmp_path, {"table": "said", "columns": MERGED})
    model.run()
    assert len(" ".join(model.problems)) < 2500
    assert "36 more files of said were left out." in model.problems
