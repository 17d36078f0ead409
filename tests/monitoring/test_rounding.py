"""What rounding alone tells apart decides nothing: the same findings, alerts and states on every processor."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.deciding import exceeds, first_greatest, reaches, settled, side
from modelops_jupyter.monitoring.incidents.alerts import raise_alerts
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.monitoring.scanning import Part, scan_windows
from modelops_jupyter.profiles import Reference, build_reference

Array = np.ndarray[Any, Any]
BEGIN, DAYS, BROKEN, ROWS, ULPS = pd.Timestamp("2026-05-01", tz="UTC"), 14, 11, 1000, 8
RULES = AlertRules()
# Of "missing" and "volume" figures move by exactly as much as counts: 2 % of the rows, 30 % fewer rows.
FAULTS = ("none", "wind", "steps", "bond", "labels", "missing", "volume", "accuracy")
# A processor of 2004, and one of today, as far as NumPy and OpenBLAS can play them.
PROCESSORS: tuple[Mapping[str, str], ...] = (
    {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR", "OPENBLAS_CORETYPE": "Prescott"},
    {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR", "OPENBLAS_CORETYPE": "Haswell"},
    {},
)


def day(number: int, fault: str, seed: int) -> pa.Table:
    """Return the log of a day: many values come often, and the score has few values, as that of a tree."""
    generator = np.random.default_rng([seed, number + 10])
    broken = number >= BROKEN
    rows = int(0.7 * ROWS) if broken and fault == "volume" else ROWS
    wind = generator.normal(0.4 if broken and fault == "wind" else 0, 1, rows)
    steps = generator.choice([0.1, 0.2, 0.3, 0.57, 0.7], rows) + (0.1 if broken and fault == "steps" else 0)
    origin = generator.choice(["EWR", "JFK", "LGA"], rows)
    gust = (wind if not (broken and fault == "bond") else generator.permutation(wind)) + generator.normal(0, 0.5, rows)
    score = np.round(1 / (1 + np.exp(-2 * wind)), 1)
    late = generator.random(rows) < (score if not (broken and fault == "labels") else 0.7 * score)
    predicted = score > 0.5
    if fault == "accuracy":
        late = predicted ^ (generator.permutation(rows) < rows * (0.16 if broken else 0.1))
    missing = generator.permutation(rows) < (0.02 * rows if broken and fault == "missing" else 0)
    at = BEGIN.tz_convert(None) + pd.Timedelta(days=number) + pd.to_timedelta(np.arange(rows), unit="s")
    return pa.table(
        {
            "request_id": [f"{number}-{n}" for n in range(rows)],
            "timestamp": pa.array(at).cast(pa.timestamp("us", tz="UTC")),
            "version": np.ones(rows, dtype="int64"),
            "prediction": predicted.astype(int).astype(str),
            "score": score,
            "label": late.astype(int).astype(str),
            "wind": np.where(missing, np.nan, wind),
            "gust": gust,
            "steps": steps,
            "origin": origin,
        }
    )


def moved(table: pa.Table, generator: np.random.Generator) -> pa.Table:
    """Return a table whose floats are off by a few last bits."""
    for index, name in enumerate(table.column_names):
        if pa.types.is_floating(table.schema.field(index).type):
            values = table[name].to_numpy()
            values = values + generator.integers(-ULPS, ULPS + 1, len(values)) * np.spacing(values)
            table = table.set_column(index, name, pa.array(values))
    return table


def reference_of(table: pa.Table) -> Reference:
    features = table.select(["wind", "gust", "steps", "origin"])
    outputs = {f"{name}s": table[name].to_numpy(zero_copy_only=False) for name in ("score", "prediction", "label")}
    return build_reference(features, **outputs, positive="1", segments=())


def measured(reference: pa.Table, table: pa.Table) -> tuple[dict[int, Baseline], tuple[WindowResult, ...]]:
    baselines = {1: Baseline(reference_of(reference))}
    scanned = scan_windows([Part.of_log(table, "1D")], {1: baselines[1].reference}, "1D", sample=200)
    return baselines, measure_series(baselines, {window.start: window.profile for window in scanned}, "1D")


def verdict(baselines: dict[int, Baseline], windows: tuple[WindowResult, ...]) -> list[tuple[object, ...]]:
    """Return everything that is said, but for the figures."""
    judged = judge_series(baselines, windows, RULES, "1D")
    findings: list[tuple[object, ...]] = [
        (window.window_start, *finding.key, finding.metric, finding.level)
        for window in judged
        for finding in window.findings
    ]
    alerts = raise_alerts("delay", judged, RULES)
    return findings + [(a.kind, a.column, a.metric, a.window_start, a.last_window, a.state) for a in alerts]


def world(fault: str, seed: int) -> tuple[pa.Table, pa.Table]:
    """Return the rows of a reference, and those of a log."""
    reference = pa.concat_tables([day(-1 - n, fault, seed) for n in range(3)])
    return reference, pa.concat_tables([day(n, fault, seed) for n in range(DAYS)])


def shaken(value: Any, generator: np.random.Generator) -> Any:
    """Return figures off by a few last bits, wherever they are."""
    if isinstance(value, dict):
        return {key: shaken(item, generator) for key, item in value.items()}
    if isinstance(value, float):
        return float(value + generator.integers(-ULPS, ULPS + 1) * np.spacing(value))
    return value


@settings(max_examples=8)
@example("none", 30579)  # a distance of zero that is a last bit below
@given(st.sampled_from(FAULTS), st.integers(0, 10**6))
def test_a_verdict_does_not_hang_on_the_last_bits_of_figures(fault: str, seed: int) -> None:
    baselines, windows = measured(*world(fault, seed))
    generator = np.random.default_rng(seed)
    kinds = ("performance", "drift", "estimated", "concept", "quality", "cycle")
    others = tuple(
        replace(window, **{kind: shaken(getattr(window, kind), generator) for kind in kinds}) for window in windows
    )
    assert verdict(baselines, others) == verdict(baselines, windows)


@settings(max_examples=8)
@example("accuracy", 0)  # certain scores, some of them wrong: what a last bit takes from 1 has a logarithm
@example("accuracy", 3)
@example("none", 45271)  # scores of exactly zero, and beside them the least numbers that there are
@given(st.sampled_from(FAULTS), st.integers(0, 10**6))
def test_a_verdict_does_not_hang_on_the_last_bits_of_rows(fault: str, seed: int) -> None:
    """A model trained on another processor scores so."""
    reference, rows = world(fault, seed)
    generator = np.random.default_rng(seed)
    others = measured(moved(reference, generator), moved(rows, generator))
    assert verdict(*others) == verdict(*measured(reference, rows))


@pytest.mark.parametrize("fault", FAULTS[1:])
def test_what_counts_is_told(fault: str) -> None:
    """The worlds above hold something to tell, at the very threshold too."""
    begun = BEGIN + pd.Timedelta(days=BROKEN)
    kinds = {"missing": "quality", "volume": "volume", "labels": "concept", "accuracy": "performance"}
    alerts = [entry for entry in verdict(*measured(*world(fault, 1))) if entry[0] == kinds.get(fault, "drift")]
    assert any(entry[-3] >= begun.isoformat() for entry in alerts)


def test_the_same_rows_give_the_same_windows_on_every_processor() -> None:
    answers = []
    for processor in PROCESSORS:
        usual = {name: value for name, value in os.environ.items() if name not in PROCESSORS[0]}
        done = subprocess.run(
            [sys.executable, __file__],
            env={**usual, **processor},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(json.loads(done.stdout))
    for answer in answers[1:]:
        assert answer["verdicts"] == answers[0]["verdicts"]
        assert answer["figures"] == pytest.approx(answers[0]["figures"], rel=1e-9, abs=1e-9)


def flat(value: Any, name: str = "") -> dict[str, float]:
    """Return all numbers of nested data by the path to them."""
    if isinstance(value, dict):
        return {path: n for key, item in value.items() for path, n in flat(item, f"{name}/{key}").items()}
    if isinstance(value, list | tuple):
        return {path: n for key, item in enumerate(value) for path, n in flat(item, f"{name}/{key}").items()}
    return {name: value} if isinstance(value, int | float) else {}


@given(
    st.floats(-1e300, 1e300).filter(lambda value: abs(value) > 1e-3),
    st.integers(-ULPS, ULPS),
    st.integers(-ULPS, ULPS),
)
def test_what_is_a_few_bits_apart_reaches_and_does_not_exceed(value: float, more: int, less: int) -> None:
    figure, limit = value + more * np.spacing(value), value + less * np.spacing(value)
    assert reaches(figure, limit)
    assert not exceeds(figure, limit)
    assert side(np.array([figure]), np.array([limit])) == [0]
    assert settled(settled(figure)) == settled(figure)
    assert first_greatest(np.array([min(value * 2, value / 2), figure, limit])) == 1


@given(st.floats(1e-4, 1e9), st.floats(1e-7, 1.0))
def test_what_is_further_apart_is_told_apart(limit: float, part: float) -> None:
    beyond = limit * (1 + part)
    assert reaches(beyond, limit)
    assert exceeds(beyond, limit)
    assert not reaches(limit, beyond)
    assert not reaches(np.nan, limit)
    assert not exceeds(limit, np.nan)
    assert side(np.array([limit, beyond, np.nan]), np.array([beyond, limit, 0])).tolist()[:2] == [-1, 1]


if __name__ == "__main__":
    series = [measured(*world(fault, 1)) for fault in FAULTS]
    figures = flat([[vars(window) for window in windows] for _, windows in series])
    print(json.dumps({"verdicts": [verdict(*measures) for measures in series], "figures": figures}))
