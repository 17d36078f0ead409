"""Worlds to draw windows from: real rows with a model's outputs, the reference drawn from them, windows profiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from modelops_jupyter.columns import Columns
from modelops_jupyter.monitoring import AlertRules, WindowResult, raise_alerts
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.measure import measure_window
from modelops_jupyter.monitoring.judging.judge import judge_windows
from modelops_jupyter.monitoring.judging.lookback import with_cycle
from modelops_jupyter.monitoring.record.results import Alert
from modelops_jupyter.profiles import Profile, Reference, build_reference
from modelops_jupyter.profiles.groups import Groups
from modelops_jupyter.profiles.sampling import EXAMINED_ROWS
from modelops_jupyter.profiles.scan import GroupedRows, Tally
from tests.benchmarks.drifts import OUTPUTS, SEED, drawn, source, with_outputs

START, DAY = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1)
KNOWN_ROWS = 20_000
# So many rows are scanned at once: windows of few rows are drawn and profiled together.
ROWS_AT_ONCE = 200_000


@dataclass(frozen=True)
class World:
    """A population, the reference drawn from it, and what draws windows."""

    population: pd.DataFrame
    known: pd.DataFrame
    generator: np.random.Generator

    @classmethod
    def of(cls, name: str, columns: int, rows: int, block: int = 0) -> World:
        """Make the world of one run; each block has a reference and windows of its own."""
        population = with_outputs(source(name, columns), np.random.default_rng([SEED, columns, rows]))
        generator = np.random.default_rng([SEED, columns, rows, block])
        return cls(population, drawn(population, KNOWN_ROWS, generator), generator)

    @cached_property
    def baseline(self) -> Baseline:
        """The reference made ready for comparing."""
        return Baseline(referred(self.known))

    @cached_property
    def _table(self) -> pa.Table:
        return pa.Table.from_pandas(self.population.assign(version=1), preserve_index=False)

    def window(self, rows: int) -> pd.DataFrame:
        """Draw a healthy window."""
        return drawn(self.population, rows, self.generator)

    def profiles(self, windows: int, rows: int) -> Iterator[Profile]:
        """Draw and profile healthy windows, many at once where they are small."""
        at_once = max(1, ROWS_AT_ONCE // rows)
        for begin in range(0, windows, at_once):
            count = min(at_once, windows - begin)
            places = self.generator.integers(len(self.population), size=count * rows)
            yield from profiled(self._table.take(pa.array(places)), [rows] * count, self.baseline.reference)


def referred(frame: pd.DataFrame) -> Reference:
    """Make a reference of a frame with outputs: of a classification with scores or without, or a regression."""
    outputs = [name for name in OUTPUTS if name in frame]
    features = pa.Table.from_pandas(frame.drop(columns=outputs), preserve_index=False)
    regression = pd.api.types.is_float_dtype(frame["prediction"])
    said = {name: frame[name].to_numpy(dtype=None if regression else object) for name in ("prediction", "label")}
    return build_reference(
        features,
        scores=frame["score"].to_numpy() if "score" in frame else None,
        predictions=said["prediction"],
        labels=said["label"],
        task="regression" if regression else "classification",
        positive="1" if "score" in frame else None,
        segments=(),
    )


def profiled(table: pa.Table, lengths: Sequence[int], reference: Reference) -> list[Profile]:
    """Profile windows that lie in a table one after the other."""
    tally = Tally(reference.binning, len(lengths), EXAMINED_ROWS, len(lengths))
    groups = Groups.of(np.repeat(np.arange(len(lengths)), lengths))
    tally.add(GroupedRows(Columns.of_table(table).read, [groups]))
    return [tally.profile(n) for n in range(len(lengths))]


def profiled_frames(frames: Sequence[pd.DataFrame], reference: Reference) -> list[Profile]:
    """Profile windows that come as frames."""
    table = pa.Table.from_pandas(pd.concat(frames).assign(version=1), preserve_index=False)
    return profiled(table, [len(frame) for frame in frames], reference)


class Replay:
    """Windows day after day, measured once; a trial's windows follow them without touching what was measured."""

    def __init__(self, baseline: Baseline, rules: AlertRules) -> None:
        self.baseline, self.rules = baseline, rules
        self.windows: list[WindowResult] = []
        self.stored: dict[str, Profile] = {}

    def measured(self, profiles: Sequence[Profile]) -> list[WindowResult]:
        """Measure the windows that follow, cycles included, and judge nothing yet."""
        first, found, stored = len(self.windows), [], dict(self.stored)
        for n, profile in enumerate(profiles, start=first):
            start = START + n * DAY
            window = measure_window(self.baseline, profile, start, start + DAY)
            window = replace(window, holiday=self.rules.holidays.name_of(start, "1D"))
            stored[window.window_start] = profile
            found.append(window)
        fresh = {window.window_start for window in found}
        return list(
            with_cycle(
                [*self.windows, *found], fresh, lambda at, _: stored[at].counts, [1], lambda *_: self.baseline, "1D"
            )
        )

    def add(self, profiles: Sequence[Profile]) -> None:
        """Take windows into the past."""
        windows = self.measured(profiles)
        starts = [window.window_start for window in windows[len(self.windows) :]]
        self.windows = windows
        self.stored.update(zip(starts, profiles, strict=True))

    def judge(self, windows: Sequence[WindowResult], first: int = 0) -> list[WindowResult]:
        """Judge the windows from number `first` on."""
        fresh = {window.window_start for window in windows[first:]}
        return list(judge_windows(windows, [1], lambda *_: self.baseline, self.rules, "1D", fresh))

    def alerts(self, windows: Sequence[WindowResult], first: int = 0) -> list[tuple[int, Alert]]:
        """Return each alert that opened from window `first` on, with the number of its window."""
        found = raise_alerts("", windows, self.rules)
        numbers = [(datetime.fromisoformat(alert.window_start) - START) // DAY for alert in found]
        return [(number, alert) for number, alert in zip(numbers, found, strict=True) if number >= first]
