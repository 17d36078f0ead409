"""What every result can do: become plain data, a table, and a rich display."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class Presentable:
    """Mixin of the frozen dataclasses that verbs return."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        if not dataclasses.is_dataclass(self):
            raise TypeError(f"{type(self).__name__} is no dataclass: it must say itself what its data are.")
        return dataclasses.asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return the fields as a table of one row."""
        import pandas as pd

        return pd.DataFrame([self.to_dict()])

    def widget(self, workspace: Any = None) -> Any:
        """Return a live view of the result; views that read on or decide need the workspace it comes from."""
        return _live(self, workspace)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Show text everywhere, and HTML without script where it is understood."""
        return _present(self)


def present_with(present: Callable[[Presentable], dict[str, Any]], live: Callable[[Presentable, Any], Any]) -> None:
    """Say how results are displayed, still and live; the core knows no HTML and no widgets."""
    global _present, _live
    _present, _live = present, live


def _as_text(result: Presentable) -> dict[str, Any]:
    return {"text/plain": str(result)}


def _nowhere(result: Presentable, workspace: Any) -> Any:
    raise RuntimeError("Live views need modelops_jupyter itself: import it first.")


_present = _as_text
_live = _nowhere
