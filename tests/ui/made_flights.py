"""Made-up flights for the browser tests."""

import numpy as np
import pandas as pd


def flights(rows: int, seed: int, shift: float = 0.0, noise: float = 0.0) -> tuple[pd.DataFrame, pd.Series]:
    """Make weather and whether a flight was late."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"wind": generator.normal(shift, 1, rows), "rain": generator.normal(size=rows)})
    chance = 1 / (1 + np.exp(-2 * frame["wind"] + noise * generator.normal(size=rows)))
    return frame, pd.Series((generator.random(rows) < chance).astype(int), name="late")
