"""What both pages share: the request, the look, cards, and panels that fail alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import ipywidgets as w

from modelops_jupyter.display.html import Html, element
from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.workspace import Workspace

STYLE = Path(__file__).parent / "share/voila/templates/modelops/dashboard.css"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """What the page's address asks for; `served` is False in a notebook that somebody runs."""

    query: Mapping[str, str]
    served: bool


def read_request() -> Request:
    """Take the request out of the environment: its addresses hold the token, which nobody else may read there."""
    os.environ.pop("VOILA_REQUEST_URL", None)
    text = os.environ.pop("QUERY_STRING", "")
    query = {key: values[0] for key, values in parse_qs(text, max_num_fields=20).items() if key != "token"}
    return Request(query, os.environ.get("SERVER_SOFTWARE", "").startswith("voila"))


def open_workspace() -> Workspace | None:
    """Open the workspace to read; None where nothing was ever written, so that looking creates nothing."""
    from modelops_jupyter import workspace

    _log_to_file()
    found = workspace.open()
    return found if found.settings.store_path.exists() else None


def _log_to_file() -> None:
    file = os.environ.get("MODELOPS_DASHBOARD_LOG")
    if file and not _log.handlers:
        _log.addHandler(logging.FileHandler(file, delay=True))
        _log.propagate = False  # what a kernel prints would land on the page


def page(*parts: w.Widget) -> w.Widget:
    """Return a whole page, with its style."""
    style = w.HTML(f"<style>{STYLE.read_text(encoding='utf-8')}</style>", layout={"display": "none"})
    return styled(w.VBox([style, *parts]), "mo-page")


def styled(widget: w.DOMWidget, *names: str) -> Any:
    """Give a widget the names by which the style sheet knows it."""
    for name in names:
        widget.add_class(name)
    return widget


def html(*names: str) -> w.HTML:
    """Return an empty piece of the page."""
    return styled(w.HTML(), *names)


def card(title: str, *parts: w.Widget, note: str = "") -> w.Widget:
    """Return a titled block."""
    head = element("h2", title)
    told = element("p", note, class_="mo-note") if note else None
    return styled(w.VBox([w.HTML(element("div", head, told, class_="mo-card-head")), *parts]), "mo-card")


def tile(label: str, value: str, hint: str = "") -> Html:
    """Return one figure with its name."""
    return element(
        "div",
        element("div", label, class_="mo-tile-label"),
        element("div", value, class_="mo-tile-value"),
        element("div", hint, class_="mo-note") if hint else None,
        class_="mo-tile",
    )


def tiles(*shown: Html) -> Html:
    """Return tiles in a row."""
    return element("div", *shown, class_="mo-tiles")


def advice(title: str, *lines: str) -> Html:
    """Return what to do where there is nothing to show."""
    return element("div", element("h2", title), *(element("p", line) for line in lines), class_="mo-advice")


def command(words: str) -> Html:
    """Return a command to type."""
    return element("code", words)


def guarded(build: Callable[[], str]) -> str:
    """Return what `build` draws, or the sentence that says why this one panel cannot be drawn."""
    try:
        return build()
    except ModelOpsError as error:
        return element("p", str(error), class_="mo-failed", role="alert")
    except Exception as error:  # one broken panel must not take the page with it; the log has the rest
        _log.exception("A panel of the dashboard failed")
        told = f"This part could not be drawn ({type(error).__name__}: {error}). The rest of the page is not affected."
        return element("p", told, class_="mo-failed", role="alert")


def guarded_page(build: Callable[[], w.Widget]) -> w.Widget:
    """Return a page, or one with the sentence that says why there is none."""
    made: list[w.Widget] = []

    def attempt() -> str:
        made.append(build())
        return ""

    failure = guarded(attempt)
    return made[0] if made else page(w.HTML(failure))


def model_address(name: str) -> str:
    """Return where the page of a model is, beside the fleet's."""
    return f"model.ipynb?model={quote(name, safe='')}"
