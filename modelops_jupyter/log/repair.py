"""UUIDs that an earlier version gave to Delta as Arrow has them, whose files nothing reads: they become texts."""

from __future__ import annotations

from deltalake import DeltaTable, QueryBuilder, write_deltalake

_EXTENSION = "ARROW:extension:name"
_PARTS = "^(.{8})(.{4})(.{4})(.{4})(.{12})$"


def unreadable_columns(table: DeltaTable) -> list[str]:
    """Return the columns of UUIDs that Delta keeps as bytes, and whose files call them UUIDs."""
    return [field.name for field in table.schema().fields if field.metadata.get(_EXTENSION) == "arrow.uuid"]


def make_readable(table: DeltaTable) -> None:
    """Write all rows of a table again, its UUIDs as texts, in one commit; the files of before stay where they are."""
    uuids = unreadable_columns(table)
    columns = [_text(field.name) if field.name in uuids else _quoted(field.name) for field in table.schema().fields]
    rows = QueryBuilder().register("log", table).execute(f"SELECT {', '.join(columns)} FROM log")
    write_deltalake(table, rows, mode="overwrite", schema_mode="overwrite")


def _text(name: str) -> str:
    """Return the query of a UUID as people write it."""
    column = _quoted(name)
    return f"regexp_replace(encode({column}, 'hex'), '{_PARTS}', '\\1-\\2-\\3-\\4-\\5') AS {column}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
