"""Some rows of a table, scored: those that break the contract are told apart from those that the model cannot take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.scored_rows import ask
from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.frames import outcome_text
from modelops_jupyter.scoring.column_names import columns_named
from modelops_jupyter.scoring.contract import Breach, ConformedRows, Kind, conform, told

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from modelops_jupyter.actions.versions import RegisteredVersion
    from modelops_jupyter.scoring.predictions import Predictions

    Array = np.ndarray[Any, Any]

PREDICTION, SCORE, MARK = "prediction", "score", "invalid"


@dataclass(frozen=True)
class BrokenRule:
    """One way in which the rows of a table break a contract.

    Attributes
    ----------
    column : str
    kind : {"unreadable", "missing", "outside", "unseen"}
        As of `scoring.contract.Breach`.
    rows, total : int
        Rows that break it, and rows of the table.
    example : str
        The first such value; empty of missing ones.
    expected : str
        What the contract says, for people.
    """

    column: str
    kind: Kind
    rows: int
    total: int
    example: str
    expected: str

    def __str__(self) -> str:
        return told(self.column, self.kind, self.expected, self.example, self.rows, self.total)

    @classmethod
    def together(cls, parts: Sequence[Sequence[BrokenRule]], total: int) -> tuple[BrokenRule, ...]:
        """Return the rules that are broken in any part of a table of `total` rows; of each the first example."""
        found: dict[tuple[str, str], BrokenRule] = {}
        for rule in (rule for part in parts for rule in part):
            first = found.get((rule.column, rule.kind))
            rows = rule.rows if first is None else first.rows + rule.rows
            found[rule.column, rule.kind] = replace(first or rule, rows=rows, total=total)
        return tuple(found.values())


def broken_rules(breaches: Sequence[Breach]) -> tuple[BrokenRule, ...]:
    """Return breaches as counts."""
    return tuple(BrokenRule(b.column, b.kind, int(b.rows.sum()), len(b.rows), b.example, b.expected) for b in breaches)


def checked_rows(part: pa.Table, contract: Sequence[Mapping[str, Any]]) -> ConformedRows:
    """Return the columns of a table that the contract names, held to it."""
    if not contract:
        return conform(part.to_pandas(), contract)
    names = columns_named([str(column["name"]) for column in contract], part.schema.empty_table().to_pandas())
    return conform(part.select([name for name in names if name is not None]).to_pandas(), contract)


@dataclass(frozen=True)
class ScoredPart:
    """Rows with what was predicted.

    Attributes
    ----------
    table : pyarrow.Table
        The rows as they came, then prediction, score and mark.
    scored : array of bool of shape (n,)
        Which rows have a prediction.
    marked : int
        Rows that break the contract.
    features : DataFrame
        The columns that the model was given.
    """

    table: pa.Table
    scored: Array
    marked: int
    broken: tuple[BrokenRule, ...]
    features: pd.DataFrame

    def logged_rows(self) -> pd.DataFrame:
        """Return the rows that have a prediction, the features in the types that the model was given."""
        kept = [name for name in self.table.column_names if name != MARK]
        rows: pd.DataFrame = self.table.select(kept).to_pandas()
        rows = rows.assign(**{str(name): self.features[name] for name in self.features.columns})
        return rows if self.scored.all() else rows[self.scored].reset_index(drop=True)


@dataclass(frozen=True)
class PartScorer:
    """A live model, what its version's rows must be, and what is written of them.

    Attributes
    ----------
    answers : pyarrow.DataType
        Type of the predictions: that of the classes, a double of a regression, else text.
    gives_score : bool
        Whether there are two classes and the probability of the second.
    marks : bool
        Whether rows that break the contract are marked.
    """

    name: str
    model: Any
    contract: Sequence[Mapping[str, Any]]
    answers: pa.DataType
    gives_score: bool
    marks: bool

    @classmethod
    def of(
        cls, version: RegisteredVersion, model: Any, contract: Sequence[Mapping[str, Any]], marks: bool
    ) -> PartScorer:
        """Return the scorer of a version."""
        import pyarrow as pa

        from modelops_jupyter.registry.tasks import UNSUPERVISED
        from modelops_jupyter.scoring.formats import adapt
        from modelops_jupyter.scoring.predictions import gives_probabilities

        estimator = adapt(model)
        classes = getattr(estimator, "classes_", None)
        task = version.body["task"]
        answers = pa.float64() if task == "regression" else pa.string()
        answers = pa.int64() if task in UNSUPERVISED.values() else answers  # numbers of clusters, 1 and -1 of outliers
        if classes is not None:
            answers = _type_of_classes(classes)
        two = classes is not None and len(classes) == 2 and gives_probabilities(estimator)
        return cls(version.full_name, model, contract, answers, two, marks)

    def schema(self, source: pa.Schema) -> pa.Schema:
        """Return the schema of the table that is written."""
        import pyarrow as pa

        more = [pa.field(PREDICTION, self.answers)]
        more += [pa.field(SCORE, pa.float64())] if self.gives_score else []
        more += [pa.field(MARK, pa.string())] if self.marks else []
        return pa.schema([*source, *more], metadata=source.metadata)

    def score(self, part: pa.Table) -> ScoredPart:
        """Score some rows.

        Raises
        ------
        InvalidFrame
            If the model cannot take rows that are as the contract says.
        """
        import pyarrow as pa

        rows = checked_rows(part, self.contract)
        marks = marks_of(rows)
        answer, scored = self.answer(rows, marks)
        columns: list[Any] = [*part.columns, self._as_written(answer.prediction, scored)]
        if self.gives_score:
            columns.append(pa.array(answer.score, pa.float64(), mask=_gaps(scored)))
        marked = 0 if marks is None else int((marks != "").sum())
        if self.marks:
            of_rows = pa.nulls(part.num_rows, pa.string())
            columns.append(of_rows if marks is None else pa.array(marks, pa.string(), mask=marks == ""))
        table = pa.Table.from_arrays(columns, schema=self.schema(part.schema))
        return ScoredPart(table, scored, marked, broken_rules(rows.breaches), rows.frame)

    def answer(self, rows: ConformedRows, marks: Array | None) -> tuple[Predictions, Array]:
        """Return predictions of all rows, and which of them count.

        Rows that break the contract are asked about with the others. Where the model does not take that, the clean ones
        are asked about alone, and then the others by how they break it: what the model cannot take has no prediction,
        whatever other rows stand beside it.
        """
        import numpy as np

        readable = np.ones(len(rows.frame), dtype=bool)
        for breach in rows.breaches:
            if breach.kind == "unreadable":
                readable &= ~breach.rows
        if marks is None:
            return ask(self.model, rows.frame, self.name, ""), readable
        groups = [readable]
        try:
            answers = [self._of(rows, readable)]
        except ModelOpsError:
            clean = marks == ""
            answers, groups = [self._of(rows, clean)], [clean]
            for mark in sorted(set(marks[readable & ~clean])):
                alike = readable & (marks == mark)
                try:
                    answers.append(self._of(rows, alike))
                    groups.append(alike)
                except ModelOpsError:  # which the mark and the counts say
                    continue
        return _joined(answers, groups), np.logical_or.reduce(groups)

    def _of(self, rows: ConformedRows, which: Array) -> Predictions | None:
        """Return what the model predicts for some rows; None where there are none."""
        return ask(self.model, rows.some(which), self.name, "") if which.any() else None

    def _as_written(self, prediction: Array, scored: Array) -> pa.Array:
        import pyarrow as pa

        if self.answers == pa.string():
            prediction = _texts(prediction, scored)
        return pa.array(prediction, mask=_gaps(scored), from_pandas=True).cast(self.answers)


def _type_of_classes(classes: Any) -> pa.DataType:
    import numpy as np
    import pyarrow as pa

    try:
        kind = pa.array(np.asarray(classes).ravel()).type
    except pa.ArrowException:  # of several types
        return pa.string()
    plain = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    return kind if plain else pa.string()


def marks_of(rows: ConformedRows) -> Array | None:
    """Return for each row how it breaks the contract, empty where it does not; None where no row does."""
    import numpy as np

    if not rows.breaches:
        return None
    marks: Array = np.full(len(rows.frame), "", dtype=object)
    for breach in rows.breaches:
        marks[breach.rows] = [f"{mark}; {breach.mark}" if mark else breach.mark for mark in marks[breach.rows]]
    return marks


def _joined(answers: Sequence[Predictions | None], groups: Sequence[Array]) -> Predictions:
    """Return predictions of groups of rows as those of all rows; what is of no group is anything."""
    import numpy as np

    from modelops_jupyter.scoring.predictions import Predictions

    known = [(answer, rows) for answer, rows in zip(answers, groups, strict=True) if answer is not None]
    if len(known) == 1 and known[0][1].all():
        return known[0][0]
    number = len(groups[0])
    kinds = {answer.prediction.dtype for answer, _ in known}
    prediction = np.zeros(number, dtype=kinds.pop() if len(kinds) == 1 else object)
    score = np.full(number, np.nan)
    for answer, rows in known:
        prediction[rows] = answer.prediction
        if answer.score is not None:
            score[rows] = answer.score
    return Predictions(prediction, score)


def _texts(prediction: Array, scored: Array) -> Array:
    """Return predictions as text, each distinct one written once."""
    import numpy as np
    import pandas as pd

    found = np.full(len(prediction), None, dtype=object)
    codes, distinct = pd.factorize(prediction[scored].astype(object), use_na_sentinel=False)
    texts = np.array([outcome_text(value) for value in distinct], dtype=object)
    found[scored] = texts[codes] if len(texts) else None
    return found


def _gaps(scored: Array) -> Array | None:
    return None if scored.all() else ~scored
