"""Tables of requests as Databricks' inference tables log them: the rows of a request, with what was answered of each.

A request is JSON as MLflow's scoring server takes it (``dataframe_records``, ``dataframe_split``, ``instances``,
``inputs``), a response ``{"predictions": […]}``. Requests that failed, or whose texts were too long to be logged, have
no prediction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import Read
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.sources.mapping import ColumnMapping, ModelFacts

REQUEST, RESPONSE = "request", "response"
_OK = 200
_FORM = (
    ": a request must be JSON as MLflow's scoring server takes it, and its response have as many predictions as rows."
)
_OWN_ID = "client_request_id"
# Where the answer to a request may say what was predicted.
_ANSWERS = ("predictions", "outputs")


def expanded(mapping: ColumnMapping, theirs: Read, rows: int, mask: np.ndarray[Any, Any] | None) -> pa.Table:
    """Return a row for each row of the requests, by the table's own names.

    Parameters
    ----------
    theirs
        Reads the columns of the requests; `mask` says which of the `rows` count.

    Raises
    ------
    InvalidFrame
        If no request can be read with its response; a few are left out and noted.
    """
    id_name, time_name = mapping.names(("request_id", "timestamp"))
    names = (REQUEST, RESPONSE, "status_code", _OWN_ID, "request_metadata", id_name)
    logged = {name: column.to_pylist() for name in names if (column := theirs(name)) is not None}
    nothing = [None] * rows
    statuses, own_ids = logged.get("status_code", nothing), logged.get(_OWN_ID, nothing)
    ids, metadata = logged.get(id_name, nothing), logged.get("request_metadata", nothing)
    places: list[int] = []
    expanded_rows: list[dict[str, Any]] = []
    unread: list[str] = []
    for place in range(rows):
        request, response = logged[REQUEST][place], logged[RESPONSE][place]
        failed = statuses[place] is not None and int(statuses[place]) != _OK
        if failed or request is None or response is None or (mask is not None and not mask[place]):
            continue
        name = own_ids[place] or ids[place]
        try:
            answered = list(_rows(mapping, json.loads(request), json.loads(response)))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            unread.append(f"Request {name!r} of {mapping.place} cannot be read ({type(error).__name__}: {error})")
            continue
        version = _version(metadata[place])
        for number, row in enumerate(answered):
            of_row = name if len(answered) == 1 else f"{name}/{number}"
            places.append(place)
            expanded_rows.append({id_name: of_row, **({"version": version} if version else {}), **row})
    if unread and not expanded_rows:
        raise InvalidFrame(f"{unread[0]}{_FORM}")
    if unread:
        more = f"; so are {len(unread) - 1} more of its requests" if len(unread) > 1 else ""
        mapping.notes.add(f"Left out: {unread[0]}{more}{_FORM}")
    fields = dict.fromkeys([id_name, *(name for row in expanded_rows for name in row)])
    columns = {name: _column([row.get(name) for row in expanded_rows]) for name in fields}
    times = theirs(time_name)
    if times is not None:
        columns[time_name] = times.take(pa.array(places, pa.int64()))
    return pa.table(columns)


def _rows(mapping: ColumnMapping, request: Any, response: Any) -> Iterator[dict[str, Any]]:
    inputs, answers = _inputs(request, mapping.model), _answers(response)
    if len(inputs) != len(answers):
        raise ValueError(f"{len(inputs)} rows have {len(answers)} predictions")
    for row, answer in zip(inputs, answers, strict=True):
        yield {**row, **_answer(mapping, answer)}


def _inputs(request: Any, model: ModelFacts) -> list[dict[str, Any]]:
    """Return the rows of a request by column; those without names have the model's columns in their order."""
    if "dataframe_records" in request:
        return [dict(row) for row in request["dataframe_records"]]
    if "dataframe_split" in request:
        split = request["dataframe_split"]
        return [dict(zip(split["columns"], row, strict=True)) for row in split["data"]]
    rows = request["instances"] if "instances" in request else request["inputs"]
    if isinstance(rows, Mapping):
        return [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]
    return [dict(row) if isinstance(row, Mapping) else dict(zip(model.features, row, strict=True)) for row in rows]


def _answers(response: Any) -> list[Any]:
    answers = (
        next((response[name] for name in _ANSWERS if name in response), None)
        if isinstance(response, Mapping)
        else response
    )
    if isinstance(answers, Mapping):
        return [dict(zip(answers, values, strict=True)) for values in zip(*answers.values(), strict=True)]
    if not isinstance(answers, list):
        raise ValueError("the response has no predictions")
    return answers


def _answer(mapping: ColumnMapping, answer: Any) -> dict[str, Any]:
    """Return what was predicted of a row: the answer, one of its fields, or the likeliest class of probabilities."""
    prediction, score = mapping.name("prediction"), mapping.name("score")
    if isinstance(answer, Mapping):
        return {name: answer[name] for name in answer if name in (prediction, score)}
    if isinstance(answer, list) and len(answer) == len(mapping.model.classes) > 1:
        likeliest = mapping.model.classes[int(np.argmax(answer))]
        return {
            prediction: likeliest,
            **({score: answer[1]} if len(answer) == 2 else {}),
        }  # of two classes: that of the second
    return {prediction: answer[0] if isinstance(answer, list) and len(answer) == 1 else answer}


def _version(metadata: Any) -> int | None:
    """Return the version that answered, where the request's metadata say which."""
    entries = dict(metadata) if metadata else {}
    text = str(entries.get("model_version") or "")
    return int(text) if text.isdecimal() else None


def _column(values: Sequence[Any]) -> pa.ChunkedArray:
    try:
        return pa.chunked_array([pa.array(values)])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.chunked_array([pa.array([None if value is None else str(value) for value in values])])
