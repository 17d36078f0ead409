"""Tables in, whatever library made them; the prediction log's columns out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.mixed_columns import check_one_kind_of_time, several_types
from modelops_jupyter.scoring.column_names import absence

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


_GREATEST_WHOLE = 2**53  # beyond it, two whole numbers may be one float
# What pyarrow raises, some of it through Python, at values that it has no type for.
_NO_ARROW = (ValueError, TypeError, OverflowError, NotImplementedError)


def to_pandas(frame: Any, what: str) -> pd.DataFrame:
    """Return `frame` (pandas, polars, Arrow, a dict of columns or an array of two dimensions) as a pandas DataFrame.

    Columns have names of text afterwards, as they have in files and in the log: 0 is ``"0"``, and a name of several
    levels is joined as in ``"delay_mean"``. The columns of an array are ``"0"``, ``"1"`` and so on.

    Raises
    ------
    InvalidFrame
        If `frame` is no table, has no rows or two columns of one name; `what` names it in the message.
    """
    import numpy as np
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        table = frame
    elif isinstance(frame, dict) or (isinstance(frame, np.ndarray) and frame.ndim == 2):
        table = pd.DataFrame(frame)
    else:
        table = _arrow_table(frame, what).to_pandas()
    if table.empty:
        raise InvalidFrame(f"{what} has no rows: pass at least one.")
    if not all(isinstance(name, str) for name in table.columns):
        table = table.set_axis([column_name(name) for name in table.columns], axis="columns")
    if not table.columns.is_unique:
        raise _two_columns(what, table.columns[table.columns.duplicated()][0])
    return table


def pick_columns(frame: Any, names: Sequence[str], what: str) -> pd.DataFrame:
    """Return the columns of `names`, once each, as pandas has them.

    Raises
    ------
    InvalidFrame
        As `to_pandas`, or if there is no such column; `what` names the table in the message.
    """
    import numpy as np
    import pandas as pd

    wanted = list(dict.fromkeys(names))
    if isinstance(frame, pd.DataFrame | dict | np.ndarray):
        table = to_pandas(frame, what)
        for name in wanted:
            check_column(name, table.columns, what)
        return table[wanted]
    rows = _arrow_table(frame, what)
    for name in wanted:
        check_column(name, rows.column_names, what)
    return to_pandas(rows.select(wanted), what)


def other_columns(frame: Any, names: Sequence[str], what: str) -> pa.Table:
    """Return all columns but those of `names` as Arrow has them.

    What lies in polars or Arrow does not pass through pandas, which would round whole numbers beside gaps.

    Raises
    ------
    InvalidFrame
        As `to_pandas` and `to_arrow`; `what` names the table in the message.
    """
    import numpy as np
    import pandas as pd

    if isinstance(frame, pd.DataFrame | dict | np.ndarray):
        return to_arrow(to_pandas(frame, what).drop(columns=list(names)))
    return _arrow_table(frame, what).drop_columns(list(dict.fromkeys(names)))


def _arrow_table(frame: Any, what: str) -> pa.Table:
    """Return a table of another library than pandas, or raise `InvalidFrame` with what Arrow cannot take of it."""
    import pyarrow as pa

    if not hasattr(frame, "__arrow_c_stream__"):
        shape = f" of shape {frame.shape}" if hasattr(frame, "shape") else ""
        raise InvalidFrame(
            f"{what} must be a table (pandas, polars, Arrow) or an array of rows and columns, not "
            f"{type(frame).__name__}{shape}."
        )
    schema = getattr(frame, "schema", {})
    kinds = schema.items() if isinstance(schema, Mapping) else ()
    objects = [name for name, kind in kinds if str(kind) == "Object"]
    if objects:  # polars hands out their addresses in memory
        raise InvalidFrame(f"Column {objects[0]!r} of {what} holds Python objects: make them text or numbers.")
    try:
        table = pa.table(frame).replace_schema_metadata(None)
    except pa.ArrowException as error:
        name = next((name for name, _ in kinds if not _is_arrow(frame, name)), None)
        raise InvalidFrame(f"Column {name!r} of {what} has a type that Arrow does not know: convert it.") from error
    names = table.column_names
    if len(set(names)) < len(names):
        raise _two_columns(what, next(name for name in names if names.count(name) > 1))
    return table


def _is_arrow(frame: Any, name: str) -> bool:
    import pyarrow as pa

    try:
        pa.table(frame[[name]])
    except pa.ArrowException:
        return False
    return True


def _two_columns(what: str, name: str) -> InvalidFrame:
    return InvalidFrame(f"{what} has two columns {name!r}: rename one.")


def column_name(name: Any) -> str:
    """Return a column's name as text, whatever pandas allows for one; see `to_pandas`."""
    return "_".join(str(level) for level in name) if isinstance(name, tuple) else str(name)


def take(frame: pd.DataFrame, column: str, what: str) -> pd.Series[Any]:
    """Return one column, or say which columns there are."""
    check_column(column, frame.columns, what)
    return frame[column]


def check_column(column: str, names: Sequence[str] | pd.Index[Any], what: str) -> None:
    """Raise `InvalidFrame` if a table has no such column, and say which it has."""
    if column not in names:
        raise InvalidFrame(absence(f"{what} has", column, names))


def outcome_text(value: Any) -> str | None:
    """Write one class or decision the same way wherever it comes from: 1, 1.0 and np.int64(1) are all ``"1"``."""
    import pandas as pd

    plain = value.item() if hasattr(value, "item") and not getattr(value, "ndim", 0) else value
    if getattr(plain, "ndim", 0):
        return str(plain)
    if plain is None or plain is pd.NA or plain != plain:
        return None
    if (isinstance(plain, float) and plain.is_integer()) or (isinstance(plain, Decimal) and _is_whole(plain)):
        return str(int(plain))
    return str(plain)


def _is_whole(number: Decimal) -> bool:
    return number.is_finite() and number == number.to_integral_value()


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
    import pandas as pd

    if task == "regression":
        return numbers(values)
    if values.dtype == "object":  # where True and 1 are equal, and two texts
        return values.map(outcome_text).astype("str")
    codes, known = values.factorize()
    texts = pd.Series([*map(outcome_text, known), None], dtype="str")
    return pd.Series(texts.take(codes).array, values.index, name=values.name)


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
        elif isinstance(dtype, pd.SparseDtype):
            plain[name] = frame[name].astype(dtype.subtype)
    try:
        table = pa.Table.from_pandas(plain, preserve_index=False)
    except _NO_ARROW:
        table = pa.table({name: _arrow_column(name, plain[name]) for name in plain})
    table = table.replace_schema_metadata(None)
    for name, dtype in plain.dtypes.items():
        if dtype == "object" and pa.types.is_temporal(table.schema.field(name).type):
            check_one_kind_of_time(plain[name])
    return table


def zones_in_arrow(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with its zoned times in Arrow's own type: pyarrow reads pandas' in a way that pandas gives up."""
    import pandas as pd
    import pyarrow as pa

    zoned = {name: dtype for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.DatetimeTZDtype)}
    types = {name: pa.timestamp(dtype.unit, pa.lib.tzinfo_to_string(dtype.tz)) for name, dtype in zoned.items()}
    return frame.astype({name: pd.ArrowDtype(kind) for name, kind in types.items()})


def _arrow_column(name: Any, values: pd.Series[Any]) -> pa.ChunkedArray:
    """Return a column that Arrow may not know the type of, or say which it is."""
    import pandas as pd
    import pyarrow as pa

    with suppress(*_NO_ARROW):
        return pa.Table.from_pandas(zones_in_arrow(pd.DataFrame({"values": values})), preserve_index=False)["values"]
    with suppress(*_NO_ARROW):  # Python's whole numbers beyond the signed ones of 64 bits
        return pa.chunked_array([pa.array(values, pa.uint64(), from_pandas=True)])
    raise several_types(values.rename(name))
