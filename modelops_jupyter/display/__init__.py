"""What results look like: static HTML without script, plotly figures, widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelops_jupyter.presentable import Presentable

__all__ = ["mimebundle"]


def mimebundle(result: Presentable) -> dict[str, Any]:
    """Return what Jupyter shows of `result`; the parts are imported when the first result is shown."""
    from modelops_jupyter.display.bundle import mimebundle

    return mimebundle(result)
