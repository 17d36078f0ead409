"""Models, a monitor, a comparison, a card: live views of what is on record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import traitlets

from modelops_jupyter.display import governance
from modelops_jupyter.display.bars import Bar, bar_list
from modelops_jupyter.display.grids import distribution_chart, drift_chart
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.lines import figure_words, performance_chart, sparkline
from modelops_jupyter.display.series import performance_series
from modelops_jupyter.display.tables import heading, health, more, note, prose, scrolling
from modelops_jupyter.display.widgets.live import Live, choice, join_form, text_field
from modelops_jupyter.display.words import HEALTH, NOTHING, capital, metric_name
from modelops_jupyter.wording import count, span

if TYPE_CHECKING:
    from modelops_jupyter.actions.overview import ModelOverview
    from modelops_jupyter.choices import WindowLength
    from modelops_jupyter.governance import Comparison, ModelCard
    from modelops_jupyter.workspace import Workspace

AT_ONCE = 100
WORST_FIRST = ("alert", "warning", "healthy", "not judged")


class ModelBrowser(Live):
    """Every model, the worst first; choosing one sets `model`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._models = workspace.models().rows
        states = (("", "any"), *((word, HEALTH[word][1]) for word in WORST_FIRST))
        super().__init__(form=join_form(text_field("name", "Name"), choice("health", "Health", states)))

    def draw(self) -> None:
        """Draw the models that the form lets through."""
        name, state = self.field("name").lower(), self.field("health")
        wanted = [m for m in self._models if name in m["name"].lower() and state in ("", m["health"])]
        wanted.sort(key=lambda m: (WORST_FIRST.index(m["health"]), -m["open_alerts"], m["name"]))
        rows = [self._row(m) for m in wanted[:AT_ONCE]]
        head = element("tr", *(element("th", word) for word in ("Model", "Health", "Champion", "Alerts", "Trend")))
        table = element("table", element("thead", head), element("tbody", *rows), class_="mo-rows")
        self.html = join(note(count(len(wanted), "model")), scrolling(table), more(len(wanted) - AT_ONCE))

    def _row(self, m: Any) -> Html:
        chosen = m["name"] == self.model
        name = element(
            "button", m["name"], type="button", data_pick=f"model {m['name']}", aria_pressed=str(chosen).lower()
        )
        champion = f"version {m['champion']}" if m["champion"] else NOTHING
        trend = sparkline(m["sparkline"], m["metric"])
        cells = (name, health(m["health"]), champion, f"{m['open_alerts']}", trend)
        return element("tr", *(element("td", part) for part in cells), class_="mo-chosen-row" if chosen else None)


class MonitorView(Live):
    """Performance and drift of `model`; choosing a window or a column shows what changed there."""

    every = traitlets.Unicode("")  # as the model is monitored

    def __init__(self, workspace: Workspace, model: str = "", every: str = "") -> None:
        self._workspace = workspace
        self._read: tuple[tuple[str, str], ModelOverview] | None = None
        super().__init__(model=model, every=every)

    def _overview(self) -> ModelOverview:
        """Return the model's page; read when another model is chosen."""
        wanted = (self.model, self.every)
        if self._read is None or self._read[0] != wanted:
            self._read = wanted, self._workspace.overview(self.model, every=self.every or None)
        return self._read[1]

    def refresh(self) -> None:
        """Read again."""
        self._read = None
        self.redraw()

    def draw(self) -> None:
        """Draw both charts with the choice marked, and what is known of the choice."""
        if not self.model:
            self.html = note("Choose a model.")
            return
        page = self._overview()
        window, column = self.window or None, self.column or None
        line = performance_chart(performance_series(page), selected=window, pickable=True)
        heat = drift_chart(page.drift, selected=(window, column), pickable=True)
        self.html = join(
            heading(page.name),
            *(note(prose(text)) for text in page.summary.remarks),
            line or note(page.no_figures or "No window has labels yet: log them with `modelops log-labels`."),
            heat or note("Never monitored: log predictions, then run `modelops monitor`."),
            *self._choice(page, window, column),
        )

    def _choice(self, page: ModelOverview, window: str | None, column: str | None) -> list[Html]:
        parts = []
        found = next((w for w in page.windows if w.start == window), None)
        if found is not None:
            words = element("b", span(found.start, found.end))
            parts.append(element("p", words, f" · {figure_words(found, page.metric)}"))
        if column in page.drift.columns and column is not None:
            shown = self._workspace.distribution(
                page.name, column, window=found.start if found else None, every=cast("WindowLength", page.every)
            )
            parts += [heading(column), distribution_chart(shown)]
        return parts


class ComparisonView(Live):
    """Two versions side by side; the metric whose segments are shown is chosen in the form."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        metrics = tuple(dict.fromkeys(m.metric for m in comparison.metrics if m.segment))
        options = tuple((name, metric_name(name)) for name in metrics)
        super().__init__(form=join_form(choice("metric", "Segments by", options)) if options else "")

    def draw(self) -> None:
        """Draw the comparison, and the difference in every segment as bars to sort."""
        parts = [m for m in self._comparison.metrics if m.segment]
        metric = self.field("metric") or (parts[0].metric if parts else "")
        whole = next((m for m in self._comparison.metrics if not m.segment and m.metric == metric), None)
        bars = [
            Bar(m.segment, m.rows, m.difference, m.low, m.high, m.reason)
            for m in sorted(parts, key=lambda m: m.difference if m.difference is not None else 0.0)
            if m.metric == metric
        ]
        self.html = join(
            governance.comparison(self._comparison),
            heading(f"{capital(metric_name(metric))}: {self._comparison.b} minus {self._comparison.a}")
            if bars
            else None,
            bar_list(bars, metric, whole=whole.difference if whole else None) if bars else None,
        )


class CardView(Live):
    """A model card, a section at a time or whole."""

    def __init__(self, card: ModelCard) -> None:
        self._card = card
        sections = (("", "all"), *((name, name) for name, _ in card.sections))
        super().__init__(form=join_form(choice("section", "Section", sections)))

    def draw(self) -> None:
        """Draw the chosen section."""
        wanted = self.field("section")
        kept = tuple(section for section in self._card.sections if wanted in ("", section[0]))
        self.html = governance.card(replace(self._card, sections=kept))
