"""Fingerprints of rows: the same rows have the same ones in any order, whichever library or file they come from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def data_fingerprint(frame: pd.DataFrame, target: Any = None, *, ordered: bool = False) -> str:
    """Return a SHA-256 over the names of a table's columns and all of its rows, with their outcomes.

    The type in which a number is kept changes nothing, nor does the order of rows unless they are `ordered`.
    """
    import numpy as np

    names = [*map(str, frame.columns), *(() if target is None else ("(target)",))]
    digest = hashlib.sha256("\x00".join(names).encode())
    hashes = row_hashes(frame, target)
    digest.update((hashes if ordered else np.sort(hashes)).tobytes())
    return digest.hexdigest()


def row_hashes(frame: pd.DataFrame, target: Any = None, digits: int | None = None) -> np.ndarray[Any, Any]:
    """Return a hash of 64 bits for every row, shape (n,), by its values in the order of the columns.

    Parameters
    ----------
    target : array-like of shape (n,), optional
        Outcomes, which are a column of their own.
    digits
        How many significant digits of a number count; None for all.
    """
    import numpy as np
    import pandas as pd

    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    if target is not None:
        columns.append(pd.Series(list(target)))
    hashes = np.zeros(len(frame), dtype="uint64")
    for column in columns:
        plain = _plain(column)
        if digits is not None and plain.dtype.kind == "f":
            plain = _rounded(plain, digits)
        values = pd.util.hash_pandas_object(plain, index=False).to_numpy(dtype="uint64")
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + values  # wraps, as is meant
    return hashes


def _rounded(numbers: pd.Series[Any], digits: int) -> pd.Series[Any]:
    """Return a whole number for each number that says its sign, size and first digits."""
    import numpy as np
    import pandas as pd

    values = numbers.to_numpy()
    finite = np.isfinite(values) & (values != 0)
    size = np.zeros(len(values))
    size[finite] = np.floor(np.log10(np.abs(values[finite])))
    first = np.where(finite, np.rint(values / 10.0 ** (size - digits + 1)), values)
    grown = finite & (np.abs(first) >= 10**digits)  # 9.996 is 10.0
    return pd.Series(np.where(grown, first / 10, first) + np.where(finite, 10.0 ** (digits + 2) * (size + grown), 0))


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column in a type that depends on its values alone."""
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    column = column.infer_objects()
    if pd.api.types.is_numeric_dtype(column.dtype) and column.dtype.kind != "c":
        return column.astype("float64").fillna(float("nan")) + 0.0  # and no negative zero
    missing = column.isna()
    return column.astype("object").map(_text).where(~missing, "\x00missing")


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
