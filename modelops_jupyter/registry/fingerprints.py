"""A fingerprint of the whole of a table."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def data_fingerprint(frame: pd.DataFrame, target: Any = None) -> str:
    """Return a SHA-256 over every value, column name and dtype of a table, and of its outcomes."""
    import pandas as pd

    digest = hashlib.sha256()
    columns = [frame[name] for name in frame.columns]
    if target is not None:
        columns.append(pd.Series(list(target), name="(target)"))
    for column in columns:
        digest.update(f"{column.name}\x00{column.dtype}\x00".encode())
        digest.update(pd.util.hash_pandas_object(column, index=False).to_numpy().tobytes())
    return digest.hexdigest()
