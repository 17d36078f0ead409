"""Versions of datasets that lie in Delta tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from modelops_jupyter.errors import NotFound

if TYPE_CHECKING:
    import pandas as pd


def read_dataset(folder: Path, version: int | None = None) -> pd.DataFrame:
    """Return a version of the Delta table in `folder`, the newest without a number.

    Raises
    ------
    NotFound
        If there is no such table or version.
    """
    try:
        if not DeltaTable.is_deltatable(str(folder)):
            raise NotFound(f"There is no dataset in {str(folder)!r}: name the folder of a Delta table.")
        frame: pd.DataFrame = DeltaTable(folder, version=version).to_pandas()
    except DeltaError as error:
        raise NotFound(f"The dataset {str(folder)!r} has no version {version} that can be read: {error}.") from error
    return frame
