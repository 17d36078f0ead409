"""What a window costs that lies elsewhere, beside the same window in our own log: 10 days of 200,000 rows x 15, paired.

Our own log, folders of Parquet and Delta tables (their columns have other names) hold the same rows with labels, in a
column of theirs or in a table apart, as in our log, and so does a table of PostgreSQL's; the last day is read. Each
round asks every place once, in an order that changes from round to round; the median of the ratios to our own log
counts. Seconds are this process's of the processor: on a machine that others use, a clock's say less. Prints JSON.
Arguments: rows of a day, days, and rounds.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import sqlalchemy as sa
from deltalake import write_deltalake

from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring.scanning import scan_log
from modelops_jupyter.profiles import Reference, build_reference
from modelops_jupyter.source_settings import parse_source
from modelops_jupyter.sources import ModelFacts, WatchedSource
from tests.benchmarks.tables import BEGIN, predictions
from tests.sources.databases import postgres, programs

SHAPE = {"numbers": 12, "texts": 3}
NAMES = {"request_id": "id", "timestamp": "at", "prediction": "said", "score": "p", "label": "late"}
WANTED = 1.2


def day(number: int, rows: int) -> tuple[pa.Table, pa.Array]:
    """Return the predictions of a day as our log takes them, and their labels."""
    table = predictions(rows, 1, seed=number, first=number, **SHAPE)
    chance = np.random.default_rng(number).random(rows)
    return table, pa.array(["0", "1"]).take(pa.array((chance < table["score"].to_numpy()).astype("int64")))


def elsewhere(table: pa.Table, label: pa.Array) -> pa.Table:
    """Return the rows as a team has them: a label beside each, columns of its own names, no column of ours."""
    theirs = table.drop_columns(["model", "alias", "decision", "version"]).append_column("label", label)
    return theirs.rename_columns([NAMES.get(name, name) for name in theirs.column_names])


def reference() -> Reference:
    """Return the profile of what the model was validated on."""
    table, label = day(1000, 20_000)
    outputs = {"scores": table["score"].to_numpy(), "predictions": table["prediction"].to_pylist()}
    columns = table.select([name for name in table.column_names if name[0] in "nc" and name[1:].isdecimal()])
    return build_reference(columns, **outputs, labels=label.to_pylist(), positive="1")


def to_postgres(url: str, name: str, table: pa.Table) -> None:
    """Append rows to a table of PostgreSQL's, each with the number of its writing."""
    kinds = {"string": "text", "double": "double precision", "int64": "bigint", "timestamp[us, tz=UTC]": "timestamptz"}
    columns = ", ".join(f"{field.name} {kinds[str(field.type)]}" for field in table.schema)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {name} ({columns}, written bigserial)")
        connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name}_times ON {name} ({table.column_names[1]})")
        text = pa.BufferOutputStream()
        pa.csv.write_csv(table, text, pa.csv.WriteOptions(include_header=False))
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY {name} ({', '.join(table.column_names)}) FROM STDIN (FORMAT csv)") as copy:
            copy.write(text.getvalue().to_pybytes())
    engine.dispose()


def places(folder: Path, rows: int, days: int, database: str | None) -> dict[str, Any]:
    """Write the same rows to every place, and return what reads each; our log's labels lie apart, as they do."""
    log = PredictionLog(folder / "own")
    for number in range(days):
        table, label = day(number, rows)
        log.append_predictions("m", table)
        labels = {"request_id": table["request_id"], "label": label}
        at = dict.fromkeys(("event_time", "arrival_time"), table["timestamp"])
        log.append_labels("m", pa.table({**labels, **at}))
        theirs = elsewhere(table, label)
        apart = {"said": theirs.drop_columns("late"), "came": theirs.select(["id", "late"])}
        for kind, part in {"rows": theirs, **apart}.items():
            (folder / kind).mkdir(exist_ok=True)
            pq.write_table(part, folder / kind / f"{number}.parquet")
            write_deltalake(str(folder / f"{kind} in delta"), part, mode="append")
        if database is not None:
            to_postgres(database, "said", theirs)
    features = tuple(name for name in theirs.column_names if name[0] in "nc" and name[1:].isdecimal())
    facts = ModelFacts("m", "classification", ("0", "1"), features, 1)

    def source(**settings: Any) -> WatchedSource:
        entry = parse_source("source.m", settings)
        return WatchedSource(entry, facts, folder, PredictionLog(folder / "none"))

    said = {ours: theirs for ours, theirs in NAMES.items() if ours != "label"}
    came = {"request_id": "id", "label": "late"}
    query = {"database": database, "query": "SELECT * FROM said", "key": "written"}
    return {
        **({} if database is None else {"postgresql": source(columns=NAMES, **query)}),
        "own log": log,
        "parquet": source(table="rows", columns=NAMES),
        "delta": source(table="rows in delta", columns=NAMES),
        "parquet, labels apart": source(table="said", columns=said, labels={"table": "came", "columns": came}),
        "delta, labels apart": source(
            table="said in delta", columns=said, labels={"table": "came in delta", "columns": came}
        ),
    }


def seconds(work: Callable[[], Any]) -> float:
    """Return how long some work takes of the processor."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main(rows: int, days: int, rounds: int) -> None:
    """Measure, and print."""
    known = {1: reference()}
    with tempfile.TemporaryDirectory() as folder, postgres() if programs() else nullcontext() as database:
        found = places(Path(folder), rows, days, database)
        start = BEGIN + timedelta(days=days - 1)

        def read(name: str) -> None:
            source = found[name].pinned()
            (window,) = scan_log(source, "m", start, start + timedelta(days=1), known, "1D")
            assert window.profile.rows == rows

        taken: dict[str, list[float]] = {name: [] for name in found}
        for turn in range(rounds + 1):
            names = list(found)[turn % len(found) :] + list(found)[: turn % len(found)]
            for name in names:
                took = seconds(lambda name=name: read(name))
                if turn:  # the first one warms up
                    taken[name].append(took)
        ratios = {name: float(np.median(np.array(times) / np.array(taken["own log"]))) for name, times in taken.items()}
        print(
            json.dumps(
                {
                    name: {
                        "seconds": float(np.median(taken[name])),
                        "ratio": ratios[name],
                        "met": ratios[name] <= WANTED,
                    }
                    for name in found
                },
                indent=1,
            )
        )


if __name__ == "__main__":
    main(*(int(text) for text in (sys.argv[1:] or ["200000", "10", "9"])))
