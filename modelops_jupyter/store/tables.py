"""The store's three tables."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

METADATA = MetaData()

RECORDS = Table(
    "records",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("checksum", Text, nullable=False, server_default=""),
    Column("commit_number", Integer, nullable=False, server_default="0"),
    Index("records_by_subject", "kind", "subject", "key"),
    Index("records_by_commit", "commit_number"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("assurance", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("facts", Text, nullable=False),
)

IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("sequence", Integer),
)
