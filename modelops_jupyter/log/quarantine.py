"""Batches that did not fit the log, kept until they are put right and sent again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.log.checksums import file_checksum
from modelops_jupyter.problems import Problem, problem_at

FOLDER = "quarantine"


class PutAside(InvalidFrame):
    """Rows that do not fit the log, and are kept in the quarantine beside it."""


def put_aside(rows: pa.Table, table: Path, batch: str, reason: str) -> Path:
    """Keep rows beside the `table` they do not fit, with the reason, and return where."""
    import pyarrow.parquet as pq

    folder = table.parent / FOLDER
    folder.mkdir(exist_ok=True)
    file = folder / f"{uuid4().hex}.parquet"
    pq.write_table(rows, file)
    about = {"batch": batch, "reason": reason, "rows": rows.num_rows, "at": datetime.now(UTC).isoformat()}
    about |= {"table": table.name, "sha256": file_checksum(file)}
    file.with_suffix(".json").write_text(json.dumps(about), encoding="utf-8")
    return file


def read_quarantine(log: Path) -> tuple[Mapping[str, Any], ...]:
    """Return what is in quarantine under a workspace's log, oldest first: model, table, batch, rows, reason, file."""
    found = []
    for about in log.glob(f"*/{FOLDER}/*.json"):
        file = about.with_suffix(".parquet")
        if file.exists():  # who has mended it takes it away
            found.append({"model": about.parent.parent.name, **_read(about), "file": str(file)})
    return tuple(sorted(found, key=lambda body: (body["at"], body["file"])))


def quarantine_problems(log: Path) -> list[Problem]:
    """Return what is wrong with batches in quarantine themselves: rows that were changed, or that nothing describes."""
    problems = []
    for about in log.glob(f"*/{FOLDER}/*.json"):
        file, body = about.with_suffix(".parquet"), _read(about)
        if not file.exists():
            continue
        if "sha256" not in body:
            problems.append(problem_at(about, "it cannot be read, and says why rows are in quarantine", _SEND_AGAIN))
        elif file_checksum(file) != body["sha256"]:
            problems.append(problem_at(file, "the rows in quarantine were changed", _SEND_AGAIN))
    for file in log.glob(f"*/{FOLDER}/*.parquet"):
        if not file.with_suffix(".json").exists():
            problems.append(problem_at(file, "nothing says why these rows are in quarantine", _SEND_AGAIN))
    return problems


_SEND_AGAIN = "send the batch again from where it came, and remove it here"


def _read(about: Path) -> dict[str, Any]:
    """Return what is known of a batch; what cannot be read hides no other batch."""
    try:
        body = json.loads(about.read_text(encoding="utf-8"))
        return {name: body[name] for name in ("batch", "reason", "rows", "at", "table", "sha256")}
    except (ValueError, KeyError, TypeError, OSError) as error:
        reason = f"{about.name} cannot be read: {error}"
        return {"batch": about.stem, "reason": reason, "rows": 0, "at": "", "table": ""}
