"""A table of Spark's: rows are counted where they lie; what leaves it are profiles, and the rows that one asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.errors import InvalidInput, LibraryMissing, NotFound
from modelops_jupyter.log.repeats import WRITTEN
from modelops_jupyter.log.stream import Slab
from modelops_jupyter.roles import ROLES, SERVED
from modelops_jupyter.sources.mapping import ColumnMapping, features_of
from modelops_jupyter.sources.table import Events, Span

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

Array = np.ndarray[Any, Any]


class SparkTable:
    """A table of predictions or labels in the Spark session that is active."""

    has_labels = False

    def __init__(self, name: str, mapping: ColumnMapping, *, labels: bool = False) -> None:
        self._mapping, self.where = mapping, mapping.where
        if not mapping.settings.key:
            raise InvalidInput(f"{self.where} has no key: name the column that grows with every row that is written.")
        self._session = session()
        if not self._session.catalog.tableExists(name):
            raise NotFound(f"There is no table {name!r} in Spark, which {self.where} is to be read from.")
        self._rows = self._session.table(name)
        self._schema = _arrow_schema(self._rows)
        mapping.check(self._schema, mapping.wanted(labels=labels))
        self.has_labels = mapping.name("label") in self._schema.names

    @cached_property
    def position(self) -> Mapping[str, Any]:
        """The greatest key, and how many rows have it."""
        from pyspark.sql import functions as F

        key = self._rows.agg(F.max(self._key)).first()[0]
        return {"key": key, "ties": 0 if key is None else self._rows.filter(self._key == key).count()}

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self._rows.count())

    @property
    def features(self) -> list[str]:
        """The columns that are none of the log's own, by our names."""
        return features_of(self._schema, self._mapping.settings)

    def times(self) -> Span | None:
        """Return the first and the last time of all rows."""
        return self._span(self._rows)

    def changed_times(self, position: Mapping[str, Any]) -> Span | None:
        """Return the first and the last time of what is new since `position`; of all rows where keys went back."""
        return self._span(self._newer(position))

    def changed_ids(self, position: Mapping[str, Any] | None) -> pa.ChunkedArray:
        """Return the request ids of what is new since `position`; of all rows where that cannot be told."""
        rows = self._rows if position is None else self._newer(position)
        ids = rows.select(self._column("request_id").cast("string").alias("id")).toArrow()
        return ids["id"].cast(pa.string())

    def times_of(self, ids: pa.ChunkedArray) -> Span | None:
        """Return the first and the last time of the rows of some requests."""
        wanted = self._session.createDataFrame(pa.table({"wanted": ids}))
        matching = self._rows.join(wanted, self._column("request_id").cast("string") == wanted["wanted"], "leftsemi")
        return self._span(matching)

    def slabs(
        self, start: int, end: int, cut: Callable[[int], int], window: Callable[[Array], Array], events: Events | None
    ) -> Iterator[Slab]:
        """Refuse: the rows of Spark are counted where they lie."""
        raise self._refusal()

    def events(self, ids: pa.Array) -> pa.Table:
        """Refuse: labels of Spark meet their predictions there."""
        raise self._refusal()

    def _refusal(self) -> InvalidInput:
        """Return what to say to a verb that reads row by row."""
        return InvalidInput(
            f"The rows of {self.where} stay in Spark, where `modelops monitor` profiles them: for what reads single "
            "rows, name the folder of Parquet or the Delta table that they lie in."
        )

    def logged(
        self, start: int, end: int, length: timedelta | None, origin: int, labels: SparkTable | None
    ) -> DataFrame:
        """Return the rows of ``[start, end)``, microseconds since 1970 (UTC), as our log has them, with their labels.

        Of a request that comes more than once in a window of `length`, the row that was written last counts: one of
        those that were served, and one of each version's in each other role. Of the windows, the one numbered 0 begins
        at `origin`.
        """
        from pyspark.sql import functions as F
        from pyspark.sql.window import Window

        micros = F.unix_micros(self._times("timestamp"))
        rows = self._rows.withColumn("__micros", micros).filter(
            (F.col("__micros") >= start) & (F.col("__micros") < end)
        )
        span = end - start if length is None else length // timedelta(microseconds=1)
        window = F.floor((F.col("__micros") - (start if length is None else origin)) / span)
        role, version = self._role(), self._version()
        series = F.when(role == SERVED, F.lit("")).otherwise(F.concat_ws("-", version, role))
        once = Window.partitionBy(self._column("request_id"), window, series).orderBy(self._key.desc())
        rows = rows.withColumn("__place", F.row_number().over(once)).filter("__place = 1")
        columns = {"request_id": self._column("request_id").cast("string"), "timestamp": self._times("timestamp")}
        columns |= {"prediction": self._outcome("prediction"), "version": version, "role": role}
        if self._mapping.name("score") in self._schema.names:
            columns["score"] = self._column("score").cast("double")
        if self.has_labels and labels is None:
            columns["label"] = self._outcome("label")
        columns |= {name: self._column(name) for name in self.features}
        chosen = rows.select(*(column.alias(name) for name, column in columns.items()))
        return chosen if labels is None else chosen.join(labels.latest(), "request_id", "left")

    def latest(self) -> DataFrame:
        """Return the latest label of each request."""
        from pyspark.sql import functions as F
        from pyspark.sql.window import Window

        labelled = self._rows.filter(self._column("label").isNotNull())
        happened = [self._times("event_time").desc()] if self._mapping.name("event_time") in self._schema.names else []
        order = Window.partitionBy(self._column("request_id")).orderBy(*happened, self._key.desc())
        labelled = labelled.withColumn("__place", F.row_number().over(order)).filter("__place = 1")
        return labelled.select(
            self._column("request_id").cast("string").alias("request_id"), self._outcome("label").alias("label")
        )

    def _newer(self, position: Mapping[str, Any]) -> DataFrame:
        before, now = position, self.position
        if now["key"] is None or before["key"] is None or now["key"] < before["key"]:
            return self._rows
        ties = self._rows.filter(self._key == before["key"]).count()
        return self._rows.filter(self._key > before["key"] if ties == before["ties"] else self._key >= before["key"])

    def _span(self, rows: DataFrame) -> Span | None:
        from pyspark.sql import functions as F

        micros = F.unix_micros(self._times("timestamp"))
        first, last = rows.agg(F.min(micros), F.max(micros)).first()
        return None if first is None else (int(first), int(last))

    def _times(self, ours: str) -> Column:
        """Return times as instants."""
        from pyspark.sql import functions as F

        column, kind = self._column(ours), self._schema.field(self._mapping.name(ours)).type
        if kind.tz is None:
            fields = (part(column) for part in (F.year, F.month, F.dayofmonth, F.hour, F.minute))
            second = F.extract(F.lit("SECOND"), column)
            return F.make_timestamp(*fields, second, F.lit(self._mapping.settings.zone))
        return column

    def _outcome(self, ours: str) -> Column:
        """Return predictions or labels as our log has them; the few values that there are say how."""
        from pyspark.sql import functions as F

        column = self._column(ours)
        if self._mapping.model.task == "regression":
            return column.cast("double")
        values = [row[0] for row in self._rows.select(column).distinct().limit(10_000).collect() if row[0] is not None]
        texts = self._mapping.column(ours, pa.chunked_array([pa.array(values)])).to_pylist() if values else []
        pairs = [F.when(column == F.lit(value), F.lit(text)) for value, text in zip(values, texts, strict=True)]
        return reduce(lambda a, b: F.coalesce(a, b), pairs, F.lit(None).cast("string"))

    def _version(self) -> Column:
        from pyspark.sql import functions as F

        if self._mapping.name("version") in self._schema.names:
            return self._column("version").cast("bigint")
        return F.lit(self._mapping.model.version).cast("bigint")

    def _role(self) -> Column:
        """Return the role of each row; what is no other role was served, as in our log."""
        from pyspark.sql import functions as F

        served = F.lit(SERVED)
        if self._mapping.name("role") not in self._schema.names:
            return served
        column = self._column("role").cast("string")
        return F.when(column.isin(list(ROLES)), column).otherwise(served)

    @property
    def _key(self) -> Column:
        from pyspark.sql import functions as F

        key, kind = self._column(WRITTEN), self._schema.field(self._mapping.settings.key).type
        return F.unix_micros(key.cast("timestamp")) if pa.types.is_timestamp(kind) else key.cast("bigint")

    def _column(self, ours: str) -> Column:
        from pyspark.sql import functions as F

        name = self._mapping.name(ours)
        return F.col(f"`{name.replace('`', '``')}`")


def session() -> SparkSession:
    """Return the Spark session that is active, or one that Spark's own settings describe.

    Raises
    ------
    LibraryMissing
        If Spark is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise LibraryMissing(
            "Reading a table of Spark's takes pyspark: pip install 'modelops-jupyter[spark]'."
        ) from None
    return SparkSession.getActiveSession() or SparkSession.builder.getOrCreate()


def _arrow_schema(rows: DataFrame) -> pa.Schema:
    """Return the types of a Spark table as far as a mapping looks at them."""
    plain = {
        **{"timestamp": pa.timestamp("us", "UTC"), "timestamp_ntz": pa.timestamp("us"), "string": pa.string()},
        **{"double": pa.float64(), "float": pa.float32(), "boolean": pa.bool_(), "date": pa.date32()},
        **{"tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(), "bigint": pa.int64()},
    }
    kinds = {
        name: pa.decimal128(38, 18) if kind.startswith("decimal") else plain.get(kind) for name, kind in rows.dtypes
    }
    return pa.schema([(name, kind or pa.binary()) for name, kind in kinds.items()])
