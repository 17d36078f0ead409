"""Derived columns: what is counted in place of a column that is neither numbers nor categories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.columns import numbers_of
from modelops_jupyter.derived_names import PRESENCE, TEXT
from modelops_jupyter.profiles.binning import Binning, ColumnBinning, is_number, is_text
from modelops_jupyter.profiles.dates import describe_dates, is_date, is_duration
from modelops_jupyter.profiles.texts import describe_texts

Array = np.ndarray[Any, Any]
Counted = Mapping[str, pa.ChunkedArray | None]


def counted_columns(
    values: pa.ChunkedArray | None, binnings: Mapping[str, ColumnBinning], times: Callable[[], pa.ChunkedArray | None]
) -> Counted:
    """Return the columns that are counted of one that was read: itself, or those derived from it.

    Parameters
    ----------
    binnings
        Those of one source; see `Binning.sources`.
    times
        Returns when the rows were asked about, or None where that is not known.
    """
    if values is None or not any(binning.source for binning in binnings.values()):
        return dict.fromkeys(binnings, values)
    descriptors = tuple(binning.descriptor for binning in binnings.values())
    if not _fits(values.type, descriptors):
        return dict.fromkeys(binnings, _as_mistyped(values))
    vocabulary = next((binning.vocabulary for binning in binnings.values() if binning.vocabulary), "")
    if is_number(values.type):
        return dict.fromkeys(binnings, values)
    if is_text(values.type):
        described = describe_texts(values, descriptors, vocabulary)
    else:
        known = None if is_duration(values.type) else times()
        zone = next(iter(binnings.values())).zone
        described = describe_dates(values, descriptors, None if known is None else numbers_of(known), vocabulary, zone)
    return {name: described[binning.descriptor] for name, binning in binnings.items()}


def with_derived(table: pa.Table, binning: Binning) -> pa.Table:
    """Return rows with the columns that are derived from theirs beside them."""

    def times() -> pa.ChunkedArray | None:
        return table["timestamp"] if "timestamp" in table.column_names else None

    for source, binnings in binning.sources.items():
        if source not in binnings and source in table.column_names:
            for name, values in counted_columns(table[source], binnings, times).items():
                table = table.append_column(name, values)
    return table


def _fits(kind: pa.DataType, descriptors: tuple[str, ...]) -> bool:
    if descriptors[0] in TEXT or descriptors == PRESENCE:
        return is_text(kind)
    # The log holds no durations, and says so: their seconds stand for them there.
    return is_duration(kind) or is_number(kind) if descriptors[0] == "seconds" else is_date(kind)


def _as_mistyped(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return values as bytes, which are neither numbers nor categories and so count as of another type."""
    return pc.if_else(values.is_valid(), pa.scalar(b"", pa.binary()), pa.scalar(None, pa.binary()))
