"""Windows whose rows were removed after they were judged: they stay on record, in sight until the rows are back.

A table that others write may be emptied, replaced, vacuumed or read in another time zone. The results of such windows
stand, since nothing can be computed again, and an incident of the monitor itself names them: it recovers when the rows
are back, and a person who removed them on purpose resolves it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from modelops_jupyter.monitoring.incidents.cases import message_of, monitoring_incident, recover
from modelops_jupyter.monitoring.incidents.standing import acts_of, standing
from modelops_jupyter.profiles import window_length
from modelops_jupyter.store import Put, Store
from modelops_jupyter.wording import count, span

SHOWN_SPANS = 3


def missing_rows_incident(
    store: Store, model: str, every: str, before: Sequence[str], now: Sequence[str], at: str, owner: str | None
) -> tuple[tuple[Put, ...], tuple[Mapping[str, Any], ...]]:
    """Return what is to be written of the incident, and the message to send, where other windows lack rows than before.

    Parameters
    ----------
    before, now
        The starts of the windows without rows, as of the last run and of this one.
    at
        The time of this run, ISO text in UTC.
    owner
        Who has a new incident.
    """
    if set(before) == set(now):
        return (), ()
    identity = incident_id(model, every)
    record = store.get("incident", identity)
    body: dict[str, Any]
    if record is not None and not now:
        body, news = recover(record.body, at, "Every window has rows again."), "recovered"
    elif not now:
        return (), ()
    else:
        title = f"the rows of {windows_text(now, every)} are gone"
        opened = monitoring_incident(identity, model, title, _actions(model, every, identity), now[0], at, owner)
        opened["last_window"] = now[-1]
        if record is None:
            body, news = opened, "opened"
        else:
            more = sorted(set(now) - set(before))
            news = "reopened" if not record.body["firing"] else "grew" if more else "fewer"
            text = f"The rows of {windows_text(more or now, every)} are gone{'' if more else ' still'}."
            history = [*record.body["history"], {"at": at, "event": news, "text": text}]
            known = {key: record.body[key] for key in ("owner", "opened_at")}
            body = {**opened, **known, "history": history}
    revision = 0 if record is None else record.revision
    put = Put("incident", identity, body, subject=model, expected_revision=revision)
    return (put,), () if news == "fewer" else (message_of(body, news),)


def missing_rows_sentence(store: Store, model: str, every: str, starts: Sequence[str], *, served: bool = True) -> str:
    """Say which windows have no row any more and what to do; nothing where there is none or a person resolved it.

    Parameters
    ----------
    starts
        As the state of the monitor has them.
    served
        Whether the windows are of what was served: what is beside it has no incident.
    """
    if not starts:
        return ""
    said = f"No row is left of {windows_text(starts, every)}: their results stand as they were."
    back = f"Put the rows back and run `modelops monitor {model}{_option(every)}`"
    if not served:
        return f"{said} {back}."
    identity = incident_id(model, every)
    record = store.get("incident", identity)
    if record is not None and standing(record.body, acts_of(store, model).get(identity, []))[0] == "resolved":
        return ""
    return f"{said} {back}; if they were removed on purpose: `modelops resolve {identity} --reason ...`."


def incident_id(model: str, every: str) -> str:
    """Return the id of the incident of a monitor whose windows lack rows."""
    text = "\n".join(("missing rows", model, every))
    return f"{model}:{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def windows_text(starts: Sequence[str], every: str) -> str:
    """Return how many windows there are, and when: windows that follow each other as one span."""
    length = window_length(every)
    spans: list[tuple[str, str]] = []
    for start in sorted(starts):
        end = (datetime.fromisoformat(start) + length).isoformat()
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    shown = ", ".join(span(*part) for part in spans[:SHOWN_SPANS])
    more = f" and {count(len(spans) - SHOWN_SPANS, 'more stretch', 'more stretches')}" if spans[SHOWN_SPANS:] else ""
    return f"{count(len(starts), 'window')} ({shown}{more})"


def _actions(model: str, every: str, identity: str) -> tuple[str, ...]:
    return (
        f"Put the rows back, or undo what changed the table or its settings, and run `modelops monitor {model}"
        f"{_option(every)}`: it reads them again.",
        f"If they were removed on purpose: `modelops resolve {identity} --reason ...`.",
    )


def _option(every: str) -> str:
    return "" if every == "1D" else f" --every {every}"
