"""Delta tables as Databricks writes them by default: with deletion vectors and mapped column names."""

import json
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_KINDS = {
    "string": "string",
    "large_string": "string",
    "int64": "long",
    "double": "double",
    "timestamp[us, tz=UTC]": "timestamp",
}
_FEATURES = ["deletionVectors", "columnMapping"]


def create(folder: Path, rows: pa.Table) -> None:
    """Write a table of one file, whose columns have other names than the table's."""
    stored = rows.rename_columns([f"col-{name}" for name in rows.column_names])
    (folder / "_delta_log").mkdir(parents=True)
    pq.write_table(stored, folder / "part.parquet")
    fields = [
        {
            "name": field.name,
            "type": _KINDS[str(field.type)],
            "nullable": True,
            "metadata": {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"col-{field.name}"},
        }
        for number, field in enumerate(rows.schema, 1)
    ]
    configuration = {"delta.columnMapping.mode": "name", "delta.enableDeletionVectors": "true"}
    metadata = {
        "id": "5c0a7e0e-0000-4000-8000-000000000000",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps({"type": "struct", "fields": fields}),
        "partitionColumns": [],
        "configuration": {**configuration, "delta.columnMapping.maxColumnId": str(len(fields))},
        "createdTime": 0,
    }
    features = {"readerFeatures": _FEATURES, "writerFeatures": _FEATURES}
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7, **features}
    _commit(folder, 0, {"protocol": protocol}, {"metaData": metadata}, {"add": _file(folder, rows.num_rows, 1)})


def delete(folder: Path, version: int, rows: int, places: list[int]) -> None:
    """Delete rows of the file by a deletion vector."""
    file = _file(folder, rows, version)
    gone = {"path": file["path"], "deletionTimestamp": version, "dataChange": True, "partitionValues": {}}
    _commit(folder, version, {"remove": gone}, {"add": {**file, "deletionVector": _vector(places)}})


def _file(folder: Path, rows: int, time: int) -> dict[str, Any]:
    file = {"path": "part.parquet", "partitionValues": {}, "size": (folder / "part.parquet").stat().st_size}
    return {**file, "modificationTime": time, "dataChange": True, "stats": json.dumps({"numRecords": rows})}


def _commit(folder: Path, version: int, *actions: dict[str, Any]) -> None:
    (folder / "_delta_log" / f"{version:020d}.json").write_text("\n".join(map(json.dumps, actions)))


def _vector(places: list[int]) -> dict[str, Any]:
    """Return the deletion vector of some rows, as Delta's protocol writes one within its log."""
    bitmap = struct.pack("<IIHHI", 12346, 1, 0, len(places) - 1, 16)
    bitmap += b"".join(struct.pack("<H", place) for place in sorted(places))
    body = struct.pack("<IQI", 1681511377, 1, 0) + bitmap
    return {"storageType": "i", "pathOrInlineDv": _z85(body), "sizeInBytes": len(body), "cardinality": len(places)}


def _z85(body: bytes) -> str:
    padded, text = body + b"\0" * (-len(body) % 4), ""
    for at in range(0, len(padded), 4):
        number, part = int.from_bytes(padded[at : at + 4], "big"), ""
        for _ in range(5):
            part, number = _DIGITS[number % 85] + part, number // 85
        text += part
    return text
