"""Figures of classes said against classes that came, from a table of both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from modelops_jupyter.monitoring.figures import intervals
from modelops_jupyter.monitoring.figures.figure import Figure, figure
from modelops_jupyter.monitoring.figures.ranking import Array


@dataclass(frozen=True)
class Confusion:
    """Rows by prediction and label: ``table[i, j]`` said ``classes[i]`` and came as ``classes[j]``."""

    classes: tuple[str, ...]
    table: Array

    @classmethod
    def of(cls, counts: Mapping[str, Mapping[str, float]]) -> Confusion:
        """Read a table by prediction, then label."""
        classes = tuple(sorted({*counts, *(label for row in counts.values() for label in row)}))
        table = np.array([[counts.get(said, {}).get(label, 0) for label in classes] for said in classes], dtype=float)
        return cls(classes, table.reshape(len(classes), len(classes)))

    def rows_said(self, name: str) -> float:
        """How many of its rows were predicted to be of a class."""
        return float(self.table[self.classes.index(name)].sum()) if name in self.classes else 0.0

    @property
    def rows(self) -> float:
        """How many rows it counts."""
        return float(self.table.sum())


def accuracy(confusion: Confusion) -> Figure:
    """Share of rows whose prediction is their label, with Wilson's interval."""
    return intervals.share(float(np.trace(confusion.table)), confusion.rows)


def balanced_accuracy(confusion: Confusion) -> Figure:
    """Mean over the classes that came of the share of their rows said rightly.

    Brodersen et al., The balanced accuracy and its posterior distribution (ICPR 2010); interval by the variances of the
    shares.
    """
    came = confusion.table.sum(0)
    if not came.any():
        return Figure(None, "no rows")
    hits, n = np.diag(confusion.table)[came > 0], came[came > 0]
    shares = hits / n
    error = math.sqrt(float(np.sum(shares * (1 - shares) / n))) / len(n)
    return intervals.normal(float(shares.mean()), error, 0.0, 1.0)


def f1(confusion: Confusion, positive: str) -> Figure:
    """F1 of one class: 2 TP / (2 TP + FP + FN); van Rijsbergen (1979).

    F1 = 2 J / (1 + J) of Jaccard's J = TP / (TP + FP + FN), a share: its interval is that of J by Wilson.
    """
    if positive not in confusion.classes:
        return Figure(None, "one class")
    i = confusion.classes.index(positive)
    hits = float(confusion.table[i, i])
    concerned = float(confusion.table[i].sum() + confusion.table[:, i].sum()) - hits
    if not concerned:
        return Figure(None, "one class")
    jaccard = intervals.share(hits, concerned)
    value, low, high = (2 * j / (1 + j) for j in (jaccard.value or 0.0, jaccard.low or 0.0, jaccard.high or 0.0))
    slope = 2 / (1 + (jaccard.value or 0.0)) ** 2
    return figure(value, low=low, high=high, error=slope * (jaccard.error or 0.0))


def f1_macro(confusion: Confusion) -> Figure:
    """Mean of the F1 of every class that was said or came."""
    values = [f1(confusion, name).value for name in confusion.classes]
    known = [value for value in values if value is not None]
    return figure(sum(known) / len(known)) if known else Figure(None, "no rows")


def matthews_correlation(confusion: Confusion) -> Figure:
    """Correlation of prediction and label: Matthews (1975), for many classes Gorodkin (2004)."""
    table = confusion.table
    said, came, n = table.sum(1), table.sum(0), confusion.rows
    if not n:
        return Figure(None, "no rows")
    spread = (n * n - said @ said) * (n * n - came @ came)
    if spread <= 0:
        return Figure(None, "one class")
    return figure(float((np.trace(table) * n - said @ came) / math.sqrt(spread)))
