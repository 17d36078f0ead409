"""Projects whose functions a pipeline calls, and the rows that it is fitted on."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from modelops_jupyter.settings import Settings

RANDOM = np.random.default_rng(7)
X = pd.DataFrame({"distance": RANDOM.uniform(1, 100, 80), "legs": RANDOM.integers(1, 5, 80).astype(float)})
Y = pd.Series((X["distance"] * X["legs"] > 120).astype(int))
VALIDATION = X * 0.9 + 1
OUTCOMES = pd.Series((VALIDATION["distance"] * VALIDATION["legs"] > 120).astype(int))
FEATURES = '''"""Features of flights."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

SCALE = 2.0


@dataclass(frozen=True)
class Span:
    low: float
    high: float


SPAN = Span(0.0, 1e9)


def with_product(rows):
    """Add the product of all columns."""
    clipped = rows.clip(SPAN.low, SPAN.high)
    return np.column_stack([scaled(clipped), clipped.prod(axis=1)])


def scaled(rows):
    return np.log1p(rows) * SCALE


def powers(rows, exponent):
    return np.asarray(rows) ** exponent


def importance(rows, target):
    return np.abs(np.corrcoef(np.asarray(rows).T, target)[-1, :-1])


def words(text):
    return text.lower().split("-")


def doubling(function):
    @functools.wraps(function)
    def wrapper(rows, *, factor=2):
        return wrapper.factor * function(rows) if hasattr(wrapper, "factor") else factor * function(rows)

    return wrapper


@doubling
def decorated(rows):
    return rows


@functools.cache
def cached(number):
    return number + 1


class Scale:
    @property
    def factor(self):
        return 2

    @staticmethod
    def twice(rows):
        return rows * 2


TABLE = pd.DataFrame({"a": [1.0, np.nan]})
ARRAY = np.array([1.0, np.nan])
BOUNDS = {"low": (0, float("nan")), "high": {1, 2}}
'''


@contextmanager
def importable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Lend the project's folder, whose modules can be imported; afterwards they are forgotten."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(settings.project))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield settings.project
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(settings.project)):
            del sys.modules[name]


def imported(project: Path, source: str = FEATURES, name: str = "features") -> Any:
    """Write a module of the project and import it."""
    file = project / f"{name.replace('.', '/')}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return importlib.import_module(name)


def fitted(function: Any, **options: Any) -> Any:
    return make_pipeline(FunctionTransformer(function, **options), StandardScaler(), LogisticRegression()).fit(X, Y)
