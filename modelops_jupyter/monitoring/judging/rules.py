"""What an alert takes: the user's budget, N of M, and the least effects that anybody should be woken for."""

from __future__ import annotations

from dataclasses import dataclass

from modelops_jupyter.monitoring.judging.budget import DEFAULT_BUDGET, AlertBudget
from modelops_jupyter.monitoring.judging.holidays import NO_HOLIDAYS, Holidays


@dataclass(frozen=True)
class AlertRules:
    """When figures become findings and findings become alerts; thresholds are learned within this.

    Attributes
    ----------
    budget : AlertBudget
        How many false alerts are accepted.
    findings, windows : int
        An alert takes `findings` likely ones among the last `windows` windows, or one plain one.
    distance : float
        Least Jensen-Shannon distance, Kolmogorov-Smirnov statistic, rank shift and share shift that count, however sure
        they are.
        0.03 is the distance of normal distributions 0.07 standard deviations apart.
    outcome_shift : float
        Least concept drift that counts, in standard deviations of an outcome: how far off what the model says has
        become, in the root mean square of the rows. Where a fifth is positive, 0.05 is 2 percentage points.
    volume : float
        Least change of the number of rows, as a part: 0.3 is a fall by 30 % or a rise to 1 / 0.7 times as many.
    bond : float
        Least change of a bond between two columns that counts: of a rank correlation, for one.
    rate_rise : float
        Least rise of a rate (missing, mistyped, unseen, out of range) over the reference's that counts in any case.
        Rare ones count from the rise on that makes up the least `distance`, and what the reference has none of, such as
        missing values in a column without, as soon as chance does not explain it.
    score_drop : float
        Least fall of a figure between 0 and 1 of which more is better, such as ROC AUC and accuracy.
    loss_rise : float
        Least rise of a loss, such as a mean absolute error, as a part of the reference's.
    mature : float
        Part of the usual share of labels that must have arrived before performance is judged.
    seasons : bool
        Whether windows may differ from the reference by their nature, as days and weeks of a live model do. Drift that
        a season could bring is then told once seasons were seen, and limits follow how earlier windows differed.
        Otherwise whatever differs by more than chance is told, from the first window on.
    holidays : Holidays
        Days that are not judged.
    """

    budget: AlertBudget = AlertBudget.parse(DEFAULT_BUDGET)  # noqa: RUF009 - a frozen value
    findings: int = 2
    windows: int = 3
    distance: float = 0.03
    outcome_shift: float = 0.05
    volume: float = 0.3
    bond: float = 0.1
    rate_rise: float = 0.02
    score_drop: float = 0.02
    loss_rise: float = 0.05
    mature: float = 0.8
    seasons: bool = True
    holidays: Holidays = NO_HOLIDAYS
