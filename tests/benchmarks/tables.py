"""Tables to measure with: 30 numeric and 10 text columns of several shapes, made from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from modelops_jupyter.log import PredictionLog

BEGIN = datetime(2013, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
NUMBERS, TEXTS = 30, 10
STEP = 1_000_000


def features(rows: int, seed: int, numbers: int = NUMBERS, texts: int = TEXTS) -> dict[str, pa.Array]:
    """Return columns: normal, lognormal, exponential, whole numbers, some with gaps; texts of 3 to 57 categories."""
    generator = np.random.default_rng(seed)
    columns: dict[str, pa.Array] = {}
    for n in range(numbers):
        values = (
            generator.normal(n, 1 + n, rows),
            generator.lognormal(0, 1, rows),
            generator.exponential(3, rows),
            generator.integers(0, 200, rows),
        )[n % 4]
        columns[f"n{n}"] = pa.array(values, mask=generator.random(rows) < 0.05 if n % 10 == 9 else None)
    for n in range(texts):
        words = pa.array([f"{n} category {k}" for k in range(3 + 6 * n)])
        columns[f"c{n}"] = words.take(pa.array(generator.integers(0, len(words), rows)))
    return columns


def write_parquet(path: Path, rows: int, seed: int) -> Path:
    """Write a table of features with times over 30 days, in row groups of a million."""
    if not path.exists():
        step = 30 * DAY // rows
        times = pa.array(int(BEGIN.timestamp()) * 1_000_000 + np.arange(rows) * step).cast(pa.timestamp("us", tz="UTC"))
        tables = [pa.table(features(min(STEP, rows - at), seed + at)) for at in range(0, rows, STEP)]
        pq.write_table(pa.concat_tables(tables).append_column("timestamp", times), path, row_group_size=STEP)
    return path


def predictions(rows: int, days: int, seed: int = 0, first: int = 0, **shape: int) -> pa.Table:
    """Return logged predictions, in order of time over `days` days from `first` on."""
    generator = np.random.default_rng(seed + 1)
    score = generator.random(rows)
    start = int(BEGIN.timestamp()) * 1_000_000 + first * DAY
    times = start + np.sort(generator.integers(0, days * DAY, rows))
    own = {
        "request_id": pa.array(np.char.add(f"{seed:06d}-", np.char.zfill(np.arange(rows).astype(str), 12)).tolist()),
        "timestamp": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
        "model": pa.repeat("m", rows),
        "version": pa.array(np.ones(rows, dtype="int64")),
        "alias": pa.repeat("champion", rows),
        "prediction": pa.array(["0", "1"]).take(pa.array((score > 0.5).astype("int64"))),
        "score": pa.array(score),
        "decision": pa.repeat("", rows),
    }
    return pa.table({**own, **features(rows, seed, **shape)})


def parts(rows: int, days: int) -> Iterator[tuple[int, int, int]]:
    """Cut a log into batches of a million rows: rows, first day, days."""
    batches = max(1, rows // STEP)
    cuts = np.linspace(0, days, batches + 1).astype(int)
    for first, last in pairwise(cuts):
        yield rows // batches, int(first), int(last - first)


def write_log(folder: Path, rows: int, days: int) -> PredictionLog:
    """Write a log of predictions, in batches of a million rows."""
    log = PredictionLog(folder)
    if not log.holds("m", "predictions"):
        for seed, (count, first, length) in enumerate(parts(rows, days)):
            log.append_predictions("m", predictions(count, length, seed, first))
    return log
