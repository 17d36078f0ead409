"""Incidents as static HTML: what happened, who has it, what may be the cause, what was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelops_jupyter.actions.casework import Incident, loss_text
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.listings import state_cell
from modelops_jupyter.display.tables import block, fold, heading, moment_text, note, steady, table
from modelops_jupyter.display.words import (
    NOTHING,
    capital,
    incident_title,
    metric_name,
    number,
    percent,
    sentence,
    short_time,
)
from modelops_jupyter.wording import count

MOST_SUSPECTS, MOST_SEGMENTS, MOST_EVENTS = 5, 5, 30


def incident(shown: Incident) -> Html:
    """Show one incident."""
    return block(
        heading(f"{shown.model}: {heading_of(shown)}"),
        element("p", state_cell(vars(shown)), f" · {owner(shown.owner)} · {shown.id}"),
        details(shown),
    )


def heading_of(shown: Incident) -> str:
    """Return the title of an incident as a heading has it."""
    return incident_title(shown.title, [str(suspect["column"]) for suspect in shown.suspects])


def owner(name: str | None) -> str:
    """Say who has an incident."""
    return f"owned by {name}" if name else "nobody has it yet"


def details(shown: Incident) -> Html:
    """Show what is known of an incident beside its title."""
    span = f"bad windows from {short_time(shown.first_window)} to {short_time(shown.last_window)}"
    costs = loss_text(shown.loss)
    return join(
        note(f"{count(len(shown.alerts), 'alert')}, {span}"),
        note(f"{capital(shown.suppressed.rstrip('.'))}.") if shown.suppressed else None,
        note(f"The same was seen before, in {shown.follows}.") if shown.follows else None,
        element("p", f"{capital(costs)}.") if costs else None,
        element("p", "What to do next:") if shown.actions else None,
        element("ul", *(element("li", _coded(action)) for action in shown.actions)) if shown.actions else None,
        _suspects(shown),
        fold("What happened so far", _timeline(shown)),
    )


def _coded(action: str) -> Html:
    """Show what stands between backticks as a command."""
    parts = sentence(action).split("`")
    return join(*(element("code", part) if n % 2 else part for n, part in enumerate(parts)))


def _suspects(shown: Incident) -> Html | None:
    if not shown.suspects:
        return None
    rows = [_suspect(suspect) for suspect in shown.suspects[:MOST_SUSPECTS]]
    told = join(element("p", "What may be the cause, the likeliest first:"))
    head = ("Input", "Where", "Figure", "Threshold", "Importance")
    return join(told, table(head, rows, right=(2, 3, 4)))


def _suspect(suspect: Mapping[str, Any]) -> list[str]:
    importance = suspect["importance"]
    return [
        str(suspect["column"]),
        str(suspect["segment"]) or "everywhere",
        f"{metric_name(str(suspect['metric']))} {number(suspect['figure'])}",
        number(suspect["threshold"]),
        NOTHING if importance is None else percent(importance),
    ]


def _timeline(shown: Incident) -> Html:
    rows = [
        [steady(moment_text(event["at"])), str(event["actor"]), str(event["event"]), sentence(str(event["text"]))]
        for event in reversed(shown.timeline)
    ]
    return table(("When", "Who", "What", ""), rows, most=MOST_EVENTS)
