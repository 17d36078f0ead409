"""One version that is served: loaded from verified files, and asked about rows of several requests at once."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.prediction_logging import OWN_COLUMNS
from modelops_jupyter.actions.scoring_parts import PartScorer, marks_of
from modelops_jupyter.actions.versions import RegisteredVersion, contract_of, find_version
from modelops_jupyter.errors import ModelOpsError, Refused
from modelops_jupyter.refs import ModelReference
from modelops_jupyter.scoring.column_names import absence, columns_named
from modelops_jupyter.scoring.contract import Breach, ConformedRows, conform, sentence
from modelops_jupyter.serving.payload import Payload, RequestRefused

if TYPE_CHECKING:
    import numpy as np

    from modelops_jupyter.foundations import Foundations
    from modelops_jupyter.store import Store

SCORE, REFER = "score", "refer"
METHODS = ("predict", "predict_proba")


@dataclass(frozen=True)
class LiveModel:
    """A version in memory.

    Attributes
    ----------
    reference : ModelReference
        The very version, with the alias that it is served under, if any.
    names : tuple of str
        The model's columns in order.
    invalid : {"refuse", "mark", "allow"}
        As in `ServingOptions`.
    methods : tuple of str
        What ``params`` may ask for as ``response_method``; empty where the model takes no params.
    """

    reference: ModelReference
    version: RegisteredVersion
    scorer: PartScorer
    names: tuple[str, ...]
    invalid: str
    methods: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The model's name."""
        return self.version.name

    @property
    def contract(self) -> Sequence[Mapping[str, Any]]:
        """What rows are held to."""
        return self.scorer.contract

    def check(self, payload: Payload) -> str:
        """Return which of the model's methods a request asks for.

        Raises
        ------
        RequestRefused
            If it asks for one that the model does not have, or lacks a column.
        """
        unknown = next((name for name in payload.params if name != "response_method" or not self.methods), None)
        if unknown is not None:
            has = "takes no params: leave them out" if not self.methods else "takes the param 'response_method' alone"
            raise RequestRefused(f"{self.version.full_name} {has}, not {unknown[:80]!r}.", field="params")
        method = payload.params.get("response_method", METHODS[0])
        if method not in METHODS:
            raise RequestRefused(
                f"response_method is {' or '.join(METHODS)}, not {str(method)[:80]!r}.", field="params"
            )
        optional = {str(column["name"]) for column in self.contract if column["missing"]}
        for name, source in zip(self.names, columns_named(self.names, payload.columns), strict=True):
            if source is None and name not in optional:
                why = f", a feature of {self.version.full_name}"
                raise RequestRefused(absence("The rows have", name, payload.columns, why=why), status=422, field=name)
        own = None if self.names else next((name for name in payload.columns if name.lower() in OWN_COLUMNS), None)
        if own is not None:
            raise RequestRefused(
                f"Column {own!r} has a name that the prediction log keeps for itself, and nothing on record says which "
                f"columns {self.version.full_name} reads: leave it out.",
                status=422,
                field=own,
            )
        return str(method)

    def features(self, payload: Payload) -> dict[str, list[Any]]:
        """Return the model's own columns of a request under the model's own names."""
        if not self.names:  # nothing on record says what it reads
            return dict(payload.columns)
        sources = columns_named(self.names, payload.columns)
        pairs = zip(self.names, sources, strict=True)
        return {name: payload.columns[source] for name, source in pairs if source is not None}


@dataclass(frozen=True)
class Answer:
    """What a version says of the rows of one request.

    Attributes
    ----------
    predictions : list
        As MLflow gives them.
    logged : list
        The predictions that go on record: those of `predict`, whatever the request asked for.
    scores : list of float or None
        The probability of the second of two classes, the value of a regression.
    verdicts, reasons : list of str
        ``score`` or ``refer`` for each row, and how a row that is referred breaks the contract.
    """

    live: LiveModel
    predictions: list[Any]
    logged: list[Any]
    scores: list[float] | None
    verdicts: list[str]
    reasons: list[str]


def load_live(
    foundations: Foundations, reference: ModelReference, *, invalid: str = "mark", unsafe: bool = False
) -> LiveModel:
    """Return the version behind a reference, ready to answer.

    Raises
    ------
    NotFound
        If there is no such version.
    Refused
        If it was rejected, is unsafe, or its files are not as registered.
    DependencyFailed
        If its files or a library that it needs are not there.
    """
    from modelops_jupyter.registry.environment_match import check_requirements
    from modelops_jupyter.scoring.formats import adapt
    from modelops_jupyter.scoring.predictions import gives_probabilities

    alias = reference.alias or ("champion" if reference.version is None else None)
    version = find_version(foundations.known, reference)
    check_not_rejected(foundations, version, alias)
    with tempfile.TemporaryDirectory(prefix="modelops-served-") as folder:
        check_requirements(foundations.registry.fetch(version.body, Path(folder) / "copy"), version.full_name)
    model = foundations.registry.load(version.body, unsafe=unsafe)
    contract = serving_contract(foundations.known, version)
    names = [str(column["name"]) for column in contract] or list(version.body.get("features", ()))
    names = names or list(getattr(adapt(model), "input_fields", ()))  # of a decision table without rows
    scorer = PartScorer.of(version, model, contract, invalid == "mark")
    methods = METHODS if gives_probabilities(adapt(model)) else ()
    pinned = replace(reference, version=version.version, alias=alias)
    return LiveModel(pinned, version, scorer, tuple(names), invalid, methods)


def serving_contract(store: Store, version: RegisteredVersion) -> list[dict[str, Any]]:
    """Return what rows of a version are held to, when they are answered and when they are logged."""
    from modelops_jupyter.scoring.input_columns import of_signature

    return contract_of(store, version) or of_signature(version.body.get("mlflow", {}).get("inputs", ()))


def check_not_rejected(foundations: Foundations, version: RegisteredVersion, alias: str | None) -> None:
    """Raise `Refused` if a version stands under a rejection."""
    from modelops_jupyter.governance import standing_rejection

    rejected = standing_rejection(foundations.known, version.body, foundations.policy, alias or "champion")
    if rejected is not None:
        raise Refused(
            f"{version.full_name} is not served: {rejected['actor']} rejected it ({rejected['reason']}). Promote or "
            "name another version, or approve it again."
        )


def answer_requests(live: LiveModel, payloads: Sequence[Payload], method: str) -> list[Answer | RequestRefused]:
    """Return what a version says of the rows of each request, all of which went through `LiveModel.check`.

    Rows of all requests are scored as one table. What one of them does to the model never reaches the others: where a
    request is refused, the rest are scored without it.
    """
    refusals, rows, marks = _conformed(live, payloads)
    if any(refusals):
        others = [payload for payload, refusal in zip(payloads, refusals, strict=True) if refusal is None]
        answers = iter(answer_requests(live, others, method) if others else [])
        return [next(answers) if refusal is None else refusal for refusal in refusals]
    assert rows is not None
    try:
        prediction, scored = live.scorer.answer(rows, marks)
        asked = prediction.prediction if method == METHODS[0] else _probabilities(live, rows, scored)
    except ModelOpsError as error:
        if len(payloads) > 1:
            return [one for payload in payloads for one in answer_requests(live, [payload], method)]
        return [RequestRefused(str(error), status=422, field=_first_field(rows))]
    whole = Answer(
        live,
        asked.tolist(),
        prediction.prediction.tolist(),
        None if prediction.score is None else prediction.score.tolist(),
        *_verdicts(live, len(rows.frame), marks),
    )
    return [
        _of_rows(whole, start, stop) if scored[start:stop].all() else _not_scored(live, rows, scored, start, stop)
        for start, stop in _spans(payloads)
    ]


def _conformed(
    live: LiveModel, payloads: Sequence[Payload]
) -> tuple[list[RequestRefused | None], ConformedRows | None, np.ndarray[Any, Any] | None]:
    """Return why each request is refused by the contract, if it is, and the rows of all held to it."""
    import pandas as pd

    parts = [live.features(payload) for payload in payloads]
    columns = {name: [value for part in parts for value in part[name]] for name in parts[0]}
    rows = conform(pd.DataFrame(columns), live.contract)
    refusals: list[RequestRefused | None] = []
    for part, (start, stop) in zip(parts, _spans(payloads), strict=True):
        breaches = [_breach_of(breach, part, start, stop) for breach in rows.breaches if breach.rows[start:stop].any()]
        wrong = [breach for breach in breaches if breach.kind == "unreadable" or live.invalid == "refuse"]
        text = "; ".join(map(sentence, wrong))
        refusals.append(
            RequestRefused(
                f"{live.version.full_name} was registered with other rows: {text}.", status=422, field=wrong[0].column
            )
            if wrong
            else None
        )
    return refusals, rows, marks_of(rows)


def _breach_of(breach: Breach, columns: Mapping[str, list[Any]], start: int, stop: int) -> Breach:
    """Return a breach as one request has it: its own rows, and the first value of its own."""
    own = breach.rows[start:stop]
    values = columns.get(breach.column)
    example = "" if values is None or breach.kind == "missing" else str(values[int(own.argmax())])[:80]
    return replace(breach, rows=own, example=example)


def _probabilities(live: LiveModel, rows: ConformedRows, scored: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the probability of each class for every row; for rows that the model does not take, anything."""
    import numpy as np

    from modelops_jupyter.scoring.predictions import predict_proba

    if scored.all():
        return predict_proba(live.scorer.model, rows.frame)
    found = predict_proba(live.scorer.model, rows.some(scored)) if scored.any() else np.empty((0, 1))
    whole = np.zeros((len(scored), found.shape[1]))
    whole[scored] = found
    return whole


def _verdicts(live: LiveModel, rows: int, marks: np.ndarray[Any, Any] | None) -> tuple[list[str], list[str]]:
    if marks is None or live.invalid == "allow":
        return [SCORE] * rows, [""] * rows
    return [REFER if mark else SCORE for mark in marks], [str(mark) for mark in marks]


def _spans(payloads: Sequence[Payload]) -> list[tuple[int, int]]:
    ends, end = [], 0
    for payload in payloads:
        ends.append((end, end + payload.rows))
        end += payload.rows
    return ends


def _of_rows(whole: Answer, start: int, stop: int) -> Answer:
    some = slice(start, stop)
    scores = None if whole.scores is None else whole.scores[some]
    lists = (whole.verdicts[some], whole.reasons[some])
    return Answer(whole.live, whole.predictions[some], whole.logged[some], scores, *lists)


def _not_scored(
    live: LiveModel, rows: ConformedRows, scored: np.ndarray[Any, Any], start: int, stop: int
) -> RequestRefused:
    """Return why a request with rows that the model did not take is refused."""
    row = int(scored[start:stop].argmin())
    marks = [breach for breach in rows.breaches if breach.rows[start + row]]
    reason = "; ".join(breach.mark for breach in marks)
    return RequestRefused(
        f"{live.version.full_name} cannot score row {row}: {reason}. Correct it, or leave it out.",
        status=422,
        field=marks[0].column if marks else "",
    )


def _first_field(rows: ConformedRows) -> str:
    return rows.breaches[0].column if rows.breaches else ""
