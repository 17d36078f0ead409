"""The frame around the views: links between them, when they were read, files to take away; one kernel for them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import ipywidgets as w

from modelops_jupyter.dashboards.page import Request, View, address, document, guarded, html, page, styled
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.shell import Shell
from modelops_jupyter.display.tables import moment_text

VIEWS = {
    "fleet": ("Models", "fleet_page", "FleetPage"),
    "model": ("Model", "model_page", "ModelPage"),
    "alerts": ("Alerts", "alerts_page", "AlertsPage"),
    "governance": ("Governance", "governance_page", "GovernancePage"),
}
LINKED = ("fleet", "alerts", "governance")


class Dashboard:
    """Shows one view at a time, the one that the address asks for; links and the back button change it in place."""

    def __init__(self, request: Request, start: str) -> None:
        self.shell = Shell()
        self.request = replace(request, shell=self.shell if request.served else None)
        self.views: dict[str, View] = {}
        self.shown: View | None = None
        self.drawn: tuple[str, dict[str, str]] | None = None
        self.links, self.state, self.failure = html("mo-links"), html("mo-state"), html()
        self.buttons = [
            self._button("Refresh", "Read the workspace again", self.refresh),
            self._button("CSV", "Save what is shown as a table", self.save_table),
            self._button("HTML", "Save what is shown as a page of its own", self.save_document),
        ]
        bar = styled(w.HBox([self.links, self.state, *self.buttons]), "mo-bar")
        self.stage = w.VBox([])
        self.root = page(self.shell, bar, self.failure, self.stage)
        self.shell.observe(lambda change: self._asked(), names=["asked"])
        if request.early:
            self._warm(start)
        else:
            self.go(start, request.query)

    def _warm(self, start: str) -> None:
        """Have everything imported, and an empty view ready, when the address comes; what is read now would be old."""
        self.links.value = _links(start)
        tried = self._made(start)
        guarded(lambda: self._drawn(tried, {}))
        _close(tried.root)
        self.stage.layout.display = "none"
        self.stage.children = (self.view(start).root,)

    def _button(self, words: str, hint: str, act: Callable[[], Any]) -> w.Button:
        button = w.Button(description=words, tooltip=hint)
        button.on_click(lambda _: act())
        return button

    @staticmethod
    def _drawn(view: View, query: Mapping[str, str]) -> str:
        view.show(query)
        return ""

    def view(self, name: str) -> View:
        """Return a view, made when it is first shown."""
        if name not in self.views:
            self.views[name] = self._made(name)
        return self.views[name]

    def _made(self, name: str) -> View:
        _, module, kind = VIEWS[name]
        made: View = getattr(import_module(f"modelops_jupyter.dashboards.{module}"), kind)(self.request)
        return made

    def _asked(self) -> None:
        name, query = self.shell.asked_for()
        if self.drawn is not None and self.drawn == (name, query):
            self.drawn = None  # the first question of a page that was drawn from its address already
            return
        self.drawn = None
        self.go(name, query)

    def go(self, name: str, query: Mapping[str, str]) -> None:
        """Show a view; one that does not exist leads to the models."""
        first = self.shown is None
        known = name if name in VIEWS else "fleet"

        def draw() -> str:
            fresh = known not in self.views or first
            self.shown = self.view(known)
            if fresh:  # nothing old is in it: a reader may watch it being filled
                self._stage(self.shown.root)
            return self._drawn(self.shown, query)

        self.failure.value = guarded(draw)
        if self.failure.value:
            self._stage()
        elif self.shown is not None:
            self._stage(self.shown.root)
            self.shown.moved(push=not first)
        self.drawn = (name, dict(query)) if first and self.request.served and not self.request.early else None
        self.links.value = _links(known)
        self._updated()

    def _stage(self, *shown: w.Widget) -> None:
        self.stage.children = shown
        self.stage.layout.display = None

    def refresh(self) -> None:
        """Read again what is shown; what was chosen stays chosen."""
        view = self.shown
        if view is not None:
            self.failure.value = guarded(lambda: self._drawn(view, view.query()))
            self._updated()

    def _updated(self) -> None:
        self.state.value = join("Updated ", moment_text(datetime.now(UTC).isoformat()))

    def save_table(self) -> None:
        """Hand over what is shown as CSV."""
        view = self.shown
        if view is not None:
            self._save(lambda: (*view.table(), "text/csv"), ".csv")

    def save_document(self) -> None:
        """Hand over what is shown as a page of its own."""
        view = self.shown
        if view is not None:

            def made() -> tuple[str, str, str]:
                name, body = view.document()
                return name, document(name, body), "text/html"

            self._save(made, ".html")

    def _save(self, make: Callable[[], tuple[str, str, str]], ending: str) -> None:
        def attempt() -> str:
            name, text, mime = make()
            safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)[:80]
            self.shell.save(safe + ending, mime, text)
            return ""

        self.failure.value = guarded(attempt)


def _links(shown: str) -> Html:
    parts = [
        element("a", VIEWS[name][0], href=address(name), aria_current="page" if name == shown else None)
        for name in LINKED
    ]
    return element("nav", *parts, aria_label="Pages")


def _close(widget: w.Widget) -> None:
    """Close a widget with all that is in it: ipywidgets keeps what is not closed."""
    for child in getattr(widget, "children", ()):
        _close(child)
    widget.close()
