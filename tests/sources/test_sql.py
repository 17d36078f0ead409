"""A model is monitored on what a query gives: on a real PostgreSQL, and on SQLite, which has no times of its own."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from databases import postgres, programs
from scored_tables import COLUMNS, Watched, check, days

from modelops_jupyter.errors import InvalidFrame, InvalidInput, SourceUnreachable
from modelops_jupyter.sources.sql import SqlTable

QUERY = """
    -- what was said at 12:30 counts as well; 100 % of it
    SELECT id, at, said, p, wind, origin, written FROM said WHERE origin LIKE '%' AND '12:30' <> ':x' -- :y
"""


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('db') / 'said.db'}"
        return
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres() as url:
        yield url


def write(database: str, name: str, rows: pd.DataFrame, written: int) -> None:
    """Append rows as they come from a service, each with the number of its writing."""
    sqlite = database.startswith("sqlite")
    at = rows["at"].dt.tz_localize(None) if sqlite and "at" in rows else None
    table = rows.assign(written=written) if at is None else rows.assign(written=written, at=at)
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        table.to_sql(name, connection, index=False, if_exists="append")
    engine.dispose()


def run(database: str, statement: str) -> None:
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def watched(database: str, folder: Path) -> Watched:
    for table in ("said", "came"):
        run(database, f"DROP TABLE IF EXISTS {table}")
    labels = {"database": database, "query": "SELECT id, late, written FROM came;", "key": "written"}
    source = {"database": database, "query": QUERY, "columns": COLUMNS, "key": "written"}
    columns = {"request_id": "id", "label": "late"}
    zone = {"zone": "UTC"} if database.startswith("sqlite") else {}
    return Watched(folder, {**source, **zone, "labels": {**labels, "columns": columns}})


def test_late_and_corrected_rows_and_labels(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelops_jupyter.sources.sql.FETCHED", 70)
    monkeypatch.setattr("modelops_jupyter.sources.sql.HELD", 300)
    model = watched(database, tmp_path)
    rows = days(range(7))
    on_time = rows[:1200].drop(index=range(300, 320))
    write(database, "said", on_time.drop(columns="late"), 1)
    write(database, "came", rows[["id", "late"]][:700], 1)
    check(model.run(), on_time.assign(late=on_time["late"].where(on_time.index < 700)))
    assert model.changed() is None

    write(database, "said", rows[1200:1400].drop(columns="late"), 2)
    changed = model.changed()
    assert changed is not None
    assert changed[0] == rows["at"][1200]

    write(database, "said", rows[300:320].drop(columns="late"), 3)
    run(database, "UPDATE said SET said = 1 - said, p = 1 - p, written = 4 WHERE id IN ('2-0', '2-1', '2-2')")
    write(database, "came", rows[["id", "late"]][700:1000], 2)
    write(database, "came", rows[["id", "late"]][:50].assign(late=1 - rows["late"][:50]), 3)
    now = rows.copy()
    now.loc[400:402, "said"] = 1 - now.loc[400:402, "said"]
    now.loc[400:402, "p"] = 1 - now.loc[400:402, "p"]
    now.loc[:49, "late"] = 1 - now.loc[:49, "late"]
    now["late"] = now["late"].where(now.index < 1000)
    check(model.run(), now)
    write(database, "came", rows[["id", "late"]][1000:1060], 3)  # in the same breath as the last ones
    now.loc[1000:1059, "late"] = rows["late"][1000:1060]
    check(model.run(), now)
    assert model.changed() is None
    check(Watched(tmp_path, model.source).run(), now)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_emptied_and_filled_again(tmp_path: Path, database: str) -> None:
    model = watched(database, tmp_path)
    rows = days(range(3))
    write(database, "said", rows.drop(columns="late"), 5)
    write(database, "came", rows[["id", "late"]], 5)
    check(model.run(), rows)
    run(database, "DELETE FROM said")
    report = model.run()
    assert "No prediction of delay is left" in report.remark
    check(report, rows)
    write(database, "said", rows[:400].drop(columns="late"), 1)
    report = model.run()
    check(report, rows)  # of the third day no row is left, and its figures stand


def test_what_is_wrong_is_said_without_the_password(tmp_path: Path, database: str) -> None:
    model = watched(database, tmp_path)
    with pytest.raises(SourceUnreachable, match="gave no answer") as unknown:
        model.run()
    rows = days(range(1))
    write(database, "said", rows.drop(columns=["late", "wind"]), 1)
    write(database, "came", rows[["id", "late"]], 1)
    source = {**model.source, "query": "SELECT * FROM said"}
    with pytest.raises(InvalidFrame, match="no column 'wind', a feature of delay") as missing:
        Watched(tmp_path, source).run()
    with pytest.raises(InvalidInput, match="no SQLAlchemy URL") as wrong:
        Watched(tmp_path, {**source, "database": "s3cret"}).run()
    for error in (unknown, missing, wrong):
        assert "s3cret" not in str(error.value)
    assert "s3cret" not in repr(model.open()._source)


def test_rows_that_are_written_during_a_run_are_new_to_the_next(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = watched(database, tmp_path)
    rows = days(range(3))
    write(database, "said", rows[:400].drop(columns="late"), 1)
    write(database, "came", rows[["id", "late"]], 1)
    span, wrote = SqlTable._span, []

    def while_times_are_asked(table: SqlTable, *conditions: sa.ColumnElement[bool]) -> tuple[int, int] | None:
        if not wrote:
            answer = span(table, *conditions)
            write(database, "said", rows[400:].drop(columns="late"), 2)
            wrote.append(True)
            return answer
        return span(table, *conditions)

    monkeypatch.setattr(SqlTable, "_span", while_times_are_asked)
    model.run()
    assert model.changed() is not None
    check(model.run(), rows)
