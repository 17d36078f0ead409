"""Made-up flights for the browser tests."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.workspace import Workspace


def flights(rows: int, seed: int, shift: float = 0.0, noise: float = 0.0) -> tuple[pd.DataFrame, pd.Series]:
    """Make weather and whether a flight was late."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"wind": generator.normal(shift, 1, rows), "rain": generator.normal(size=rows)})
    chance = 1 / (1 + np.exp(-2 * frame["wind"] + noise * generator.normal(size=rows)))
    return frame, pd.Series((generator.random(rows) < chance).astype(int), name="late")


def register(ws: Workspace, name: str, seed: int) -> None:
    """Register a model that knows when flights are late."""
    x, y = flights(2000, seed)
    model = LogisticRegression().fit(x, y)
    description = "Will this flight arrive more than 15 minutes late?"
    reference = flights(2000, seed + 1000)
    ws.register(model, name, data=x, target=y, reference=reference, metrics={"roc_auc": 0.99}, description=description)


def log_day(ws: Workspace, name: str, day: int, shift: float = 0.0, noise: float = 0.0) -> None:
    """Log what the champion says of a day's flights, and how late they were."""
    x, y = flights(400, 100 + day, shift, noise)
    said, score = ws.predict(f"{name}@champion", x)
    ids = [f"{day}-{n}" for n in range(len(x))]
    at = pd.Timestamp("2013-04-01", tz="UTC") + pd.Timedelta(days=day)
    frame = x.assign(id=ids, at=at, said=said, score=score)
    ws.log_predictions(f"{name}@champion", frame, id="id", time="at", prediction="said", score="score")
    ws.log_labels(name, pd.DataFrame({"id": ids, "late": y}), id="id", label="late")
