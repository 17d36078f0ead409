"""Messages become records like every other fact; those not delivered yet are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Move what waits in the outbox, then drop its table."""
    op.execute(
        sa.text(
            "INSERT INTO records (kind, key, subject, revision, body, updated_at) "
            "SELECT 'outbox', 'msg_' || printf('%012d', id), json_extract(body, '$.topic'), 1, body, created_at "
            "FROM outbox WHERE delivered_at IS NULL"
        )
    )
    op.drop_table("outbox")
