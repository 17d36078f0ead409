"""The same table through Spark and through the local engine gives the same profiles, bin for bin."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from modelops_jupyter import compare_data
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.monitoring.record.packed import numbers
from modelops_jupyter.monitoring.scanning import Part, scan_windows
from modelops_jupyter.profiles import Profile, Reference, build_reference
from modelops_jupyter.profiles.spark import scan_spark

pytestmark = pytest.mark.spark
pyspark = pytest.importorskip("pyspark")

BEGIN = int(datetime(2013, 4, 1, tzinfo=UTC).timestamp()) * 1_000_000
ROWS = 6000


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "America/New_York")  # windows are UTC whatever the session says
        .config("spark.sql.shuffle.partitions", "4")
        .getOrCreate()
    )
    yield session
    session.stop()


def table(task: str) -> tuple[pa.Table, Reference]:
    generator = np.random.default_rng(0)
    wind = generator.normal(size=ROWS)
    price = generator.lognormal(0, 3, ROWS)  # most edges in a few cells
    odd = np.where(generator.random(ROWS) < 0.05, np.inf, np.where(generator.random(ROWS) < 0.05, np.nan, wind * 1e-9))
    features = pa.table(
        {
            "wind": wind,
            "price": pa.array(price, mask=generator.random(ROWS) < 0.1),
            "odd": pa.array(np.where(generator.random(ROWS) < 0.1, -0.0, odd), from_pandas=False),
            "count": generator.integers(-3, 4, ROWS),
            "constant": np.full(ROWS, 7.0),
            "origin's `name`": pa.array(generator.choice(["JFK", "L'GA", "Ö\\", None], ROWS)),
            "night": pa.array(generator.random(ROWS) < 0.3),
            "empty": pa.nulls(ROWS, pa.float64()),
            "text": pa.array([f"t{n}" for n in generator.integers(0, 300, ROWS)]),
        }
    )
    score = generator.random(ROWS)
    if task == "regression":
        said: Any = generator.normal(5, 2, ROWS)
        label: Any = said + generator.normal(0, 1, ROWS)
        score = None
    else:
        said = np.where(score > 0.5, "ye's", "no").astype(object)
        label = np.where(generator.random(ROWS) < score, "ye's", "no").astype(object)
    reference = build_reference(
        features.slice(0, 2000),
        scores=None if score is None else score[:2000],
        predictions=said[:2000],
        labels=label[:2000],
        task=task,
        positive=None if task == "regression" else "ye's",
        segments=(),
    )
    seen = generator.random(ROWS) < 0.6
    given = {
        "timestamp": pa.array(BEGIN + generator.integers(0, 5 * 86_400_000_000, ROWS)).cast(
            pa.timestamp("us", tz="UTC")
        ),
        "version": pa.array(generator.choice([1, 2], ROWS), pa.int64()),
        "prediction": pa.array(said),
        "label": pa.array(label, mask=~seen),
        **({} if score is None else {"score": pa.array(score, mask=generator.random(ROWS) < 0.05)}),
    }
    for name, column in given.items():
        features = features.append_column(name, column)
    # Columns that have gone or changed their type since.
    return features.drop_columns("constant").append_column("constant", pa.array(["7"] * ROWS)), reference


def rounded(profile: Profile) -> Profile:
    columns = {name: replace(column, powers=(0.0,) * 4) for name, column in profile.columns.items()}
    sums = {k: 0.0 for k, v in vars(profile.outcomes).items() if isinstance(v, float)}
    return replace(profile, columns=columns, outcomes=replace(profile.outcomes, by_prediction=(), **sums))


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("every", ["1D", "1h"])
def test_spark_and_local_profiles_are_equal(spark: Any, task: str, every: str, tmp_path: Any) -> None:
    import pyarrow.parquet as pq

    rows, reference = table(task)
    pq.write_table(rows, tmp_path / "rows.parquet")
    found = scan_spark(spark.read.parquet(os.fspath(tmp_path / "rows.parquet")), reference.binning, every)
    local = {w.start: w.profile for w in scan_windows([Part.of_log(rows, every)], {2: reference}, every)}
    assert list(found) == list(local)
    for start, profile in found.items():
        assert rounded(profile) == rounded(local[start])
        for name, column in profile.columns.items():
            assert column.powers == pytest.approx(local[start].columns[name].powers, rel=1e-9, abs=1e-9)
        for key, value in vars(profile.outcomes).items():
            if isinstance(value, float):
                assert value == pytest.approx(getattr(local[start].outcomes, key), rel=1e-9, abs=1e-9)
        for row, other in zip(profile.outcomes.by_prediction, local[start].outcomes.by_prediction, strict=True):
            assert row == pytest.approx(other, rel=1e-9, abs=1e-9)


def test_a_spark_table_is_compared_as_its_rows_in_memory_are(spark: Any, tmp_path: Any) -> None:
    import pyarrow.parquet as pq

    rows, _ = table("regression")
    rows = rows.drop_columns("version").rename_columns(
        [name.replace("timestamp", "at") for name in rows.column_names if name != "version"]
    )
    reference = rows.slice(0, 2000).drop_columns("at")
    place = rows.column_names.index("wind")
    rows = rows.set_column(place, "wind", pc.add(rows["wind"], 1.0))
    pq.write_table(rows, tmp_path / "rows.parquet")
    frame = spark.read.parquet(os.fspath(tmp_path / "rows.parquet"))

    in_spark, in_memory = (compare_data(reference, each, timestamp="at") for each in (frame, rows))

    assert [window.window_start for window in in_spark.windows] == [window.window_start for window in in_memory.windows]
    assert {alert.column for alert in in_spark.alerts} == {"wind"}
    assert [alert.key for alert in in_spark.alerts] == [alert.key for alert in in_memory.alerts]
    for ours, other in zip(in_spark.windows, in_memory.windows, strict=True):
        assert numbers(ours.drift, list(ours.drift), "psi") == pytest.approx(
            numbers(other.drift, list(ours.drift), "psi"), nan_ok=True
        )


def test_a_spark_table_without_times_or_rows_is_refused(spark: Any) -> None:
    reference = pa.table({"wind": [1.0, 2.0]})
    frame = spark.createDataFrame([("2026-05-01", 1.0)], "at string, wind double")

    with pytest.raises(InvalidFrame, match="no column 'timestamp'"):
        compare_data(reference, frame)
    with pytest.raises(InvalidFrame, match="not times"):
        compare_data(reference, frame, timestamp="at")
    with pytest.raises(InvalidFrame, match="missing times"):
        compare_data(reference, spark.createDataFrame([(None, 1.0)], "timestamp timestamp, wind double"))
    with pytest.raises(InvalidFrame, match="no rows"):
        compare_data(reference, spark.createDataFrame([], "timestamp timestamp, wind double"))
