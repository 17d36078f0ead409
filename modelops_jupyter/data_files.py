"""Data and models by address: a file, or a version of a dataset."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame, NotFound
from modelops_jupyter.time_columns import are_zoned_times

if TYPE_CHECKING:
    import pandas as pd

_DATASET = re.compile(r"delta:(?P<path>.+?)(?:@(?P<version>\d+))?")


def dataset_address(address: str) -> tuple[str, int | None] | None:
    """Return folder and version of a dataset's address ``delta:FOLDER@VERSION``, or None if it is none.

    >>> dataset_address("delta:datasets/flights@3"), dataset_address("flights.csv")
    (('datasets/flights', 3), None)
    """
    found = _DATASET.fullmatch(address)
    if found is None:
        return None
    return found["path"], None if found["version"] is None else int(found["version"])


def is_mlflow_address(text: Any) -> bool:
    """Tell whether something is MLflow's address of a model.

    >>> is_mlflow_address("models:/iris@champion"), is_mlflow_address("model.skops")
    (True, False)
    """
    return isinstance(text, str) and text.startswith(("models:/", "runs:/"))


def read_file(address: str) -> Any:
    """Read what an address holds: a table (.parquet, .csv, ``delta:FOLDER@VERSION``) or a model.

    Raises
    ------
    NotFound
        If there is no such file, folder or version.
    InvalidInput
        If the file does not hold what its name says.
    """
    dataset = dataset_address(address)
    if dataset is not None:
        from modelops_jupyter.log import read_dataset

        return read_dataset(Path(dataset[0]), dataset[1])
    file = Path(address)
    if not file.is_file():
        raise NotFound(f"There is no file {address!r}.")
    if file.suffix in (".parquet", ".csv"):
        return _read_table(file)
    from modelops_jupyter.registry import read_model_file

    return read_model_file(file)


def labels_of(table: Any, name: str | None, read: Callable[[str], Any]) -> Any:
    """Return `name` where it is one of the table's columns, else the labels that `read` reads under that name."""
    if name is None or name in getattr(table, "columns", ()):
        return name
    try:
        return read(name)
    except NotFound as error:
        if not hasattr(table, "columns"):
            raise
        known = ", ".join(map(str, table.columns))
        raise NotFound(f"There is no column {name!r} in the data, which has {known}; nor data of that name.") from error


def _read_table(file: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(file) if file.suffix == ".parquet" else _read_csv(file)
    except (ValueError, OSError, pa.ArrowException) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        raise InvalidFrame(f"{str(file)!r} holds no table that can be read ({reason}): write it again.") from error


def _read_csv(file: Path) -> pd.DataFrame:
    """Read a CSV; columns of ISO times that name their zone become times, and codes as ``00123`` stay text."""
    import pandas as pd

    frame = pd.read_csv(file)
    numbers = [place for place, dtype in enumerate(frame.dtypes) if dtype.kind in "iuf"]
    if numbers:
        texts = pd.read_csv(file, dtype="str", usecols=numbers)
        frame = frame.assign(**{name: texts[name] for name in texts.columns if _are_codes(texts[name])})
    return with_zoned_times(frame, frame.columns)


def _are_codes(texts: pd.Series[str]) -> bool:
    """Tell whether numbers are written as codes are: as three digits or more of one width, some with zeros in front.

    Of postal codes and account numbers the zeros are a part; a version that was fitted on numbers reads them as such.
    """
    written = texts.dropna()
    widths = written.str.len().unique()
    if len(widths) != 1 or widths[0] < 3 or not written.str.startswith("0").any():
        return False
    return bool(written.str.fullmatch("[0-9]+").all())


def with_zoned_times(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return a table in which those of some columns that hold ISO times with their zone, as text, hold times."""
    import pandas as pd

    texts = [name for name in columns if isinstance(frame.dtypes[name], pd.StringDtype)]
    times = {name: pd.to_datetime(frame[name], utc=True) for name in texts if are_zoned_times(frame[name])}
    return frame.assign(**times) if times else frame
