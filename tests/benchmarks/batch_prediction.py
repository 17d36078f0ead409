"""What `predict_file` costs beside the model's own `predict_proba`: 1,000,000 x 15, Parquet to Parquet, paired.

Each pair reads, scores and writes the same rows twice, ours and by hand (pandas and the model alone), in an order that
changes from pair to pair; the median of the ratios counts. Seconds are those of a clock and of the processor: on a
machine that others use, the processor's say more. Prints JSON. Arguments: rows, and pairs.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import modelops_jupyter as mo

COLUMNS = 15
WANTED = 1.15
MODELS = {
    "gradient-boosting": lambda: HistGradientBoostingClassifier(max_iter=100, random_state=0),
    "logistic-regression": lambda: LogisticRegression(max_iter=200),
    "random-forest": lambda: RandomForestClassifier(20, max_depth=8, n_jobs=1, random_state=0),
}


def table(rows: int, seed: int) -> pd.DataFrame:
    """Return rows of numbers within one range, so that no row breaks the contract."""
    values = np.random.default_rng(seed).uniform(size=(rows, COLUMNS))
    values[:2] = [[0.0] * COLUMNS, [1.0] * COLUMNS]
    return pd.DataFrame(values, columns=[f"x{number}" for number in range(COLUMNS)])


def seconds(work: Callable[[], Any]) -> tuple[float, float]:
    """Return how long some work takes, by the clock and of the processor."""
    begin, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - used


def measured(ws: mo.Workspace, name: str, model: Any, folder: Path, pairs: int) -> dict[str, object]:
    """Return a line of the table of one model."""
    source, output, by_hand = folder / "rows.parquet", folder / "ours.parquet", folder / "by hand.parquet"

    def ours() -> None:
        ws.predict_file(f"{name}/1", source, output)

    def alone() -> None:
        rows = pd.read_parquet(source)
        rows.assign(score=model.predict_proba(rows)[:, 1]).to_parquet(by_hand, index=False)

    found = []
    for number in range(pairs + 1):
        first, second = (ours, alone) if number % 2 else (alone, ours)
        times = {work: seconds(work) for work in (first, second)}
        found.append((times[ours], times[alone]))
    pairs_of_seconds = np.array(found[1:])  # the first pair imports and fills the file cache; shape (pairs, 2, 2)
    took, plain = np.median(pairs_of_seconds, axis=0)
    ratio, of_processor = np.median(pairs_of_seconds[:, 0] / pairs_of_seconds[:, 1], axis=0).tolist()
    pd.testing.assert_series_equal(pd.read_parquet(output)["score"], pd.read_parquet(by_hand)["score"])
    text = f"{took[0]:.2f} s against {plain[0]:.2f} s: {ratio:.2f} times; of the processor {of_processor:.2f} times"
    return {"what": f"predict_file, {name}", "found": text, "wanted": f"<= {WANTED}", "met": ratio <= WANTED}


if __name__ == "__main__":
    rows, pairs = (int(text) for text in (sys.argv[1:] + ["1000000", "5"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "modelops.toml").write_text('workspace = ".modelops"\n')
        training = table(20_000, 0)
        labels = (training["x0"] + training["x1"] * training["x2"] > 0.75).astype(int)
        table(rows, 1).to_parquet(folder / "rows.parquet")
        with mo.open(folder) as ws:
            lines = []
            for name, make in MODELS.items():
                model = make().fit(training, labels)
                ws.register(model, name, data=training, target=labels)
                lines.append(measured(ws, name, model, folder, pairs))
        print(json.dumps(lines, indent=1))
