"""The alert budget: how many false alerts a user accepts, and how they are shared among all that is looked at.

A budget is an expected number, and expectations add up whatever depends on what: if every figure has its own small
allowance, the model as a whole keeps to the sum, for 5 columns as for 5,000, correlated or not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.profiles import window_length

DEFAULT_BUDGET = "1/month"
DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375, "quarter": 91.3125, "year": 365.25}
# So that a thousand columns do not blunt the eyes for the figures that matter most, each kind has a part of its own.
# Rates and volumes have little by chance beyond the least rise that counts: more of the budget would buy nothing there.
PARTS = {"performance": 0.3, "concept": 0.15, "quality": 0.08, "volume": 0.04, "drift": 0.43}
# What a signal gets beside the others of its kind: a bond has more partners to be told by, and an estimate is followed
# by the realised figure, which is judged again.
BOND, ESTIMATE = 0.25, 0.5
_PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:/|per)\s*(day|week|month|quarter|year)\s*")


@dataclass(frozen=True)
class AlertBudget:
    """So many false alerts in so many days, for one model and everything watched of it.

    Attributes
    ----------
    text : str
        As the user said it: ``1/month``.
    alerts : float
        Expected number of false alerts.
    days : float
        In how many days.
    """

    text: str
    alerts: float
    days: float

    @classmethod
    def parse(cls, text: str) -> AlertBudget:
        """Read ``NUMBER/PERIOD``; periods are day, week, month, quarter and year.

        Raises
        ------
        InvalidInput
            If it does not say a number above zero and a period.
        """
        found = _PATTERN.fullmatch(text) if isinstance(text, str) else None
        if found is None or not float(found[1]) > 0:
            raise InvalidInput(
                f"An alert budget is a number of false alerts per {', '.join(DAYS)}, such as '1/month', not {text!r}."
            )
        return cls(f"{float(found[1]):g}/{found[2]}", float(found[1]), DAYS[found[2]])

    def per_window(self, every: str) -> float:
        """Return the expected number of false alerts that one window may bring."""
        return self.alerts * (window_length(every) / timedelta(days=self.days))

    def allowances(
        self, every: str, signals: Mapping[str, float], segments: int = 0
    ) -> tuple[Mapping[str, float], ...]:
        """Return the expected number of false alerts per window and signal, by kind.

        Parameters
        ----------
        signals
            How many figures of each kind are looked at in a window; one that gets a part only counts as that.
        segments
            How many segments are watched beside the window as a whole: half of the budget is theirs then.

        Returns
        -------
        tuple of two mappings
            For a signal of the window as a whole, and for one of a segment.
        """
        known = {kind: count for kind, count in signals.items() if count}
        parts = sum(PARTS[kind] for kind in known)
        whole = {
            kind: self.per_window(every) * PARTS[kind] / parts / count / (2 if segments else 1)
            for kind, count in known.items()
        }
        return whole, {kind: share / segments if segments else 0.0 for kind, share in whole.items()}


def chance_of_one(allowance: float, findings: int, windows: int, repeats: float = 0.0) -> float:
    """Return how often one window may pass by chance, if an alert takes `findings` of the last `windows`.

    The last window and N - 1 of the M - 1 before must pass: at most C(M-1, N-1) p^N of all windows open an alert then.
    Where neighbours resemble each other (lag-one correlation `repeats`, from 0 to 1) passing comes in runs: for normal
    variables p^N becomes p^(N / (1 + (N-1) ρ)) to the first order of the exponent (Ledford and Tawn, Biometrika 1996).
    """
    power = findings / (1 + (findings - 1) * repeats)
    return float(min(0.2, (allowance / math.comb(windows - 1, findings - 1)) ** (1 / power)))
