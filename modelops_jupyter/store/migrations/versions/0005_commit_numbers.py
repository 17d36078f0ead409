"""Records are in the order of their commits, whatever clocks said, and the chain vouches for all of each."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from modelops_jupyter import clock
from modelops_jupyter.clock import Moment
from modelops_jupyter.store.audit import ATTESTED, head, next_entry
from modelops_jupyter.store.records import AuditEntry, Event, Record, checksum, written

revision = "0005"
down_revision = "0004"

_READ = sa.text("SELECT kind, key, subject, revision, body, updated_at FROM records")
_REMADE = ("decision", "incident_act", "heartbeat", "lease", "restoration", "delivery", "target")
_NUMBER = sa.text(
    "UPDATE records SET body = :body, commit_number = :number, checksum = :checksum WHERE kind = :kind AND key = :key"
)
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
    spoken_of = {name: (entry.sequence, digest) for entry in entries for name, digest in entry.facts.items()}

    def order(row: Mapping[str, Any]) -> tuple[int, str]:
        return spoken_of.get(_name(row), (0, ""))[0], row["updated_at"]

    before = sorted((dict(row) for row in connection.execute(_READ).mappings()), key=order)
    edited = {_name(row) for row in before if _name(row) in spoken_of and spoken_of[_name(row)][1] != _digest(row)}
    rows = _remade(before)
    for number, row in enumerate(rows, start=1):
        connection.execute(_NUMBER, {**row, "number": number, "checksum": checksum(**row, commit_number=number)})
    if entries:
        _vouch(connection, entries[-1], rows, edited)


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['kind']} {row['key']}"


def _digest(row: Mapping[str, Any]) -> str:
    """Return what an entry of an earlier release says of a record: the digest of its body."""
    return hashlib.sha256(row["body"].encode()).hexdigest()


def _remade(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return rows with bodies as this release has them: by order and moments, in place of times of day."""
    history = {row["key"]: json.loads(row["body"])["history"] for row in rows if row["kind"] == "incident"}

    def remade(kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "decision":
            return {**body, "serves_as": [], "policy_digest": ""}
        if kind == "incident_act":
            seen = sum(event["at"] <= body["at"] for event in history.get(body["incident"], ()))
            return {**body, "seen": seen}
        if kind == "heartbeat":
            times = {name: body.pop(f"{name}_at") for name in ("first", "ran", "tried")}
            return {**body, **{name: at and _moment(at) for name, at in times.items()}}
        if kind in ("lease", "restoration"):
            return {**body, "heard": _moment(body.pop("until")), "interrupted": False}
        body.pop("until", None)
        return {**body, "pause": None}

    return [
        {**row, "body": written(remade(row["kind"], json.loads(row["body"])))} if row["kind"] in _REMADE else row
        for row in rows
    ]


def _moment(at: str) -> dict[str, Any]:
    return Moment(datetime.fromisoformat(at)).to_dict()


def _record(row: Mapping[str, Any], number: int) -> Record:
    columns = {**row, "body": json.loads(row["body"]), "updated_at": datetime.fromisoformat(row["updated_at"])}
    return Record(**columns, commit_number=number)


def _vouch(
    connection: sa.Connection, last: AuditEntry, rows: Sequence[Mapping[str, Any]], edited: Collection[str]
) -> None:
    """Vouch for what is on record, but for what was not what its own entry says: that stays to be found."""
    numbered = enumerate(rows, start=1)
    attested = [_record(row, n) for n, row in numbered if row["kind"] in ATTESTED and _name(row) not in edited]
    event = Event("migrate", "store", "modelops-jupyter", "self-asserted", {"schema": revision})
    entry = next_entry(event, clock.now(), last, attested)
    names = ", ".join(f":{name}" for name in vars(entry))
    connection.execute(sa.text(f"INSERT INTO audit VALUES ({names})"), vars(entry))
    earlier = next((row["revision"] for row in rows if (row["kind"], row["key"]) == ("audit", "head")), 0)
    end = head(entry)
    record = Record(end.kind, end.key, "", earlier + 1, end.body, entry.at, len(rows) + 1)
    texts = {"body": written(record.body), "updated_at": entry.recorded_at, "checksum": record.checksum}
    connection.execute(_PUT, {**vars(record), **texts})
