"""Scanning rows into profiles: every column is read once and counted for all windows and segments together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Executor
from functools import partial

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import Columns, Read, numbers_of
from modelops_jupyter.hashing import keys_of
from modelops_jupyter.profiles.binning import Binning, ColumnBinning
from modelops_jupyter.profiles.categories import CategoryTally
from modelops_jupyter.profiles.column import ColumnProfile
from modelops_jupyter.profiles.derived import counted_columns
from modelops_jupyter.profiles.groups import Array, Groups
from modelops_jupyter.profiles.numbers import NumericTally
from modelops_jupyter.profiles.outcome_tally import ClassTally, ErrorTally
from modelops_jupyter.profiles.outcomes import Outcomes
from modelops_jupyter.profiles.profile import Profile
from modelops_jupyter.profiles.runs import Runs
from modelops_jupyter.profiles.sampling import Picked, SampleTally

# The model's own outputs are watched like features; these names hold them in the log and in every profile.
OUTPUTS = ("prediction", "score")


class GroupedRows:
    """Rows, what reads their columns, and how they are grouped.

    Parameters
    ----------
    read
        Returns a column by name, or None where there is none: the log's columns with ``label``.
    groupings
        How the rows are grouped, each by group numbers of its own.
    own
        Returns what is known of the rows beside their features: ``timestamp``, ``version``, the outputs and
        ``label``. By default columns of these names are that, as in the log.
    keys
        Returns a number per row that follows from its request id alone, where rows have one; by default from the
        column ``request_id`` of `own`.
    """

    def __init__(
        self,
        read: Read,
        groupings: Iterable[Groups],
        own: Read | None = None,
        keys: Callable[[], Array] | None = None,
    ) -> None:
        self.read, self.groupings, self.own = read, tuple(groupings), own or read
        self._keys = keys

    def keys(self) -> Array | None:
        """Return a number per row that follows from its request id alone, or None where rows have no id."""
        if self._keys is not None:
            return self._keys()
        ids = self.own("request_id")
        return None if ids is None else keys_of(ids)


class Tally:
    """The counts of many groups of rows: give it the rows piece by piece, then take the groups' profiles.

    The groups of one piece may come in several groupings of the same rows, such as the windows and each window's
    segments; a column is read once for all of them.

    Parameters
    ----------
    sample
        Rows to keep of each of the first `sampled` groups; the grouping that holds them comes first.
    counted
        The columns to count; None means all of the binning.
    """

    def __init__(
        self,
        binning: Binning,
        groups: int,
        sample: int = 0,
        sampled: int = 0,
        counted: Collection[str] | None = None,
    ) -> None:
        self._binning = binning
        self._samples = SampleTally(binning.columns, sample, sampled)
        self._rows = np.zeros(groups, dtype="int64")
        self._versions: dict[int, dict[int, int]] = {}
        self._first, self._last = np.full(groups, np.iinfo("int64").max), np.full(groups, np.iinfo("int64").min)
        self._columns: dict[str, NumericTally | CategoryTally] = {
            name: NumericTally(column, groups) if column.kind == "numeric" else CategoryTally(column, groups)
            for name, column in binning.columns.items()
            if counted is None or name in counted
        }
        self._sources = {
            source: own
            for source, binnings in binning.sources.items()
            if (own := {name: column for name, column in binnings.items() if name in self._columns})
        }
        self._outcomes: ClassTally | ErrorTally | None = None
        if binning.task != "decision":
            self._outcomes = (ErrorTally if binning.task == "regression" else ClassTally)(binning, groups)

    def add(self, *pieces: GroupedRows, pool: Executor | None = None) -> None:
        """Count rows; the threads of `pool` share the columns out among them."""
        picked = [pick_rows(self._samples, piece) for piece in pieces]

        def count(source: str) -> None:
            binnings = self._sources[source]
            for piece, chosen in zip(pieces, picked, strict=True):
                for name, values in counted_columns(
                    piece.read(source), binnings, partial(piece.own, "timestamp")
                ).items():
                    tally = self._columns[name]
                    for groups in piece.groupings:
                        tally.absent(groups) if values is None else tally.add(values, groups)
                    if chosen is not None:
                        self._samples.code(chosen, name, values, binnings[name])

        def keys() -> None:
            for piece in pieces:
                self._add_keys(piece.own, piece.groupings)

        def outcomes() -> None:
            for piece in pieces:
                self._add_outcomes(piece.own, piece.groupings)

        tasks: list[Callable[[], None]] = [keys, outcomes, *(partial(count, source) for source in self._sources)]
        if pool is None:
            for task in tasks:
                task()
        else:
            for done in [pool.submit(task) for task in tasks]:
                done.result()
        for chosen in picked:
            if chosen is not None:
                self._samples.keep(chosen)

    def _add_keys(self, own: Read, groupings: tuple[Groups, ...]) -> None:
        version, timestamp = own("version"), own("timestamp")
        numbers = None if version is None else numbers_of(version)
        times = None if timestamp is None else numbers_of(timestamp)
        for groups in groupings:
            self._rows[groups.numbers] += groups.lengths
            if not groups.rows:
                continue
            if times is not None:
                mine, at = groups.arranged(times), groups.numbers
                self._first[at] = np.minimum(self._first[at], np.minimum.reduceat(mine, groups.starts))
                self._last[at] = np.maximum(self._last[at], np.maximum.reduceat(mine, groups.starts))
            if numbers is not None:
                self._add_versions(groups.arranged(numbers), groups)

    def _add_versions(self, versions: Array, groups: Groups) -> None:
        for version in np.unique(Runs.of(versions).numbers).tolist():  # one, but on the day of a promotion
            counted = np.add.reduceat((versions == version).astype("int64"), groups.starts)
            for group, count in zip(groups.numbers.tolist(), counted.tolist(), strict=True):
                if count:
                    rows = self._versions.setdefault(group, {})
                    rows[version] = rows.get(version, 0) + count

    def _add_outcomes(self, own: Read, groupings: tuple[Groups, ...]) -> None:
        prediction, score, label = own("prediction"), own("score"), own("label")
        if prediction is None or self._outcomes is None:
            return
        for groups in groupings:
            self._outcomes.add(prediction, score, label, groups)

    def rows(self, group: int) -> int:
        """Return how many rows one group has."""
        return int(self._rows[group])

    def profile(self, group: int) -> Profile:
        """Return the profile of one group."""
        timed = self._first[group] <= self._last[group]
        return Profile(
            self.rows(group),
            dict(sorted(self._versions.get(group, {}).items())),
            {name: column.profile(group) for name, column in self._columns.items()},
            self._outcomes.outcomes(group) if self._outcomes is not None else Outcomes(),
            int(self._first[group]) if timed else None,
            int(self._last[group]) if timed else None,
            self._samples.sample(group),
        )


def pick_rows(samples: SampleTally, rows: GroupedRows) -> Picked | None:
    """Choose rows for samples by what the log has of every row: its time and its request's id."""
    if not samples.columns:
        return None
    timestamp = rows.own("timestamp")
    return samples.pick(None if timestamp is None else numbers_of(timestamp), rows.keys(), rows.groupings[0])


def scan(table: pa.Table, binning: Binning, sample: int = 0) -> Profile:
    """Profile all rows of `table`: the log's columns with `label`; `sample` rows are kept."""
    tally = Tally(binning, 1, sample, 1)
    tally.add(GroupedRows(Columns.of_table(table).read, [one_group(table.num_rows)]))
    return tally.profile(0)


def scan_column(values: pa.ChunkedArray, binning: ColumnBinning) -> ColumnProfile:
    """Profile one column."""
    tally = (NumericTally if binning.kind == "numeric" else CategoryTally)(binning, 1)
    tally.add(values, one_group(len(values)))
    return tally.profile(0)


def one_group(rows: int) -> Groups:
    """Return `rows` rows as one group, number 0."""
    held = int(rows > 0)
    return Groups(None, np.zeros(held, "int64"), np.full(held, rows), np.zeros(held, "int64"))
