"""Every record keeps a checksum of itself: SQLite does not notice a byte that was flipped on the disk; see 0005."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column."""
    op.add_column("records", sa.Column("checksum", sa.Text, nullable=False, server_default=""))
