"""Facts and the audit chain."""

from modelops_jupyter.store.audit import (
    AuditHead,
    AuditVerification,
    Vouching,
    head_of,
    read_head,
    verify,
    verify_chain,
    vouch,
)
from modelops_jupyter.store.examination import store_problems
from modelops_jupyter.store.failures import failure, is_busy
from modelops_jupyter.store.files import is_writable, trouble
from modelops_jupyter.store.memory import InMemoryStore
from modelops_jupyter.store.records import AuditEntry, Change, Delete, Event, Put, Record, Store, in_order
from modelops_jupyter.store.sql import SqlStore, connect, open_store
from modelops_jupyter.store.watch import ChangeWatch

# What the libraries behind import at their first call: for the database, and for the order of an entry's keys.
LATER = ("sqlalchemy.dialects.sqlite", "encodings.utf_16_be")

__all__ = [
    "AuditEntry",
    "AuditHead",
    "AuditVerification",
    "Change",
    "ChangeWatch",
    "Delete",
    "Event",
    "InMemoryStore",
    "Put",
    "Record",
    "SqlStore",
    "Store",
    "Vouching",
    "connect",
    "failure",
    "head_of",
    "in_order",
    "is_busy",
    "is_writable",
    "open_store",
    "read_head",
    "store_problems",
    "trouble",
    "verify",
    "verify_chain",
    "vouch",
]
