"""Batches that did not fit the log, kept until somebody mends them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

FOLDER = "quarantine"


def put_aside(rows: pa.Table, table: Path, batch: str, reason: str) -> Path:
    """Keep rows beside the `table` they do not fit, with the reason, and return where."""
    import pyarrow.parquet as pq

    folder = table.parent / FOLDER
    folder.mkdir(exist_ok=True)
    file = folder / f"{uuid4().hex}.parquet"
    pq.write_table(rows, file)
    about = {"batch": batch, "reason": reason, "rows": rows.num_rows, "at": datetime.now(UTC).isoformat()}
    file.with_suffix(".json").write_text(json.dumps({**about, "table": table.name}), encoding="utf-8")
    return file


def read_quarantine(log: Path) -> tuple[Mapping[str, Any], ...]:
    """Return what is in quarantine under a workspace's log, oldest first: model, table, batch, rows, reason, file."""
    found = []
    for about in log.glob(f"*/{FOLDER}/*.json"):
        file = about.with_suffix(".parquet")
        if file.exists():  # who has mended it takes it away
            body = json.loads(about.read_text(encoding="utf-8"))
            found.append({"model": about.parent.parent.name, **body, "file": str(file)})
    return tuple(sorted(found, key=lambda body: (body["at"], body["file"])))
