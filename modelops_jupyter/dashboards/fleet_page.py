"""The fleet: every model with its health, champion, last window, open alerts and trend; the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as w

from modelops_jupyter.actions.fleet import ModelSummary, read_fleet
from modelops_jupyter.dashboards.page import (
    Request,
    View,
    advice,
    command,
    csv_text,
    guarded,
    html,
    model_address,
    open_workspace,
    styled,
    tile,
    tiles,
)
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.lines import sparkline
from modelops_jupyter.display.tables import health, steady
from modelops_jupyter.display.words import HEALTH, NOTHING, metric_name, number, short_time
from modelops_jupyter.wording import count

AT_ONCE = 100
WORST_FIRST = ("alert", "warning", "healthy", "not judged")
KINDS = {"ml": "model", "decision": "decision table"}
REGISTER = "modelops register model.skops my-model --data train.parquet --target label --validated-on valid.parquet"


class FleetPage(View):
    """The widgets of the page and what they do."""

    page, title = "fleet", "Models"

    def __init__(self, request: Request) -> None:
        self.request = request
        self.models: tuple[ModelSummary, ...] = ()
        self.most = AT_ONCE
        self.filling = False
        self.head, self.summary, self.list = html("mo-head"), html(), html("mo-list")
        self.text = w.Text(description="Name", placeholder="Filter by name", layout={"width": "260px"})
        words = [("Any health", ""), *((HEALTH[key][1], key) for key in WORST_FIRST)]
        self.health = w.Dropdown(description="Health", options=words)
        kinds = [("Any kind", ""), *((word, kind) for kind, word in KINDS.items())]
        self.kind = w.Dropdown(description="Kind", options=kinds)
        self.more = w.Button(description="Show more")
        self.filters = styled(w.HBox([self.text, self.health, self.kind]), "mo-filters")
        for widget in (self.text, self.health, self.kind):
            widget.observe(lambda change: self._filtered(), names=["value"])
        self.more.on_click(lambda button: self.show_more())
        self.root = w.VBox([self.head, self.summary, self.filters, self.list, self.more])

    def show(self, query: Mapping[str, str]) -> None:
        """Read the workspace and draw the models that the query lets through."""
        self.filling = True
        try:
            self.text.value = query.get("name", "")
            for widget, key in ((self.health, "health"), (self.kind, "kind")):
                known = [value for _, value in widget.options]
                widget.value = query.get(key, "") if query.get(key, "") in known else ""
        finally:
            self.filling = False
        self.list.value = guarded(self._read)
        if self.models:
            self.draw()

    def query(self) -> dict[str, str]:
        """Return the filters in use."""
        values = {"name": self.text.value.strip(), "health": self.health.value, "kind": self.kind.value}
        return {key: value for key, value in values.items() if value}

    def _filtered(self) -> None:
        if not self.filling:
            self.draw()
            self.moved(push=False)

    def _read(self) -> str:
        workspace = open_workspace()
        self.models = ()
        if workspace is not None:
            with workspace:
                self.models = _ordered(read_fleet(workspace.store))
        self.filters.layout.display = None if self.models else "none"
        self.more.layout.display = "none"
        self.head.value = element("header", element("h1", "Models", tabindex="-1"))
        self.summary.value = _summary(self.models) if self.models else ""
        return "" if self.models else _nothing()

    def draw(self) -> None:
        """Draw the models that the filters let through."""
        self.list.value = guarded(self._draw)

    def wanted(self) -> list[ModelSummary]:
        """Return the models that the filters let through, the worst first."""
        return [
            m
            for m in self.models
            if self.text.value.strip().lower() in m.name.lower()
            and self.health.value in ("", m.health)
            and self.kind.value in ("", m.kind)
        ]

    def _draw(self) -> str:
        wanted = self.wanted()
        self.more.layout.display = None if len(wanted) > self.most else "none"
        told = f"{count(len(wanted), 'model')}"
        if len(wanted) > self.most:
            told += f", the first {self.most} shown"
        if not wanted:
            return advice("No model fits these filters.", "Take a filter away to see the others.")
        return join(element("p", told, class_="mo-note"), models_table(wanted[: self.most], self.request.served))

    def show_more(self) -> None:
        """Lengthen the list."""
        self.most += AT_ONCE
        self.draw()

    def table(self) -> tuple[str, str]:
        """Return the models as CSV."""
        fields = ("name", "kind", "health", "champion", "versions", "open_alerts", "windows", "data_through", "metric")
        return "models", csv_text(fields, [[getattr(m, field) for field in fields] for m in self.wanted()])

    def document(self) -> tuple[str, Html]:
        """Return every model that the filters let through."""
        title = element("h1", "Models")
        return "models", join(title, _summary(self.models), models_table(self.wanted(), linked=False))


def _ordered(models: Sequence[ModelSummary]) -> tuple[ModelSummary, ...]:
    return tuple(sorted(models, key=lambda m: (WORST_FIRST.index(m.health), -m.open_alerts, m.name)))


def _summary(models: Sequence[ModelSummary]) -> Html:
    def having(word: str) -> str:
        return f"{sum(m.health == word for m in models):,}"

    newest = max((m.data_through for m in models if m.data_through), default=None)
    through = join("data through ", steady(short_time(newest)))
    return tiles(
        tile("Models", f"{len(models):,}", f"{sum(m.champion is not None for m in models):,} in use"),
        tile(health("alert"), having("alert"), "results are worse, or estimated to be"),
        tile(health("warning"), having("warning"), "data changed"),
        tile(health("healthy"), having("healthy"), "nothing found"),
        tile(health("not judged"), having("not judged"), "not watched, or too few cases"),
        tile("Open alerts", f"{sum(m.open_alerts for m in models):,}", through),
    )


def models_table(models: Sequence[ModelSummary], linked: bool) -> Html:
    """Return a row per model; names lead to the model's page where there is one."""
    head = ("Model", "Health", "In use", "Alerts", "How good it was", "Last", "Data through", "Kind")
    hidden = dict.fromkeys(("In use", "Last", "Data through", "Kind"), "mo-wide")
    rows = [element("tr", *_cells(model, linked)) for model in models]
    return element(
        "div",
        element(
            "table",
            element("thead", element("tr", *(element("th", name, class_=hidden.get(name)) for name in head))),
            element("tbody", *rows),
        ),
        class_="mo-table mo-card",
    )


def _cells(m: ModelSummary, linked: bool) -> list[Html]:
    name: Any = element("a", m.name, href=model_address(m.name)) if linked else element("b", m.name)
    last = next((value for value in reversed(m.sparkline) if value is not None), None)
    figure = f"{metric_name(m.metric)} {number(last)}" if last is not None else NOTHING
    return [
        element("td", name, class_="mo-name"),
        element("td", health(m.health)),
        element("td", f"version {m.champion}" if m.champion else NOTHING, class_="mo-wide"),
        element("td", f"{m.open_alerts}" if m.open_alerts else NOTHING),
        element("td", sparkline(m.sparkline, m.metric, width=140)),
        element("td", figure, class_="mo-wide"),
        element("td", short_time(m.data_through), class_="mo-wide"),
        element("td", KINDS.get(m.kind, m.kind), class_="mo-wide"),
    ]


def _nothing() -> Html:
    from modelops_jupyter import workspace

    return advice(
        "No models here yet.",
        join("This page shows the workspace in ", command(str(workspace.open().settings.project)), "."),
        join("Try it with an example: ", command("modelops demo")),
        join("Register a model of your own: ", command(REGISTER)),
        "Then load this page again.",
    )
