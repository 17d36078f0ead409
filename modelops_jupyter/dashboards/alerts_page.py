"""Incidents that are not closed, and alerts of every model, each leading to the window that raised it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as w

from modelops_jupyter.actions.casework import Incident
from modelops_jupyter.dashboards.page import (
    Request,
    View,
    address,
    advice,
    card,
    command,
    csv_text,
    guarded,
    html,
    open_workspace,
    styled,
    tile,
    tiles,
)
from modelops_jupyter.display import cases
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.listings import state_cell
from modelops_jupyter.display.plain import KINDS, alert_sentence
from modelops_jupyter.display.tables import fold, more, steady, table
from modelops_jupyter.display.words import incident_title, short_time
from modelops_jupyter.wording import count

AT_ONCE = 100
INCIDENTS = "Incidents to look after"
OPENED = 20
INCIDENT_NOTE = "Alerts of one cause are one case; whoever takes it owns it. The newest first."
FIELDS = ("state", "model", "kind", "column", "segment", "metric", "figure", "threshold", "window_start", "last_window")
HEAD = ("State", "Model", "Kind", "Since", "What happened")
Alert = Mapping[str, Any]


class AlertsPage(View):
    """The widgets of the page and what they do."""

    page, title = "alerts", "Alerts and incidents"

    def __init__(self, request: Request) -> None:
        self.request = request
        self.alerts: Sequence[Alert] = ()
        self.incidents: Sequence[Alert] = ()
        self.told: dict[str, Incident] = {}
        self.incident = ""
        self.filling = False
        self.most = AT_ONCE
        self.head, self.summary, self.list = html("mo-head"), html(), html("mo-list", "mo-table")
        self.head.value = element("header", element("h1", "Alerts and incidents", tabindex="-1"))
        states = [("Open", ""), ("Closed", "closed"), ("Open and closed", "all")]
        self.state = w.Dropdown(description="State", options=states)
        self.model = w.Dropdown(description="Model")
        self.kind = w.Dropdown(description="Kind")
        self.more = w.Button(description="Show more")
        self.more.on_click(lambda button: self.show_more())
        for widget in (self.state, self.model, self.kind):
            widget.observe(lambda change: self._filtered(), names=["value"])
        self.filters = styled(w.HBox([self.state, self.model, self.kind]), "mo-filters")
        self.card = styled(w.VBox([self.list, self.more]), "mo-card")
        self.cases = html("mo-list", "mo-table")
        self.open = card(INCIDENTS, self.cases, note=INCIDENT_NOTE)
        self.root = w.VBox([self.head, self.summary, self.open, self.filters, self.card])

    def show(self, query: Mapping[str, str]) -> None:
        """Read the workspace and draw the alerts that the query lets through."""
        self.alerts, self.incidents, self.incident = (), (), query.get("incident", "")
        self.summary.value = guarded(self._read)
        self.filling = True
        try:
            for widget, key, every in ((self.model, "model", "Every model"), (self.kind, "kind", "Every kind")):
                known = self._known(key)
                widget.options = [(every, ""), *((KINDS.get(value, value), value) for value in known)]
                widget.value = query.get(key, "") if query.get(key, "") in known else ""
            self.state.value = query.get("state", "") if query.get("state") in ("closed", "all") else ""
        finally:
            self.filling = False
        for part in (self.filters, self.card):
            part.layout.display = None if self.alerts else "none"
        self.open.layout.display = None if self.incidents else "none"
        self.cases.value = guarded(lambda: self._cases(self.request.served))
        self.draw()

    def _cases(self, linked: bool) -> Html:
        head = ("State", "Model", "What happened", "Since", "Owner")
        shown = self.incidents[:AT_ONCE]
        rows = [_incident(row, self.told.get(str(row["id"])), linked, row["id"] == self.incident) for row in shown]
        return join(table(head, rows, most=AT_ONCE), more(len(self.incidents) - AT_ONCE))

    def _known(self, key: str) -> list[str]:
        return sorted({str(alert[key]) for alert in self.alerts})

    def query(self) -> dict[str, str]:
        """Return the filters in use, and the incident that the address names."""
        values = {"state": self.state.value, "model": self.model.value or "", "kind": self.kind.value or ""}
        values["incident"] = self.incident
        return {key: value for key, value in values.items() if value}

    def _filtered(self) -> None:
        if not self.filling:
            self.most = AT_ONCE
            self.draw()
            self.moved(push=False)

    def show_more(self) -> None:
        """Lengthen the list."""
        self.most += AT_ONCE
        self.draw()

    def _read(self) -> str:
        workspace = open_workspace()
        if workspace is not None:
            with workspace:
                self.alerts = workspace.alerts().rows
                rows = workspace.incidents().rows
                named = [row for row in rows if row["id"] == self.incident]  # shown even if it is closed
                self.incident = self.incident if named else ""
                others = [row for row in rows if row["id"] != self.incident]
                self.incidents = named + [row for row in others if row["state"] in ("open", "acknowledged")]
                self.told = {str(row["id"]): workspace.incident(row["id"]) for row in self.incidents[:OPENED]}
        if not self.alerts:
            words = ("Alerts come from watching models: ", command("modelops monitor"), ".")
            return advice("No alerts.", join(*words))
        return _summary(self.alerts)

    def wanted(self) -> list[Alert]:
        """Return the alerts that the filters let through, newest first."""
        state = self.state.value or "open"
        return [
            alert
            for alert in self.alerts
            if state == "all"
            or (
                (state == "open") == (alert["state"] == "open")
                and self.model.value in ("", alert["model"])
                and self.kind.value in ("", alert["kind"])
            )
        ]

    def draw(self) -> None:
        """Draw the list."""
        self.list.value = guarded(self._draw) if self.alerts else ""

    def _draw(self) -> str:
        wanted = self.wanted()
        self.more.layout.display = None if len(wanted) > self.most else "none"
        if not wanted:
            return advice("No alert fits these filters.", "Choose another state, model or kind.")
        rows = [_row(alert, self.request.served) for alert in wanted[: self.most]]
        told = element("p", count(len(wanted), "alert"), class_="mo-note")
        return join(told, table(HEAD, rows, most=self.most))

    def table(self) -> tuple[str, str]:
        """Return the alerts as CSV."""
        return "alerts", csv_text(FIELDS, [[alert.get(field) for field in FIELDS] for alert in self.wanted()])

    def document(self) -> tuple[str, Html]:
        """Return every alert that the filters let through."""
        rows = [_row(alert, linked=False) for alert in self.wanted()]
        open_cases = (element("h2", INCIDENTS), self._cases(linked=False)) if self.incidents else ()
        parts = (*open_cases, element("h2", "Alerts"), table(HEAD, rows, most=len(rows)))
        return "alerts", join(element("h1", self.title), _summary(self.alerts), *parts)


def _summary(alerts: Sequence[Alert]) -> Html:
    """Sum up the alerts of what was served; those of shadow and canary predictions are counted apart."""
    served = [alert for alert in alerts if not alert.get("series")]
    quiet = [alert for alert in served if alert["suppressed"]]
    ours = [alert for alert in served if alert["state"] == "open" and not alert["suppressed"]]
    beside = sum(alert["state"] == "open" for alert in alerts) - len(ours) - len(quiet)
    more = f", {len(quiet):,} muted or accepted" if quiet else ""
    more += f", {beside:,} more of shadow or canary predictions" if beside else ""
    newest = max((str(alert["window_start"]) for alert in ours), default=None)
    performance = [alert for alert in ours if alert["kind"] == "performance"]
    return tiles(
        tile("Open", f"{len(ours):,}", f"{len(served) - len(ours) - len(quiet):,} closed{more}"),
        tile("Models with an open alert", f"{len({alert['model'] for alert in ours}):,}"),
        tile("Worse results", f"{len(performance):,}", _estimated(performance)),
        tile("Newest", short_time(newest), "when it began"),
    )


def _estimated(performance: Sequence[Alert]) -> str:
    """Say how many of the alerts on results rest on an estimate alone."""
    estimates = sum(str(alert["metric"]).startswith("estimated_") for alert in performance)
    return f"of the open alerts, {estimates:,} of them estimated" if estimates else "of the open alerts"


def _incident(row: Alert, told: Incident | None, linked: bool, named: bool) -> list[str]:
    model, happened = str(row["model"]), incident_title(str(row["title"]), row["suspects"])
    target = address("model", model=model, last="all", window=str(row["first_window"] or ""))
    return [
        state_cell(row),
        element("a", model, href=target) if linked else element("b", model),
        happened if told is None else fold(happened, _own_address(told.id, linked), cases.details(told), opened=named),
        steady(short_time(row["first_window"])),
        str(row["owner"] or "nobody yet"),
    ]


def _own_address(identity: str, linked: bool) -> Html:
    """Return an incident's id, which leads to it: what is sent to whoever shall look after it."""
    target = address("alerts", incident=identity)
    return element("p", "Incident ", element("a", identity, href=target) if linked else identity, class_="mo-note")


def _row(alert: Alert, linked: bool) -> list[str]:
    model, start = str(alert["model"]), str(alert["window_start"])
    target = address(
        "model", model=model, last="all", every=_unusual(alert), window=start, column=str(alert["column"] or "")
    )
    return [
        state_cell(alert),
        element("a", model, href=target) if linked else element("b", model),
        KINDS.get(str(alert["kind"]), str(alert["kind"])),
        steady(short_time(start)),
        alert_sentence(alert),
    ]


def _unusual(alert: Alert) -> str:
    every = str(alert.get("every", "1D"))
    return "" if every == "1D" else every
