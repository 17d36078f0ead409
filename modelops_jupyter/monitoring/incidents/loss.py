"""What an incident cost: wrong decisions beyond those that the reference made expect, with a confidence interval.

The excess is a weighted difference of shares: of wrong decisions in the windows, and in the reference. Every share has
an interval of its own; that of the difference takes the squares of their halves together (Newcombe, Interval estimation
for the difference between independent proportions, Statistics in Medicine 1998, method 10; for any weights Zou, Huang
and Zhang, A note on confidence interval estimation for a linear function of binomial proportions, CSDA 2009).

Rows of one window resemble each other, so windows differ by more than chance. How much is taken from the windows before
by the method of moments (DerSimonian and Laird, Meta-analysis in clinical trials, Controlled Clinical Trials 1986).
Windows without labels count with the interval of their estimate; estimates of different windows err together, so their
halves add up.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelops_jupyter.monitoring.figures import intervals
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.record.results import WindowResult

Weighted = tuple[float, Figure]  # how often a share counts, and the share with its interval
# So many windows show how much one differs from the next.
FEWEST_WINDOWS = 5


@dataclass(frozen=True)
class Excess:
    """Wrong decisions beyond the expected ones, the ends of their 95 % interval, and what they rest on.

    Attributes
    ----------
    basis : str
        ``realised``, ``estimated`` (labels are still to come) or ``realised and estimated``.
    """

    value: float
    low: float
    high: float
    basis: str


@dataclass(frozen=True)
class Loss:
    """Wrong decisions beyond the expected ones over the bad windows, and what they cost.

    Attributes
    ----------
    wrong_decisions, low, high : float or None
        With the ends of the 95 % interval; None where neither labels nor an estimate are there, `reason` says so.
    basis : str
        ``realised``, ``estimated`` (labels are still to come) or ``realised and estimated``.
    money : float or None
        What they cost; None where no price is known, or where the interval includes zero.
    """

    wrong_decisions: float | None
    low: float | None
    high: float | None
    basis: str
    money: float | None
    currency: str
    reason: str | None = None

    @classmethod
    def of(cls, excess: Excess | None, cost_per_error: float | None, currency: str) -> Loss:
        """Return the loss that wrong decisions are."""
        if excess is None:
            return cls(None, None, None, "", None, currency, "neither labels nor an estimate of accuracy yet")
        known = cost_per_error is not None and is_loss(excess.low)
        money = excess.value * cost_per_error if known and cost_per_error is not None else None
        return cls(excess.value, excess.low, excess.high, excess.basis, money, currency)


def is_loss(low: float | None) -> bool:
    """Tell whether there is a loss beyond chance: whether the interval of wrong decisions lies above zero."""
    return low is not None and low > 0


def wrong_decisions(
    windows: Iterable[WindowResult], accuracy: Mapping[int, Figure], before: Sequence[WindowResult] = ()
) -> Excess | None:
    """Return how many more decisions were wrong than the reference made expect; None where nothing is known.

    Parameters
    ----------
    accuracy
        Per version, the share of right decisions on its reference, with its interval.
    before
        Windows of the same segment that show how much healthy ones differ.
    """
    realised: dict[int, list[WindowResult]] = defaultdict(list)
    estimated: dict[int, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    for window in windows:
        version = window.version or 0
        if version not in accuracy:
            continue
        estimate = window.estimated.get("accuracy", {})
        if _share(window) is not None:
            realised[version].append(window)
        elif estimate.get("low") is not None and estimate.get("high") is not None:
            estimated[version].append((window.rows, estimate))
    guesses = [pair for pairs in estimated.values() for pair in pairs]
    terms = [_realised(found, before) for found in realised.values()] + ([_estimated(guesses)] if guesses else [])
    for version in {**realised, **estimated}:
        rows = sum(window.rows for window in realised.get(version, ()))
        terms.append((float(rows + sum(count for count, _ in estimated.get(version, ()))), accuracy[version]))
    basis = " and ".join(word for word, known in (("realised", realised), ("estimated", guesses)) if known)
    return _together(terms, basis) if terms else None


def _realised(windows: Sequence[WindowResult], before: Sequence[WindowResult]) -> Weighted:
    """Return the share of right decisions of labelled windows, each with the weight of all of its rows."""
    total = float(sum(window.rows for window in windows))
    weights = [window.rows / total for window in windows]
    share = sum(weight * (_share(window) or 0.0) for weight, window in zip(weights, windows, strict=True))
    # As many equally weighted rows would say as much: Kish, Survey Sampling (1965).
    effective = 1 / sum(weight**2 / window.labelled for weight, window in zip(weights, windows, strict=True))
    between, degrees = _between(before) or _between(windows) or (0.0, 0)
    if between > 0 and 0 < share < 1:
        variance = share * (1 - share)
        effective = variance / (variance / effective + between * sum(weight**2 for weight in weights))
        effective *= (intervals.Z / student(degrees)) ** 2  # how windows differ is itself learned from a few
    return -total, intervals.share(share * effective, effective)


def _between(windows: Sequence[WindowResult]) -> tuple[float, int] | None:
    """Return the variance of accuracy between windows beyond chance, with its degrees of freedom; None of too few."""
    known = [(share, float(window.labelled)) for window in windows if (share := _share(window)) is not None]
    if len(known) < FEWEST_WINDOWS:
        return None
    rows = sum(n for _, n in known)
    mean = sum(share * n for share, n in known) / rows
    degrees = len(known) - 1
    beyond = sum(n * (share - mean) ** 2 for share, n in known) - degrees * mean * (1 - mean)
    return max(0.0, beyond / (rows - sum(n * n for _, n in known) / rows)), degrees


def _share(window: WindowResult) -> float | None:
    """Return the share of right decisions of a window's labelled rows."""
    value = window.performance.get("accuracy", {}).get("value") if window.labelled else None
    return None if value is None else float(value)


def student(degrees: int) -> float:
    """Return how many standard errors a 95 % interval takes to either side, the variance being learned."""
    from scipy.special import stdtrit  # heavy: not before it is needed

    return float(stdtrit(degrees, 0.975))


def _estimated(guesses: Sequence[tuple[int, Mapping[str, Any]]]) -> Weighted:
    """Return the share of right decisions that is expected of windows; the halves of their intervals add up."""
    total = float(sum(rows for rows, _ in guesses))
    value, low, high = (
        sum(rows * float(found[word]) for rows, found in guesses) / total for word in ("value", "low", "high")
    )
    return -total, Figure(value, low=low, high=high)


def _together(terms: Sequence[Weighted], basis: str) -> Excess:
    """Return the weighted sum of shares with its interval."""
    value, below, above = 0.0, 0.0, 0.0
    for weight, found in terms:
        share = found.value or 0.0
        ends = [weight * (share if end is None else end) for end in (found.low, found.high)]
        value += weight * share
        below += (weight * share - min(ends)) ** 2
        above += (weight * share - max(ends)) ** 2
    return Excess(value, value - math.sqrt(below), value + math.sqrt(above), basis)
