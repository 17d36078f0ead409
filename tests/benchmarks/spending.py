"""What figures spend of their allowances where nothing changes: the numbers of `monitoring/judging/spending.py`.

    python -m tests.benchmarks.spending --windows 20000      # columns, simulated: some minutes
    python -m tests.benchmarks.spending --real 4             # all kinds, by the judges over blocks of real rows

Simulated columns are judged by the limits of chance alone. The judges themselves know days that differ as well, and so
are silent more often.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import product

import numpy as np

from modelops_jupyter.monitoring import AlertRules, raise_alerts
from modelops_jupyter.monitoring.figures import distances, noise
from modelops_jupyter.monitoring.figures.intervals import poisson
from modelops_jupyter.monitoring.figures.shares import TAIL, share_shift, tails_of
from modelops_jupyter.monitoring.judging.budget import PARTS
from modelops_jupyter.monitoring.judging.drift_findings import STATISTICS
from modelops_jupyter.monitoring.judging.judge import judge_track
from modelops_jupyter.monitoring.judging.performance_findings import judged_metrics
from modelops_jupyter.monitoring.judging.thresholds import LINGERING, LINGERING_FLOOR, QUIET, Chances, Track
from tests.benchmarks.worlds import Replay, World

Array = np.ndarray
KNOWN_ROWS, CYCLE, FINE_OF_COARSE = 20_000, 7, 6
AT_ONCE = 250
# Bins of the distances, whether they are those of a number, and rows of a window.
COLUMNS = ((20, True, 1000), (20, True, 100), (20, False, 1000), (3, False, 300))
REAL = (("flights", 20, 1000), ("flights", 5, 500), ("breast cancer", 30, 500), ("diabetes", 10, 1000))


def opened(
    bins: int, number: bool, rows: int, allowance: float, windows: int, columns: int, seed: int
) -> tuple[int, float]:
    """Return how many alerts columns that never change open, and how many are granted.

    Counted are windows in which any statistic passes in any way, unless the alert of an earlier one still lingers.
    """
    generator = np.random.default_rng(seed)
    parts = (allowance, allowance if number else allowance * (STATISTICS - 1))  # of all but shares, and of those
    whole, single = (Chances(part, 3, STATISTICS, AlertRules()) for part in parts)
    cells = bins * FINE_OF_COARSE if number else bins
    shares = np.full(cells, 1 / cells)
    known = generator.multinomial(KNOWN_ROWS, shares, columns).astype(float)
    count, before = 0, np.zeros((0, columns, cells))
    quiet = np.full(columns, QUIET)
    for _ in range(windows // AT_ONCE):
        drawn = np.concatenate([before, generator.multinomial(rows, shares, (AT_ONCE, columns))])
        sums = np.cumsum(np.concatenate([np.zeros((1, columns, cells)), drawn]), axis=0)
        together = sums[CYCLE:] - sums[:-CYCLE]
        alone = drawn[CYCLE - 1 :]
        plain = _passes(known, alone, rows, whole.of("plain"), single.of("plain"), number)
        recent = whole.of_recent("plain"), single.of_recent("plain")
        plain |= _passes(known, together, CYCLE * rows, *recent, number)
        likely = _passes(known, drawn[CYCLE - 3 :], rows, whole.of("likely"), single.of("likely"), number)
        lingers = _passes(known, alone, rows, LINGERING, LINGERING, number, LINGERING_FLOOR)
        lingers |= _passes(known, together, CYCLE * rows, LINGERING, LINGERING, number, LINGERING_FLOOR)
        for hit, stays in zip(plain | (likely[2:] & (likely[1:-1] | likely[:-2])), lingers, strict=True):
            still_open = quiet < QUIET
            count += int((hit & ~still_open).sum())
            quiet = np.where(hit | (stays & still_open), 0, quiet + 1)
        before = drawn[-(CYCLE - 1) :]
    used = windows - (CYCLE - 1)  # the first windows are part of no whole cycle
    return count, used * columns * allowance


def _passes(
    known: Array,
    now: Array,
    rows: float,
    chance: Array | float,
    of_shares: Array | float,
    number: bool,
    floor: float = 1.0,
) -> Array:
    """Tell which of the windows pass the limit of any statistic, `of_shares` being the chance of a single share's."""
    paired, least = noise.paired_rows(known.sum(-1), rows), floor * AlertRules().distance
    coarse, coarsely = (_coarse(each) if number else each for each in (known, now))
    limit = np.sqrt(noise.divergence(coarse, paired).limit(chance) / noise.JENSEN_SHANNON_SCALE / paired)
    passes = distances.jensen_shannon(_shares(coarse), _shares(coarsely)) >= np.maximum(limit, least)
    if number:
        p, q = _shares(known), _shares(now)
        limit = noise.kolmogorov_limit(chance) / np.sqrt(paired)
        passes |= distances.kolmogorov_smirnov(p, q) >= np.maximum(limit, least)
        limit = np.sqrt(2 * noise.chi_square_limit(2.0, chance) / noise.JENSEN_SHANNON_SCALE / paired)
        passes |= distances.rank_shift(distances.rank_scores(p), q) >= np.maximum(limit, least)
    return passes | _shares_pass(known, now, of_shares, number, least)


def _shares_pass(known: Array, now: Array, chance: Array | float, number: bool, least: float) -> Array:
    """Tell in which windows the share that moved furthest passes: of a number one of its tails, which only rises."""
    before, cells = np.broadcast_to(known, now.shape), np.ones(known.shape[-1], dtype=bool)
    if number:
        cells = tails_of(np.ones(known.shape[-1])) <= TAIL * known.shape[-1]
        before, now = tails_of(before), tails_of(now)
    looked_at = np.broadcast_to(cells, now.shape).reshape(-1, len(cells))
    rows = (np.broadcast_to(known.sum(-1), now.shape[:-1]).ravel(), _rows_of(now, number).ravel())
    flat = (each.reshape(-1, len(cells)) for each in (before, now))
    shift = share_shift(*flat, *rows, looked_at, rises=number)
    limit = np.sqrt(noise.chi_square_limit(1.0, chance))
    passes = (shift.distance >= np.maximum(limit * shift.error, least)).reshape(now.shape[:-1])
    return passes


def _rows_of(now: Array, number: bool) -> Array:
    """Return the rows of windows, of counts by cell or, of a number, by tail: what is below an edge and above it."""
    edges = now.shape[-1] // 2
    return now[..., 0] + now[..., edges] if number else now.sum(-1)


def _coarse(counts: Array) -> Array:
    return counts.reshape(*counts.shape[:-1], -1, FINE_OF_COARSE).sum(-1)


def _shares(counts: Array) -> Array:
    return counts / counts.sum(-1, keepdims=True)


def simulated(windows: int) -> Iterator[str]:
    """Yield a line per kind of column and allowance."""
    for (bins, number, rows), allowance in product(COLUMNS, (1e-3, 1e-4, 1e-5)):
        count, granted = opened(bins, number, rows, allowance, windows, 200, bins + rows)
        low, high = (end / granted for end in poisson(count))
        what = "number" if number else f"category of {bins} values"
        yield f"{what}, {rows} rows, {allowance:g}: {count / granted:.2f} ({low:.2f} to {high:.2f}) of {granted:,.0f}"


def real(blocks: int, allowance: float) -> Iterator[str]:
    """Yield a line per world: what the judges spend, each figure granted the same."""
    for name, columns, rows in REAL:
        found: Counter[str] = Counter()
        granted: Counter[str] = Counter()
        for block in range(blocks):
            world = World.of(name, columns, rows, 2000 + block)
            replay = Replay(world.baseline, AlertRules())
            replay.add(list(world.profiles(500, rows)))
            track = Track(world.baseline, list(replay.windows), "1D")
            judge_track(track, lambda _: dict.fromkeys(PARTS, allowance), AlertRules(), range(500))
            found.update(alert.kind for alert in raise_alerts("", track.windows, AlertRules()))
            profile = world.baseline.reference.profile
            figures = {
                "drift": len(profile.columns),
                "quality": 2 * len(profile.columns),
                "performance": 1.5 * len(judged_metrics(world.baseline)),
                "concept": 2 if world.baseline.reference.binning.positive else 1,
            }
            granted.update({kind: 500 * count * allowance for kind, count in figures.items()})
        spent = [f"{kind} {found[kind]} of {count:,.1f}" for kind, count in granted.items()]
        yield f"{name}, {columns} columns, {rows} rows: {'; '.join(spent)}"


def main() -> None:
    """Print what is spent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=0, help="simulated windows of 200 columns each")
    parser.add_argument("--real", type=int, default=0, help="blocks of 500 windows of real rows")
    parser.add_argument("--allowance", type=float, default=1e-3, help="of every figure of real rows")
    arguments = parser.parse_args()
    for line in simulated(arguments.windows) if arguments.windows else ():
        print(line, flush=True)
    for line in real(arguments.real, arguments.allowance) if arguments.real else ():
        print(line, flush=True)


if __name__ == "__main__":
    main()
