"""Rows held to a version's contract: its columns in its order and types, and which rows break it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import InvalidFrame
from .casting import absent, cast, known_values
from .column_names import absence, columns_named

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

Kind = Literal["unreadable", "missing", "outside", "unseen"]


@dataclass(frozen=True)
class Breach:
    """Rows in which a column breaks the contract in one way.

    Attributes
    ----------
    kind : {"unreadable", "missing", "outside", "unseen"}
        The value is not of the column's type, missing where training had none missing, outside the range of training,
        or a category that training did not have.
    rows : array of bool of shape (n,)
    example : str
        The first such value as text; empty of missing ones.
    expected : str
        What the contract says, for people.
    """

    column: str
    kind: Kind
    rows: Array
    example: str = ""
    expected: str = ""

    @property
    def mark(self) -> str:
        """What is said of each row."""
        words = {
            "unreadable": f"no {self.expected}",
            "missing": "missing, as it never was in training",
            "outside": "outside the range of training",
            "unseen": "not seen in training",
        }
        return f"{self.column}: {words[self.kind]}"


def sentence(breach: Breach) -> str:
    """Return half a sentence that names the column, how many rows break the contract, and how.

    >>> import numpy as np
    >>> sentence(Breach("wind", "outside", np.array([True, False]), "-9999", "0 to 1,000"))
    "'wind' lies outside the range of training, 0 to 1,000, in 1 of 2 rows (the first holds '-9999')"
    """
    return told(breach.column, breach.kind, breach.expected, breach.example, int(breach.rows.sum()), len(breach.rows))


def told(column: str, kind: Kind, expected: str, example: str, rows: int, total: int) -> str:
    """Return what `sentence` returns, of rows that were only counted."""
    how = {
        "unreadable": f"holds no {expected}",
        "missing": "is missing, as it never was in training,",
        "outside": f"lies outside the range of training, {expected},",
        "unseen": "holds a category that training did not have",
    }[kind]
    first = f" (the first holds {example!r})" if example else ""
    return f"{column!r} {how} in {rows:,} of {total:,} {'row' if total == 1 else 'rows'}{first}"


@dataclass(frozen=True)
class ConformedRows:
    """Rows as the model takes them.

    Attributes
    ----------
    frame : DataFrame
        The columns of the contract, in its order and types; an unreadable value is missing.
    breaches : tuple of Breach
    contract : sequence of mapping
        What they were held to.
    """

    frame: pd.DataFrame
    breaches: tuple[Breach, ...] = ()
    contract: Sequence[Mapping[str, Any]] = ()

    def some(self, rows: Array) -> pd.DataFrame:
        """Return some of the rows; a category that only others have is no category of theirs."""
        if rows.all():
            return self.frame
        found = self.frame[rows]
        unseen = {breach.column for breach in self.breaches if breach.kind == "unseen"}
        columns = [column for column in self.contract if column["name"] in unseen and column["dtype"] == "category"]
        return found.assign(**{str(column["name"]): cast(found[column["name"]], column).values for column in columns})

    def readable(self) -> pd.DataFrame:
        """Return the rows if the model can read every value.

        Raises
        ------
        InvalidFrame
            Naming each column that holds something else, and in how many rows.
        """
        unreadable = [sentence(breach) for breach in self.breaches if breach.kind == "unreadable"]
        if unreadable:
            raise InvalidFrame(
                f"The rows are not of the types that the model was trained with: {'; '.join(unreadable)}."
            )
        return self.frame


def conform(frame: pd.DataFrame, contract: Sequence[Mapping[str, Any]]) -> ConformedRows:
    """Hold rows to a contract; what else is in them is left out.

    Parameters
    ----------
    contract
        As `input_columns.describe` wrote it; without any column the rows stay as they are.

    Raises
    ------
    InvalidFrame
        If a column is not there that never lacked a value.
    """
    import pandas as pd

    if not contract:
        return ConformedRows(frame)
    sources = columns_named([str(column["name"]) for column in contract], frame)
    conformed: dict[str, pd.Series[Any]] = {}
    breaches: list[Breach] = []
    as_they_were = True
    for column, source in zip(contract, sources, strict=True):
        name = str(column["name"])
        if source is None:
            if not column["missing"]:
                raise InvalidFrame(absence("The rows have", name, frame.columns, why=", which the model was fitted on"))
            conformed[name] = absent(frame.index, column)
            as_they_were = False
            continue
        given = frame[source]
        read = cast(given, column)
        conformed[name] = read.values
        as_they_were = as_they_were and source == name and read.values is given
        breaches += _breaches(name, given, read.values, read.unreadable, column)
    if as_they_were:
        return ConformedRows(frame[sources], tuple(breaches), contract)
    return ConformedRows(pd.DataFrame(conformed, index=frame.index), tuple(breaches), contract)


def _breaches(
    name: str, given: pd.Series[Any], values: pd.Series[Any], unreadable: Array | None, column: Mapping[str, Any]
) -> list[Breach]:
    found = []
    if unreadable is not None:
        found.append(Breach(name, "unreadable", unreadable, _first(given, unreadable), _type_word(column)))
    missing = None if column["missing"] else _missing(values, column)
    if missing is not None and unreadable is not None:
        missing = missing & ~unreadable
    if missing is not None and missing.any():
        found.append(Breach(name, "missing", missing))
    outside = _outside(values, column)
    if outside is not None and outside.any():
        ends = f"{_number(column['minimum'])} to {_number(column['maximum'])}"
        found.append(Breach(name, "outside", outside, _first(given, outside), ends))
    unseen = _unseen(values, column)
    if unseen is not None and unseen.any():
        found.append(Breach(name, "unseen", unseen, _first(given, unseen)))
    return found


def _missing(values: pd.Series[Any], column: Mapping[str, Any]) -> Array | None:
    """Return which values are missing; None where none is, found at a glance."""
    numbers = values.to_numpy() if _is_numpy_number(values) else None
    if numbers is not None and (numbers.dtype.kind != "f" or not len(numbers) or numbers.min() == numbers.min()):
        return None
    missing: Array = values.isna().to_numpy(dtype=bool)
    return missing


def _outside(values: pd.Series[Any], column: Mapping[str, Any]) -> Array | None:
    """Return which numbers lie outside the range of training, infinite ones among them."""
    import numpy as np

    if "minimum" not in column or values.dtype.kind not in "iuf":
        return None
    least, greatest = column["minimum"], column["maximum"]
    if _is_numpy_number(values):
        numbers = values.to_numpy()
        if len(numbers) and numbers.min() >= least and numbers.max() <= greatest:
            return None
    else:
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    if numbers.dtype == np.float32:  # the bounds are of double precision
        numbers = numbers.astype("float64")
    with np.errstate(invalid="ignore"):
        outside: Array = (numbers < least) | (numbers > greatest)
    return outside


def _unseen(values: pd.Series[Any], column: Mapping[str, Any]) -> Array | None:
    """Return which values are of no known category."""
    import pandas as pd

    known = known_values(column)
    if known is None:
        return None
    if isinstance(values.dtype, pd.CategoricalDtype):
        if len(values.cat.categories) == len(known):
            return None
        codes = values.cat.codes.to_numpy()
        return codes >= len(known)
    strange: Array = (values.notna() & ~values.isin(known)).to_numpy(dtype=bool)
    return strange


def _is_numpy_number(values: pd.Series[Any]) -> bool:
    import numpy as np

    return isinstance(values.dtype, np.dtype) and values.dtype.kind in "iufb"


def _first(values: pd.Series[Any], rows: Array) -> str:
    return str(values.iloc[int(rows.argmax())])[:80]


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _type_word(column: Mapping[str, Any]) -> str:
    """Return what a value of a column is called."""
    dtype = str(column["dtype"]).lower()
    if dtype.startswith("bool"):
        return "truth value"
    if dtype.startswith(("str", "object", "category", "large_string")):
        return "text" if dtype != "category" else "category"
    return "time" if dtype.startswith(("datetime", "timestamp")) else "number"
