"""The tables of ALERTS.md, from what `healthy`, `faults` and `alerts_peers` have found.

python -m tests.benchmarks.alerts --results FOLDER
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelops_jupyter.monitoring import AlertBudget
from modelops_jupyter.monitoring.figures.intervals import poisson, share
from tests.benchmarks.alerts_peers import TAILS, beyond
from tests.benchmarks.days import BUDGETS as DAYS_BUDGETS
from tests.benchmarks.faults import FAULTY, NOTHING
from tests.benchmarks.healthy import BUDGETS, FAULTS_RUN, RUNS, lines_of

PEERS = {"nannyml": "NannyML", "evidently": "Evidently"}
Key = tuple[str, float]
# Days until an alert, by fault and size; as many as a trial has where there was none.
Delays = Mapping[Key, Sequence[int]]


def healthy(results: Path) -> Iterator[str]:
    """Yield the table of false alerts, a row per run and budget; peers by their defaults."""
    yield (
        "| rows from | columns | rows | windows | references | ours: budget | expected at most | alerts "
        "| 95 % interval | within | NannyML, windows flagged | Evidently, windows flagged |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    lines = lines_of(results / "healthy.jsonl")
    peers = {peer: {tuple(f["run"]): f for f in lines_of(results / f"healthy_{peer}.jsonl")} for peer in PEERS}
    for run in (*RUNS, FAULTS_RUN):
        blocks = [line for line in lines if tuple(line["run"]) == run]
        if not blocks:
            continue
        windows = sum(line["windows"] for line in blocks)
        known = [found.get(run) for found in peers.values()]
        told = [percent(found["flagged"], found["windows"]) if found else "not run" for found in known]
        for text in (text for text in BUDGETS if text in blocks[0]["budgets"]):
            alerts = sum(line["budgets"][text]["alerts"] for line in blocks)
            allowed = windows * AlertBudget.parse(text).per_window("1D")
            low, high = poisson(alerts)
            head = f"| {run[0]} | {run[1]} | {run[2]:,} | {windows:,} | {len(blocks)} | {text} | {allowed:,.1f} "
            within = "yes" if high <= allowed else "as far as so few windows tell" if low <= allowed else "NO"
            yield f"{head}| {alerts:,} | {low:,.1f} to {high:,.1f} | {within} | {told[0]} | {told[1]} |"
    total = sum(line["windows"] for line in lines)
    yield f"\n{total:,} windows in all, each judged under both budgets."
    for text in BUDGETS:
        by: Counter[str] = Counter()
        for line in lines:
            by.update(line["budgets"].get(text, {}).get("by", {}))
        yield f"False alerts under {text}: {', '.join(f'{name} {count}' for name, count in by.most_common())}."


def days(results: Path) -> Iterator[str]:
    """Yield the table of false alerts where days differ, a row per world: alerts, those allowed, and the interval."""
    lines = lines_of(results / "days.jsonl")
    yield f"| days | series | {' | '.join(DAYS_BUDGETS)} |"
    yield "|---|---|" + "---|" * len(DAYS_BUDGETS)
    for world in dict.fromkeys(line["world"] for line in lines):
        series = [line for line in lines if line["world"] == world]
        cells = []
        for text in DAYS_BUDGETS:
            alerts = sum(line["budgets"][text]["alerts"] for line in series)
            allowed = sum(line["days"] for line in series) * AlertBudget.parse(text).per_window("1D")
            low, high = poisson(alerts)
            cells.append(f"{alerts} ({allowed:.1f}), {low:.1f} to {high:.1f}")
        yield f"| {world} | {len(series)} | {' | '.join(cells)} |"


def rate_of_ours(results: Path) -> float:
    """Return the part of windows in which an alert opens though nothing happened, after as many healthy ones."""
    lines = lines_of(results / "nothing_ours.jsonl")
    noisy = sum(len({alert[0] for alert in line["alerts"]}) for line in lines)
    return noisy / (FAULTY * len(lines))


def delays_of(tool: str, results: Path, rate: float) -> Delays:
    """Return the days until an alert of every trial."""
    lines = lines_of(results / f"faults_{tool}.jsonl")
    usual = {line["world"]: np.array(line[TAILS]) for line in lines if not line["fault"]}
    found: dict[Key, list[int]] = {}
    for line in lines:
        if not line["fault"]:
            continue
        if tool == "ours":
            days = [alert[0] for alert in line["alerts"]]
        else:
            days = np.flatnonzero(beyond(np.array(line[TAILS]), usual[line["world"]], rate)).tolist()
        found.setdefault((line["fault"], line["size"]), []).append(min(days, default=FAULTY))
    return found


def faults(results: Path) -> Iterator[str]:
    """Yield the table of faults seen, a row per fault and size; peers as silent as ours."""
    rate = rate_of_ours(results)
    tools = {"ours": "ours", **PEERS}
    found = {tool: delays_of(tool, results, rate) for tool in tools}
    counts = ", ".join(f"{name} {len(found[tool][NOTHING])}" for tool, name in tools.items())
    yield f"Trials of each fault and size: {counts}."
    yield f"All of them open an alert in {rate:.2%} of healthy windows.\n"
    yield f"| fault | size | {' | '.join(f'{name}: seen | days' for name in tools.values())} |"
    yield "|---|---|" + "---|---|" * len(tools)
    for key in found["ours"]:
        cells = [cell for tool in tools for cell in _cells(found[tool][key])]
        yield f"| {key[0]} | {key[1]:g} | {' | '.join(cells)} |"
    for word, of in (
        ("seen within a week", lambda days: 100 * np.mean(np.array(days) < FAULTY)),
        ("days until the alert, 7 where there is none", np.mean),
    ):
        means = [f"{name} {_mean(found[tool], of)}" for tool, name in tools.items()]
        yield f"\nMean over faults and sizes, {word}: {', '.join(means)}."


def _cells(days: Sequence[int]) -> tuple[str, str]:
    seen = int(np.sum(np.array(days) < FAULTY))
    return percent(seen, len(days)), f"{np.mean(days):.1f}"


def _mean(delays: Delays, of: Any) -> str:
    """Return the mean over faults and sizes, with its 95 % interval over the trials."""
    values = [np.array(days) for key, days in delays.items() if key != NOTHING]
    generator = np.random.default_rng(0)
    drawn = [np.mean([of(generator.choice(days, len(days))) for days in values]) for _ in range(500)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return f"{np.mean([of(days) for days in values]):.1f} ({low:.1f} to {high:.1f})"


def percent(hits: int, count: int) -> str:
    """Return a share with Wilson's 95 % interval."""
    found = share(hits, count)
    return f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%})"


def main() -> None:
    """Print the tables that there are results of."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="folder of results")
    results = parser.parse_args().results
    tables = (
        ("## Nothing drifts", healthy, "healthy"),
        ("## Nothing drifts, but days differ", days, "days"),
        ("## Faults", faults, "faults_ours"),
    )
    for head, part, name in tables:
        if (results / f"{name}.jsonl").exists():
            print("\n".join([head, "", *part(results), ""]))


if __name__ == "__main__":
    main()
