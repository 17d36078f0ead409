"""Status, listings, versions and pipeline runs as static HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.lines import sparkline
from modelops_jupyter.display.tables import (
    badge,
    block,
    facts,
    fold,
    heading,
    health,
    note,
    prose,
    source,
    steady,
    table,
)
from modelops_jupyter.display.words import NOTHING, capital, metric_name, sentence, short_time, value_text
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    from modelops_jupyter.actions.catalogue import Status
    from modelops_jupyter.actions.versions import RegisteredVersion
    from modelops_jupyter.listing import Listing
    from modelops_jupyter.pipelines import PipelineRun

TIMES = {"at", "created_at", "window_start", "window_end", "first_window", "last_window", "data_through", "since"}
SENTENCES = {"message", "evaluation", "title", "suppressed"}
STATES = {
    "open": ("●", "open", palette.RED),
    "acknowledged": ("◐", "acknowledged", palette.ORANGE),
    "muted": ("◌", "muted", palette.GREY),
    "accepted": ("✓", "accepted", palette.GREY),
    "recovered": ("✓", "recovered", palette.GREEN),
    "resolved": ("✓", "resolved", palette.GREEN),
    "superseded": ("↷", "superseded", palette.GREY),
    "completed": ("✓", "completed", palette.GREEN),
    "running": ("…", "running", palette.BLUE),
    "failed": ("✕", "failed", palette.RED),
    "interrupted": ("▲", "interrupted", palette.ORANGE),
    "kept": ("✓", "kept", palette.GREY),
}
HISTORY = 20
Fields = Mapping[str, Any]


def listing(shown: Listing) -> Html:
    """Show a listing as a table."""
    if not shown.rows:
        return block(heading(shown.title), note(shown.empty), note(prose(shown.note)) if shown.note else None)
    return block(
        heading(f"{shown.title} ({len(shown.rows):,})"),
        rows_table(shown.columns, shown.rows),
        note(prose(shown.note)) if shown.note else None,
    )


def rows_table(columns: Sequence[str], rows: Sequence[Fields], *, most: int = 50) -> Html:
    """Show the named fields of rows, each as its name asks for, and a trend where rows have one."""
    trend = any(row.get("sparkline") for row in rows)
    head = [_label(name) for name in columns] + (["Trend"] if trend else [])
    cells = [
        [state_cell(row) if name == "state" else cell(name, row.get(name)) for name in columns]
        + ([sparkline(row.get("sparkline") or (), row.get("metric"))] if trend else [])
        for row in rows[:most]
    ]
    # Rows that are not shown still count for "and N more".
    hidden: list[list[str]] = [[]] * (len(rows) - len(cells))
    return table(head, cells + hidden, right=_numeric(columns, rows), most=most)


def state_cell(row: Fields) -> str:
    """Return the state of an alert or an incident; one that is open and muted, or was accepted, is called so."""
    quiet = str(row.get("suppressed") or "").partition(" ")[0]
    return cell("state", quiet if quiet and row["state"] in ("open", "acknowledged", "resolved") else row["state"])


def cell(name: str, value: Any) -> str:
    """Return one value of a row as its column's name asks for."""
    if name == "health":
        return health(str(value))
    if name in TIMES:
        return steady(short_time(value))
    if name in SENTENCES:
        return sentence(str(value or "")) or NOTHING
    if name == "state":
        return badge(*STATES[value]) if value in STATES else value_text(value)
    if name == "unsafe":
        return badge("▲", "unsafe format", palette.RED) if value else "no"
    if name == "unsafe_versions":
        return badge("▲", f"{', '.join(map(str, value))} unsafe format", palette.RED) if value else "none"
    if name == "metric":
        return metric_name(value) or NOTHING
    if name == "name":
        return element("b", value_text(value))
    return value_text(value)


def _label(name: str) -> str:
    own = {"at": "When", "window_start": "Window", "suppressed": "Muted or accepted"}
    return own.get(name, name.replace("_", " ").capitalize())


def _numeric(columns: Sequence[str], rows: Sequence[Fields]) -> list[int]:
    def numbers(name: str) -> bool:
        known = [row.get(name) for row in rows if row.get(name) is not None]
        return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)

    return [n for n, name in enumerate(columns) if numbers(name)]


def status(shown: Status) -> Html:
    """Show where a workspace stands."""
    if not shown.models:
        return block(heading("Workspace"), note(str(shown)))
    every = [alert for alert in shown.alerts if alert["state"] == "open"]
    open_alerts = [alert for alert in every if not alert.get("series")]
    others = [alert for alert in every if alert.get("series")]
    beside = [
        {**series, "model": model["name"], "series": capital(series["name"])}
        for model in shown.models
        for series in model["beside"]
    ]
    unsafe = ("unsafe_versions",) if any(model["unsafe_versions"] for model in shown.models) else ()
    columns = ("name", "health", "champion", *unsafe, "versions", "windows", "data_through", "open_alerts")
    return block(
        heading(f"{count(len(shown.models), 'model')}, {count(len(open_alerts), 'open alert')}"),
        note(f"{shown.workspace} · registry {shown.registry}"),
        *(note(f"{sentence}.") for sentence in (*shown.serving, *shown.changed, *shown.moved)),
        note(f"{shown.adoption_sentence}.") if shown.adoption_sentence else None,
        rows_table(columns, shown.models),
        *(note(f"{model['name']}: ", prose(text)) for model in shown.models for text in model["remarks"]),
        heading("Beside what was served") if beside else None,
        rows_table(("model", "series", "windows", "data_through", "metric", "figure", "open_alerts"), beside)
        if beside
        else None,
        fold(f"Their {count(len(others), 'open alert')}", alerts_table(others)) if others else None,
        heading("Open alerts") if open_alerts else None,
        alerts_table(open_alerts) if open_alerts else None,
        heading("History") if shown.history else None,
        history_table(shown.history) if shown.history else None,
    )


def alerts_table(alerts: Sequence[Fields], *, most: int = 20) -> Html:
    """Show alerts, each with the sentence that says what happened."""
    quiet = ("suppressed",) if any(alert.get("suppressed") for alert in alerts) else ()
    return rows_table(("state", "kind", "window_start", "message", *quiet), alerts, most=most)


def history_table(moves: Sequence[Fields], *, most: int = HISTORY) -> Html:
    """Show promotions and rollbacks, newest first."""
    newest = list(reversed(moves))
    rows = [
        [steady(short_time(move["at"])), moved(move), move["actor"], move["reason"]]
        for move in newest  # all of them: the table says how many it leaves out
    ]
    return table(("When", "What", "Who", "Why"), rows, most=most)


def moved(move: Fields) -> Html:
    """Return a promotion or rollback as an icon and words."""
    before = f"{move['from_version']} → " if move["from_version"] else ""
    back = move["action"] == "rollback"
    icon = element("span", "↩" if back else "▲", style=f"color:{palette.RED if back else palette.GREEN}")
    return join(icon, f" {move['action']} {move['name']}@{move['alias']} ", steady(f"{before}{move['to_version']}"))


def version(shown: RegisteredVersion) -> Html:
    """Show a version: what it is first, digests behind a fold."""
    body = shown.body
    known = [
        ("Aliases", ", ".join(shown.aliases)),
        ("Kind", f"{body.get('kind', '')} {body.get('task', '')}"),
        ("Format", value_text(body.get("flavor"))),
        *(("Calls", f"{name} of the project ({file})") for name, file in shown.project_functions()),
        *((capital(word), sentence(text)) for word, text in shown.evidence()),
        ("Features", value_text(body.get("features"))),
        ("Registered", f"{short_time(body.get('created_at'))} by {value_text(body.get('created_by'))}"),
        ("Adopted from MLflow", _adopted(body)),
    ]
    rest = [
        (_label(name), value_text(body[name])) for name in ("run_id", "digest", "data_fingerprint") if body.get(name)
    ]
    folded = fold("Origin and digests", facts(rest)) if rest else None
    warning = badge("▲", "Unsafe format: runs code when loaded", palette.RED) if body.get("unsafe") else None
    title = f"{shown.name}/{shown.version}"
    code = [fold(f"Source of {file}", source(text)) for file, text in (body.get("project_code") or {}).items()]
    return block(heading(title), warning, facts([row for row in known if row[1].strip(f" {NOTHING}")]), *code, folded)


def _adopted(body: Fields) -> str:
    return f"{short_time(body['adopted_at'])} by {value_text(body['adopted_by'])}" if body.get("adopted") else ""


def pipeline_run(run: PipelineRun) -> Html:
    """Show a run, a row per step."""
    rows = [[step.step, cell("state", step.state), f"{step.seconds:.1f} s", step.output] for step in run.steps]
    return block(
        heading(f"Run of {run.pipeline}"),
        note(cell("state", run.state), f" · {run.run_id}"),
        note(run.remark) if run.remark else None,
        table(("Step", "State", "Time", "Notebook"), rows, right=(2,)),
    )
