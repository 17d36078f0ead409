"""What became true of requests that were answered: a body of labels, and its way to the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modelops_jupyter.errors import StoreDamaged
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.serving.payload import LONGEST_ROW_ID, RequestRefused, check_id, read_json
from modelops_jupyter.settings import Settings

EXAMPLE = '{"labels": [{"request_id": "…", "label": 1}]}'
FIELDS = ("request_id", "label", "event_time")


@dataclass(frozen=True)
class Labels:
    """Labels of one model, each with its request; `times` are empty, or one for each."""

    model: str
    ids: list[str]
    labels: list[Any]
    times: list[str]


def read_labels(body: bytes, models: tuple[str, ...], most_rows: int) -> Labels:
    """Return the labels of a body.

    Raises
    ------
    RequestRefused
        If it is not as `EXAMPLE`, or names a model that is not served.
    """
    content = read_json(body)
    model = content.get("model", models[0] if len(models) == 1 else None)
    if not isinstance(model, str) or model not in models:
        raise RequestRefused(f"'model' names whose labels these are: {', '.join(models)}.", field="model")
    rows = content.get("labels")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise RequestRefused(f"'labels' is a list of objects: write {EXAMPLE}.", field="labels")
    if len(rows) > most_rows:
        raise RequestRefused(
            f"One request has at most {most_rows:,} labels, not {len(rows):,}: send them in parts.",
            status=413,
            field="labels",
        )
    unknown = next((name for row in rows for name in row if name not in FIELDS), None)
    if unknown is not None:
        raise RequestRefused(f"A label has the fields {', '.join(FIELDS)}, not {unknown[:80]!r}.", field=unknown[:80])
    ids = [check_id(row.get("request_id"), "request_id", LONGEST_ROW_ID) for row in rows]
    labels = [_label(row.get("label")) for row in rows]
    timed = ["event_time" in row for row in rows]
    if any(timed) and not all(timed):
        raise RequestRefused("'event_time' is there for all labels or for none.", field="event_time")
    return Labels(model, ids, labels, [_time(row["event_time"]) for row in rows if all(timed)])


def _label(value: Any) -> Any:
    whole = isinstance(value, int) and abs(value) < 2**63
    if isinstance(value, bool) or whole or (isinstance(value, float) and abs(value) < float("inf")):
        return value
    if not isinstance(value, str) or not value or not value.isprintable() or len(value) > 1000:
        raise RequestRefused("'label' is a number, true or false, or one line of text.", field="label")
    return value


def _time(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 40 or not value.isascii():
        raise RequestRefused("'event_time' is ISO 8601 with its zone, as in 2026-01-31T12:00:00Z.", field="event_time")
    return value


def log(settings: Settings, labels: Labels) -> dict[str, Any]:
    """Append labels to the log, and return what that says.

    Raises
    ------
    ModelOpsError
        As `Workspace.log_labels`.
    """
    import pandas as pd

    from modelops_jupyter.actions.prediction_logging import log_labels

    frame = pd.DataFrame({"request_id": labels.ids, "label": labels.labels})
    if labels.times:
        frame = frame.assign(event_time=labels.times)
    if not settings.store_path.exists():
        raise StoreDamaged(f"{settings.store_path} is not there: labels cannot be kept now, send them again later.")
    with Foundations(settings) as foundations:
        appended = log_labels(
            foundations.store,
            foundations.sources.log_of(labels.model, "labels"),
            labels.model,
            frame,
            id="request_id",
            label="label",
            event_time="event_time" if labels.times else None,
            batch_id=None,
        )
    return appended.to_dict()
