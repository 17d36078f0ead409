"""Where the predictions of a model lie if not in our own log, as ``[source.MODEL]`` of modelops.toml says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from modelops_jupyter.errors import InvalidInput

FORMATS = ("rows", "inference_table")


@dataclass(frozen=True)
class SourceTable:
    """A table of predictions or of labels.

    Attributes
    ----------
    table : str
        ``delta:ADDRESS``, the address of a folder of Parquet files, or ``spark:NAME``; an address is a path or a URL
        such as ``s3://bucket/folder``.
    database, query : str
        In place of `table`: an SQLAlchemy URL, and the SQL query that gives the rows.
        ``$MODELOPS_SECRET_NAME`` in the URL stands for an environment variable, so that no secret need be in the file.
    columns : mapping of str to str
        The table's own name of a column by the name that it has in our log: ``{timestamp = "scored_at"}``.
    key : str
        The column that is greater in every row that is written or corrected than in all rows before: a number or a
        time. Of several rows of a request the one with the greatest counts; a query has to have one.
    zone : str
        The zone of times that have none, such as ``UTC`` or ``Europe/Rome``.
    format : {"rows", "inference_table"}
        Whether a row is a prediction, or a request as Databricks' inference tables log it.
    options : mapping of str to str
        Of the storage: those of deltalake (``AWS_ENDPOINT_URL``) for Delta, those of fsspec (``endpoint_url``) for
        Parquet. ``$MODELOPS_SECRET_NAME`` as in `database`.
    """

    table: str = ""
    database: str = field(default="", repr=False)
    query: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    zone: str = ""
    format: str = "rows"
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Source(SourceTable):
    """The predictions of a model.

    Attributes
    ----------
    version : int or None
        The version that made predictions where the table has no column that says so; None means the champion.
    labels : SourceTable or None
        The table of labels; None means that they are in a column of the predictions, or in our own log.
    """

    version: int | None = None
    labels: SourceTable | None = None


def parse_source(where: str, entry: Any) -> Source:
    """Return a source as a settings file or a caller writes it; `where` names it in messages.

    Raises
    ------
    InvalidInput
        If a setting is unknown, has a value of no use, or is missing.
    """
    values = _checked(where, entry, Source)
    if "labels" in values:
        values["labels"] = _table(f"{where}.labels", values["labels"])
    version = values.get("version")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int) or version < 1):
        raise InvalidInput(f"{where}.version must be the number of a version, not {version!r}.")
    return Source(**values)


def _table(where: str, entry: Any) -> SourceTable:
    return SourceTable(**_checked(where, entry, SourceTable))


def _checked(where: str, entry: Any, shape: type[SourceTable]) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise InvalidInput(f"{where} must be a table of settings, with table = or query = in it.")
    settings = [f.name for f in fields(shape)]
    for name in entry:
        if name not in settings:
            raise InvalidInput(f"{where} has an unknown setting {name!r}: known are {', '.join(settings)}.")
    values = dict(entry)
    for name in ("table", "database", "query", "key", "zone", "format"):
        if name in values:
            _text(f"{where}.{name}", values[name], secret=name == "database", lines=name == "query")
    for name in ("columns", "options"):
        if name in values:
            values[name] = _texts(f"{where}.{name}", values[name], secret=name == "options")
    _check_whole(where, values)
    return values


def _check_whole(where: str, values: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` unless the settings say where rows lie, in one way."""
    if bool(values.get("query")) != bool(values.get("database")):
        missing = "database" if values.get("query") else "query"
        raise InvalidInput(f"{where} has no {missing}: a query takes database = and query =.")
    if bool(values.get("table")) == bool(values.get("query")):
        raise InvalidInput(f"{where} must have one of table and query: it says where the rows lie.")
    if values.get("query") and not values.get("key"):
        raise InvalidInput(
            f"{where} has no key: name the column that grows with every row that is written or corrected, so that a "
            "run reads only what is new."
        )
    if values.get("query") and values.get("format", "rows") != "rows":
        raise InvalidInput(
            f"{where}: an inference table is a Delta table or a folder of Parquet files: name it as table."
        )
    if values.get("zone") and values["zone"] not in available_timezones():
        raise InvalidInput(f"{where}.zone is {values['zone']!r}, which is no time zone: take UTC or Europe/Rome.")
    if values.get("format", "rows") not in FORMATS:
        raise InvalidInput(f"{where}.format must be one of {', '.join(FORMATS)}, not {values['format']!r}.")


def zone_of(table: SourceTable) -> ZoneInfo | None:
    """Return the zone of times that have none."""
    return ZoneInfo(table.zone) if table.zone else None


def _texts(where: str, value: Any, *, secret: bool) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{where} must be a table of texts.")
    for name, text in value.items():
        _text(f"{where}.{name}", text, secret=secret)
    return dict(value)


def _text(where: str, value: Any, *, secret: bool = False, lines: bool = False) -> None:
    shown = "…" if secret else repr(value)
    if not isinstance(value, str):
        raise InvalidInput(f"{where} must be text, not {shown}.")
    plain = " ".join(value.split()) if lines else value
    if not plain.strip() or not plain.isprintable():
        raise InvalidInput(f"{where} cannot be {shown}: write it out.")
