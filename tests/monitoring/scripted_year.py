"""A scripted life of a model: healthy days, and troubles of known columns on known days, judged once.

Findings of a day rest on the days before it alone, so a year is profiled and judged in one go; alerts and incidents are
then made day by day, as the monitor makes them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.actions import casework
from modelops_jupyter.actor import Actor
from modelops_jupyter.monitoring import Alert, AlertRules, WindowResult, raise_alerts
from modelops_jupyter.monitoring.figures.baseline import Baselines
from modelops_jupyter.monitoring.figures.measure import measure_window
from modelops_jupyter.monitoring.incidents.cases import update_incidents
from modelops_jupyter.monitoring.incidents.evidence import Evidence
from modelops_jupyter.monitoring.judging.judge import judge_windows
from modelops_jupyter.monitoring.judging.lookback import with_cycle
from modelops_jupyter.monitoring.scanning import Part, scan_windows
from modelops_jupyter.profiles import Reference, build_reference
from modelops_jupyter.store import Change, InMemoryStore

START = datetime(2025, 1, 1, tzinfo=UTC)
LENGTH = timedelta(days=1)
NUMBERS = ("temp", "wind", "rain", "load", "price")
REGIONS = ("east", "west")
UNITS = ("box", "crate", "pallet")
COLUMNS = (*NUMBERS, "unit")
# A trouble shows after so many days, if not at once.
SEEN = 2
LOOKBACK = 30
WORDS = ("kind", "segment", "column", "metric", "start")
OUTPUTS = ("prediction", "score", "label")
Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Trouble:
    """What goes wrong from one day on and before another, and what is to be charged with it.

    Attributes
    ----------
    does : callable
        Changes a day's rows; labels are drawn before, so that a broken column does not change what is true.
    columns : tuple of str
        Those of which one is the first suspect; none where the trouble is in no column.
    words : tuple of str
        Of which the title says one.
    signs : tuple of str
        The kinds of alerts that show it where it is in no column.
    """

    first: int
    end: int
    does: Callable[[Rows, np.random.Generator], Rows]
    columns: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    signs: tuple[str, ...] = ("drift", "quality")

    def is_sign(self, day: int, alert: Mapping[str, Any]) -> bool:
        """Tell whether an alert that opened on a day is the first sign of it."""
        of_it = not self.columns or alert["kind"] == "volume" or alert["column"] in self.columns
        return self.first <= day <= self.first + SEEN and alert["kind"] in self.signs and of_it


def healthy(rows: int, generator: np.random.Generator) -> Rows:
    """Return rows of a healthy day: labels follow their scores."""
    numbers = {name: generator.normal(size=rows) for name in NUMBERS}
    numbers["load"] = 0.8 * numbers["temp"] + 0.6 * numbers["load"]
    score = 1 / (1 + np.exp(-(1.2 * numbers["temp"] - 0.8 * numbers["wind"] + 0.5 * numbers["price"])))
    return {
        **numbers,
        "unit": generator.choice(UNITS, rows, p=[0.5, 0.3, 0.2]),
        "region": generator.choice(REGIONS, rows, p=[0.6, 0.4]),
        "score": score,
        "prediction": np.where(score > 0.5, "1", "0"),
        "label": np.where(generator.random(rows) < score, "1", "0"),
    }


def reference_of(rows: Rows) -> Reference:
    """Return the reference that a version validated on `rows` has."""
    features = pa.table({name: values for name, values in rows.items() if name not in OUTPUTS})
    outputs = {"scores": rows["score"], "predictions": rows["prediction"], "labels": rows["label"]}
    return build_reference(features, **outputs, positive="1", segments=["region"])


def life(
    days: int,
    troubles: Sequence[Trouble],
    *,
    rows: int = 400,
    seed: int = 0,
    versions: Callable[[int], int] = lambda day: 1,
) -> tuple[WindowResult, ...]:
    """Return the judged windows of a model's life, those of segments too."""
    generator = np.random.default_rng([seed, 10**6])
    references = {version: reference_of(healthy(6000, generator)) for version in {versions(n) for n in range(days)}}
    parts = [Part.of_log(_day(n, troubles, rows, seed, versions(n)), "1D") for n in range(days)]
    return _judged(parts, references)


def _day(n: int, troubles: Sequence[Trouble], rows: int, seed: int, version: int) -> pa.Table:
    generator = np.random.default_rng([seed, n])
    values = healthy(rows, generator)
    for trouble in troubles:
        if trouble.first <= n < trouble.end:
            values = trouble.does(values, generator)
    count = len(values["label"])
    seconds = np.sort(generator.integers(0, 86_400, count))
    times = pa.array((int((START + n * LENGTH).timestamp()) + seconds) * 10**6).cast(pa.timestamp("us", tz="UTC"))
    ids = pa.array([f"{n}-{k}" for k in range(count)])
    columns = {name: pa.array(column, from_pandas=True) for name, column in values.items()}
    return pa.table({**columns, "version": np.full(count, version), "timestamp": times, "request_id": ids})


def _judged(parts: Sequence[Part], references: Mapping[int, Reference]) -> tuple[WindowResult, ...]:
    baselines, windows, counts = Baselines(references), [], {}
    for found in scan_windows(parts, references, "1D", ("region",), sample=300):
        slices = {"": ("", found.profile)}
        slices |= {name: (column, p) for column, own in found.segments.items() for name, p in own.items()}
        for segment, (column, profile) in slices.items():
            baseline = baselines.of(found.version, column, segment)
            window = measure_window(baseline, profile, found.start, found.start + LENGTH)
            windows.append(replace(window, segment=segment))
            counts[found.start.isoformat(), segment] = profile.counts
    fresh, known = {window.window_start for window in windows}, sorted(references)
    looked = with_cycle(windows, fresh, lambda *key: counts[key], known, baselines.of_segment, "1D")
    return judge_windows(looked, known, baselines.of_segment, AlertRules(), "1D")


@dataclass(frozen=True)
class Evening:
    """What is on record on the evening of a day."""

    day: int
    alerts: Sequence[Alert]
    incidents: Sequence[casework.Incident]
    messages: Sequence[Mapping[str, Any]]

    @property
    def wrong(self) -> set[str]:
        """The columns with an open alert, and those that such a one names."""
        found = [alert for alert in self.alerts if alert.state == "open"]
        return {alert.column for alert in found} | {name for alert in found for name in alert.beside.split(" and ")}

    def of(self, trouble: Trouble) -> casework.Incident | None:
        """Return the open or resolved incident of a trouble: that with its first sign."""
        found = [
            incident
            for incident in self.incidents
            if any(trouble.is_sign(day_of(member["start"]), member) for member in incident.alerts)
        ]
        return max(found, key=lambda incident: incident.first_window, default=None)


def evenings(
    windows: Sequence[WindowResult],
    resolve: Mapping[int, Callable[[casework.Incident], bool]] | None = None,
    store: InMemoryStore | None = None,
) -> Iterator[Evening]:
    """Do day by day what the monitor does, and on some days resolve the incidents that somebody chooses."""
    store, rules, alerts = store or InMemoryStore(), AlertRules(), ()
    starts = sorted({window.window_start for window in windows})
    by_start = {start: [window for window in windows if window.window_start == start] for start in starts}
    for n, start in enumerate(starts):
        recent = [window for at in starts[max(0, n - LOOKBACK) : n + 1] for window in by_start[at]]
        alerts = raise_alerts("m", recent, rules, alerts, start)
        bodies = [{**alert.to_dict(), "every": "1D"} for alert in alerts]
        earlier = partial(_between, by_start)
        now = datetime.now(UTC).isoformat()
        puts, messages = update_incidents(store, "m", bodies, Evidence(recent, earlier=earlier, settled=start), now)
        store.commit(Change(puts=puts))
        listed = [casework.incident(store, row["id"]) for row in casework.incidents(store, None, None)]
        day = day_of(start)
        for incident in listed:
            if incident.state == "open" and resolve and day in resolve and resolve[day](incident):
                casework.resolve(store, incident.id, "looked after", Actor("ann"))
        yield Evening(day, alerts, listed, messages)


def _between(by_start: Mapping[str, Sequence[WindowResult]], first: str, end: str) -> list[WindowResult]:
    return [window for start, own in by_start.items() if first <= start < end for window in own]


def check_texts(evening: Evening) -> None:
    """Fail where an open incident names a column without an open alert, or none of those that it has."""
    for incident in evening.incidents:
        if incident.state not in ("open", "acknowledged"):
            continue
        texts = " ".join((incident.title, *incident.actions))
        named = {name for name in COLUMNS if re.search(rf"\b{name}\b(?!=)", texts)}
        named |= {suspect["column"] for suspect in incident.suspects}
        own = {m["column"] for m in incident.alerts if not m["closed"]}
        own |= {name for m in incident.alerts if not m["closed"] for name in m["beside"].split(" and ")}
        assert named <= own & evening.wrong, (evening.day, incident.title)
        assert any(not member["closed"] for member in incident.alerts)
    placed = [tuple(m[word] for word in WORDS) for incident in evening.incidents for m in incident.alerts]
    assert len(placed) == len(set(placed)) == len(evening.alerts)


def check_trouble(evening: Evening, trouble: Trouble) -> None:
    """Fail where the incident of a trouble that goes on is not there, or names something else first."""
    incident = evening.of(trouble)
    assert incident is not None, (evening.day, trouble.columns or trouble.words)
    if not any(not member["closed"] for member in incident.alerts):
        return
    suspects = [suspect["column"] for suspect in incident.suspects]
    assert set(suspects[:1]) <= set(trouble.columns), (evening.day, incident.title, suspects)
    assert any(word in incident.title for word in trouble.words), (evening.day, incident.title)


def day_of(start: str) -> int:
    """Return which day a window is."""
    return (datetime.fromisoformat(start) - START).days
