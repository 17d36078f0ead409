"""What the footer of a Parquet file says: its columns, and the first and the last of its times."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeGuard

import pyarrow as pa
import pyarrow.parquet as pq

from modelops_jupyter.columns import numbers_of
from modelops_jupyter.log.column_types import UTC_TIME
from modelops_jupyter.log.table_files import ALWAYS
from modelops_jupyter.sources.mapping import NEVER, ColumnMapping, local_bounds
from modelops_jupyter.sources.table import Span

# Spark writes times as INT96, which knows no zone, and says beside them that they are instants.
_SPARK_SCHEMA = b"org.apache.spark.sql.parquet.row.metadata"


def file_schema(metadata: pq.FileMetaData) -> pa.Schema:
    """Return the schema of a file; times that Spark wrote as instants are so."""
    schema = metadata.schema.to_arrow_schema().remove_metadata()
    spark = (metadata.metadata or {}).get(_SPARK_SCHEMA)
    if spark is None:
        return schema
    instants = {field["name"] for field in json.loads(spark)["fields"] if field["type"] == "timestamp"}
    for place, column in enumerate(schema):
        if column.name in instants and pa.types.is_timestamp(column.type):
            schema = schema.set(place, pa.field(column.name, pa.timestamp("us", "UTC")))
    return schema


def file_bounds(
    opened: pa.NativeFile, metadata: pq.FileMetaData, mapping: ColumnMapping, name: str, kind: pa.DataType | None
) -> Span:
    """Return bounds of the times of a file, from its statistics, else from the times; `ALWAYS` where it has none.

    `name` is what the file calls their column, and `kind` which times they are; None where there is no such column.
    """
    zone = mapping.settings.zone
    kind = None if kind is None else mapping.time_type(kind)
    if kind is None or not pa.types.is_timestamp(kind) or not (kind.tz or zone):
        return ALWAYS
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    columns = [group.column(k) for group in groups for k in range(group.num_columns)]
    statistics = [c.statistics for c in columns if c.path_in_schema == name and c.physical_type == "INT64"]
    if len(statistics) == len(groups) and all(s is not None and s.has_min_max for s in statistics):
        return together(local_bounds(kind, s.min_raw, s.max_raw, zone) for s in statistics) or ALWAYS
    reader = pq.ParquetFile(opened, metadata=metadata, coerce_int96_timestamp_unit="us")
    times = reader.read(columns=[name], use_threads=False)[name]
    instants = times.cast(pa.timestamp("us", "UTC")) if is_naive(times) and kind.tz else times
    numbers = numbers_of(mapping.times("timestamp", instants).cast(UTC_TIME))
    there = numbers[numbers != NEVER]
    return (int(there.min()), int(there.max())) if len(there) else ALWAYS


def is_naive(column: pa.ChunkedArray | None) -> TypeGuard[pa.ChunkedArray]:
    """Return whether a column holds times without a zone."""
    return column is not None and pa.types.is_timestamp(column.type) and column.type.tz is None


def together(spans: Iterable[Span | None]) -> Span | None:
    """Return the first and the last time of several spans."""
    there = [span for span in spans if span is not None]
    return (min(first for first, _ in there), max(last for _, last in there)) if there else None
