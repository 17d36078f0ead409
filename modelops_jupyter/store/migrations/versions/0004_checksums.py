"""Every record keeps a checksum of itself: SQLite does not notice a byte that was flipped on the disk."""

import sqlalchemy as sa
from alembic import op

from modelops_jupyter.store.records import checksum

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column, and vouch for what is on record already."""
    op.add_column("records", sa.Column("checksum", sa.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT kind, key, subject, revision, body, updated_at FROM records")).all()
    update = sa.text("UPDATE records SET checksum = :checksum WHERE kind = :kind AND key = :key")
    for row in rows:
        connection.execute(update, {"kind": row.kind, "key": row.key, "checksum": checksum(*row)})
