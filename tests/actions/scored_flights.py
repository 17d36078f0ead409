"""Rows of the model `delay`, and a workspace that has it, for the tests of batch scoring."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

N = 300


def rows(seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"wind": generator.uniform(0, 1000, N), "origin": generator.choice(["JFK", "LGA"], N)})
    frame.loc[:1, "wind"] = [0.0, 1000.0]
    return frame.assign(seats=generator.integers(0, 9, N))


def elsewhere() -> pd.DataFrame:
    """Return rows as another system has them: other columns too, in another order."""
    times = pd.date_range("2026-01-01", periods=N, freq="min", tz="UTC")
    return rows(2)[["seats", "origin", "wind"]].assign(id=[f"{n:05}" for n in range(N)], at=times)


@contextmanager
def workspace_of_delay(settings: Settings) -> Iterator[Workspace]:
    """Open a workspace of its own with `delay` registered."""
    (settings.project / "modelops.toml").write_text('workspace = ".modelops"\n')
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["origin"]), remainder="passthrough")
    model = make_pipeline(encoder, LogisticRegression(max_iter=1000))
    data = rows()
    late = (data["wind"] + 300 * np.random.default_rng(1).normal(size=N) > 500).astype(int)
    with Workspace(settings) as workspace:
        workspace.register(model.fit(data, late), "delay", data=data, target=late)
        yield workspace
