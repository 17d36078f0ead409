"""Random pairs of faults: is the right cause on top, and how many messages does a fault send? A line of JSON per life.

    python -m tests.benchmarks.pairs --results FOLDER --pairs 300      # two faults each, one in four pairs at once
    python -m tests.benchmarks.pairs --results FOLDER --singles 60     # one fault of 30 days each: messages
    python -m tests.benchmarks.pairs --results FOLDER                  # what is there, summed up

Days of 400 rows, seven columns, two segments. A broken column is what the model is fed: scores follow it, labels do
not. The incident of a fault is the one with its first sign within a week; it is right if on the third evening from that
sign on, and on the last one of the fault, its first suspect is the fault's column, and its title says what happened
where the fault is in no column. Faults that begin together are one incident: then the fault's column has to be among
the first two. Intervals are Wilson's.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelops_jupyter.actions.casework import Incident
from tests.benchmarks.healthy import keep, lines_of
from tests.monitoring.scripted_year import Evening, Rows, Trouble, day_of, evenings, life

FILE = "pairs.jsonl"
HEALTHY, SIGHT, LATER, LONGEST = 35, 7, 3, 30
TOGETHER = 0.25
Change = Callable[[Rows, np.random.Generator], Rows]


@dataclass(frozen=True)
class Fault:
    """One kind of fault, put into one column or none.

    Attributes
    ----------
    columns : tuple of str
        Those of which one is to be the first suspect; none where it is in no column.
    words : tuple of str
        Of which the title of its incident says one.
    kinds : tuple of str
        Kinds of alerts that are its signs.
    """

    kind: str
    does: Change
    columns: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("drift", "quality")

    def is_sign(self, alert: Mapping[str, Any]) -> bool:
        """Tell whether an alert is a sign of it."""
        return alert["kind"] in self.kinds and (not self.columns or alert["column"] in self.columns)


def scored(rows: Rows) -> Rows:
    """Return rows with the scores that the model gives to what it is fed."""
    temp, wind, price = (np.nan_to_num(rows[name]) for name in ("temp", "wind", "price"))
    score = 1 / (1 + np.exp(-(1.2 * temp - 0.8 * wind + 0.5 * price)))
    return {**rows, "score": score, "prediction": np.where(score > 0.5, "1", "0")}


def of(name: str, change: Callable[[Any, np.random.Generator], Any]) -> Change:
    """Return what breaks one column, as the model is fed with it."""
    return lambda rows, generator: scored({**rows, name: change(rows[name], generator)})


def fault(kind: str, generator: np.random.Generator) -> Fault:
    """Return a fault of a kind, of a random column and size."""
    number = str(generator.choice(["temp", "wind", "rain", "load", "price"]))
    size = float(generator.uniform(0.08, 0.3))
    if kind == "unit":
        return Fault(kind, of(number, lambda x, g: x * 9 / 5 + 32), (number,), (number,))
    if kind == "scale":
        return Fault(kind, of(number, lambda x, g: 2.5 * x), (number,), (number,))
    if kind == "shift":
        by = float(generator.uniform(0.5, 1.5))
        return Fault(kind, of(number, lambda x, g: x + by), (number,), (number,))
    if kind == "nulls":
        broken = of(number, lambda x, g: np.where(g.random(len(x)) < size, np.nan, x))
        return Fault(kind, broken, (number,), (f"{number} is missing more often", f"{number} are missing"))
    if kind == "new value":
        broken = of("unit", lambda x, g: np.where(g.random(len(x)) < size, "bag", x))
        return Fault(kind, broken, ("unit",), ("`bag`",))
    if kind == "vanished":
        broken = of("unit", lambda x, g: np.where(x == "pallet", "box", x))
        return Fault(kind, broken, ("unit",), ("`pallet`",))
    if kind == "permuted":
        pair = str(generator.choice(["temp", "load"]))
        return Fault(kind, of(pair, lambda x, g: g.permutation(x)), ("temp", "load"), ("temp", "load"))
    if kind == "label shift":
        return Fault(kind, _more_positives, (), ("outcomes", "worse"), ("performance", "concept"))
    if kind == "concept":
        return Fault(kind, _turned_around, (), ("outcomes", "worse"), ("performance", "concept"))
    return Fault(kind, _twice, (), ("number of predictions rose",), ("volume",))


KINDS = ("unit", "scale", "shift", "nulls", "new value", "vanished", "permuted", "label shift", "concept", "twice")


def _more_positives(rows: Rows, generator: np.random.Generator) -> Rows:
    return {**rows, "label": np.where(generator.random(len(rows["label"])) < 0.35, "1", rows["label"])}


def _turned_around(rows: Rows, generator: np.random.Generator) -> Rows:
    flipped = np.where(rows["label"] == "1", "0", "1")
    return {**rows, "label": np.where(rows["region"] == "west", flipped, rows["label"])}


def _twice(rows: Rows, generator: np.random.Generator) -> Rows:
    return {name: np.concatenate([values, values]) for name, values in rows.items()}


def pair(seed: int) -> dict[str, Any]:
    """Return what became of two random faults."""
    generator = np.random.default_rng([seed, 2])
    one, two = (str(kind) for kind in generator.choice(KINDS, 2, replace=False))
    faults = [fault(one, generator)]
    while True:  # another column, for one that is broken in two ways at once has two causes
        faults[1:] = [fault(two, generator)]
        if not set(faults[0].columns) & set(faults[1].columns):
            break
        two = str(generator.choice([kind for kind in KINDS if kind != one]))
    first = int(generator.integers(HEALTHY, HEALTHY + 7))
    after = 0 if generator.random() < TOGETHER else int(generator.integers(4, 21))
    starts = [first, first + after]
    ends = [start + int(generator.integers(10, LONGEST + 1)) for start in starts]
    told = _lived(seed, faults, starts, ends)
    return {"seed": seed, "together": after == 0, "starts": starts, "ends": ends, **told}


def single(seed: int) -> dict[str, Any]:
    """Return what became of one fault of thirty days."""
    generator = np.random.default_rng([seed, 1])
    kind = KINDS[seed % len(KINDS)]
    told = _lived(seed, [fault(kind, generator)], [HEALTHY], [HEALTHY + LONGEST])
    return {"seed": seed, "single": True, **told}


def _lived(seed: int, faults: Sequence[Fault], starts: Sequence[int], ends: Sequence[int]) -> dict[str, Any]:
    troubles = [Trouble(first, end, f.does) for f, first, end in zip(faults, starts, ends, strict=True)]
    days = max(ends) + 6
    every = list(evenings(life(days, troubles, seed=seed)))
    told = [_told(f, n, faults, starts, ends, every) for n, f in enumerate(faults)]
    messages = [
        [evening.day, m["incident"]["id"], m["topic"], m["text"]] for evening in every for m in evening.messages
    ]
    return {"faults": told, "messages": messages}


def _told(
    own: Fault, n: int, faults: Sequence[Fault], starts: Sequence[int], ends: Sequence[int], every: Sequence[Evening]
) -> dict[str, Any]:
    """Return which incident a fault had, and what that said on two evenings."""
    first, end = starts[n], ends[n]
    found: tuple[int, str] | None = None
    for evening in every[first : min(first + SIGHT, len(every))]:
        signs = [
            (day_of(a["start"]), i.id)
            for i in evening.incidents
            for a in i.alerts
            if first <= day_of(a["start"]) <= evening.day and own.is_sign(a)
        ]
        if signs:
            found = min(signs)
            break
    if found is None:
        return {"kind": own.kind, "columns": own.columns, "found": None}
    together = [f for m, f in enumerate(faults) if m != n and starts[m] == first]
    looks = sorted({min(found[0] + LATER, end - 1), end - 1})
    shown = [_shown(next(i for i in every[day].incidents if i.id == found[1])) for day in looks]
    right = [_is_right(own, together, *look) for look in shown]
    says = [any(word in title for word in own.words) for title, _ in shown]
    return {
        "kind": own.kind,
        "columns": own.columns,
        "found": found[0] - first,
        "days": looks,
        "titles": [title for title, _ in shown],
        "suspects": [suspects[:3] for _, suspects in shown],
        "right": all(right),
        "says": all(says),
    }


def _shown(incident: Incident) -> tuple[str, list[str]]:
    return incident.title, [str(suspect["column"]) for suspect in incident.suspects]


def _is_right(own: Fault, together: Sequence[Fault], title: str, suspects: Sequence[str]) -> bool:
    """Tell whether an incident names a fault first, or with the one that began with it."""
    named = 1 + sum(bool(other.columns) for other in together)
    if own.columns:
        return bool(set(suspects[:named]) & set(own.columns))
    others = {column for other in together for column in other.columns}
    return any(word in title for word in own.words) and set(suspects[:1]) <= others


def wilson(hits: int, of_all: int) -> str:
    """Return a share with its 95 % interval."""
    if not of_all:
        return "none"
    z, share = 1.96, hits / of_all
    middle = (share + z * z / (2 * of_all)) / (1 + z * z / of_all)
    half = z * math.sqrt(share * (1 - share) / of_all + z * z / (4 * of_all**2)) / (1 + z * z / of_all)
    return f"{hits} of {of_all}, {share:.1%} ({middle - half:.1%} to {middle + half:.1%})"


def summed_up(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the shares of what is right, by kind too, and the messages of a fault of thirty days."""
    pairs, singles = [x for x in lines if "together" in x], [x for x in lines if "single" in x]
    said = []
    for name, chosen in (
        ("all pairs", pairs),
        ("begun together", [x for x in pairs if x["together"]]),
        ("begun apart", [x for x in pairs if not x["together"]]),
    ):
        faults = [f for x in chosen for f in x["faults"]]
        seen = [f for f in faults if f["found"] is not None]
        whole = [x for x in chosen if all(f["found"] is not None for f in x["faults"])]
        said += [
            f"{name}: faults seen within a week {wilson(len(seen), len(faults))}",
            f"  right cause on top, of faults seen: {wilson(sum(f['right'] for f in seen), len(seen))}",
            "  of pairs both of which were seen: "
            + wilson(sum(all(f["right"] for f in x["faults"]) for x in whole), len(whole)),
            f"  the title says what happened: {wilson(sum(f['says'] for f in seen), len(seen))}",
        ]
    by_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for x in pairs:
        for f in x["faults"]:
            by_kind[f["kind"]].append(f)
    for kind, own in sorted(by_kind.items()):
        seen = [f for f in own if f["found"] is not None]
        said.append(f"  {kind}: seen {len(seen)} of {len(own)}, right {sum(f['right'] for f in seen)}")
    if singles:
        counts = Counter(len([m for m in x["messages"] if HEALTHY <= m[0] < HEALTHY + LONGEST]) for x in singles)
        within = sum(n for messages, n in counts.items() if messages <= 3)
        said.append(f"one fault of 30 days: at most 3 messages in {wilson(within, len(singles))}; {dict(counts)}")
    return "\n".join(said)


def main() -> None:
    """Live the lives that are not there yet, and sum up all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="folder of results")
    parser.add_argument("--pairs", type=int, default=0, help="lives of two faults")
    parser.add_argument("--singles", type=int, default=0, help="lives of one fault")
    arguments = parser.parse_args()
    path = arguments.results / FILE
    done = {("single" in line, line["seed"]) for line in lines_of(path)}
    for is_single, count, live in ((False, arguments.pairs, pair), (True, arguments.singles, single)):
        for seed in range(count):
            if (is_single, seed) not in done:
                begun = time.monotonic()
                keep(path, live(seed))
                print(live.__name__, seed, f"{time.monotonic() - begun:.0f} s", flush=True)
    print(summed_up(lines_of(path)))


if __name__ == "__main__":
    main()
