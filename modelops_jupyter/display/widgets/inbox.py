"""What asks for attention: incidents with what can be done about them, and the alerts that they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import traitlets

from modelops_jupyter.display import cases
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.listings import state_cell
from modelops_jupyter.display.plain import alert_sentence
from modelops_jupyter.display.tables import fold, more, note, scrolling
from modelops_jupyter.display.widgets.live import Live, button, choice, join_form, text_field
from modelops_jupyter.display.words import NOTHING, incident_title, short_time
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    from modelops_jupyter.workspace import Workspace

AT_ONCE = 100
STATES = (("open", "to look after"), ("closed", "what is over"), ("all", "all"))
TO_LOOK_AFTER = ("open", "acknowledged")
OFFERED = {
    "open": ("acknowledge", "resolve", "assign", "comment"),
    "acknowledged": ("resolve", "assign", "comment"),
    "recovered": ("resolve", "comment"),
    "superseded": ("resolve", "comment"),
    "resolved": ("comment",),
}


class AlertInbox(Live):
    """Incidents and alerts, newest first; choosing one sets `model`, `window` and `column`.

    A chosen incident can be acknowledged, resolved, given to somebody or commented on; each goes on record with what
    stands in the form, which is emptied so that a second click finds nothing.

    Attributes
    ----------
    incident : str
        The id of the chosen one.
    """

    incident = traitlets.Unicode()

    def __init__(self, workspace: Workspace, model: str = "") -> None:
        self._workspace = workspace
        self._only = model
        self._read()
        super().__init__(form=self._controls())
        self.observe(lambda change: self.redraw(), names=["incident"])

    def refresh(self) -> None:
        """Read again."""
        self._read()
        self.redraw()

    def _read(self) -> None:
        self._alerts = self._workspace.alerts(self._only or None).rows
        self._incidents = self._workspace.incidents(self._only or None).rows

    def _shown(self, rows: Any) -> list[Any]:
        state = self.field("state") or "open"
        return [row for row in rows if state == "all" or (row["state"] in TO_LOOK_AFTER) == (state == "open")]

    def draw(self) -> None:
        """Draw the incidents, the chosen one opened, and the alerts behind a fold."""
        incidents, alerts = self._shown(self._incidents), self._shown(self._alerts)
        form = self._controls()
        if form != self.form:
            self.form = form
        self.html = join(
            note(count(len(incidents), "incident") if incidents else "No incidents to look after."),
            _rows(("State", "Model", "What happened", "Since", "Owner"), [self._incident(row) for row in incidents]),
            cases.incident(self._workspace.incident(self.incident)) if self.incident else None,
            fold(
                count(len(alerts), "alert"),
                _rows(("State", "Window", "What happened"), [_alert(n, row) for n, row in enumerate(alerts)]),
            )
            if alerts
            else note("No alerts."),
        )

    def _controls(self) -> Html:
        chosen = next((row for row in self._incidents if row["id"] == self.incident), None)
        offered = OFFERED.get(chosen["state"], ()) if chosen else ()
        acts = (button(word.capitalize(), word) for word in offered)
        text = text_field("reason", "Reason, owner or comment", late=True) if offered else None
        return join_form(choice("state", "Show", STATES), *([text] if text else []), *acts)

    def _incident(self, row: Mapping[str, Any]) -> Html:
        chosen = row["id"] == self.incident
        name = element(
            "button",
            incident_title(str(row["title"]), row["suspects"]),
            type="button",
            data_pick=f"incident {row['id']}",
            aria_pressed=str(chosen).lower(),
        )
        parts = (state_cell(row), str(row["model"]), name, short_time(row["first_window"]))
        cells = (element("td", part) for part in (*parts, str(row["owner"] or NOTHING)))
        return element("tr", *cells, class_="mo-chosen-row" if chosen else None)

    def pick(self, what: str) -> None:
        """Choose an incident or an alert, or do something about the chosen incident."""
        kind, _, rest = what.partition(" ")
        if kind == "incident":
            self._choose(next((row for row in self._incidents if row["id"] == rest), None))
        elif kind == "alert":
            alerts = self._shown(self._alerts)
            if rest.isdecimal() and int(rest) < len(alerts):
                alert = alerts[int(rest)]
                self._lead(alert["model"], alert["window_start"], alert["column"])
        elif any(what in offered for offered in OFFERED.values()):
            self._do(what)

    def _choose(self, row: Mapping[str, Any] | None) -> None:
        if row is not None:
            self.incident = str(row["id"])
            self._lead(row["model"], row["first_window"], next(iter(row["suspects"]), ""))

    def _lead(self, model: Any, window: Any, column: Any) -> None:
        """Set all three as one change."""
        with self.hold_trait_notifications():
            self.model, self.window, self.column = str(model), str(window), str(column or "")

    def _do(self, what: str) -> None:
        text = self.field("reason").strip()
        if not self.incident:
            raise InvalidInput("Choose an incident first.")
        if not text:
            asked = "write who is to have it" if what == "assign" else "write why: it goes on record"
            raise InvalidInput(f"To {what} it, {asked}.")
        self.fields = {**self.fields, "reason": ""}
        if what == "acknowledge":
            self._workspace.acknowledge(self.incident, reason=text)
        elif what == "resolve":
            self._workspace.resolve(self.incident, reason=text)
        elif what == "assign":
            self._workspace.assign(self.incident, text)
        else:
            self._workspace.comment(self.incident, text)
        self.refresh()


def _alert(n: int, alert: Mapping[str, Any]) -> Html:
    words = f"{alert['model']}, {short_time(alert['window_start'])}"
    name = element("button", words, type="button", data_pick=f"alert {n}")
    return element("tr", *(element("td", part) for part in (state_cell(alert), name, alert_sentence(alert))))


def _rows(head: tuple[str, ...], rows: list[Html]) -> Html | None:
    if not rows:
        return None
    top = element("tr", *(element("th", word, scope="col") for word in head))
    table = element("table", element("thead", top), element("tbody", *rows[:AT_ONCE]), class_="mo-rows")
    return join(scrolling(table), more(len(rows) - AT_ONCE))
