"""The rows that a model was fitted on, as hashes: enough to tell later whether other rows are among them."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from modelops_jupyter.registry.fingerprints import row_hashes

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Hashes = np.ndarray[Any, np.dtype[np.uint64]]

MOST_HASHES = 32_768  # on record, a quarter of a megabyte; of more rows, those of the lowest hashes are a fair sample
FIRST_DIGITS = 3  # that numbers keep when they are rounded, or written in single precision
MOST_ALIKE = 0.01
_BY_CHANCE = 1e-4  # so rarely are rows of other origin taken for training rows
_TOP = 2**64


@dataclass(frozen=True)
class RowSample:
    """Hashes of those rows of a table that occur once.

    Attributes
    ----------
    rows : int
        How many rows the table has.
    twice : int
        How many distinct rows occur exactly twice among them.
    below : int
        Hashes below this are here, all of them: a bottom-k sketch (Bar-Yossef et al., "Counting distinct elements in a
        data stream", RANDOM 2002).
    hashes : array of uint64, shape (k,)
        Sorted.
    digits : int or None
        How many significant digits of a number the hashes know.
    """

    rows: int
    twice: int
    below: int
    hashes: Hashes
    digits: int | None = None

    @classmethod
    def of(cls, frame: pd.DataFrame, digits: int | None = None) -> RowSample:
        """Return the hashes of every row of a table."""
        import numpy as np

        values, counts = np.unique(row_hashes(frame, digits=digits), return_counts=True)
        return cls(len(frame), int(np.sum(counts == 2)), _TOP, values[counts == 1], digits)

    def sample(self, most: int) -> RowSample:
        """Return at most `most` of the hashes."""
        if len(self.hashes) <= most:
            return self
        return replace(self, below=int(self.hashes[most]), hashes=self.hashes[:most])

    def share_of(self, frame: pd.DataFrame) -> float:
        """Return the share of another table's rows that are among these beyond what chance brings, from 0 to 1.

        Rows of few possible values meet each other by chance. A new row is one that these rows hold exactly once
        with a probability of 2 N2 / n, where N2 values of their n occur exactly twice (I. J. Good, "The population
        frequencies of species and the estimation of population parameters", Biometrika 40, 1953): so much is taken off,
        and the number that is met must be one that chance brings in less than one of 10,000 cases (binomial tail).
        """
        import numpy as np
        from scipy.stats import binom

        if not self.rows or not len(frame):
            return 0.0
        hashes = row_hashes(frame, digits=self.digits)
        if self.below < _TOP:
            hashes = hashes[hashes < np.uint64(self.below)]
        if not len(hashes):
            return 0.0
        met = int(np.isin(hashes, self.hashes).sum())
        by_chance = min(1.0, 2 * self.twice / self.rows)
        at_most = min(1.0, by_chance + 8 * math.sqrt(self.twice) / self.rows)  # four standard errors of N2
        if not met or float(binom.sf(met - 1, len(hashes), at_most)) > _BY_CHANCE:
            return 0.0
        return met / len(hashes) - by_chance

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; `from_dict` reads it."""
        text = base64.b64encode(self.hashes.astype("<u8").tobytes()).decode()
        numbers = {"rows": self.rows, "twice": self.twice, "below": str(self.below), "digits": self.digits}
        return {**numbers, "hashes": text}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> RowSample:
        """Read what `to_dict` returns."""
        import numpy as np

        hashes = np.frombuffer(base64.b64decode(plain["hashes"]), dtype="<u8").astype("uint64")
        return cls(int(plain["rows"]), int(plain["twice"]), int(plain["below"]), hashes, plain["digits"])


@dataclass(frozen=True)
class TrainingRows:
    """What tells whether rows are among those that a model was fitted on: as they are, or with rounded numbers.

    Attributes
    ----------
    exact, rounded : RowSample
        By all digits of a number, and by the first ones.
    """

    exact: RowSample
    rounded: RowSample

    @classmethod
    def of(cls, frame: pd.DataFrame) -> TrainingRows:
        """Return what tells a table's rows.

        >>> import pandas as pd
        >>> training = TrainingRows.of(pd.DataFrame({"x": range(1000)}))
        >>> training.share_of(pd.DataFrame({"x": range(900, 1100)}))
        0.5
        """
        return cls(RowSample.of(frame), RowSample.of(frame, FIRST_DIGITS))

    def sample(self, most: int = MOST_HASHES) -> TrainingRows:
        """Return as much as a version keeps."""
        return TrainingRows(self.exact.sample(most), self.rounded.sample(most))

    def share_of(self, frame: pd.DataFrame) -> float:
        """Return the share of a table's rows that are training rows beyond what chance brings, from 0 to 1.

        Rounded numbers count where rounding makes hardly any two training rows equal.
        """
        telling = 2 * self.rounded.twice < MOST_ALIKE * self.rounded.rows
        return max(self.exact.share_of(frame), self.rounded.share_of(frame) if telling else 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; `from_dict` reads it."""
        return {"exact": self.exact.to_dict(), "rounded": self.rounded.to_dict()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TrainingRows:
        """Read what `to_dict` returns."""
        return cls(RowSample.from_dict(plain["exact"]), RowSample.from_dict(plain["rounded"]))
