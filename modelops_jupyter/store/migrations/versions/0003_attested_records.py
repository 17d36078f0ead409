"""The chain speaks of the records it is about, and a record says where it ends."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from modelops_jupyter.store.audit import ATTESTED, head, next_entry
from modelops_jupyter.store.records import AuditEntry, Change, Event, Put, written

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column, and one entry that vouches for what is on record already."""
    op.add_column("audit", sa.Column("facts", sa.Text, nullable=False, server_default="{}"))
    connection = op.get_bind()
    last = connection.execute(sa.text("SELECT * FROM audit ORDER BY sequence DESC LIMIT 1")).one_or_none()
    if last is None:
        return
    query = sa.text("SELECT kind, key, body FROM records WHERE kind IN :kinds ORDER BY kind, key")
    rows = connection.execute(query.bindparams(sa.bindparam("kinds", ATTESTED, expanding=True)))
    found = Change(puts=tuple(Put(row.kind, row.key, json.loads(row.body)) for row in rows))
    event = Event("migrate", "store", "modelops-jupyter", "self-asserted", {"schema": revision})
    entry = next_entry(found, event, datetime.now(UTC), AuditEntry(*last))
    names = ", ".join(f":{name}" for name in vars(entry))
    connection.execute(sa.text(f"INSERT INTO audit VALUES ({names})"), vars(entry))
    end = head(entry)
    connection.execute(
        sa.text("INSERT INTO records VALUES (:kind, :key, '', 1, :body, :at)"),
        {"kind": end.kind, "key": end.key, "body": written(end.body), "at": entry.recorded_at},
    )
