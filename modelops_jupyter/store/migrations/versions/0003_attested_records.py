"""The chain speaks of the records it is about, and a record says where it ends; 0005 vouches for what is on record."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("audit", sa.Column("facts", sa.Text, nullable=False, server_default="{}"))
