"""From a score to the probability of a positive, learned from labelled rows, with what is known of its accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.calibration import isotonic, logits, recalibrate
from modelops_jupyter.monitoring.figures.deciding import exceeds
from modelops_jupyter.profiles import ScoreCells

Array = np.ndarray[Any, Any]
# Fewer labelled rows, or fewer of either class, say less about a score than the reference does.
FEWEST_LABELS, FEWEST_OF_A_CLASS = 500, 30
# Akaike (1974) would have 2 for each parameter. Where steps lie is fitted too: where logits lie on a line, 2 is
# passed by 34 in 100 of 600 rows and 20 in 100 of 2,000; 3 by 3 in 100 and by none.
PER_STEP = 3.0


@dataclass(frozen=True)
class Calibrator:
    """The probability of a positive by score.

    Attributes
    ----------
    fit : Line or Steps
    rows : int
        Labelled rows it was learned from.
    """

    fit: Line | Steps
    rows: int

    @classmethod
    def learn(cls, cells: ScoreCells) -> Calibrator | None:
        """Learn from labelled rows by cell of the score; None where they are too few, or of one class.

        Cox's recalibration of the logits, and the isotonic fit instead where twice its gain in log-likelihood is over
        `PER_STEP` for each step more.
        """
        cells = cells.labelled
        negatives, positives = cells.negatives, cells.positives
        n, m = float(negatives.sum()), float(positives.sum())
        if n + m < FEWEST_LABELS or min(n, m) < FEWEST_OF_A_CLASS:
            return None
        fitted = recalibrate(cells)
        rising = isotonic(cells.rows, positives)
        steps = Steps.of(cells, rising)
        if fitted.intercept.value is None or fitted.slope.value is None:
            return cls(steps, int(n + m))
        line = Line(fitted.intercept.value, fitted.slope.value, np.array(fitted.covariance))
        smooth = line.at(cells.scores)[0]
        gain = _log_likelihood(rising, negatives, positives) - _log_likelihood(smooth, negatives, positives)
        return cls(steps if exceeds(2 * gain, PER_STEP * (len(steps.errors) - 2)) else line, int(n + m))

    def contradicted_by(self, cells: ScoreCells) -> bool:
        """Tell whether labelled rows have other shares of positives than it says, at one in a hundred.

        Cox's test of the recalibration that its probabilities would need (`recalibrate`).
        """
        cells = cells.labelled
        test = recalibrate(cells, self.at(cells.scores)[0]).test
        return test.p_value is not None and bool(exceeds(0.01, test.p_value))

    def at(self, scores: Array) -> tuple[Array, Array]:
        """Return the probability of a positive at each score, and what is known of its accuracy.

        The second is the probability's derivative by each of k independent standard errors of what was learned, of
        shape (scores, k): the variance of any weighted sum ``w @ probability`` is ``sum((w @ directions) ** 2)``.
        """
        return self.fit.at(scores)


@dataclass(frozen=True)
class Line:
    """A line through the logits; `covariance` is that of its intercept and slope."""

    intercept: float
    slope: float
    covariance: Array

    def at(self, scores: Array) -> tuple[Array, Array]:
        """Return the probability at each score, and its derivatives by two independent standard errors."""
        x = logits(scores)
        with np.errstate(over="ignore"):  # beyond the largest float the chance is 0
            probability = 1 / (1 + np.exp(-(self.intercept + self.slope * x)))
        slopes = probability * (1 - probability)
        return probability, np.column_stack([slopes, slopes * x]) @ np.linalg.cholesky(self.covariance)


@dataclass(frozen=True)
class Steps:
    """Shares of positives that rise with the score by steps; between two scores that were seen they rise evenly.

    Attributes
    ----------
    scores, shares, step : array, shape (cells,)
        The scores that were seen, their shares, and the number of the step that each lies on.
    errors : array, shape (steps,)
        The standard error of each step's share: steps err independently, each as a share of its rows does.
    """

    scores: Array
    shares: Array
    step: Array
    errors: Array

    @classmethod
    def of(cls, cells: ScoreCells, rising: Array) -> Steps:
        """Read the steps of shares that rise."""
        levels, step = _levels(rising)
        rows = np.bincount(step, weights=cells.rows, minlength=len(levels))
        # A step of one class is not certain: half a row of the other is what its share cannot exclude.
        shares = np.clip(levels, 0.5 / rows, 1 - 0.5 / rows)
        return cls(cells.scores, rising, step, np.sqrt(shares * (1 - shares) / rows))

    def at(self, scores: Array) -> tuple[Array, Array]:
        """Return the share at each score, and its derivatives by the standard errors of the steps."""
        above = np.clip(np.searchsorted(self.scores, scores), 0, len(self.scores) - 1)
        below = np.maximum(np.where(self.scores[above] > scores, above - 1, above), 0)
        apart = self.scores[above] - self.scores[below]
        part = np.clip(np.divide(scores - self.scores[below], apart, out=np.zeros_like(scores), where=apart > 0), 0, 1)
        directions, place = np.zeros((len(scores), len(self.errors))), np.arange(len(scores))
        for cell, weight in ((below, 1 - part), (above, part)):
            directions[place, self.step[cell]] += weight * self.errors[self.step[cell]]
        return (1 - part) * self.shares[below] + part * self.shares[above], directions


def _levels(rising: Array) -> tuple[Array, Array]:
    """Return the levels of shares that rise by steps, and the step of each."""
    steps = np.append(False, exceeds(rising[1:], rising[:-1]))
    return rising[np.append(0, np.flatnonzero(steps))], np.cumsum(steps)


def _log_likelihood(probability: Array, negatives: Array, positives: Array) -> float:
    safe = np.clip(probability, 1e-9, 1 - 1e-9)
    return float(positives @ np.log(safe) + negatives @ np.log1p(-safe))
