"""The page around the views of a dashboard: its address, its title, its files; in the reader's browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_STATIC = Path(__file__).parent / "static"


class Shell(anywidget.AnyWidget):
    """Tells Python which address the reader is at, and the browser which one the shown view has.

    Nothing of the address but its page and query comes here: a token never does. The script also puts moments into the
    reader's time zone. It is handed over as text, as `Chart`'s is.
    """

    _esm = (_STATIC / "shell.js").read_text(encoding="utf-8")
    asked = traitlets.Dict().tag(sync=True)
    place = traitlets.Dict().tag(sync=True)

    def move(self, page: str, query: Mapping[str, str], *, title: str, push: bool) -> None:
        """Show an address in the browser; `push` makes the back button return to the one before."""
        step = self.place.get("step", 0) + 1
        self.place = {"page": page, "query": dict(query), "title": title, "push": push, "step": step}

    def save(self, name: str, mime: str, text: str) -> None:
        """Hand the reader a file."""
        self.send({"name": name, "mime": mime, "text": text})

    def asked_for(self) -> tuple[str, dict[str, str]]:
        """Return the page and the query that the browser asks for; whatever is not text is left out."""
        page, query = self.asked.get("page"), self.asked.get("query")
        known: dict[str, Any] = query if isinstance(query, dict) else {}
        words = {key: value for key, value in known.items() if isinstance(value, str) and key != "token"}
        return (page if isinstance(page, str) else ""), words
