"""Derived columns: what is counted in place of a column that is neither numbers nor categories."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.profiles.binning import Binning, ColumnBinning, is_number, is_text
from modelops_jupyter.profiles.texts import describe_texts

Columns = Mapping[str, pa.ChunkedArray | None]


def counted_columns(values: pa.ChunkedArray | None, binnings: Mapping[str, ColumnBinning]) -> Columns:
    """Return the columns that are counted of one that was read: itself, or those derived from it.

    Parameters
    ----------
    binnings
        Those of one source; see `Binning.sources`.
    """
    if values is None or not any(binning.source for binning in binnings.values()):
        return dict.fromkeys(binnings, values)
    if not is_text(values.type):
        odd = _as_mistyped(values)
        return dict.fromkeys(binnings, odd)
    vocabulary = next((binning.vocabulary for binning in binnings.values() if binning.vocabulary), "")
    described = describe_texts(values, tuple(binning.descriptor for binning in binnings.values()), vocabulary)
    return {name: described[binning.descriptor] for name, binning in binnings.items()}


def with_derived(table: pa.Table, binning: Binning) -> pa.Table:
    """Return rows with the columns that are derived from theirs beside them."""
    for source, binnings in binning.sources.items():
        if source not in binnings and source in table.column_names:
            for name, values in counted_columns(table[source], binnings).items():
                table = table.append_column(name, values)
    return table


def _as_mistyped(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return values so that numbers in place of texts count as of another type: figures of texts are numbers too."""
    return pc.if_else(values.is_valid(), True, None) if is_number(values.type) else values
