"""A table of any size, scored by a version into another one, part by part."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.prediction_logging import check_version_named, log_predictions
from modelops_jupyter.actions.scored_logging import LogColumns, ScoredBatches
from modelops_jupyter.actions.scored_rows import POLICIES
from modelops_jupyter.actions.scoring_parts import (
    MARK,
    PREDICTION,
    SCORE,
    BrokenRule,
    PartScorer,
    broken_rules,
    checked_rows,
)
from modelops_jupyter.actions.versions import contract_of, find_version
from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.listing import Listing
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.refs import ModelReference, parse
from modelops_jupyter.scoring.column_names import absence, columns_named
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from modelops_jupyter.actions.versions import RegisteredVersion
    from modelops_jupyter.log import PredictionLog
    from modelops_jupyter.registry import Registry
    from modelops_jupyter.store import Store
    from modelops_jupyter.table_files import TableSource


MOST_RULES = 10  # ways of breaking a contract that are shown
KINDS = {"unreadable": "type", "missing": "missing values", "outside": "range", "unseen": "category"}


@dataclass(frozen=True)
class ScoredTable(Presentable):
    """What became of a table that was scored.

    Attributes
    ----------
    version : str
    source, output : str
        The table that was read, and the one that was written: its columns, then ``prediction``, ``score`` (of
        classifiers of two classes, the probability of the second) and, of marked rows, ``invalid``.
    rows, scored : int
        Rows of both tables, and those that have a prediction.
    marked : int
        Rows that break the version's contract.
    broken : tuple of BrokenRule
        How they break it, by column.
    logged : int or None
        Rows that went to the prediction log; None where none were asked for.
    notes : tuple of str
        What else there is to know, a sentence each.
    invalid : {"mark", "refuse", "allow"}
        What was asked for rows that break the contract.
    """

    version: str
    source: str
    output: str
    rows: int
    scored: int
    marked: int = 0
    broken: tuple[BrokenRule, ...] = ()
    logged: int | None = None
    notes: tuple[str, ...] = ()
    invalid: str = "mark"

    @property
    def summary(self) -> str:
        """How many rows break the contract, in which ways, and what became of them; empty where none does."""
        if not self.broken:
            return ""
        ways = Counter(rule.kind for rule in self.broken)
        columns = count(len({rule.column for rule in self.broken}), "column")
        kinds = ", ".join(f"{KINDS[kind]} of {count(number, 'column')}" for kind, number in ways.items())
        breaking = f"{count(self.marked, 'row')} {'breaks' if self.marked == 1 else 'break'} the contract"
        fate = "the column `invalid` says how" if self.invalid == "mark" else "they were scored where the model can"
        return f"{breaking} in {columns} ({kinds}); {fate}."

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each way in which rows break the contract."""
        import pandas as pd

        return pd.DataFrame([asdict(rule) for rule in self.broken], columns=list(BrokenRule.__dataclass_fields__))

    def __str__(self) -> str:
        lines = [
            f"{self.version} scored {self.scored:,} of {count(self.rows, 'row')} of {self.source} into {self.output}."
        ]
        if self.broken:
            lines += [self.summary, *_table(self.broken)]
        if self.logged is not None:
            lines.append(f"{count(self.logged, 'prediction')} logged.")
        return "\n".join([*lines, *self.notes])


def _table(broken: Sequence[BrokenRule]) -> list[str]:
    """Return the ways in which most rows break the contract, a line each."""
    most = sorted(broken, key=lambda rule: -rule.rows)
    rows = [
        {
            "column": rule.column,
            "rows": rule.rows,
            "what": KINDS[rule.kind],
            "contract": rule.expected,
            "first": rule.example,
        }
        for rule in most[:MOST_RULES]
    ]
    table = str(Listing("", ("column", "rows", "what", "contract", "first"), tuple(rows))).splitlines()[1:]
    more = [f"  and {len(most) - MOST_RULES} more"] if len(most) > MOST_RULES else []
    return [*(f"  {line}" for line in table), *more]


def predict_file(
    store: Store,
    registry: Registry,
    log: PredictionLog,
    version: str | ModelReference,
    data: Any,
    output: str | os.PathLike[str],
    *,
    invalid: str,
    log_columns: LogColumns | None,
    unsafe: bool,
) -> ScoredTable:
    """Score a table into another; see `Workspace.predict_file`."""
    from modelops_jupyter.table_files import check_output, open_table, write_table

    if invalid not in POLICIES:
        raise InvalidInput(f"invalid is {', '.join(POLICIES[:-1])} or {POLICIES[-1]}, not {invalid!r}.")
    registered = find_version(store, version)
    contract = contract_of(store, registered)
    if log_columns is not None:
        check_version_named(version, log_columns.role)
    source = open_table(data)
    if not source.typed and not contract:
        contract = _types_of_text(registered, source)
    check_output(os.fspath(output), source.name)
    _check_columns(source, contract, registered.full_name, log_columns)
    scorer = PartScorer.of(registered, registry.load(registered.body, unsafe=unsafe), contract, invalid == "mark")
    if invalid == "refuse":
        _refuse_invalid(registered, contract, source)
    with tempfile.TemporaryDirectory(prefix="modelops-scored-") as folder:
        batches = None
        if log_columns is not None:
            append = partial(log_predictions, store, log, _pinned(version, registered))
            answers = PREDICTION, SCORE if scorer.gives_score else None
            batches = ScoredBatches(log_columns, source.typed, answers, append, Path(folder))
        progress = _Progress(registered.full_name, source.name, batches)
        write_table(os.fspath(output), scorer.schema(source.schema), progress.scored(scorer, source))
    return replace(progress.result(os.fspath(output)), invalid=invalid)


def _types_of_text(version: RegisteredVersion, source: TableSource) -> list[dict[str, Any]]:
    """Return the types in which columns of text are read for a version without a contract: MLflow's signature has them.

    Raises
    ------
    InvalidInput
        If nothing on record says them: text that is taken for text would be scored as something else, in silence.
    """
    from modelops_jupyter.scoring.input_columns import of_signature

    types = of_signature(version.body.get("mlflow", {}).get("inputs", ()))
    if not types:
        raise InvalidInput(
            f"{source.name!r} holds nothing but text, and nothing on record says of which types the columns of "
            f"{version.full_name} are: pass a Parquet file, or register the version with its rows."
        )
    return types


def _pinned(reference: str | ModelReference, registered: RegisteredVersion) -> ModelReference:
    """Return the very version, with the alias by which it was asked for: an alias may move meanwhile."""
    return replace(parse(reference), version=registered.version)


def _check_columns(
    source: TableSource, contract: Sequence[Mapping[str, Any]], version: str, logged: LogColumns | None
) -> None:
    """Raise `InvalidFrame`, before anything is scored, if the table or one of its files lacks a column."""
    own = next((name for name in (PREDICTION, SCORE, MARK) if name in source.schema.names), None)
    if own is not None:
        raise InvalidFrame(
            f"{source.name!r} has a column {own!r} already, which is written beside its columns: rename it."
        )
    features = [str(column["name"]) for column in contract if not column["missing"]]
    for file in source.members:
        columns = dict.fromkeys(file.columns)
        for name, column in zip(features, columns_named(features, columns), strict=True):
            if column is None:
                raise InvalidFrame(absence(f"{file.name!r} has", name, columns, why=f", a feature of {version}"))
        for name in () if logged is None else (logged.id, logged.time):
            if name not in columns:
                raise InvalidFrame(absence(f"{file.name!r} has", name, columns))


def _refuse_invalid(version: RegisteredVersion, contract: Sequence[Mapping[str, Any]], source: TableSource) -> None:
    """Read the whole table once before anything is scored.

    Raises
    ------
    InvalidFrame
        Naming every way in which rows break the contract.
    """
    total, parts = 0, []
    for part in source.parts():
        total += part.num_rows
        parts.append(broken_rules(checked_rows(part, contract).breaches))
    broken = BrokenRule.together(parts, total)
    if broken:
        rules = "; ".join(str(rule) for rule in broken)
        raise InvalidFrame(f"{source.name!r} breaks the contract of {version.full_name}: {rules}. Nothing was scored.")


class _Progress:
    """Scores the parts of a table one by one, and knows what became of them."""

    def __init__(self, version: str, source: str, batches: ScoredBatches | None) -> None:
        self._version, self._source, self._batches = version, source, batches
        self._rows = self._scored = self._marked = self._logged = 0
        self._broken: list[Sequence[BrokenRule]] = []
        self._notes: dict[str, None] = {}

    def scored(self, scorer: PartScorer, source: TableSource) -> Iterator[pa.Table]:
        """Yield the parts with what was predicted, and log them once the last one is scored.

        Raises
        ------
        InvalidFrame
            If no row at all could be scored.
        """
        for number, part in enumerate(source.parts(), start=1):
            done = scorer.score(part)
            self._rows += part.num_rows
            self._scored += int(done.scored.sum())
            self._marked += done.marked
            self._broken.append(done.broken)
            if self._batches is not None and done.scored.any():
                self._batches.add(done.logged_rows(), number)
            yield done.table
        if self._rows and not self._scored:
            rules = "; ".join(str(rule) for rule in BrokenRule.together(self._broken, self._rows))
            raise InvalidFrame(f"{self._version} can score no row of {self._source!r}: {rules}. Nothing was written.")
        if self._batches is not None:  # every part is scored, and nothing has taken its place yet
            self._log_all(self._batches)

    def _log_all(self, batches: ScoredBatches) -> None:
        for appended in batches.log():
            self._logged += 0 if appended.repeated else appended.rows
            self._notes |= {appended.warning: None} if appended.warning else {}
            self._notes |= (
                {"Predictions that were logged before were not logged again.": None} if appended.repeated else {}
            )

    def result(self, output: str) -> ScoredTable:
        """Return what became of all parts."""
        return ScoredTable(
            self._version,
            self._source,
            output,
            self._rows,
            self._scored,
            self._marked,
            BrokenRule.together(self._broken, self._rows),
            None if self._batches is None else self._logged,
            tuple(self._notes),
        )
