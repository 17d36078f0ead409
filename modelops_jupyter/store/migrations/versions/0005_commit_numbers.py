"""Records are in the order of their commits, whatever clocks said, and the chain vouches for all of each."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from modelops_jupyter import clock
from modelops_jupyter.store.audit import ATTESTED, head, next_entry
from modelops_jupyter.store.records import AuditEntry, Event, Record, checksum, written

revision = "0005"
down_revision = "0004"

_READ = sa.text("SELECT kind, key, subject, revision, body, updated_at FROM records")
_NUMBER = sa.text("UPDATE records SET commit_number = :number, checksum = :checksum WHERE kind = :kind AND key = :key")
_PUT = sa.text(
    "INSERT OR REPLACE INTO records (kind, key, subject, revision, body, updated_at, commit_number, checksum) "
    "VALUES (:kind, :key, :subject, :revision, :body, :updated_at, :commit_number, :checksum)"
)


def upgrade() -> None:
    """Number what is on record in the order of the entries that speak of it, then vouch for it with one more entry."""
    op.add_column("records", sa.Column("commit_number", sa.Integer, nullable=False, server_default="0"))
    op.create_index("records_by_commit", "records", ["commit_number"])
    connection = op.get_bind()
    entries = [AuditEntry(*row) for row in connection.execute(sa.text("SELECT * FROM audit ORDER BY sequence"))]
    spoken_of = {name: entry.sequence for entry in entries for name in entry.facts}

    def order(row: Any) -> tuple[int, str]:
        return spoken_of.get(f"{row.kind} {row.key}", 0), row.updated_at

    rows: list[Any] = sorted(connection.execute(_READ).all(), key=order)
    for number, row in enumerate(rows, start=1):
        values = {
            "number": number,
            "checksum": checksum(row.kind, row.key, row.subject, row.revision, row.body, row.updated_at, number),
            "kind": row.kind,
            "key": row.key,
        }
        connection.execute(_NUMBER, values)
    if entries:
        _vouch(connection, entries[-1], rows)


def _record(row: Any, number: int) -> Record:
    at = datetime.fromisoformat(row.updated_at)
    return Record(row.kind, row.key, row.subject, row.revision, json.loads(row.body), at, number)


def _vouch(connection: sa.Connection, last: AuditEntry, rows: Sequence[Any]) -> None:
    attested = [_record(row, number) for number, row in enumerate(rows, start=1) if row.kind in ATTESTED]
    event = Event("migrate", "store", "modelops-jupyter", "self-asserted", {"schema": revision})
    entry = next_entry(event, clock.now(), last, attested)
    names = ", ".join(f":{name}" for name in vars(entry))
    connection.execute(sa.text(f"INSERT INTO audit VALUES ({names})"), vars(entry))
    earlier = next((row.revision for row in rows if (row.kind, row.key) == ("audit", "head")), 0)
    end = head(entry)
    record = Record(end.kind, end.key, "", earlier + 1, end.body, entry.at, len(rows) + 1)
    texts = {"body": written(record.body), "updated_at": entry.recorded_at, "checksum": record.checksum}
    connection.execute(_PUT, {**vars(record), **texts})
