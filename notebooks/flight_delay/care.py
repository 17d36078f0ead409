"""What the passenger-care rules read of a flight."""

from __future__ import annotations

import numpy as np
import pandas as pd


def rows_for_rules(flights: pd.DataFrame, probability: np.ndarray) -> pd.DataFrame:
    """Return probability (whole percents: people wrote the rules), distance and hour of each flight."""
    return pd.DataFrame(
        {"probability": probability.round(2), "distance": flights["distance"], "hour": flights["hour"]},
        index=flights.index,
    )
