"""From a score to the probability of a positive, learned from labelled rows, with what is known of its accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.calibration import CENTRES, Recalibration, isotonic, recalibrate
from modelops_jupyter.monitoring.figures.deciding import exceeds

Array = np.ndarray[Any, Any]
# Fewer labelled rows, or fewer of either class, say less about a score than the reference does.
FEWEST_LABELS, FEWEST_OF_A_CLASS = 500, 30
LOGITS = np.log(CENTRES / (1 - CENTRES))


@dataclass(frozen=True)
class Calibrator:
    """The probability of a positive by cell of the score.

    Attributes
    ----------
    probability : array of float, shape (2000,)
    directions : array of float, shape (2000, k)
        The probability's derivative by each of k independent standard errors of what was learned: the variance of any
        weighted sum ``w @ probability`` is ``sum((w @ directions) ** 2)``.
    rows : int
        Labelled rows it was learned from.
    """

    probability: Array
    directions: Array
    rows: int

    @classmethod
    def learn(cls, negatives: Array, positives: Array) -> Calibrator | None:
        """Learn from labelled rows by cell of the score; None where they are too few, or of one class.

        Cox's recalibration of the logits, and the isotonic fit instead where that is better beyond chance: twice the
        gain in log-likelihood over the degrees of freedom that it takes, as Akaike (1974) counts them.
        """
        n, m = float(negatives.sum()), float(positives.sum())
        if n + m < FEWEST_LABELS or min(n, m) < FEWEST_OF_A_CLASS:
            return None
        fitted = recalibrate(negatives, positives)
        rising = isotonic(negatives + positives, positives)
        blocks = len(_levels(rising[(negatives + positives) > 0])[0])
        if fitted.intercept.value is None or fitted.slope.value is None:
            return cls._isotonic(negatives + positives, rising)
        with np.errstate(over="ignore"):  # beyond the largest float the chance is 0
            smooth = 1 / (1 + np.exp(-(fitted.intercept.value + fitted.slope.value * LOGITS)))
        gain = _log_likelihood(rising, negatives, positives) - _log_likelihood(smooth, negatives, positives)
        if exceeds(gain, blocks - 2):
            return cls._isotonic(negatives + positives, rising)
        return cls._cox(smooth, fitted, int(n + m))

    @classmethod
    def _cox(cls, probability: Array, fitted: Recalibration, rows: int) -> Calibrator:
        slopes = probability * (1 - probability)
        jacobian = np.column_stack([slopes, slopes * LOGITS])
        return cls(probability, jacobian @ np.linalg.cholesky(np.array(fitted.covariance)), rows)

    @classmethod
    def _isotonic(cls, weights: Array, rising: Array) -> Calibrator:
        """Blocks of equal probability err independently, each as a share of its rows does."""
        levels, block = _levels(rising)
        rows = np.maximum(np.bincount(block, weights=weights, minlength=len(levels)), 1)
        # A block of one class is not certain: half a row of the other is what its share cannot exclude.
        shares = np.clip(levels, 0.5 / rows, 1 - 0.5 / rows)
        directions = np.zeros((len(rising), len(levels)))
        directions[np.arange(len(rising)), block] = np.sqrt(shares * (1 - shares) / rows)[block]
        return cls(rising, directions, int(weights.sum()))


def _levels(rising: Array) -> tuple[Array, Array]:
    """Return the levels of shares that rise by steps, and the step of each."""
    steps = np.append(False, exceeds(rising[1:], rising[:-1]))
    return rising[np.append(0, np.flatnonzero(steps))], np.cumsum(steps)


def _log_likelihood(probability: Array, negatives: Array, positives: Array) -> float:
    safe = np.clip(probability, 1e-9, 1 - 1e-9)
    return float(positives @ np.log(safe) + negatives @ np.log1p(-safe))
