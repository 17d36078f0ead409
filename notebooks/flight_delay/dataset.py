"""The example's dataset: a Delta table whose every version stays readable."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pandera
from deltalake import DeltaTable, write_deltalake
from flights import CATEGORIES, NUMBERS, WEATHER, month

from modelops_jupyter import Workspace

# Weather is missing for some hours and a plane's age for some planes; the models take that.
SOMETIMES_MISSING = {"seats", "plane_age", *WEATHER}
RANGES = {"hour": (0, 24), "weekday": (0, 6), "distance": (1, 6000), "humid": (0, 100), "visib": (0, 20)}

SCHEMA = pandera.DataFrameSchema(
    {
        "flight_id": pandera.Column(str, unique=True),
        "departure": pandera.Column(pd.DatetimeTZDtype(tz="UTC"), coerce=True),
        **{name: pandera.Column(str) for name in CATEGORIES},
        **{
            name: pandera.Column(
                float,
                pandera.Check.in_range(*RANGES[name]) if name in RANGES else None,
                nullable=name in SOMETIMES_MISSING,
            )
            for name in NUMBERS
        },
        "late": pandera.Column("Int64", pandera.Check.isin([0, 1]), nullable=True),
    },
    strict=True,
)


def folder(ws: Workspace) -> str:
    """Return where the dataset lies."""
    return str(ws.settings.project / "datasets" / "flights")


def store(ws: Workspace, flights: pd.DataFrame) -> int:
    """Write a new version of the dataset if it differs from the latest; return the latest version's number."""
    path = folder(ws)
    if not DeltaTable.is_deltatable(path) or not read(ws)[0].equals(flights):
        write_deltalake(path, flights, mode="overwrite")
    return DeltaTable(path).version()


def read(ws: Workspace, version: int | None = None) -> tuple[pd.DataFrame, str]:
    """Return a version of the dataset (the latest without a number), and its address for lineage."""
    table = DeltaTable(folder(ws), version=version)
    frame = table.to_pandas().astype({"late": "Int64", "departure": "datetime64[us, UTC]"})
    return frame.sort_values(["departure", "flight_id"], ignore_index=True), f"delta:datasets/flights@{table.version()}"


def months(flights: pd.DataFrame, numbers: list[int]) -> pd.DataFrame:
    """Return the flights of some months of 2013."""
    return pd.concat([month(flights, number) for number in numbers])
