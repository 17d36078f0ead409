"""What results look like: static HTML without script, plotly figures, widgets."""

from modelops_jupyter.display.bundle import mimebundle

__all__ = ["mimebundle"]
