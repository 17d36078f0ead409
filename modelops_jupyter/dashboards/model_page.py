"""One model: figures over time, drift, distributions, alerts, versions and decisions; choosing updates in place."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as w

from modelops_jupyter.dashboards import model_panels as panels
from modelops_jupyter.dashboards.page import (
    Request,
    advice,
    card,
    command,
    guarded,
    html,
    open_workspace,
    page,
    styled,
)
from modelops_jupyter.display.chart import Chart
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.series import recent
from modelops_jupyter.overview import Distribution, ModelOverview
from modelops_jupyter.workspace import Workspace

RANGES = (("Last 30 days", 30), ("Last 90 days", 90), ("All", 0))
TOP = 3


def model_page(request: Request, name: str | None = None) -> w.Widget:
    """Return the page of one model."""
    return ModelPage(request, name).root


class ModelPage:
    """The widgets of the page, and the one place that says what is chosen."""

    def __init__(self, request: Request, name: str | None) -> None:
        self.request = request
        self.workspace = open_workspace()
        self.overview: ModelOverview | None = None
        self.shown: ModelOverview | None = None
        self.every = "1D"
        self.window: str | None = None
        self.column: str | None = None
        self.redrawing = False
        self._widgets()
        self.root = page(self.head, self.controls, self.tiles, self.body)
        self._start(name or request.query.get("model"))

    def _widgets(self) -> None:
        self.head, self.tiles = html("mo-head"), html()
        self.alerts, self.versions, self.history, self.audit = html(), html(), html(), html()
        self.chosen, self.spread = html("mo-chosen"), html("mo-spread")
        self.performance, self.drift = Chart(), Chart()
        self.model = w.Dropdown(description="Model")
        self.granularity = w.Dropdown(description="Windows")
        self.range = w.ToggleButtons(options=RANGES, value=90, tooltips=[label for label, _ in RANGES])
        self.which_window = w.Dropdown(description="Window")
        self.which_column = w.Dropdown(description="Column")
        self.clear = w.Button(description="Show the last 30 windows again", layout={"width": "auto"})
        self.controls = styled(w.HBox([self.model, self.granularity, self.range]), "mo-filters")
        picking = styled(w.HBox([self.which_window, self.which_column, self.clear]), "mo-filters")
        self.figures = w.VBox(
            [
                card("Performance over time", self.performance, note=panels.PERFORMANCE_NOTE),
                card("Drift of every input", self.drift, note=panels.DRIFT_NOTE),
                card("What changed", picking, self.chosen, self.spread, note=panels.SPREAD_NOTE),
            ]
        )
        record = [
            card("Alerts", self.alerts),
            card("Versions", self.versions),
            card("Promotions and rollbacks", self.history),
            card("Audit trail", self.audit),
        ]
        self.body = w.VBox([self.figures, *record])
        self.performance.on_pick(self.pick)
        self.drift.on_pick(self.pick)
        self.model.observe(self._unless_redrawing(lambda: self.load(self.model.value)), names=["value"])
        self.granularity.observe(self._unless_redrawing(self._change_granularity), names=["value"])
        self.range.observe(self._unless_redrawing(self._change_range), names=["value"])
        self.which_window.observe(self._unless_redrawing(self._choose), names=["value"])
        self.which_column.observe(self._unless_redrawing(self._choose), names=["value"])
        self.clear.on_click(lambda button: self.choose(None, None))

    def _unless_redrawing(self, act: Callable[[], None]) -> Callable[[object], None]:
        """Tell the reader's choice from a list that this page fills itself."""

        def changed(change: object) -> None:
            if not self.redrawing:
                act()

        return changed

    def _start(self, wanted: str | None) -> None:
        """Fill the list of models and show the wanted one, or say why there is none."""
        names = [] if self.workspace is None else [record.key for record in self.workspace.store.find("model")]
        chosen = next((name for name in names if wanted in (None, name)), "")
        options = [(name, name) for name in names]
        self._fill(self.model, options if chosen else [("Choose a model", ""), *options], chosen)
        self._show(bool(names), self.controls)
        self._show(False, self.granularity)
        if chosen:
            self.load(chosen)
        else:
            self._show(False, self.body, self.range)
            self.head.value = panels.header("Model", self.request.served)
            self.tiles.value = _stranger(wanted, names)

    @staticmethod
    def _show(visible: bool, *widgets: w.DOMWidget) -> None:
        for widget in widgets:
            widget.layout.display = None if visible else "none"

    def _fill(self, dropdown: w.Dropdown, options: list[tuple[str, str]], value: str) -> None:
        self.redrawing = True
        try:
            dropdown.options = options
            dropdown.value = value
        finally:
            self.redrawing = False

    def _opened(self) -> Workspace:
        assert self.workspace is not None  # nothing is loaded without one
        return self.workspace

    def load(self, name: str) -> None:
        """Show a model."""
        if not name:
            return
        self._show(True, self.body, self.range)
        monitored = [str(r.body["every"]) for r in self._opened().store.find("monitor", name)]
        self.every = "1D" if "1D" in monitored or not monitored else monitored[0]
        self._fill(self.granularity, [(panels.EVERY.get(e, e), e) for e in monitored or ["1D"]], self.every)
        self._show(len(monitored) > 1, self.granularity)
        self.read(name)

    def _change_granularity(self) -> None:
        self.every = self.granularity.value
        self.read(self.model.value)

    def read(self, name: str) -> None:
        """Read the model's facts and draw every panel."""
        self.window = self.column = None

        def head() -> str:
            self.overview = None
            self.overview = self._opened().overview(name, every=self.every)
            return panels.header(name, self.request.served, self.overview.description)

        self.head.value = guarded(head)
        page = self.overview
        if page is None:
            self._show(False, self.body)
            return
        self.tiles.value = guarded(lambda: panels.summary(page))
        self.alerts.value = guarded(lambda: panels.alerts(page))
        self.versions.value = guarded(lambda: panels.versions(page))
        self.history.value = guarded(lambda: panels.history(page))
        self.audit.value = guarded(lambda: panels.audit(page))
        self._show(bool(page.windows), self.figures)
        self._change_range()

    def _change_range(self) -> None:
        if self.overview is not None:
            self.shown = recent(self.overview, self.range.value or None)
            if self.window not in self.shown.drift.starts:
                self.window = None
            self.draw()

    def pick(self, what: str) -> None:
        """Take what was clicked in a chart: a window, a column, or both at once."""
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
        if page is None or not page.windows:
            return
        windows = [("Last 30 together", ""), *panels.window_options(page)]
        columns = [(f"The {TOP} that drifted most", ""), *((c, c) for c in page.drift.columns)]
        self._fill(self.which_window, windows, self.window or "")
        self._fill(self.which_column, columns, self.column or "")
        self._show(bool(self.window or self.column), self.clear)
        self.performance.html = guarded(lambda: panels.performance(page, self.window))
        self.drift.html = guarded(lambda: panels.drift(page, self.window, self.column))
        self.chosen.value = guarded(lambda: panels.chosen(page, self.window, self.column))
        self.spread.value = guarded(lambda: self._distributions(page))

    def _distributions(self, page: ModelOverview) -> Html:
        columns = [self.column] if self.column else panels.most_drifted(page.drift, self.window, TOP)

        def read(column: str) -> Distribution:
            return self._opened().distribution(page.name, column, window=self.window, every=self.every)

        # Each on its own: a column that an older version did not have says so, the others are drawn.
        return element(
            "div",
            *(Html(guarded(lambda c=column: panels.distribution(read(c)))) for column in columns),  # type: ignore[misc]
            class_="mo-grid",
        )


def _stranger(wanted: str | None, names: list[str]) -> Html:
    if names:
        return advice(f"There is no model {wanted!r} here.", "Choose one from the list, or go back to all models.")
    return advice(
        "No models here yet.",
        join("Register one with ", command("modelops register"), ", or try ", command("modelops demo"), "."),
    )
