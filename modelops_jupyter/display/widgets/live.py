"""What every live view shares: a drawing and a form, choices that come back, static HTML where no script runs."""

from __future__ import annotations

import logging
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from typing import Any

import traitlets

from modelops_jupyter.display import palette
from modelops_jupyter.display.chart import Chart
from modelops_jupyter.display.failures import unforeseen
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.errors import ModelOpsError

_log = logging.getLogger(__name__)


class _AbstractWidget(traitlets.MetaHasTraits, ABCMeta):
    """Lets a class with traits have abstract methods."""


class Live(Chart, metaclass=_AbstractWidget):
    """A view that answers in place.

    Its traits `model`, `window` and `column` say what is chosen and can be linked:
    ``traitlets.link((browser, "model"), (monitor, "model"))``.

    Attributes
    ----------
    form : str
        HTML of the controls; an input with ``data-field`` comes back in `fields` under that name.
    """

    form = traitlets.Unicode().tag(sync=True)
    fields = traitlets.Dict().tag(sync=True)
    model = traitlets.Unicode()
    window = traitlets.Unicode()
    column = traitlets.Unicode()

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_pick(self.act)
        self.observe(lambda change: self.redraw(), names=["model", "window", "column", "fields"])
        self.redraw()

    @abstractmethod
    def draw(self) -> None:
        """Draw what is chosen now."""

    def pick(self, what: str) -> None:
        """Take what was clicked: by default a model, a window, a column, or a window with its column."""
        kind, _, rest = what.partition(" ")
        if kind == "cell":
            window, _, column = rest.partition(" ")
            with self.hold_trait_notifications():
                self.window, self.column = window, column
        elif kind in ("model", "window", "column"):
            setattr(self, kind, rest)

    def field(self, name: str) -> str:
        """Return what stands in an input of the form."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else ""

    def act(self, what: str) -> None:
        """Do what was clicked; if that fails, a sentence stands above what is shown, which stays."""
        told = _failure(lambda: self.pick(what))
        if told is not None:
            self.html = join(told, _failure(self.draw) or Html(self.html))

    def redraw(self) -> None:
        """Draw; what goes wrong is a sentence in place of the drawing, as nobody sees an exception of a callback."""
        told = _failure(self.draw)
        if told is not None:
            self.html = told

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the live view, and the static one for wherever no script runs."""
        data, metadata = super()._repr_mimebundle_(**options)
        return {**data, "text/html": str(self.html)}, metadata


def _failure(do: Callable[[], None]) -> Html | None:
    """Return what went wrong, if anything did."""
    try:
        do()
    except ModelOpsError as error:
        return failed(str(error))
    except Exception as error:
        return failed(unforeseen(error, _log, "Jupyter's log has the rest:"))
    return None


def failed(told: str) -> Html:
    """Return what went wrong, marked as such."""
    return element("p", told, role="alert", style=f"border-left:4px solid {palette.RED};padding:6px")


def text_field(name: str, label: str, *, late: bool = False) -> Html:
    """Return a labelled input; what stands in a late one comes with the next button, not with every letter."""
    field = element("input", type="text", data_field=name, data_late="" if late else None)
    return element("label", f"{label} ", field)


def choice(name: str, label: str, options: tuple[tuple[str, str], ...]) -> Html:
    """Return a labelled list; each option has a value and words."""
    return element(
        "label",
        f"{label} ",
        element("select", *(element("option", words, value=value) for value, words in options), data_field=name),
    )


def button(words: str, pick: str) -> Html:
    """Return a button that comes back as a choice."""
    return element("button", words, type="button", data_pick=pick)


def join_form(*controls: Html) -> Html:
    """Return controls in a row."""
    return element("div", *controls, class_="mo-form")
