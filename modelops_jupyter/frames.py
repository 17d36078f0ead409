"""Tables in, whatever library made them; the prediction log's columns out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


_GREATEST_WHOLE = 2**53  # beyond it, two whole numbers may be one float


def to_pandas(frame: Any, what: str) -> pd.DataFrame:
    """Return `frame` (pandas, polars, Arrow, or a dict of columns) as a pandas DataFrame.

    Columns have names of text afterwards, as they have in files and in the log: 0 is ``"0"``, and a name of several
    levels is joined as in ``"delay_mean"``.

    Raises
    ------
    InvalidFrame
        If `frame` is no table, has no rows or two columns of one name; `what` names it in the message.
    """
    import pandas as pd
    import pyarrow as pa

    if isinstance(frame, pd.DataFrame):
        table = frame
    elif isinstance(frame, pa.Table):
        table = frame.to_pandas()
    elif isinstance(frame, dict):
        table = pd.DataFrame(frame)
    elif hasattr(frame, "__arrow_c_stream__"):
        table = pa.table(frame).to_pandas()
    else:
        raise InvalidFrame(f"{what} must be a table (pandas, polars or Arrow), not {type(frame).__name__}.")
    if table.empty:
        raise InvalidFrame(f"{what} has no rows: pass at least one.")
    if not all(isinstance(name, str) for name in table.columns):
        table = table.set_axis([column_name(name) for name in table.columns], axis="columns")
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise InvalidFrame(f"{what} has two columns {twice!r}: rename one.")
    return table


def column_name(name: Any) -> str:
    """Return a column's name as text, whatever pandas allows for one; see `to_pandas`."""
    return "_".join(str(level) for level in name) if isinstance(name, tuple) else str(name)


def take(frame: pd.DataFrame, column: str, what: str) -> pd.Series[Any]:
    """Return one column, or say which columns there are."""
    if column not in frame.columns:
        known = ", ".join(str(name) for name in frame.columns[:20])
        raise InvalidFrame(f"{what} has no column {column!r}: it has {known}.")
    return frame[column]


def utc_times(values: pd.Series[Any], column: str) -> pd.Series[Any]:
    """Return `values` in UTC; naive times are refused because nobody can know what they meant."""
    import pandas as pd

    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        hint = "write each with its zone, as in 2026-08-01T00:00:00Z"
        if values.dtype.kind == "M":
            hint = "localise it, e.g. frame[col].dt.tz_localize('UTC')"
        raise InvalidFrame(f"Column {column!r} holds {values.dtype}, not times with a time zone: {hint}.")
    if values.isna().any():
        raise InvalidFrame(f"Column {column!r} has {int(values.isna().sum())} missing times: every row needs one.")
    converted: pd.Series[Any] = values.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    return converted


def outcome_text(value: Any) -> str | None:
    """Write one class or decision the same way wherever it comes from: 1, 1.0 and np.int64(1) are all ``"1"``."""
    import pandas as pd

    plain = value.item() if hasattr(value, "item") else value
    if plain is None or plain is pd.NA or plain != plain:
        return None
    if isinstance(plain, float) and plain.is_integer():
        return str(int(plain))
    return str(plain)


def request_ids(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return request ids as text, the same wherever they come from: 1, 1.0 and ``"1"`` are one id.

    Raises
    ------
    InvalidFrame
        If one is missing, or a number that stands for no whole one.
    """
    import pandas as pd

    if values.isna().any():
        raise InvalidFrame(f"Column {values.name!r} has missing request ids: every row needs one.")
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if pd.api.types.is_float_dtype(values.dtype):
        plain = values.astype("float64")
        if not ((plain % 1 == 0) & (plain.abs() <= _GREATEST_WHOLE)).all():
            raise InvalidFrame(
                f"Column {values.name!r} holds numbers that are no request ids: make them whole, or text."
            )
        values = plain.astype("int64")
    return (values.map(outcome_text) if values.dtype == "object" else values).astype("str")


def outcomes(values: pd.Series[Any], task: str) -> pd.Series[Any]:
    """Return predictions or labels as the log keeps them: floats for regression, text for everything else."""
    if task == "regression":
        return numbers(values)
    return values.map(outcome_text).astype("str")


def numbers(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as floats; raise `InvalidFrame`, naming it, if it holds anything else."""
    refusal = InvalidFrame(f"Column {values.name!r} must hold numbers, not {values.dtype}: convert it first.")
    if values.dtype.kind in "mM":  # times would become nanoseconds
        raise refusal
    try:
        return values.astype("float64")
    except (ValueError, TypeError) as error:
        raise refusal from error


def to_arrow(frame: pd.DataFrame) -> pa.Table:
    """Return `frame` as Arrow without index or pandas metadata; categories become text.

    Raises
    ------
    InvalidFrame
        If a column holds values of several types, or none that Arrow knows.
    """
    import pandas as pd
    import pyarrow as pa

    plain = zones_in_arrow(frame.copy())
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype):
            plain[name] = frame[name].astype("str").where(frame[name].notna())
    try:
        return pa.Table.from_pandas(plain, preserve_index=False).replace_schema_metadata(None)
    except (pa.ArrowException, OverflowError) as error:
        name = next((name for name in plain if not _has_one_type(plain[name])), None)
        raise InvalidFrame(
            f"Column {name!r} holds values of several types or of an unknown one: convert it."
        ) from error


def zones_in_arrow(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with its zoned times in Arrow's own type: pyarrow reads pandas' in a way that pandas gives up."""
    import pandas as pd
    import pyarrow as pa

    zoned = {name: dtype for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.DatetimeTZDtype)}
    types = {name: pa.timestamp(dtype.unit, pa.lib.tzinfo_to_string(dtype.tz)) for name, dtype in zoned.items()}
    return frame.astype({name: pd.ArrowDtype(kind) for name, kind in types.items()})


def _has_one_type(values: pd.Series[Any]) -> bool:
    import pandas as pd
    import pyarrow as pa

    try:
        pa.Table.from_pandas(zones_in_arrow(pd.DataFrame({"values": values})), preserve_index=False)
    except (pa.ArrowException, OverflowError):
        return False
    return True
