"""A drawing that answers: the static SVG of this package, with what the reader chose coming back to Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_STATIC = Path(__file__).parent / "static"


class Chart(anywidget.AnyWidget):
    """Shows `html`; a click on an element with ``data-pick`` comes back in `picked`.

    What marks a choice is SVG in `overlay`, so that choosing does not send a large picture again.
    The script is handed over as text: anywidget never frees a widget whose script is a path (manzt/anywidget#929).
    """

    _esm = (_STATIC / "chart.js").read_text(encoding="utf-8")
    _css = (_STATIC / "chart.css").read_text(encoding="utf-8")
    html = traitlets.Unicode().tag(sync=True)
    overlay = traitlets.Unicode().tag(sync=True)
    picked = traitlets.Dict().tag(sync=True)

    def on_pick(self, tell: Callable[[str], None]) -> None:
        """Call `tell` with the ``data-pick`` of whatever is chosen."""

        def changed(change: Any) -> None:
            what = change["new"].get("what")
            if isinstance(what, str):
                tell(what)

        self.observe(changed, names=["picked"])
