"""One model: figures over time, drift, distributions, alerts, versions and decisions; choosing updates in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, cast

import ipywidgets as w

from modelops_jupyter.actions.inspection import Inspection, inspect, segment_figures
from modelops_jupyter.actions.overview import ModelOverview
from modelops_jupyter.dashboards import model_panels as panels
from modelops_jupyter.dashboards.page import (
    Request,
    View,
    advice,
    card,
    command,
    csv_text,
    guarded,
    html,
    open_workspace,
    styled,
)
from modelops_jupyter.display.chart import Chart
from modelops_jupyter.display.grids import drift_marks
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.models import BESIDE_NOTE
from modelops_jupyter.display.series import between, recent
from modelops_jupyter.workspace import Workspace

if TYPE_CHECKING:
    from modelops_jupyter.choices import WindowLength

RANGES = (("Last 30 days", 30), ("Last 90 days", 90), ("All", 0))
TOP = 3
NEEDS, PERFORMANCE, MOVED = "Needs attention", "Performance over time", "How far each input has moved"
BESIDE = "Beside what was served"
CHANGED, GROUPS, PROMISE = "What changed", "How good for each group", "Do scores keep their promise?"


class ModelPage(View):
    """The widgets of the page, and the one place that says what is chosen."""

    page, title = "model", "Model"

    def __init__(self, request: Request) -> None:
        self.request = request
        self.workspace: Workspace | None = None
        self.overview: ModelOverview | None = None
        self.shown: ModelOverview | None = None
        self.every = "1D"
        self.window: str | None = None
        self.column: str | None = None
        self.inspected: tuple[tuple[object, ...], Inspection] | None = None
        self.redrawing = False
        self._widgets()
        self.root = w.VBox([self.head, self.controls, self.tiles, self.body])

    def _widgets(self) -> None:
        self.head, self.tiles = html("mo-head"), html()
        self.cases, self.alerts, self.versions, self.history, self.audit, self.series = (html() for _ in range(6))
        self.chosen, self.spread, self.calibration = html("mo-chosen"), html("mo-spread"), html("mo-calibration")
        self.performance, self.drift, self.segments = Chart(), Chart(), Chart()
        self.model = w.Dropdown(description="Model")
        self.granularity = w.Dropdown(description="Windows")
        self.range = w.ToggleButtons(options=RANGES, value=90, tooltips=[label for label, _ in RANGES])
        self.since, self.until = (w.DatePicker(description=word, layout={"width": "190px"}) for word in ("From", "To"))
        self.which_window = w.Dropdown(description="When")
        self.which_column = w.Dropdown(description="Input")
        self.audit_kind = w.Dropdown(description="Kind", layout={"width": "auto"})
        self.clear = w.Button(description="Show the last 30 together again", layout={"width": "auto"})
        choices = [self.model, self.granularity, self.range, self.since, self.until]
        self.controls = styled(w.HBox(choices), "mo-filters")
        picking = styled(w.HBox([self.which_window, self.which_column, self.clear]), "mo-filters")
        self.needs = card(NEEDS, self.cases)
        self.others = card(BESIDE, self.series, note=BESIDE_NOTE)
        self.parts = card(GROUPS, self.segments, note=panels.SEGMENTS_NOTE)
        promise = card(PROMISE, self.calibration, note=panels.CALIBRATION_NOTE)
        self.figures = w.VBox(
            [
                self.needs,
                card(PERFORMANCE, self.performance, note=panels.PERFORMANCE_NOTE),
                self.others,
                card(MOVED, self.drift, note=panels.DRIFT_NOTE),
                card(CHANGED, picking, self.chosen, self.spread, note=panels.SPREAD_NOTE),
                styled(w.HBox([self.parts, promise]), "mo-pair"),
            ]
        )
        record = [
            card("Alerts", self.alerts),
            card("Versions", self.versions),
            card("Promotions and rollbacks", self.history),
            card("Audit trail", styled(w.HBox([self.audit_kind]), "mo-filters"), self.audit),
        ]
        self.body = w.VBox([self.figures, *record])
        self.performance.on_pick(self.pick)
        self.drift.on_pick(self.pick)
        acts: tuple[tuple[w.Widget, Callable[[], None]], ...] = (
            (self.model, lambda: self.load(self.model.value)),
            (self.granularity, self._change_granularity),
            (self.range, self._change_range),
            (self.since, self._change_dates),
            (self.until, self._change_dates),
            (self.which_window, self._choose),
            (self.which_column, self._choose),
            (self.audit_kind, self._audit),
        )
        for widget, act in acts:
            widget.observe(self._unless_redrawing(act), names=["value"])
        self.clear.on_click(self._unless_redrawing(lambda: self.choose(None, None)))

    def _unless_redrawing(self, act: Callable[[], None]) -> Callable[[object], None]:
        """Tell the reader's choice from a list that this page fills itself."""

        def changed(change: object) -> None:
            if not self.redrawing:
                act()
                self.moved()

        return changed

    def show(self, query: Mapping[str, str]) -> None:
        """Fill the list of models and show the wanted one as the query has it, or say why there is none."""
        if self.workspace is not None:
            self.workspace.close()
        self.workspace = open_workspace()
        wanted = query.get("model")
        names = [] if self.workspace is None else [record.key for record in self.workspace.store.find("model")]
        chosen = next((name for name in names if wanted in (None, name)), "")
        options = [(name, name) for name in names]
        self._fill(self.model, options if chosen else [("Choose a model", ""), *options], chosen)
        self._visible(bool(names), self.controls)
        self._visible(False, self.granularity)
        if chosen:
            self._span(query)
            self.load(chosen, query.get("every"), query.get("window"), query.get("column"))
        else:
            self.overview = self.shown = None
            self._visible(False, self.body, *self.controls.children[1:])
            self.head.value = panels.header("Model", self.request.served)
            self.tiles.value = _stranger(wanted, names)

    def query(self) -> dict[str, str]:
        """Return the model, the span and what is chosen in it; what goes without saying is left out."""
        if self.overview is None:
            return {"model": self.model.value} if self.model.value else {}
        known = {
            "model": self.model.value,
            "every": "" if self.every == "1D" else self.every,
            "last": {30: "30", 0: "all"}.get(self.range.value, ""),
            "from": self.since.value.isoformat() if self.since.value else "",
            "to": self.until.value.isoformat() if self.until.value else "",
            "window": self.window or "",
            "column": self.column or "",
        }
        return {key: value for key, value in known.items() if value}

    def _span(self, query: Mapping[str, str]) -> None:
        """Take the span of time out of a query: the last days, or two dates."""
        self.redrawing = True
        try:
            self.since.value, self.until.value = _date(query.get("from")), _date(query.get("to"))
            last = {"30": 30, "all": 0}.get(query.get("last", ""), 90)
            self.range.value = None if self.since.value or self.until.value else last
        finally:
            self.redrawing = False

    @staticmethod
    def _visible(visible: bool, *widgets: w.DOMWidget) -> None:
        for widget in widgets:
            widget.layout.display = None if visible else "none"

    def _fill(self, dropdown: w.Dropdown, options: list[tuple[str, str]], value: str) -> None:
        self.redrawing = True
        try:
            if tuple(dropdown.options) != tuple(options):
                dropdown.options = options
            dropdown.value = value
        finally:
            self.redrawing = False

    def _opened(self) -> Workspace:
        assert self.workspace is not None  # nothing is loaded without one
        return self.workspace

    def load(self, name: str, every: str | None = None, window: str | None = None, column: str | None = None) -> None:
        """Show a model, in windows of `every` where it is monitored so, one of them and one column pointed out."""
        if not name:
            return
        self._visible(True, self.body, *self.controls.children[1:])
        monitored = [str(r.body["every"]) for r in self._opened().store.find("monitor", name)]
        usual = "1D" if "1D" in monitored or not monitored else monitored[0]
        self.every = every if every in monitored else usual
        self._fill(self.granularity, [(panels.EVERY.get(e, e), e) for e in monitored or ["1D"]], self.every)
        self._visible(len(monitored) > 1, self.granularity)
        self.read(name, window, column)

    def _change_granularity(self) -> None:
        self.every = self.granularity.value
        self.read(self.model.value)

    def read(self, name: str, window: str | None = None, column: str | None = None) -> None:
        """Read the model's facts and draw every panel, what a reader sees first before the others."""
        self.window, self.column, self.inspected = window, column, None

        def head() -> str:
            self.overview = None
            self.overview = self._opened().overview(name, every=cast("WindowLength", self.every))
            return panels.header(name, self.request.served, self.overview.description)

        self.head.value = guarded(head)
        page = self.overview
        if page is None:
            self._visible(False, self.body)
            return
        self.tiles.value = guarded(lambda: panels.summary(page, self.every))
        self.cases.value = guarded(lambda: self._incidents(name))
        self._visible(bool(self.cases.value), self.needs)
        self._visible(bool(page.windows), self.figures)
        self._cut()
        self.alerts.value = guarded(lambda: panels.alerts(page))
        self.versions.value = guarded(lambda: panels.versions(page))
        self.history.value = guarded(lambda: panels.history(page))
        self._fill(self.audit_kind, panels.audit_kinds(page), "")
        self._audit()

    def _audit(self) -> None:
        page = self.overview
        if page is not None:
            self.audit.value = guarded(lambda: panels.audit(page, self.audit_kind.value or ""))

    def _incidents(self, name: str) -> str:
        ws = self._opened()
        rows = [row for row in ws.incidents(name).rows if row["state"] in ("open", "acknowledged")]
        return panels.incidents([ws.incident(row["id"]) for row in rows[: panels.MOST_INCIDENTS]], len(rows))

    def _change_range(self) -> None:
        if self.range.value is not None:
            self.redrawing = True
            try:
                self.since.value = self.until.value = None
            finally:
                self.redrawing = False
        self._cut()

    def _change_dates(self) -> None:
        self.redrawing = True
        try:
            self.range.value = None if self.since.value or self.until.value else 90
        finally:
            self.redrawing = False
        self._cut()

    def _cut(self) -> None:
        """Keep the windows of the chosen span."""
        page = self.overview
        if page is not None:
            dated = self.since.value or self.until.value
            self.shown = between(page, self.since.value, self.until.value) if dated else recent(page, self.range.value)
            shown = self.shown
            self.series.value = guarded(lambda: panels.beside(shown))
            self._visible(bool(self.series.value), self.others)
            self.choose(self.window, self.column)

    def pick(self, what: str) -> None:
        """Take what was clicked in a chart: a window, a column, or both at once."""
        self._pick(what)
        self.moved()

    def _pick(self, what: str) -> None:
        kind, _, rest = what.partition(" ")
        if kind == "window":
            self.choose(rest, self.column)
        elif kind == "column":
            self.choose(self.window, rest)
        elif kind == "cell":
            window, _, column = rest.partition(" ")
            self.choose(window, column)

    def _choose(self) -> None:
        self.choose(self.which_window.value or None, self.which_column.value or None)

    def choose(self, window: str | None, column: str | None) -> None:
        """Show one window, one column, both or neither; what the page does not have is left out."""
        if self.shown is not None:
            self.window = window if window in self.shown.drift.starts else None
            self.column = column if column in self.shown.drift.columns else None
            self.draw()

    def draw(self) -> None:
        """Draw what depends on the choice."""
        page = self.shown
        if page is None:
            return
        if not page.windows:
            self.performance.html, self.drift.html, self.drift.overlay = panels.no_windows(), "", ""
            self.chosen.value = self.spread.value = self.calibration.value = self.segments.html = ""
            self._visible(False, self.parts)
            return
        windows = [("Last 30 together", ""), *panels.window_options(page)]
        columns = [(f"The {TOP} that moved most", ""), *((c, c) for c in page.drift.columns)]
        self._fill(self.which_window, windows, self.window or "")
        self._fill(self.which_column, columns, self.column or "")
        self._visible(bool(self.window or self.column), self.clear)
        self.performance.html = guarded(lambda: panels.performance(page, self.window))
        self.drift.html = guarded(lambda: panels.drift(page))
        self.drift.overlay = guarded(lambda: drift_marks(page.drift, self.window, self.column))
        self.chosen.value = guarded(lambda: panels.chosen(page, self.window, self.column, self.every))
        self.segments.html = guarded(lambda: self._segments(page))
        self._visible(bool(self.segments.html), self.parts)
        self.spread.value = guarded(lambda: self._distributions(page))
        self.calibration.value = guarded(lambda: panels.calibration(self._inspected(page).curves()))

    def _inspected(self, page: ModelOverview) -> Inspection:
        """Return the chosen windows, read once for all that is drawn of them."""
        wanted = (page.name, self.every, self.window, page.drift.starts)
        if self.inspected is None or self.inspected[0] != wanted:
            store = self._opened().store
            self.inspected = wanted, inspect(store, page.name, self.window, self.every, page.drift.starts)
        return self.inspected[1]

    def _segments(self, page: ModelOverview) -> str:
        starts = [self.window] if self.window else page.drift.starts
        figures = segment_figures(self._opened().store, page.name, page.metric, starts, self.every)
        return panels.segments(page, figures, self.window)

    def _distributions(self, page: ModelOverview) -> Html:
        columns = [self.column] if self.column else panels.most_drifted(page.drift, self.window, TOP)

        def drawn(column: str) -> Html:
            return panels.distribution(self._inspected(page).distribution(column))

        # Each on its own: a column that an older version did not have says so, the others are drawn.
        return element(
            "div",
            *(Html(guarded(lambda c=column: drawn(c))) for column in columns),  # type: ignore[misc]
            class_="mo-grid",
        )

    def table(self) -> tuple[str, str]:
        """Return the shown windows as CSV: the figure of each, then PSI by column."""
        page = self.shown
        if page is None:
            return "model", ""
        fields = ("start", "end", "version", "rows", "labelled", "value", "low", "high", "estimated", "reason")
        columns = page.drift.columns
        rows = [
            [*(getattr(window, field) for field in fields), *(page.drift.values[name][n] for name in columns)]
            for n, window in enumerate(page.windows)
        ]
        named = [page.metric or field if field == "value" else field for field in fields]
        return page.name, csv_text([*named, *(f"psi_debiased of {name}" for name in columns)], rows)

    def document(self) -> tuple[str, Html]:
        """Return what the page shows, card by card."""
        page = self.shown
        if page is None:
            return "model", Html(self.tiles.value)
        told = (
            (NEEDS, self.cases.value),
            (PERFORMANCE, self.performance.html),
            (BESIDE, self.series.value),
            (MOVED, panels.drift(page, self.window, self.column)),
            (CHANGED, join(Html(self.chosen.value), Html(self.spread.value))),
            (GROUPS, self.segments.html),
            (PROMISE, self.calibration.value),
            ("Alerts", self.alerts.value),
            ("Versions", self.versions.value),
            ("Promotions and rollbacks", self.history.value),
            ("Audit trail", self.audit.value),
        )
        cards = (
            element(
                "section",
                element("h2", title),
                element("div", Html(text), class_="mo-drawing" if title in (PERFORMANCE, MOVED) else None),
                class_="mo-card",
            )
            for title, text in told
            if text
        )
        return page.name, join(panels.header(page.name, False, page.description), Html(self.tiles.value), *cards)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:  # an address is written by anybody
        return None


def _stranger(wanted: str | None, names: list[str]) -> Html:
    if names:
        return advice(f"There is no model {wanted!r} here.", "Choose one from the list, or go back to all models.")
    return advice(
        "No models here yet.",
        join("Register one with ", command("modelops register"), ", or try ", command("modelops demo"), "."),
    )
