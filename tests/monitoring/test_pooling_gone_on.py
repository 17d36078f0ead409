"""Pools are those of one run over all rows that are left, whatever came, went or was decided anew between runs.

Rows are those of a table that others write: it grows anywhere, loses rows, and nothing of it is read but what changed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops_jupyter.actor import Actor
from modelops_jupyter.log import Extent, PredictionLog
from modelops_jupyter.monitoring import AlertRules, MonitorReport, WindowResult, run_monitor
from modelops_jupyter.monitoring import run as run_module
from modelops_jupyter.monitoring.incidents.chronicle import _moved
from modelops_jupyter.monitoring.incidents.members import Member
from modelops_jupyter.monitoring.judging.budget import AlertBudget
from modelops_jupyter.monitoring.judging.thresholds import Track
from modelops_jupyter.monitoring.scanning import WindowProfile, scan_log
from modelops_jupyter.profiles import Reference, build_reference
from modelops_jupyter.store import InMemoryStore

ANN = Actor("ann", "self-asserted")
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 116
# Days are drawn of those; the last is large.
SIZES = (12, 24, 100)
Days = Mapping[int, int]


def drift_of(days: range) -> list[float]:
    """Return where wind is on each day: it rises in the first week, and for ever from day 90 on."""
    return [1.2 if 3 <= day < 7 or day >= 90 else 0.0 for day in days]


def rows_of(days: range, size: int) -> pa.Table:
    """Return predictions of so many rows on each day."""
    generator = np.random.default_rng(size)
    number = size * len(days)
    score = generator.random(number)
    at = [MONDAY + day * DAY + n * DAY / size for day in days for n in range(size)]
    return pa.table(
        {
            "request_id": [str(n) for n in range(number)],
            "timestamp": pa.array(at, pa.timestamp("us", tz="UTC")),
            "model": ["m"] * number,
            "version": pa.array([1] * number, pa.int64()),
            "alias": [""] * number,
            "prediction": np.where(score > 0.5, "1", "0"),
            "score": score,
            "decision": [""] * number,
            "wind": generator.normal(0.0, 1.0, number)
            + np.repeat(np.add(drift_of(days), generator.normal(0, 0.1, len(days))), size),
        }
    )


@dataclass(frozen=True)
class World:
    """What a day of each size is, as the log would have it."""

    reference: Reference = field(repr=False)
    days: Mapping[tuple[int, int], WindowProfile] = field(repr=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    generator = np.random.default_rng(0)
    score = generator.random(2000)
    label = np.where(generator.random(2000) < score, "1", "0")
    wind = pa.table({"wind": generator.normal(size=2000)})
    predictions = np.where(score > 0.5, "1", "0")
    reference = build_reference(wind, scores=score, predictions=predictions, labels=label, positive="1", segments=[])
    days: dict[tuple[int, int], WindowProfile] = {}
    for size in SIZES:
        log = PredictionLog(tmp_path_factory.mktemp("log"))
        log.append_predictions("m", rows_of(range(DAYS), size))
        for window in scan_log(log, "m", MONDAY, MONDAY + DAYS * DAY, {1: reference}, "1D", (), 0, "UTC"):
            days[(window.start - MONDAY) // DAY, size] = window
    world = World(reference, days)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "scan_log", lambda table, model, start, end, *_: table.scan(start, end))
        yield world


@dataclass
class Table:
    """A table of predictions that others write: so many rows on each day."""

    world: World
    days: dict[int, int] = field(default_factory=dict)

    def pinned(self, position: Any = None) -> "Table":
        return self

    def extent(self, model: str) -> Extent | None:
        if not self.days:
            return None
        last = max(self.days)
        position = {"days": {str(day): size for day, size in self.days.items()}}
        end = MONDAY + last * DAY + (self.days[last] - 1) * DAY / self.days[last]
        return Extent(MONDAY + min(self.days) * DAY, end, sum(self.days.values()), 0, position)

    def changed_since(self, model: str, position: Any) -> tuple[datetime, datetime] | None:
        before = {int(day): size for day, size in position["days"].items()}
        changed = [day for day in before.keys() | self.days.keys() if before.get(day) != self.days.get(day)]
        return (MONDAY + min(changed) * DAY, MONDAY + max(changed) * DAY + DAY / 2) if changed else None

    def scan(self, start: datetime, end: datetime) -> Iterator[WindowProfile]:
        own = [self.world.days[day, self.days[day]] for day in sorted(self.days)]
        yield from (window for window in own if start <= window.start < end)


@dataclass
class Watch:
    """A store, and a monitor that goes on in it."""

    table: Table
    store: InMemoryStore = field(default_factory=InMemoryStore)

    def run(self, budget: str = "1/month") -> MonitorReport:
        rules = AlertRules(budget=AlertBudget.parse(budget))
        references = {1: self.table.world.reference}
        return run_monitor("m", store=self.store, log=self.table, references=references, rules=rules, actor=ANN)

    @property
    def pools(self) -> list[tuple[str, str, int, int]]:
        """The windows on record whose rows are there."""
        record = self.store.get("monitor", "m/1D")
        lost = set() if record is None else set(record.body["without_rows"])
        windows = run_module.KeptWindows(self.store, "m", "1D").whole()
        assert all(w.window_end <= after.window_start for w, after in pairwise(windows)), "a day is in two windows"
        return [(w.window_start, w.window_end, w.rows, w.pooled) for w in windows if w.window_start not in lost]


# What is written between two runs, by day (0: its rows are deleted), and whether the budget is another one then.
DAYS_OF = st.dictionaries(st.integers(0, 20), st.sampled_from([0, *SIZES]), min_size=1, max_size=7)
STEPS = st.lists(st.tuples(DAYS_OF, st.booleans()), min_size=1, max_size=6)
WEEK: Days = dict.fromkeys(range(7), 24)
LARGE: Days = dict.fromkeys(range(4, 7), 100)


ONE_BY_ONE: Mapping[str, list[tuple[Days, bool]]] = {
    "a pool loses its first rows": [(WEEK, False), ({0: 0}, False)],
    "and the budget is another one": [(WEEK, False), ({0: 0}, True)],
    "another budget with new rows": [(dict.fromkeys(range(4), 100), False), (dict.fromkeys(range(4, 7), 24), True)],
    "small days behind large ones": [(LARGE, False), (dict.fromkeys(range(4), 24), False)],
    "a window without rows is no neighbour": [
        ({0: 100, 1: 100}, False),
        ({0: 0, 1: 0, 8: 24}, False),
        ({2: 24, 3: 24}, False),
    ],
}


def check(world: World, steps: list[tuple[Days, bool]]) -> None:
    """Compare what is on record after the steps with one run over what is left."""
    watch = Watch(Table(world))
    for changes, other in steps:
        watch.table.days = {day: size for day, size in {**watch.table.days, **changes}.items() if size}
        watch.run("1/year" if other else "1/month")
    at_once = Watch(watch.table)
    at_once.run()
    if watch.table.days:
        assert watch.pools == at_once.pools
        assert sum(rows for _, _, rows, _ in watch.pools) == sum(watch.table.days.values())


@pytest.mark.parametrize("case", ONE_BY_ONE)
def test_what_was_seen_once(world: World, case: str) -> None:
    check(world, ONE_BY_ONE[case])


@settings(max_examples=15)
@given(STEPS)
def test_pools_are_those_of_one_run_over_what_is_left(world: World, steps: list[tuple[Days, bool]]) -> None:
    check(world, steps)


def test_thresholds_are_those_of_one_run_where_the_volume_changes(world: World) -> None:
    watch = Watch(Table(world))
    for until in (12, DAYS):
        watch.table.days = {day: 100 if day >= 21 else 24 for day in range(until)}
        watch.run()
    at_once = Watch(watch.table)
    at_once.run()
    windows = [run_module.KeptWindows(one.store, "m", "1D").whole() for one in (watch, at_once)]
    assert len(windows[1]) >= 100
    assert sum(len(window.findings) for window in windows[1]) > 10
    assert [w.findings for w in windows[0]] == [w.findings for w in windows[1]]


@given(st.lists(st.sampled_from([1, 3, 4]), min_size=1, max_size=60), st.data())
def test_how_many_windows_a_cycle_has_is_told_by_those_of_the_last_cycle(
    lengths: list[int], data: st.DataObject
) -> None:
    ends = [(MONDAY + int(n) * DAY).isoformat() for n in np.cumsum([0, *lengths])]
    windows = [
        WindowResult(begin, end, 60, 0, {"1": 60}, {}, {}, (), pooled=pooled)
        for (begin, end), pooled in zip(pairwise(ends), lengths, strict=True)
    ]
    i = data.draw(st.integers(0, len(windows) - 1))
    since = data.draw(st.integers(0, max(0, i - 7)))
    whole, then = (Track(None, own, "1D") for own in (windows, windows[since : i + 1]))  # type: ignore[arg-type]
    assert whole.per_cycle[i] == then.per_cycle[-1]
    if len(set(lengths[max(0, i - 7) : i + 1])) == 1:
        assert whole.per_cycle[i] == max(1, round(7 / lengths[i]))


@pytest.mark.parametrize(("last_end", "moved"), [("2026-01-20", False), ("2026-01-22", True), ("", True)])
def test_an_alert_lasts_until_the_end_of_its_own_last_window(last_end: str, moved: bool) -> None:
    opened = {"window_start": "2026-01-05T00:00:00+00:00", "window_end": "2026-01-08T00:00:00+00:00"}
    last = {"last_window": "2026-01-19T00:00:00+00:00", "last_end": last_end and f"{last_end}T00:00:00+00:00"}
    what = {"kind": "drift", "column": "wind", "metric": "psi", "every": "1D", "state": "open", "message": ""}
    alert = Member.of({**what, **opened, **last, "figure": 0.2, "threshold": 0.1})
    gone = Member.of({**what, **last, "window_start": "2026-01-21T00:00:00+00:00", "figure": 0.2, "threshold": 0.1})
    assert _moved(alert, gone) == moved
