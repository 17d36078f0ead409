"""What the pages share: the request, the look, cards, a view's duties, and panels that fail alone."""

from __future__ import annotations

import csv
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import ipywidgets as w

from modelops_jupyter.display.failures import unforeseen
from modelops_jupyter.display.html import Html, element
from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.workspace import Workspace

if TYPE_CHECKING:
    from modelops_jupyter.display.shell import Shell

STYLE = Path(__file__).parent / "share/voila/templates/modelops/dashboard.css"
ELSEWHERE = "The rest of the page is not affected. Whoever runs the server can look up"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """What the page's address asks for.

    Attributes
    ----------
    served : bool
        False in a notebook that somebody runs.
    early : bool
        The kernel was started before anybody asked: the address comes later, from the browser.
    """

    query: Mapping[str, str]
    served: bool
    early: bool = False
    shell: Shell | None = None


def read_request() -> Request:
    """Take the request out of the environment: its addresses hold the token, which nobody else may read there."""
    os.environ.pop("VOILA_REQUEST_URL", None)
    text = os.environ.pop("QUERY_STRING", "")
    query = {key: values[0] for key, values in parse_qs(text, max_num_fields=20).items() if key != "token"}
    early = os.environ.get("VOILA_PREHEAT") == "True"
    return Request(query, early or os.environ.get("SERVER_SOFTWARE", "").startswith("voila"), early)


class View(ABC):
    """One page of the dashboard: draws what a query asks for, and can say where it is and hand out what it shows."""

    page: str
    title: str
    root: w.Widget
    request: Request

    @abstractmethod
    def show(self, query: Mapping[str, str]) -> None:
        """Read the workspace and draw what `query` asks for; what it does not know is left out."""

    @abstractmethod
    def query(self) -> dict[str, str]:
        """Return the query that leads to what is shown now."""

    @abstractmethod
    def table(self) -> tuple[str, str]:
        """Return the name and text of a CSV file of what is shown."""

    @abstractmethod
    def document(self) -> tuple[str, Html]:
        """Return the name and content of a page of its own of what is shown."""

    def moved(self, *, push: bool = True) -> None:
        """Tell the browser's address bar; `push` makes the back button return to what was shown before."""
        if self.request.shell is not None:
            self.request.shell.move(self.page, self.query(), title=self.title, push=push)


def csv_text(fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV.

    Text that a spreadsheet would take for a formula is quoted with an apostrophe (OWASP, CSV Injection).
    """

    def cell(value: Any) -> Any:
        return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value

    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(fields)
    writer.writerows([cell(value) for value in row] for row in rows)
    return file.getvalue()


def open_workspace() -> Workspace | None:
    """Open the workspace to read; None where nothing was ever written, so that looking creates nothing."""
    from modelops_jupyter import workspace

    _log_to_file()
    found = workspace.open()
    return found if found.settings.store_path.exists() else None


def _log_to_file() -> None:
    """Keep what fails in the server's log, where the id that a reader was given is looked up."""
    file = os.environ.get("MODELOPS_DASHBOARD_LOG")
    if file and not _log.handlers:
        handler = RotatingFileHandler(file, maxBytes=1_000_000, backupCount=1, delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        _log.addHandler(handler)
        _log.propagate = False  # what a kernel prints would land on the page


def page(*parts: w.Widget) -> w.Widget:
    """Return a whole page, with its style: here it comes after that of the widgets, which it overrides."""
    style = w.HTML(f"<style>{_style()}</style>", layout={"display": "none"})
    return styled(w.VBox([style, *parts]), "mo-page")


def _style() -> str:
    return STYLE.read_text(encoding="utf-8")


def document(title: str, body: Html) -> str:
    """Return a page of its own, without script, that reads the same years later."""
    head = element("head", Html('<meta charset="utf-8">'), element("title", title), Html(f"<style>{_style()}</style>"))
    whole = element("body", element("main", body, class_="mo-page"), class_="mo-body")
    return f"<!DOCTYPE html>{element('html', head, whole, lang='en')}"


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
        told = unforeseen(error, _log, ELSEWHERE)
        return element("p", told, class_="mo-failed", role="alert")


def address(page_name: str, **query: str | None) -> str:
    """Return where a page is, beside the others."""
    known = {key: value for key, value in query.items() if value}
    return f"{page_name}.ipynb" + (f"?{urlencode(known)}" if known else "")


def model_address(name: str) -> str:
    """Return where the page of a model is."""
    return address("model", model=name)
