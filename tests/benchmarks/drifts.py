"""Rows to watch: real ones drawn with replacement so that nothing drifts, and faults put into them; seeds are fixed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes

from tests.benchmarks.public_sets import SETS, public_set

sys.path.insert(0, str(Path(__file__).parents[2] / "notebooks" / "flight_delay"))
import flights as flights_module

SEED = 20130401
OUTPUTS = ("score", "prediction", "label")
FLIGHT_COLUMNS = ("distance", "hour", "carrier", "origin", "temp", "dest", "wind_speed", "humid", "pressure", "seats")
FAULTS: dict[str, tuple[float, ...]] = {
    "shift": (0.05, 0.1, 0.3),
    "scale": (1.05, 1.1, 1.3),
    "new category": (0.01, 0.03, 0.1),
    "null rate": (0.01, 0.03, 0.1),
    "dependence": (0.5, 1.0),
    "label shift": (0.02, 0.05, 0.1),
    "concept": (0.1, 0.2, 0.4),
}


def source(name: str, columns: int) -> pd.DataFrame:
    """Return real rows with so many columns; where a set has fewer, shuffled copies of them follow."""
    if name == "flights":
        frame = flights_module.load_flights()[list(FLIGHT_COLUMNS)].reset_index(drop=True)
        # Thermometers are read in whole degrees Fahrenheit: by its steps alone the least shift would be plain.
        frame["temp"] += np.random.default_rng(SEED).uniform(-0.5, 0.5, len(frame))
    elif name in SETS:
        frame = public_set(name)
    else:
        loaded = load_breast_cancer if name == "breast cancer" else load_diabetes
        frame = loaded(as_frame=True).data
    generator = np.random.default_rng(SEED)
    parts = [frame]
    while sum(len(part.columns) for part in parts) < columns:
        copy = frame.iloc[generator.permutation(len(frame))].reset_index(drop=True)
        parts.append(copy.add_suffix(f"_{len(parts)}"))
    return pd.concat(parts, axis=1).iloc[:, :columns]


def with_outputs(frame: pd.DataFrame, generator: np.random.Generator, task: str = "classification") -> pd.DataFrame:
    """Add what a model says, from the first number, and an outcome that follows it.

    Of a classification that is a score, of one into `classes` one of three, of a regression a number, whose errors have
    heavy tails (Student's t with three degrees).
    """
    first = next(name for name in frame if pd.api.types.is_numeric_dtype(frame[name]))
    values = frame[first].fillna(frame[first].median())
    standard = (values - values.mean()) / (values.std() or 1)
    if task == "regression":
        return frame.assign(prediction=standard, label=standard + generator.standard_t(3, len(frame)))
    if task == "classes":
        classes = np.array(["low", "middle", "high"])
        which = np.searchsorted([-0.5, 0.5], standard)
        right = generator.random(len(frame)) < 0.8
        label = np.where(right, which, generator.integers(3, size=len(frame)))
        return frame.assign(prediction=classes[which], label=classes[label])
    score = 1 / (1 + np.exp(-standard))
    label = (generator.random(len(frame)) < score).astype(int)
    said = np.where(score > 0.5, "1", "0")
    return frame.assign(score=score.to_numpy(), prediction=said, label=label.astype(str).to_numpy())


def drawn(frame: pd.DataFrame, rows: int, generator: np.random.Generator) -> pd.DataFrame:
    """Return rows drawn with replacement."""
    return frame.iloc[generator.integers(len(frame), size=rows)].reset_index(drop=True)


def faulty(frame: pd.DataFrame, fault: str, size: float, generator: np.random.Generator) -> pd.DataFrame:
    """Return rows with a fault put in."""
    number, word = "temp", "carrier"
    hit = generator.random(len(frame)) < size
    values = frame[number].astype(float)
    if fault == "shift":
        return frame.assign(**{number: values + size * values.std()})
    if fault == "scale":
        return frame.assign(**{number: values.mean() + size * (values - values.mean())})
    if fault == "new category":
        return frame.assign(**{word: frame[word].astype(object).where(~hit, "new")})
    if fault == "null rate":
        return frame.assign(**{number: values.where(~hit)})
    if fault == "dependence":  # the marginal stays, its bond to the other columns goes
        changed = frame["distance"].to_numpy().copy()
        changed[hit] = generator.permutation(changed[hit])
        return frame.assign(distance=changed)
    if fault == "label shift":  # more positive outcomes, with the scores that belong to them
        positive = frame[frame["label"] == "1"]
        more = positive.iloc[generator.integers(len(positive), size=int(hit.sum()))]
        return pd.concat([frame[~hit], more], ignore_index=True)
    flipped = np.where(hit, generator.permutation(frame["label"].to_numpy()), frame["label"])
    return frame.assign(label=flipped)
