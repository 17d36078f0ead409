"""Predictions and labels as teams have them in tables of their own, and what scikit-learn says of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

from modelops_jupyter.actor import Actor
from modelops_jupyter.log import PredictionLog, PredictionSource
from modelops_jupyter.monitoring import MonitorReport, run_monitor
from modelops_jupyter.profiles import Reference, build_reference
from modelops_jupyter.source_settings import parse_source
from modelops_jupyter.sources import ModelFacts, WatchedSource, read_source
from modelops_jupyter.store import InMemoryStore, Store

ANN = Actor("ann", "self-asserted")
BEGIN = pd.Timestamp("2026-03-01", tz="UTC")
ROWS = 200
FACTS = ModelFacts("delay", "classification", ("0", "1"), ("wind", "origin"), 3)


def day(number: int, rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Return the predictions of a day, with what came of them in the column ``late``."""
    generator = np.random.default_rng([seed, number + 1000])
    score = generator.random(rows)
    seconds = np.sort(generator.integers(0, 86_400, rows))
    return pd.DataFrame(
        {
            "id": [f"{number}-{n}" for n in range(rows)],
            "at": BEGIN + pd.Timedelta(days=number) + pd.to_timedelta(seconds, unit="s"),
            "said": (score > 0.5).astype(int),
            "p": score,
            "wind": generator.normal(size=rows),
            "origin": generator.choice(["JFK", "LGA"], rows),
            "late": (generator.random(rows) < score).astype(int),
        }
    )


def days(numbers: range, rows: int = ROWS) -> pd.DataFrame:
    return pd.concat([day(number, rows) for number in numbers], ignore_index=True)


COLUMNS = {"request_id": "id", "timestamp": "at", "prediction": "said", "score": "p"}


def reference() -> Reference:
    rows = day(-1, 2000)
    label = rows["late"].astype(str).to_numpy()
    said = rows["said"].astype(str).to_numpy()
    return build_reference(
        pa.Table.from_pandas(rows[["wind", "origin"]]),
        scores=rows["p"].to_numpy(),
        predictions=said,
        labels=label,
        positive="1",
    )


REFERENCES = {3: reference()}


@dataclass
class Watched:
    """A model that is monitored on a table of others."""

    folder: Path
    source: Mapping[str, Any]
    store: Store = field(default_factory=InMemoryStore)
    facts: ModelFacts = FACTS
    problems: tuple[str, ...] = ()

    def open(self) -> WatchedSource:
        source = parse_source("source.delay", self.source)
        return WatchedSource(source, self.facts, self.folder, PredictionLog(self.folder / "log"))

    def run(self, every: str = "1D") -> MonitorReport:
        def work(source: PredictionSource) -> MonitorReport:
            return run_monitor("delay", store=self.store, log=source, references=REFERENCES, every=every, actor=ANN)

        report, problems = read_source(self.open(), work)
        self.problems = problems.sentences
        return report

    def changed(self) -> tuple[datetime, datetime] | None:
        """Return the times that the next run has to read."""
        record = self.store.get("log_position", "delay/1D")
        assert record is not None
        source = self.open().pinned(record.body)
        return source.changed_since("delay", record.body)


def expected(rows: pd.DataFrame) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield what scikit-learn says of each day; rows without a label count as predictions alone."""
    for start, part in rows.groupby(rows["at"].dt.floor("D")):
        known = part.dropna(subset="late")
        figures: dict[str, float] = {"rows": len(part), "labelled": len(known)}
        if len(known):
            figures["accuracy"] = float(accuracy_score(known["late"].astype(int), known["said"]))
            figures["roc_auc"] = float(roc_auc_score(known["late"].astype(int), known["p"]))
            figures["brier_score"] = float(brier_score_loss(known["late"].astype(int), known["p"]))
        yield start.isoformat(), figures


def check(report: MonitorReport, rows: pd.DataFrame, within: float = 1e-9) -> None:
    """Check every window's figures against scikit-learn's on the raw rows."""
    wanted = dict(expected(rows))
    assert [window.window_start for window in report.windows] == list(wanted)
    for window in report.windows:
        figures = wanted[window.window_start]
        found = {"rows": window.rows, "labelled": window.labelled}
        found |= {name: window.performance[name]["value"] for name in figures if name in window.performance}
        assert found == pytest.approx(figures, abs=within), (window.window_start, found, figures)
