"""From a scored frame to the prediction log's columns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.logged_features import logged_features
from modelops_jupyter.actions.versions import contract_of, current_version, find_version, version_key
from modelops_jupyter.class_labels import as_classes
from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.frames import numbers, other_columns, outcomes, pick_columns, request_ids, to_arrow
from modelops_jupyter.refs import ModelReference, parse
from modelops_jupyter.roles import SERVED, check_role
from modelops_jupyter.scoring.column_names import absence
from modelops_jupyter.time_columns import check_zone, utc_times
from modelops_jupyter.wording import count, short

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from modelops_jupyter.actions.versions import RegisteredVersion
    from modelops_jupyter.log import Appended, PredictionLog
    from modelops_jupyter.store import Store

PREDICTED = "Log the class that was predicted; a probability is the score."
LABELLED = "Write labels as the model's target was written, and leave those empty that are not known yet."
ONCE = "a request counts once in a window."
OWN_COLUMNS = (
    "request_id",
    "timestamp",
    "model",
    "version",
    "role",
    "alias",
    "prediction",
    "score",
    "decision",
    "label",
)
ANOTHER = "What another version would have answered is logged with role='shadow' (--role shadow)."


def log_predictions(
    store: Store,
    log: PredictionLog,
    reference: str | ModelReference,
    frame: Any,
    *,
    id: str,
    time: str,
    prediction: str,
    score: str | None,
    batch_id: str | None,
    role: str = SERVED,
    zone: str | None = None,
) -> Appended:
    """Append a scored frame; see `Workspace.log_predictions`."""
    import pandas as pd

    from modelops_jupyter.log import check_kept, keep

    check_version_named(reference, role)
    version = find_version(store, reference)
    frame = frame.read_all() if hasattr(frame, "read_next_batch") else frame  # Arrow's readers give rows once
    named = [id, time, prediction, *([score] if score else [])]
    columns, given = pick_columns(frame, named, "frame"), other_columns(frame, named, "frame")
    features = logged_features(
        given, contract_of(store, version), version.full_name, lambda: not log.holds(version.name, "predictions")
    )
    wanted = version.body.get("features", [])
    missing = [name for name in wanted if name not in features.column_names and name not in columns]
    if missing:
        why = f", a feature of {version.full_name} (add it, with gaps if need be)"
        raise InvalidFrame(absence("frame has", missing[0], [*columns, *given.column_names], why=why))
    clash = [name for name in features.column_names if name in OWN_COLUMNS]
    if clash:
        raise InvalidFrame(f"Feature column {clash[0]!r} has a name that the log keeps for itself: rename it.")
    task = version.body["task"]
    decides = version.body["kind"] == "decision"
    classes = version.body.get("classes", [])
    predicted, remark = as_classes(outcomes(columns[prediction], task), classes, version.full_name, PREDICTED)
    scores = numbers(columns[score]) if score else pd.Series(float("nan"), index=columns.index)
    beyond = scores[(scores < 0) | (scores > 1)]
    if task == "classification" and len(beyond):
        raise InvalidFrame(
            f"Column {score!r} holds {beyond.iloc[0]:g}: a score is the probability of the positive class, from 0 to 1."
        )
    table = pd.DataFrame(
        {
            "request_id": request_ids(columns[id]),
            "timestamp": utc_times(columns[time], time, check_zone(zone)),
            "model": pd.Series(version.name, index=columns.index, dtype="str"),
            "version": pd.Series(version.version, index=columns.index, dtype="int64"),
            "role": pd.Series(role, index=columns.index, dtype="str"),
            "alias": pd.Series(parse(reference).alias or "", index=columns.index, dtype="str"),
            "prediction": predicted,
            "score": scores,
            "decision": predicted if decides else pd.Series("", index=columns.index, dtype="str"),
        }
    )
    rows = to_arrow(table)
    for name, column in zip(features.column_names, features.columns, strict=True):
        rows = rows.append_column(name, column)
    check_kept(store, log, version.name)
    appended = log.append_predictions(version.name, rows, batch_id=batch_id, features=wanted)
    keep(store, version.name, "predictions")
    repeats = int(table["request_id"].duplicated().sum())
    repeated = f"{repeats} of its rows repeat a request id: {ONCE}" if repeats else None
    another = ANOTHER if role == SERVED and appended.warning else None
    return _warned(appended, another, remark, repeated, _unmonitored(store, version, role))


def check_version_named(reference: str | ModelReference, role: str) -> None:
    """Raise `InvalidInput` for an unknown role, or one other than served of no version that the reference names."""
    wanted = parse(reference)
    if check_role(role) != SERVED and wanted.version is None and wanted.alias is None:
        raise InvalidInput(
            f"{role} predictions are of one version, and {str(wanted)!r} names none: write {wanted.name}/2 or "
            f"{wanted.name}@challenger."
        )


def _unmonitored(store: Store, version: RegisteredVersion, role: str) -> str | None:
    """Return why no series of a version's own will be monitored, or None."""
    if role == SERVED or store.get("reference", version_key(version.name, version.version)) is not None:
        return None
    return (
        f"{version.full_name} has no reference, so that its {role} predictions are not monitored: register it with "
        "data= or reference=."
    )


def log_labels(
    store: Store,
    log: PredictionLog,
    name: str,
    frame: Any,
    *,
    id: str,
    label: str,
    event_time: str | None,
    batch_id: str | None,
    zone: str | None = None,
) -> Appended:
    """Append label events; see `Workspace.log_labels`.

    A row without a label is left out, and the answer says how many there are. Labels
    may come before their predictions; where a whole batch meets none, the answer says so.
    """
    import pandas as pd

    from modelops_jupyter.log import Appended, check_kept, keep

    version = current_version(store, name)
    given = pick_columns(frame, [id, label, *([event_time] if event_time else [])], "frame")
    left_out = _left_out(len(given), int(given[label].isna().sum()), label)
    given = given[given[label].notna()].reset_index(drop=True)
    if given.empty:
        check_kept(store, log, version.name)
        return Appended(0, batch_id or "", warning=left_out)
    ids, labels = given[id], given[label]
    # A label meets the predictions of every version, and each may know a class that others do not.
    bodies = [version.body, *(record.body for record in store.find("version", version.name))]
    classes = list(dict.fromkeys(name for body in bodies for name in body.get("classes", [])))
    named, remark = as_classes(outcomes(labels, version.body["task"]), classes, version.full_name, LABELLED)
    arrival = pd.Series(pd.Timestamp(datetime.now(UTC)), index=given.index).astype("datetime64[us, UTC]")
    table = pd.DataFrame(
        {
            "request_id": request_ids(ids),
            "label": named,
            "event_time": utc_times(given[event_time], event_time, check_zone(zone)) if event_time else arrival,
            "arrival_time": arrival,
        }
    )
    check_kept(store, log, version.name)
    rows = to_arrow(table)
    appended = log.append_labels(version.name, rows, batch_id=batch_id)
    keep(store, version.name, "labels")
    conflict = _conflict(log, version.name, rows["request_id"]) if event_time else _several(table)
    stranger = log.unlike(version.name, rows["request_id"])
    if stranger is None:
        return _warned(appended, left_out, remark, conflict)
    ours = table["request_id"].iloc[0]
    unmet = f"None of its request ids has a prediction yet: it has {ours!r}, the predictions have {stranger!r}."
    return _warned(appended, left_out, remark, conflict, unmet)


def _several(labels: pd.DataFrame) -> str | None:
    """Return which requests have several labels in one batch that says no times; None where none has."""
    counts = labels.groupby("request_id")["label"].nunique()
    several = counts[counts > 1]
    if several.empty:
        return None
    return (
        f"{_requests_have(several.index[0], len(several))} several labels in this batch: the greatest counts. "
        "Name the column of when each became true (event_time=), or log a correction later."
    )


def _conflict(log: PredictionLog, model: str, requests: pa.ChunkedArray) -> str | None:
    """Return which requests have several labels of one event time, and which label counts; None where none has."""
    conflicts = log.label_conflicts(model, requests)
    if not conflicts.num_rows:
        return None
    first, at = str(conflicts["request_id"][0]), conflicts["event_time"][0].as_py()
    return (
        f"{_requests_have(first, conflicts.num_rows)} several labels of one event time, {short(at)}: the greatest "
        "counts. To correct a label, give the new one a later event time."
    )


def _requests_have(first: str, requests: int) -> str:
    """Return the beginning of a sentence about one request, or several, the first of which is named."""
    return f"Request {first!r} has" if requests == 1 else f"{requests:,} requests, {first!r} one of them, have"


def _left_out(rows: int, empty: int, label: str) -> str | None:
    """Return how many rows of a batch have no label yet, or None where every row has one."""
    if not empty:
        return None
    return f"Left out {empty:,} of {count(rows, 'row')}: column {label!r} has no label there yet."


def _warned(appended: Appended, *warnings: str | None) -> Appended:
    return replace(appended, warning=" ".join(filter(None, (appended.warning, *warnings))) or None)
