"""What snippets of pages take for granted, and how they are read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression


def blocks_of(page: Path) -> list[tuple[str, str]]:
    """Return the language and the text of each block of code of a page."""
    return re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def names() -> dict[str, object]:
    """Return what pages take for granted: a fitted model, its data, a scored frame and its outcomes."""
    generator = np.random.default_rng(0)
    x = pd.DataFrame(generator.normal(size=(400, 2)), columns=["wind", "distance"])
    y = (x["wind"] + generator.normal(size=400) > 0).astype(int)
    model = LogisticRegression().fit(x[1::2], y[1::2])
    score = model.predict_proba(x)[:, 1]
    ids = [str(number) for number in range(400)]
    times = pd.date_range("2013-04-01", periods=400, freq="min", tz="UTC")
    frame = x.assign(request_id=ids, timestamp=times, late=(score > 0.5).astype(int), p_late=score)
    outcomes = pd.DataFrame({"request_id": ids, "late": y})
    held_out = {"X_valid": x[::2], "y_valid": y[::2], "X_test": x, "y_test": y}
    return {"model": model, "X": x[1::2], "y": y[1::2], **held_out, "frame": frame, "outcomes": outcomes}


def notebook(path: Path, parameters: str = "") -> None:
    cell = {"cell_type": "code", "execution_count": None, "id": "p", "outputs": [], "source": parameters or "1"}
    cell["metadata"] = {"tags": ["parameters"]}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
