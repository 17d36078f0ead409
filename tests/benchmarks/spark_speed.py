"""Profiles of a table in Spark, beside the same histograms by hand-written Spark SQL; prints JSON.

Arguments: a Parquet file of `tables.write_parquet`, how often. The SQL finds a number's bin by a tree of comparisons,
seven deep, which Spark compiles; written in two ways, of which the quicker counts: a group-by per column, or one over
all columns exploded into rows. It counts bins and categories by day and nothing else.
"""

import json
import os
import sys
import time
from collections.abc import Sequence

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from modelops_jupyter.profiles import Binning, build_reference
from modelops_jupyter.profiles.spark import scan_spark


def tree(column: str, edges: Sequence[float], low: int = 0) -> str:
    """Return SQL for the number of the edges below a value."""
    if not edges:
        return str(low)
    middle = len(edges) // 2
    left, right = tree(column, edges[:middle], low), tree(column, edges[middle + 1 :], low + middle + 1)
    return f"CASE WHEN {column} <= {edges[middle]!r}D THEN {left} ELSE {right} END"


def terms(binning: Binning) -> dict[str, str]:
    """Return SQL for the bin of each column, as text."""
    return {
        name: f"CAST({tree(name, column.edges)} AS STRING)" if column.kind == "numeric" else name
        for name, column in binning.columns.items()
    }


def by_column(binning: Binning) -> str:
    """Return a group-by for each column."""
    return " UNION ALL ".join(
        f"SELECT date(timestamp) day, '{name}' name, {term} bin, count(*) n FROM rows GROUP BY 1, 2, 3"
        for name, term in terms(binning).items()
    )


def exploded(binning: Binning) -> str:
    """Return one group-by over all columns as rows."""
    pairs = ", ".join(f"'{name}', {term}" for name, term in terms(binning).items())
    rows = f"SELECT date(timestamp) day, stack({len(binning.columns)}, {pairs}) AS (name, bin) FROM rows"
    return f"SELECT day, name, bin, count(*) n FROM ({rows}) GROUP BY 1, 2, 3"


def main() -> None:
    """Measure all of them in turn."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "4g")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "4")
        .getOrCreate()
    )
    known = pq.read_table(sys.argv[1]).slice(0, 50_000).drop_columns("timestamp")
    binning = build_reference(known, task="decision", segments=()).binning
    frame = session.read.parquet(sys.argv[1])
    frame.createOrReplaceTempView("rows")
    ways = {
        "by column": lambda: session.sql(by_column(binning)).collect(),
        "exploded": lambda: session.sql(exploded(binning)).collect(),
        "ours": lambda: scan_spark(frame, binning, "1D"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(int(sys.argv[2])):
        for name, way in ways.items():
            begin = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - begin)
    print(json.dumps(seconds))
    session.stop()


if __name__ == "__main__":
    main()
