"""A model is monitored on a table of Spark's: figures are scikit-learn's on the raw rows, and no row leaves Spark."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

sys.path.append(str(Path(__file__).parents[1] / "sources"))

from scored_tables import COLUMNS, Watched, check, days

from modelops_jupyter.errors import InvalidFrame, InvalidInput, NotFound
from modelops_jupyter.frames import to_arrow

pytestmark = pytest.mark.spark
pytest.importorskip("pyspark")


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    import os

    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "America/New_York")
        .config("spark.sql.shuffle.partitions", "4")
        .getOrCreate()
    )
    yield session
    session.stop()


def view(spark: Any, name: str, *parts: pd.DataFrame) -> None:
    """Show rows as a table of Spark's; each part was written after those before."""
    written = pd.concat([part.assign(written=number) for number, part in enumerate(parts)], ignore_index=True)
    spark.createDataFrame(to_arrow(written)).createOrReplaceTempView(name)


def test_late_and_corrected_rows_and_labels(spark: Any, tmp_path: Path) -> None:
    rows = days(range(5))
    said, came = rows.drop(columns="late"), rows[["id", "late"]]
    labels = {"table": "spark:came", "columns": {"request_id": "id", "label": "late"}, "key": "written"}
    model = Watched(tmp_path, {"table": "spark:said", "columns": COLUMNS, "key": "written", "labels": labels})
    view(spark, "said", said[:600])
    view(spark, "came", came[:300])
    check(model.run(), rows[:600].assign(late=rows["late"].where(rows.index < 300)))
    assert model.changed() is None
    wrong = said[450:460].assign(said=1 - said["said"][450:460])
    view(spark, "said", said[:600], pd.concat([said[600:], wrong]))
    view(spark, "came", came[:300], pd.concat([came[300:700], came[:40].assign(late=1 - came["late"][:40])]))
    now = rows.copy()
    now.loc[450:459, "said"] = wrong["said"]
    now.loc[:39, "late"] = 1 - now.loc[:39, "late"]
    now["late"] = now["late"].where(now.index < 700)
    check(model.run(), now)
    assert model.changed() is None
    table = model.open().read("delay", rows["at"].min(), rows["at"].max() + pd.Timedelta(days=1))
    assert table is not None
    assert sorted(table["wind"].to_pylist()) == pytest.approx(sorted(rows["wind"]))
    assert list(tmp_path.iterdir()) == []


def test_labels_in_a_column_and_times_of_a_zone(spark: Any, tmp_path: Path) -> None:
    rows = days(range(3))
    view(spark, "instants", rows)
    rome = "convert_timezone('America/New_York', 'Europe/Rome', CAST(at AS TIMESTAMP_NTZ)) AS at"
    spark.sql(f"SELECT * EXCEPT (at), {rome} FROM instants").createOrReplaceTempView("merged")
    columns = {**COLUMNS, "label": "late"}
    source = {"table": "spark:merged", "columns": columns, "key": "written"}
    with pytest.raises(InvalidFrame, match="without a time zone"):
        Watched(tmp_path, source).run()
    check(Watched(tmp_path, {**source, "zone": "Europe/Rome"}).run(), rows)


def test_what_is_wrong_is_said(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no table 'nowhere' in Spark"):
        Watched(tmp_path, {"table": "spark:nowhere", "key": "written"}).run()
    with pytest.raises(InvalidInput, match="has no key"):
        Watched(tmp_path, {"table": "spark:nowhere"}).run()


@pytest.mark.parametrize("kind", ["INT96", "TIMESTAMP_MICROS"])
def test_a_folder_that_spark_has_written(spark: Any, tmp_path: Path, kind: str) -> None:
    """Read without Spark: instants are so in either form, whatever the session's zone; days are columns of paths."""
    rows = days(range(4))
    spark.conf.set("spark.sql.parquet.outputTimestampType", kind)
    model = Watched(tmp_path, {"table": "scored", "columns": {**COLUMNS, "label": "late"}})
    for first in (0, 400):
        part = spark.createDataFrame(to_arrow(rows[first : first + 400].assign(day=rows["at"].dt.strftime("%Y-%m-%d"))))
        part.write.mode("append").partitionBy("day").parquet(str(tmp_path / "scored"))
        check(model.run(), rows[: first + 400])
        assert model.changed() is None
    overwritten = spark.createDataFrame(to_arrow(rows[:400].assign(said=1, day=rows["at"].dt.strftime("%Y-%m-%d"))))
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    overwritten.write.mode("overwrite").partitionBy("day").parquet(str(tmp_path / "scored"))
    changed = model.changed()
    assert changed is not None
    assert changed[1] <= rows["at"][399]
    check(model.run(), rows.assign(said=rows["said"].where(rows.index >= 400, 1)))


def test_roles_of_a_table_are_series_of_their_own(spark: Any, tmp_path: Path) -> None:
    rows = days(range(3))
    shadow = rows.assign(said=1 - rows["said"], p=1 - rows["p"], role="shadow")
    canary = rows[::4].assign(role="canary")
    view(spark, "roles", rows.assign(role="served"), shadow, canary)
    columns = {**COLUMNS, "label": "late", "role": "role"}
    model = Watched(tmp_path, {"table": "spark:roles", "columns": columns, "key": "written"})
    report = model.run()
    check(report, rows)
    assert [str(each.series) for each in report.beside] == ["version 3 as canary", "version 3 as shadow"]
    check(report.of(3, "shadow"), shadow)
    check(report.of(3, "canary"), canary)
    table = model.open().read("delay", rows["at"].min(), rows["at"].max() + pd.Timedelta(days=1))
    assert table is not None
    assert sorted(table["score"].to_pylist()) == pytest.approx(sorted(rows["p"]))
