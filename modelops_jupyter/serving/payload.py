"""Bodies in MLflow's conventions, read into columns of plain values: what is wrong is one sentence with its field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelops_jupyter.errors import InvalidInput, ModelOpsError
from modelops_jupyter.scoring.column_names import listed

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
OTHERS = ("params", "request_ids")
LONGEST_ID = 200
LONGEST_ROW_ID = LONGEST_ID + 10  # of a row: the request's own, and which row it is
EXAMPLE = '{"dataframe_records": [{"column": 1}]}'


class RequestRefused(InvalidInput):
    """A request that is not answered with predictions.

    Parameters
    ----------
    status
        The HTTP status, of the four hundreds.
    field
        Which column or key is wrong; empty where none can be named.
    """

    code = "request-refused"

    def __init__(self, message: str, *, status: int = 400, field: str = "") -> None:
        super().__init__(message)
        self.status, self.field = status, field


class Overloaded(ModelOpsError):
    """More is asked than one server takes at once."""

    code = "overloaded"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("Too many requests wait: ask again in a second.")


@dataclass(frozen=True)
class Payload:
    """Rows of a request.

    Attributes
    ----------
    columns : mapping of str to list
        Values as JSON has them: text, numbers, truth values, None, and what else a client sends.
    rows : int
    params : mapping
        What MLflow calls parameters of inference.
    request_ids : tuple of str
        One for each row where the client names them; else empty.
    """

    columns: Mapping[str, list[Any]]
    rows: int
    params: Mapping[str, Any] = field(default_factory=dict)
    request_ids: tuple[str, ...] = ()

    def kinds(self) -> tuple[Any, ...]:
        """Return columns with the types of their values: rows of payloads of equal kinds may be one table."""
        return tuple((name, frozenset(map(type, values))) for name, values in self.columns.items())


class _NoNumber(float):
    """NaN and infinite numbers, which Python reads though JSON has none, until their column is known."""


def read_payload(body: bytes, names: Sequence[str], most_rows: int) -> Payload:
    """Return the rows of a body.

    Parameters
    ----------
    names
        The model's columns in order, for rows that come as a matrix.

    Raises
    ------
    RequestRefused
        If it is no JSON, or not as MLflow has it.
    """
    content = read_json(body)
    form = [key for key in FORMATS if key in content]
    if len(form) != 1:
        which = f"it has {listed(form)}" if form else f"it has {listed(list(content))}"
        raise RequestRefused(f"A body has one of {listed(FORMATS)}, and {which}: write {EXAMPLE}.", field="body")
    unknown = next((key for key in content if key not in (*FORMATS, *OTHERS)), None)
    if unknown is not None:
        raise RequestRefused(
            f"A body has no key {unknown[:80]!r}: beside the rows it has {listed(OTHERS)}.", field=unknown[:80]
        )
    key, rows = form[0], content[form[0]]
    columns = {
        "dataframe_split": _of_split,
        "dataframe_records": _of_records,
        "instances": _of_instances,
        "inputs": _of_inputs,
    }[key](rows, key, names, most_rows)
    number = _rows_of(columns, key, most_rows)
    _check_values(columns)
    params = content.get("params") or {}
    if not isinstance(params, dict):
        raise RequestRefused("'params' is an object of names and values.", field="params")
    return Payload(columns, number, params, _ids(content.get("request_ids"), number))


def read_json(body: bytes) -> dict[str, Any]:
    """Return the object that a body holds.

    Raises
    ------
    RequestRefused
        If it is no JSON, no object, or nested too deeply.
    """
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=_NoNumber)
    except UnicodeDecodeError as error:
        raise RequestRefused("The body is not UTF-8: encode it so.", field="body") from error
    except RecursionError as error:
        raise RequestRefused("The body is nested too deeply: rows are lists of plain values.", field="body") from error
    except ValueError as error:
        reason = str(error).splitlines()[0][:120]
        raise RequestRefused(f"The body is no JSON ({reason}): write {EXAMPLE}.", field="body") from error
    if not isinstance(content, dict):
        raise RequestRefused(f"A body is a JSON object: write {EXAMPLE}.", field="body")
    return content


def _of_split(value: Any, key: str, names: Sequence[str], most: int) -> dict[str, list[Any]]:
    if not isinstance(value, dict) or "data" not in value:
        raise RequestRefused(f"{key!r} has 'columns' and 'data', a list of rows.", field=key)
    data, given = value["data"], value.get("columns")
    if given is None:
        return _of_matrix(data, key, names, most)
    if not isinstance(given, list) or not all(isinstance(name, str | int) for name in given):
        raise RequestRefused(f"'columns' of {key!r} is a list of names.", field=key)
    columns = [str(name) for name in given]
    twice = (
        next((name for name in columns if columns.count(name) > 1), None) if len(set(columns)) < len(columns) else None
    )
    if twice is not None:
        raise RequestRefused(f"Column {twice[:80]!r} is there twice in {key!r}.", field=twice[:80])
    return _of_matrix(data, key, columns, most)


def _of_matrix(data: Any, key: str, names: Sequence[str], most: int) -> dict[str, list[Any]]:
    """Return columns of rows that are lists, named in order."""
    if not isinstance(data, list) or not all(isinstance(row, list) for row in data):
        raise RequestRefused(f"{key!r} is a list of rows, each a list of values.", field=key)
    _check_number(len(data), key, most)
    odd = next((place for place, row in enumerate(data) if len(row) != len(names)), None)
    if odd is not None:
        raise RequestRefused(
            f"Row {odd} of {key!r} has {len(data[odd])} values for {len(names)} columns ({listed(names)}).", field=key
        )
    return {name: [row[place] for row in data] for place, name in enumerate(names)}


def _of_records(value: Any, key: str, names: Sequence[str], most: int) -> dict[str, list[Any]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise RequestRefused(f"{key!r} is a list of objects, each with a value for every column.", field=key)
    _check_number(len(value), key, most)
    columns = dict.fromkeys(name for row in value for name in row)
    if len(columns) * len(value) > 5_000_000:
        raise RequestRefused(f"{key!r} has {len(columns):,} different columns: send those of the model.", field=key)
    return {name: [row.get(name) for row in value] for name in columns}


def _of_instances(value: Any, key: str, names: Sequence[str], most: int) -> dict[str, list[Any]]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return _of_records(value, key, names, most)
    if isinstance(value, list) and value and len(names) == 1 and not any(isinstance(row, list) for row in value):
        value = [[row] for row in value]
    return _of_matrix(value, key, names, most)


def _of_inputs(value: Any, key: str, names: Sequence[str], most: int) -> dict[str, list[Any]]:
    if not isinstance(value, dict):
        return _of_instances(value, key, names, most)
    plain = next((name for name, values in value.items() if not isinstance(values, list)), None)
    if plain is not None:
        raise RequestRefused(f"Column {plain[:80]!r} of {key!r} is a list with a value for each row.", field=plain[:80])
    return dict(value)


def _rows_of(columns: Mapping[str, list[Any]], key: str, most: int) -> int:
    lengths = {name: len(values) for name, values in columns.items()}
    number = max(lengths.values(), default=0)
    if not number:
        raise RequestRefused(f"{key!r} has no rows: send at least one.", field=key)
    short = next((name for name, length in lengths.items() if length != number), None)
    if short is not None:
        raise RequestRefused(
            f"Column {short[:80]!r} of {key!r} has {lengths[short]} values, another has {number}.", field=short[:80]
        )
    _check_number(number, key, most)
    return number


def _check_number(rows: int, key: str, most: int) -> None:
    if rows > most:
        raise RequestRefused(
            f"{key!r} has {rows:,} rows, and one request has at most {most:,}: send them in parts, or score a table "
            "with `modelops predict`.",
            status=413,
            field=key,
        )


def _check_values(columns: Mapping[str, list[Any]]) -> None:
    """Refuse what no column of a table holds: NaN written out, half characters, lists and objects."""
    for name, values in columns.items():
        for row, value in enumerate(values):
            if isinstance(value, float | int | None):
                if type(value) is _NoNumber:
                    raise RequestRefused(
                        f"Row {row} of {name[:80]!r} is {float(value)}, which is no JSON: write null instead.",
                        field=name[:80],
                    )
                if isinstance(value, int) and not -(2**63) <= value < 2**63:
                    raise RequestRefused(f"Row {row} of {name[:80]!r} needs more than 64 bits.", field=name[:80])
            elif isinstance(value, str):
                if not value.isascii():
                    _check_text(value, name, row)
            else:
                kind = "a list" if isinstance(value, list) else "an object"
                raise RequestRefused(
                    f"Row {row} of {name[:80]!r} is {kind}: a value is text, a number, true, false or null.",
                    field=name[:80],
                )
        if not name.isascii():
            _check_text(name, "the name of a column", 0)


def _check_text(text: str, name: str, row: int) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        where = name.encode("utf-8", "replace").decode()[:80]
        raise RequestRefused(
            f"Row {row} of {where!r} holds half a character (a lone surrogate).", field=where
        ) from error


def _ids(value: Any, rows: int) -> tuple[str, ...]:
    """Return the ids that a client gives its rows."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) != rows:
        raise RequestRefused(f"'request_ids' is a list with an id for each of the {rows:,} rows.", field="request_ids")
    for name in value:
        check_id(name, "request_ids")
    if len(set(value)) < rows:
        raise RequestRefused("'request_ids' has one id twice: each row has its own.", field="request_ids")
    return tuple(value)


def check_id(text: Any, field: str, longest: int = LONGEST_ID) -> str:
    """Return a request id if it can be one.

    Raises
    ------
    RequestRefused
        If it is empty, too long, or more than one line of printable text.
    """
    if not isinstance(text, str) or not text.strip() or len(text) > longest or not text.isprintable():
        raise RequestRefused(
            f"A request id is one line of up to {longest} characters: {field!r} has none.", field=field
        )
    return text
