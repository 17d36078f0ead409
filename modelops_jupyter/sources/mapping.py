"""The columns of a table that others write, as the columns of our own log: names, types, zones, classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.class_labels import as_classes, read_as
from modelops_jupyter.columns import Read, decoded
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.frames import outcomes
from modelops_jupyter.log.column_types import UTC_TIME, is_list, is_number, log_type, to_log_types
from modelops_jupyter.log.repeats import WRITTEN
from modelops_jupyter.scoring.column_names import absence
from modelops_jupyter.source_settings import SourceTable, zone_of
from modelops_jupyter.sources.notes import SourceNotes

Array = np.ndarray[Any, Any]
PREDICTIONS = ("request_id", "timestamp", "prediction")
LABELS = ("request_id", "label")
REQUESTS = ("request", "response")
# What Databricks calls the columns of its inference tables.
INFERENCE = {"request_id": "databricks_request_id", "timestamp": "request_time"}
# What may be missing from a table, and is then the same for every row.
OWN = (*PREDICTIONS, "model", "version", "role", "alias", "score", "decision", "label")
ADVICE = "Map the column that holds the class with columns =, or write classes as the model's target was written."
# A time that no window holds: of rows without one.
NEVER = np.iinfo("int64").min
_WRITTEN_NUMBERS = (str, int, float)  # a time or a truth value is no label of a regression


@dataclass(frozen=True)
class ModelFacts:
    """What must be known of a model to read what it predicted.

    Attributes
    ----------
    version : int
        The one that predicted where a table does not say which.
    """

    name: str
    task: str
    classes: tuple[str, ...]
    features: tuple[str, ...]
    version: int


@dataclass(frozen=True)
class ColumnMapping:
    """Reads a table's columns by the names of our log.

    Attributes
    ----------
    where : str
        The table as messages name it.
    notes : SourceNotes
        What cannot be read of it, and need not be.
    file : str
        The file that is read, where messages are to name it.
    """

    where: str
    settings: SourceTable
    model: ModelFacts
    notes: SourceNotes = field(default_factory=SourceNotes, compare=False)
    file: str = ""
    _read_as: dict[tuple[Any, ...], dict[Any, str | None]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def place(self) -> str:
        """The table, or the file of it that is read, as messages name it."""
        return f"{self.file!r} of {self.where}" if self.file else self.where

    def name(self, ours: str) -> str:
        """Return what the table calls one of our columns."""
        if ours == WRITTEN:
            return self.settings.key
        usual = INFERENCE.get(ours, ours) if self.is_inference_table else ours
        return self.settings.columns.get(ours, usual)

    @property
    def is_inference_table(self) -> bool:
        """Whether a row is a request, as Databricks' inference tables log it."""
        return self.settings.format == "inference_table"

    def names(self, ours: Iterable[str]) -> list[str]:
        """Return what the table calls some of our columns."""
        return [self.name(name) for name in ours]

    def wanted(self, *, labels: bool) -> list[str]:
        """Return our names of the columns that a table must have: also features, those that are mapped, and the key."""
        required = self.required(labels=labels)
        if self.is_inference_table and not labels:
            return required
        features = () if labels else self.model.features
        return list(dict.fromkeys([*required, *features, *self.settings.columns]))

    def required(self, *, labels: bool) -> list[str]:
        """Return our names of the columns that a row cannot do without."""
        own: Sequence[str] = LABELS if labels else PREDICTIONS
        if self.is_inference_table and not labels:  # all else is in the texts of the requests
            own = ("timestamp", *REQUESTS)
        return [*own, *([WRITTEN] if self.settings.key else [])]

    def check(self, schema: pa.Schema, wanted: Sequence[str]) -> None:
        """Raise `InvalidFrame` unless a table has columns of ours, in types that can be read."""
        for ours in wanted:
            theirs = self.name(ours)
            if theirs not in schema.names:
                what = "" if ours == theirs else f", which stands for {ours!r}"
                what = ", which key = names" if ours == WRITTEN else what
                what = f", a feature of {self.model.name}" if ours in self.model.features else what
                why = f"{what} (map it with columns = in its settings, or add it)"
                raise InvalidFrame(absence(f"{self.place} has", theirs, schema.names, why=why))
            self._check_type(ours, theirs, schema.field(theirs).type)

    def _check_type(self, ours: str, theirs: str, kind: pa.DataType) -> None:
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if ours in ("timestamp", "event_time", "arrival_time"):
            if self.is_inference_table and pa.types.is_integer(kind):
                return  # milliseconds
            if not pa.types.is_timestamp(kind):
                raise InvalidFrame(
                    f"Column {theirs!r} of {self.place} holds {kind}, not times: cast it to a timestamp where it is "
                    "written, or in a view."
                )
            if kind.tz is None and zone_of(self.settings) is None:
                raise InvalidFrame(
                    f"Column {theirs!r} of {self.place} holds times without a time zone: say which zone they are in "
                    "with zone = in its settings, such as zone = 'UTC'."
                )
        if ours == "request_id" and log_type(kind) != pa.string() and not pa.types.is_integer(kind):
            raise InvalidFrame(f"Column {theirs!r} of {self.place} holds {kind}, not request ids: make them text.")
        if ours == "score" and not is_number(kind) and not pa.types.is_decimal(kind):
            raise InvalidFrame(f"Column {theirs!r} of {self.place} holds {kind}, not scores: make them numbers.")
        if ours == WRITTEN and not pa.types.is_integer(kind) and not pa.types.is_timestamp(kind):
            raise InvalidFrame(f"Column {theirs!r} of {self.place} holds {kind}: a key is a whole number or a time.")

    def read(self, theirs: Read, rows: int) -> Read:
        """Return what reads our columns, given what reads the table's; `rows` is how many there are."""

        def ours(name: str) -> pa.ChunkedArray | None:
            column = theirs(self.name(name)) if self.name(name) else None
            if column is None:
                return self._constant(name, rows, theirs)
            return self.column(name, column)

        return ours

    def column(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return one of the table's columns as our log has the column `name`."""
        if name in ("timestamp", "event_time", "arrival_time"):
            return self.times(name, values)
        if name == "request_id":
            return pa.chunked_array(list(self.id_parts(values.chunks)), pa.string())
        if name in ("version", WRITTEN):
            return _whole(values, self.place, self.name(name))
        if name in ("prediction", "label", "decision"):
            return self._outcomes(name, values)
        if name == "score":
            return self._scores(values)
        return values

    def times(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return times in UTC to the microsecond; a missing one is `NEVER`."""
        self._check_type(name, self.name(name), values.type)
        kind = values.type
        if pa.types.is_integer(kind):
            values = values.cast(pa.int64()).cast(self.time_type(kind))
        if pa.types.is_dictionary(kind):
            values = values.cast(kind.value_type)
        if values.type.tz is None:
            values = _in_zone(values.cast(pa.timestamp("us"), safe=False), self.settings.zone)
        numbers = values.cast(UTC_TIME, safe=False)
        return numbers if not numbers.null_count else pc.fill_null(numbers, pa.scalar(NEVER, UTC_TIME))

    def time_type(self, stored: pa.DataType) -> pa.DataType:
        """Return the type of times that are stored as `stored`."""
        return pa.timestamp("ms", "UTC") if pa.types.is_integer(stored) else stored

    def id_parts(self, parts: Iterable[pa.Array]) -> Iterator[pa.Array]:
        """Yield request ids as text; a row without one is a request of its own."""
        for part in parts:
            texts = part.cast(pa.string()) if pa.types.is_integer(part.type) else _text(part)
            if texts.null_count:
                own = pa.array([f"{uuid4().hex}" for _ in range(texts.null_count)])
                texts = pc.replace_with_mask(texts, texts.is_null(), own)
            yield texts

    def _constant(self, name: str, rows: int, theirs: Read) -> pa.ChunkedArray | None:
        if name == "version":
            return pa.chunked_array([pa.repeat(pa.scalar(self.model.version, pa.int64()), rows)])
        if name == "role":
            return _repeated("served", rows)
        if name == "decision" and self.model.task == "decision":
            decided = theirs(self.name("prediction"))
            return None if decided is None else self._outcomes(name, decided)
        return None

    def _outcomes(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return predictions or labels as our log has them: floats of a regression, else texts of the classes."""
        if self.model.task == "regression":
            plain = self._label_numbers(values) if name == "label" else decoded(values)
            if plain is None or not is_number(plain.type):
                raise InvalidFrame(
                    f"Column {self.name(name)!r} of {self.place} holds {values.type}, not numbers: make them numbers."
                )
            return plain.cast(pa.float64())
        if pa.types.is_null(values.type):
            return values.cast(pa.string())
        coded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        return pa.chunked_array([self._classes(name, chunk) for chunk in coded.chunks], pa.string())

    def _classes(self, name: str, coded: pa.DictionaryArray) -> pa.Array:
        words = coded.dictionary
        used = np.zeros(len(words), dtype=bool)  # an encoder may list words that no row has
        used[coded.indices.drop_null().to_numpy()] = True
        values = words.filter(pa.array(used)).to_pylist()
        key = name, str(words.type), tuple(values)
        if key not in self._read_as:  # the same few words come in every file
            self._read_as[key] = dict(zip(values, self._class_texts(name, values), strict=True))
        classes = self._read_as[key]
        return pa.array([classes.get(word) for word in words.to_pylist()], pa.string()).take(coded.indices)

    def _class_texts(self, name: str, values: Sequence[Any]) -> list[str | None]:
        """Return values as the model's classes are written; raise `InvalidFrame` if one is no class of it."""
        import pandas as pd

        texts = outcomes(pd.Series(list(values), dtype="object", name=self.name(name)), self.model.task)
        try:
            classes, _ = as_classes(texts, self.model.classes, self.model.name, f"{ADVICE} ({self.place})")
        except InvalidFrame:
            if name != "label":
                raise
            classes = read_as(texts, self.model.classes)
            unread = classes.notna() & ~classes.isin(self.model.classes)
            for text in classes[unread]:
                self.notes.add_label(self.where, self.name(name), str(text))
            classes = classes.where(~unread, None)
        return [None if pd.isna(text) else str(text) for text in classes]

    def _label_numbers(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return labels of a regression as numbers; missing where one cannot be read."""
        plain: pa.ChunkedArray = decoded(values)
        if is_number(plain.type) or pa.types.is_null(plain.type):
            return plain.cast(pa.float64())
        import pandas as pd

        given = pd.Series(plain.to_pylist(), dtype="object")
        numbers = pd.to_numeric(given.where(given.map(type).isin(_WRITTEN_NUMBERS), None), errors="coerce")
        for value in given[given.notna() & numbers.isna()].map(str).unique():
            self.notes.add_label(self.where, self.name("label"), value)
        return pa.chunked_array([pa.array(numbers, pa.float64(), from_pandas=True)])

    def _scores(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        self._check_type("score", self.name("score"), values.type)
        scores = values.cast(pa.float64())
        if self.model.task == "classification":
            span = pc.min_max(scores)
            for beyond in (span["min"].as_py(), span["max"].as_py()):
                if beyond is not None and not 0 <= beyond <= 1 and beyond == beyond:
                    raise InvalidFrame(
                        f"Column {self.name('score')!r} of {self.place} holds {beyond:g}: a score is the probability "
                        "of the positive class, from 0 to 1."
                    )
        return scores


def with_log_columns(mapping: ColumnMapping, table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return columns of a table in memory as our log has them; those that it lacks are left out."""
    columns = dict(zip(table.column_names, table.columns, strict=True))
    read = mapping.read(columns.get, table.num_rows)
    columns_by_name = {name: read(name) for name in names}
    return pa.table({name: column for name, column in columns_by_name.items() if column is not None})


def features_of(schema: pa.Schema, settings: SourceTable) -> list[str]:
    """Return the columns of a table, by our names, that are none of the log's own."""
    theirs = {theirs: ours for ours, theirs in settings.columns.items()}
    names = [theirs.get(name, name) for name in schema.names]
    return [name for name in names if name not in OWN]


def in_log_types(table: pa.Table) -> pa.Table:
    """Return features in the log's types, without those of types that the log cannot hold."""
    fields = [field for field in table.schema if log_type(field.type) is not None and not is_list(field.type)]
    return to_log_types(table.select([field.name for field in fields]), [field.name for field in fields])


def local_bounds(kind: pa.DataType, low: int, high: int, zone: str) -> tuple[int, int]:
    """Return bounds of times, as a Parquet file's statistics have them, in microseconds since 1970 (UTC)."""
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    first, last = low * 10**6 // per_second, -(-high * 10**6 // per_second)
    if kind.tz is None:
        ends = pa.array([first, last], pa.int64()).cast(pa.timestamp("us"))
        early, late = (
            pc.assume_timezone(ends, zone, ambiguous=way, nonexistent=way).cast(UTC_TIME).cast(pa.int64())
            for way in ("earliest", "latest")
        )
        return early[0].as_py(), late[1].as_py()
    return first, last


def _in_zone(times: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    """Return times of a zone; of an hour that comes twice in autumn the first, as most databases take it."""
    zoned = pc.assume_timezone(times, zone, ambiguous="earliest", nonexistent="latest")
    return pa.chunked_array([zoned]) if isinstance(zoned, pa.Array) else zoned


def _text(part: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(part.type):
        part = part.dictionary_decode()
    if isinstance(part.type, pa.BaseExtensionType):
        return to_log_types(pa.table({"id": part}))["id"].combine_chunks()
    return part.cast(pa.string())


def _whole(values: pa.ChunkedArray, where: str, name: str) -> pa.ChunkedArray:
    """Return whole numbers or times as int64; a missing one is 0."""
    plain: pa.ChunkedArray = decoded(values)
    if pa.types.is_dictionary(plain.type):
        plain = plain.cast(plain.type.value_type)
    try:
        if pa.types.is_timestamp(plain.type):
            plain = plain.cast(pa.timestamp("us", plain.type.tz), safe=False)
        return pc.fill_null(plain.cast(pa.int64()), 0)
    except pa.ArrowException as error:
        raise InvalidFrame(
            f"Column {name!r} of {where} holds {values.type}, not whole numbers: make them so."
        ) from error


def _repeated(text: str, rows: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, "int32")), pa.array([text]))])
