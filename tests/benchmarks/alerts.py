"""False alerts when nothing drifts, and what is seen when something does, beside NannyML and Evidently.

    python -m tests.benchmarks.alerts --windows 300 --trials 10 --peer-windows 150 --peer-trials 3 --write

Real rows (flights of 2013, scikit-learn's breast cancer and diabetes sets) are drawn with replacement, so that every
window comes from where the reference came from; then faults are put into the rows. Peers get the same kind of windows:
once with their defaults, once with limits set so that they raise as many false alerts as our budget allows.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import gammaincinv, ndtri

from modelops_jupyter.monitoring import AlertBudget, AlertRules, WindowResult, raise_alerts
from modelops_jupyter.monitoring.baseline import Baseline
from modelops_jupyter.monitoring.judge import judge_windows
from modelops_jupyter.monitoring.lookback import with_cycle
from modelops_jupyter.monitoring.measure import measure_window
from modelops_jupyter.profiles import Profile, Reference, build_reference, scan
from modelops_jupyter.settings import SAMPLE_ROWS
from tests.benchmarks.drifts import FAULTS, OUTPUTS, SEED, drawn, faulty, source, with_outputs
from tests.benchmarks.peers import run_peer

START, DAY = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1)
HEALTHY, FAULTY = 30, 7
KNOWN_ROWS = 20_000
# Source, columns and rows of a window.
HEALTHY_RUNS = (
    ("flights", 5, 100),
    ("flights", 20, 1000),
    ("flights", 20, 10_000),
    ("flights", 5, 100_000),
    ("breast cancer", 30, 500),
    ("breast cancer", 200, 100),
    ("breast cancer", 200, 1000),
    ("diabetes", 10, 1000),
)
# Rows times columns, and columns, of a peer's window at most: beyond that a run takes hours.
MOST_CELLS, MOST_COLUMNS = 20_000, 30
# Peers, with the part of windows and trials that they get: Evidently takes seconds a window.
PEERS = {"nannyml": 1, "evidently": 3}


@dataclass(frozen=True)
class World:
    """A population, the reference drawn from it, and what draws windows."""

    population: pd.DataFrame
    known: pd.DataFrame
    generator: np.random.Generator

    @classmethod
    def of(cls, name: str, columns: int, rows: int) -> World:
        """Make the world of one run."""
        generator = np.random.default_rng([SEED, columns, rows])
        population = with_outputs(source(name, columns), generator)
        return cls(population, drawn(population, KNOWN_ROWS, generator), generator)

    def window(self, rows: int) -> pd.DataFrame:
        """Draw a healthy window."""
        return drawn(self.population, rows, self.generator)


def referred(frame: pd.DataFrame) -> Reference:
    """Make a reference of a frame with outputs."""
    features = pa.Table.from_pandas(frame.drop(columns=[*OUTPUTS]), preserve_index=False)
    outputs = {name: frame[name].to_numpy(dtype=object) for name in ("prediction", "label")}
    return build_reference(
        features,
        scores=frame["score"].to_numpy(),
        predictions=outputs["prediction"],
        labels=outputs["label"],
        positive="1",
        segments=(),
    )


def profiled(frame: pd.DataFrame, reference: Reference) -> Profile:
    """Profile a window."""
    table = pa.Table.from_pandas(frame.assign(version=1), preserve_index=False)
    return scan(table, reference.binning, SAMPLE_ROWS)


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
            window = measure_window(self.baseline, profile, START + n * DAY, START + (n + 1) * DAY)
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

    def alerts(self, windows: Sequence[WindowResult], first: int = 0) -> list[int]:
        """Return the number of the window of each alert that opened from window `first` on."""
        found = raise_alerts("", windows, self.rules)
        numbers = [(datetime.fromisoformat(alert.window_start) - START) // DAY for alert in found]
        return [number for number in numbers if number >= first]


def false_alerts(windows: int, peer_windows: int) -> Iterator[str]:
    """Yield the table of false alerts, a row per run and budget; peers by their defaults."""
    yield (
        "| rows from | columns | rows | windows | ours: budget | expected at most | alerts | 95 % interval | within "
        "| NannyML, windows flagged | Evidently, windows flagged |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for name, columns, rows in HEALTHY_RUNS:
        world = World.of(name, columns, rows)
        # Rows and columns bound what a run costs, so that all take about as long.
        count = max(60, min(windows, 20_000_000 // (rows * columns), 60_000 // columns))
        baseline = Baseline(referred(world.known))
        replay = Replay(baseline, AlertRules())
        replay.add([profiled(world.window(rows), baseline.reference) for _ in range(count)])
        flagged = _peers_flag(world, columns, rows, peer_windows)
        for text in ("1/month", "1/day"):
            replay.rules = AlertRules(budget=AlertBudget.parse(text))
            alerts = len(replay.alerts(replay.judge(replay.windows)))
            allowed = count * replay.rules.budget.per_window("1D")
            low = float(gammaincinv(alerts, 0.025)) if alerts else 0.0
            high = float(gammaincinv(alerts + 1, 0.975))
            head = f"| {name} | {columns} | {rows:,} | {count:,} | {text} | {allowed:.1f} "
            yield (
                f"{head}| {alerts} | {low:.1f} to {high:.1f} | {'yes' if low <= allowed else 'NO'} "
                f"| {flagged[0]} | {flagged[1]} |"
            )


def _peers_flag(world: World, columns: int, rows: int, windows: int) -> list[str]:
    """Return the share of healthy windows in which a peer flags something by default, with its 95 % interval."""
    if not windows or rows * columns > MOST_CELLS or columns > MOST_COLUMNS:
        return ["not run"] * len(PEERS)
    frames = [world.window(rows) for _ in range(windows)]
    found = []
    for peer, part in PEERS.items():
        table = asked(peer, world.known, frames[: windows // part])
        hits = int(table.groupby("window")["flagged"].any().sum())
        found.append(_share(hits, windows // part))
    return found


def asked(peer: str, known: pd.DataFrame, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return what a peer says of windows: ``window, signal, value, flagged``."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{name}.parquet") for name in ("reference", "windows", "answer")]
        known.to_parquet(paths[0])
        pd.concat([frame.assign(window=n) for n, frame in enumerate(frames)]).to_parquet(paths[1])
        run_peer(peer, f"alerts_{peer}.py", *paths)
        return pd.read_parquet(paths[2])


@dataclass(frozen=True)
class Seen:
    """In how many of so many trials a fault was seen within a week, and after how many days each time."""

    trials: int
    delays: tuple[int, ...]

    @property
    def words(self) -> str:
        """The share with its interval, and the median delay."""
        delay = f", {np.median(self.delays):.0f} d" if self.delays else ""
        return f"{_share(len(self.delays), self.trials)}{delay}"


def detections(trials: int, rows: int, peer_windows: int, peer_trials: int) -> Iterator[str]:
    """Yield the table of faults found, a row per fault and size; all at the false alerts of our budget of 1/month."""
    world = World.of("flights", 10, rows)
    ours = _ours(world, trials, rows)
    peers = {}
    for peer, part in PEERS.items() if peer_trials else ():
        peers[peer] = _peer(peer, world, peer_windows // part, max(1, peer_trials // part), rows)
    yield f"| fault (windows of {rows:,} rows) | size | ours | NannyML, as silent | Evidently, as silent |"
    yield "|---|---|---|---|---|"
    for key, seen in ours.items():
        told = [peers[peer][key].words if peer in peers else "not run" for peer in PEERS]
        yield f"| {key[0]} | {key[1]:g} | {seen.words} | {told[0]} | {told[1]} |"
    shares = {"ours": ours, **peers}
    means = {name: np.mean([len(s.delays) / s.trials for s in found.values()]) for name, found in shares.items()}
    told = [f"{name} {mean:.0%}" for name, mean in means.items()]
    yield f"\nSeen within a week, mean over faults and sizes: {', '.join(told)}."


def _ours(world: World, trials: int, rows: int) -> dict[tuple[str, float], Seen]:
    baseline = Baseline(referred(world.known))
    replay = Replay(baseline, AlertRules())
    replay.add([profiled(world.window(rows), baseline.reference) for _ in range(HEALTHY)])
    replay.windows = replay.judge(replay.windows)
    found = {}
    for fault, size, frames in _trials(world, trials, rows):
        windows = replay.measured([profiled(frame, baseline.reference) for frame in frames])
        opened = replay.alerts(replay.judge(windows, first=HEALTHY), first=HEALTHY)
        before = found.get((fault, size), Seen(0, ()))
        delays = (*before.delays, min(opened) - HEALTHY) if opened else before.delays
        found[fault, size] = Seen(before.trials + 1, delays)
    return found


def _trials(world: World, trials: int, rows: int) -> Iterator[tuple[str, float, list[pd.DataFrame]]]:
    for fault, sizes in FAULTS.items():
        for size in sizes:
            for _ in range(trials):
                yield fault, size, [faulty(world.window(rows), fault, size, world.generator) for _ in range(FAULTY)]


def _peer(peer: str, world: World, windows: int, trials: int, rows: int) -> dict[tuple[str, float], Seen]:
    """Hold a peer's figures against limits that healthy windows pass as often as our budget allows."""
    made = list(_trials(world, trials, rows))
    frames = [world.window(rows) for _ in range(windows)] + [frame for *_, trial in made for frame in trial]
    table = asked(peer, world.known, frames).pivot(index="window", columns="signal", values="value").sort_index()
    chance = AlertRules().budget.per_window("1D") / len(table.columns)
    over = np.column_stack([_beyond(table[name].to_numpy(), name, windows, chance) for name in table]).any(axis=1)
    found: dict[tuple[str, float], Seen] = {}
    for n, (fault, size, _) in enumerate(made):
        days = np.flatnonzero(over[windows + n * FAULTY : windows + (n + 1) * FAULTY])
        before = found.get((fault, size), Seen(0, ()))
        delays = (*before.delays, int(days[0])) if len(days) else before.delays
        found[fault, size] = Seen(before.trials + 1, delays)
    return found


def _beyond(values: np.ndarray, signal: str, healthy: int, chance: float) -> np.ndarray:
    """Tell which values healthy windows pass with `chance`: distances as log-normal, the others on both sides."""
    two_sided = signal in ("roc_auc", "reconstruction")
    scale = values if two_sided else np.log(np.maximum(values, 1e-6))
    middle, spread = scale[:healthy].mean(), scale[:healthy].std(ddof=1)
    if two_sided:
        return np.abs(scale - middle) > -ndtri(chance / 2) * spread
    return scale - middle > -ndtri(chance) * spread


def _share(hits: int, trials: int) -> str:
    """Return a share with Wilson's 95 % interval (JASA 1927)."""
    z, share = 1.96, hits / trials
    middle = (share + z * z / 2 / trials) / (1 + z * z / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z * z / 4 / trials**2) / (1 + z * z / trials)
    return f"{share:.0%} ({max(0.0, middle - half):.0%} to {min(1.0, middle + half):.0%})"


def main() -> None:
    """Print both tables, and write them beside this file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=300, help="healthy windows per run, at most (default: 300)")
    parser.add_argument("--trials", type=int, default=10, help="trials per fault and size (default: 10)")
    parser.add_argument("--rows", type=int, default=1000, help="rows of a faulty window (default: 1000)")
    parser.add_argument("--peer-windows", type=int, default=150, help="healthy windows for the peers; 0: without them")
    parser.add_argument("--peer-trials", type=int, default=3, help="trials for the peers; 0: without them (default: 3)")
    parser.add_argument("--write", action="store_true", help="write ALERTS.md")
    arguments = parser.parse_args()
    begun, load = time.monotonic(), os.getloadavg()[0]
    lines = ["# Alerts: false ones against what is seen", "", "## Nothing drifts", ""]
    parts = (
        (false_alerts(arguments.windows, arguments.peer_windows), ""),
        (
            detections(arguments.trials, arguments.rows, arguments.peer_windows, arguments.peer_trials),
            "## Faults, all as silent as our budget of 1/month",
        ),
    )
    for part, head in parts:
        if head:
            lines += ["", head, ""]
        for line in part:
            print(line, flush=True)
            lines.append(line)
    given = {name.replace("_", "-"): value for name, value in vars(arguments).items() if name != "write"}
    words = " ".join(f"--{name} {value}" for name, value in given.items())
    minutes = (time.monotonic() - begun) / 60
    busy = f"load {load:.1f} at the beginning and {os.getloadavg()[0]:.1f} at the end on {os.cpu_count()} cores"
    lines += ["", f"`python -m tests.benchmarks.alerts {words}`, fixed seeds, {minutes:.0f} minutes, {busy}."]
    if arguments.write:
        (Path(__file__).parent / "ALERTS.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
