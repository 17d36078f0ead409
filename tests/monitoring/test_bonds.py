"""Drift of dependence alone, which no column shows, and combinations that never came: found, and quiet otherwise."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.actor import Actor
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring import Alert, AlertRules, WindowResult, raise_alerts, run_monitor
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.judging.bond_findings import one_of_a_pair
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.monitoring.record.results import Finding
from modelops_jupyter.profiles import Profile, Reference, build_reference, scan
from modelops_jupyter.profiles.sampling import EXAMINED_ROWS
from modelops_jupyter.store import InMemoryStore

START = datetime(2024, 1, 1, tzinfo=UTC)
ROUTES = {"JFK": ["LAX", "SFO", "LHR"], "LGA": ["ORD", "ATL"], "EWR": ["ORD", "SFO", "MIA"]}
Rows = dict[str, np.ndarray]


def flown(
    rows: int, generator: np.random.Generator, *, bond: float = 1.0, strange: float = 0.0, level: float = 0.0
) -> Rows:
    """Two numbers that go together, a route of three origins, and a fourth column on its own.

    `bond` is how often both belong to one row; `strange` is the share of routes that nobody flies.
    """
    base = generator.normal(level, 1, rows)
    temp, dew = base + generator.normal(0, 0.4, rows), base + generator.normal(0, 0.4, rows)
    origin = generator.choice(list(ROUTES), rows)
    dest = np.array([generator.choice(ROUTES[at]) for at in origin])
    loose = generator.random(rows) > bond
    dew[loose] = generator.permutation(dew[loose])
    dest[loose] = generator.permutation(dest[loose])
    odd = generator.random(rows) < strange
    origin[odd], dest[odd] = "LGA", "LHR"
    return {"temp": temp, "dew": dew, "origin": origin, "dest": dest, "other": generator.exponential(size=rows)}


@pytest.fixture(scope="module")
def known() -> Reference:
    return build_reference(pa.table(flown(6000, np.random.default_rng(0))), task="decision")


def profile(known: Reference, rows: Rows, sample: int = EXAMINED_ROWS) -> Profile:
    count = len(rows["temp"])
    times = pa.array(np.arange(count) * 1000).cast(pa.timestamp("us", tz="UTC"))
    return scan(pa.table({**rows, "timestamp": times, "version": np.ones(count, "int64")}), known.binning, sample)


def judged(known: Reference, day: Callable[[int], Rows], days: int, sample: int = EXAMINED_ROWS) -> list[Alert]:
    baselines = {1: Baseline(known)}
    series = {START + n * timedelta(days=1): profile(known, day(n), sample) for n in range(days)}
    windows = judge_series(baselines, measure_series(baselines, series, "1D"), AlertRules(), "1D")
    return list(raise_alerts("m", windows, AlertRules()))


def told(alerts: list[Alert]) -> set[tuple[str, str, int]]:
    return {(a.column, a.metric, (datetime.fromisoformat(a.window_start) - START).days) for a in alerts}


def test_a_bond_that_breaks_is_found_though_no_column_moves(known: Reference) -> None:
    generator = np.random.default_rng(1)
    found = told(judged(known, lambda n: flown(900, generator, bond=0.3 if n >= 12 else 1.0), 15))
    bonds = {column for column, metric, day in found if metric == "dependence" and day == 12}
    assert len(bonds & {"temp", "dew"}) == len(bonds & {"origin", "dest"}) == 1  # one of each pair
    assert not [column for column, metric, _ in found if metric in ("jensen_shannon", "kolmogorov_smirnov")]


def test_a_bond_that_weakens_is_found_within_a_cycle(known: Reference) -> None:
    generator = np.random.default_rng(2)
    found = told(judged(known, lambda n: flown(900, generator, bond=0.8 if n >= 12 else 1.0), 19))
    assert {column for column, metric, _ in found if metric.endswith("dependence")} & {"temp", "dew"}


def test_new_bonds_are_found_too(known: Reference) -> None:
    generator = np.random.default_rng(11)

    def day(n: int) -> Rows:
        rows = flown(900, generator)
        if n >= 12:  # what was on its own now follows the temperature, in a distribution of the same shape
            rows["other"] = np.sort(rows["other"])[np.argsort(np.argsort(rows["temp"]))]
        return rows

    assert ("other", "dependence", 12) in told(judged(known, day, 14))


def test_a_shift_of_one_column_is_no_change_of_its_bonds(known: Reference) -> None:
    generator = np.random.default_rng(4)
    found = told(judged(known, lambda n: flown(900, generator, level=0.7 if n >= 12 else 0.0), 22))
    assert ("temp", 12) in {(column, day) for column, _, day in found}
    assert not [column for column, metric, _ in found if metric.endswith("dependence")]


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_hardly_anything_is_found_where_nothing_changes(known: Reference, seed: int) -> None:
    generator = np.random.default_rng(seed)
    found = told(judged(known, lambda n: flown(300, generator), 90))
    bonds = [alert for alert in found if alert[1].endswith("dependence") or alert[1] == "unseen_combinations"]
    assert len(bonds) <= 1  # three alerts are allowed in three months, and a seventh of them are those of bonds


def test_days_of_one_weather_each_are_no_news() -> None:
    """Within a day little varies together; over the year all does. So it is every day."""
    generator = np.random.default_rng(7)

    def day(n: int) -> Rows:
        season, own = np.sin(n / 58), generator.normal()
        rows = flown(400, generator)
        return {**rows, "temp": season + own + 0.2 * rows["temp"], "dew": season + own + 0.2 * rows["other"]}

    year = [day(n) for n in range(365)]
    known = build_reference(
        pa.table({name: np.concatenate([rows[name] for rows in year]) for name in year[0]}), task="decision"
    )
    found = told(judged(known, lambda n: day(n + 30), 80))
    assert len([alert for alert in found if alert[1].endswith("dependence")]) <= 2


def test_combinations_that_never_came_are_counted_and_found(known: Reference) -> None:
    generator = np.random.default_rng(8)
    baselines = {1: Baseline(known)}
    strange = {START: profile(known, flown(3000, generator, strange=0.2), 1000)}
    (window,) = measure_series(baselines, strange, "1D")
    figure = window.quality["unseen_combinations"]
    assert figure["value"] == pytest.approx(0.2, abs=0.06)
    assert figure["with"] == "dest and origin"
    alerts = judged(known, lambda n: flown(900, generator, strange=0.15 if n >= 12 else 0.0), 14)
    (alert,) = (a for a in alerts if a.metric == "unseen_combinations")
    assert (alert.kind, alert.column, alert.window_start[:10]) == ("quality", "", "2024-01-13")
    assert "dest and origin" in alert.message


def test_a_reference_that_was_in_a_store_is_the_same(known: Reference) -> None:
    stored = Reference.from_dict(json.loads(json.dumps(known.to_dict(), sort_keys=True)))
    assert list(stored.binning.columns) != list(known.binning.columns)
    day = profile(stored, flown(300, np.random.default_rng(1)))
    for reference in (stored, known):
        bonds = Baseline(reference).bonds
        assert bonds.unseen(day.sample.table)[0].value == 0
        assert max(abs(bond.change) / bond.error for bond in bonds.changes(day.sample.table).values()) < 5


def test_without_a_sample_there_is_nothing_to_say(known: Reference) -> None:
    generator = np.random.default_rng(9)
    assert not judged(known, lambda n: flown(900, generator, bond=0.3 if n >= 12 else 1.0), 15, sample=0)
    (window,) = measure_series({1: Baseline(known)}, {START: profile(known, flown(90, generator), 0)}, "1D")
    assert "unseen_combinations" not in window.quality
    assert "dependence" not in window.drift["temp"]


def test_few_rows_one_column_and_constants_have_no_bonds() -> None:
    generator = np.random.default_rng(10)
    alone = build_reference(pa.table({"x": generator.normal(size=200)}), task="decision")
    flat = build_reference(pa.table({"x": np.ones(200), "y": np.zeros(200), "z": ["a"] * 200}), task="decision")
    few = build_reference(pa.table({"x": [1.0, 2.0], "y": [2.0, 1.0]}), task="decision")
    for reference in (alone, flat, few):
        names = list(reference.profile.columns)
        table = pa.table({name: ["a"] * 90 if name == "z" else generator.normal(size=90) for name in names})
        found = scan(table.append_column("version", pa.array([1] * 90)), reference.binning, 50)
        (window,) = measure_series({1: Baseline(reference)}, {START: found}, "1D")
        for name in names:
            figure = window.drift[name].get("dependence", {"value": 0.0})
            assert np.isfinite(figure["value"])


COLUMNS = "abcdef"


@given(
    st.dictionaries(st.sampled_from(COLUMNS), st.floats(1.0, 9.0), min_size=1),
    st.dictionaries(st.sampled_from(COLUMNS), st.sampled_from(COLUMNS)),
    st.sets(st.sampled_from(COLUMNS)),
)
def test_a_pair_of_columns_has_one_finding(
    ratios: dict[str, float], partners: dict[str, str], before: set[str]
) -> None:
    findings = [Finding("drift", name, "dependence", ratio * 0.1, 0.1) for name, ratio in sorted(ratios.items())]
    kept = {finding.column for finding in one_of_a_pair(findings, partners, before)}
    for a in ratios:
        b = partners.get(a, "")
        mutual = b in ratios and b != a and partners.get(b) == a
        if not mutual:
            assert a in kept
        else:
            assert (a in kept) != (b in kept)
            if (a in before) != (b in before):
                assert (a in kept) == (a in before)


@pytest.mark.parametrize(("sample", "kept", "examined"), [(200, 200, EXAMINED_ROWS), (0, 0, None)])
def test_more_rows_are_looked_at_than_are_kept(
    known: Reference, tmp_path: Path, sample: int, kept: int, examined: int | None
) -> None:
    log, store, rows = PredictionLog(tmp_path), InMemoryStore(), 1500
    times = pa.array(np.arange(rows) + 1_364_774_400_000_000).cast(pa.timestamp("us", tz="UTC"))
    own = {"request_id": [f"{n}" for n in range(rows)], "timestamp": times, "version": np.ones(rows, "int64")}
    words = {"model": ["m"] * rows, "alias": [""] * rows, "prediction": ["1"] * rows, "decision": [""] * rows}
    words["score"] = [0.5] * rows
    log.append_predictions("m", pa.table({**own, **words, **flown(rows, np.random.default_rng(1))}))
    run_monitor("m", store=store, log=log, references={1: known}, actor=Actor("ann", "self-asserted"), sample=sample)
    (profiled,), (window,) = (store.find(kind, "m") for kind in ("profile", "window"))
    assert len(Profile.from_dict(profiled.body).sample.keys) == kept
    quality = WindowResult.unpacked(window.body).quality
    assert quality.get("unseen_combinations", {}).get("degrees") == examined
