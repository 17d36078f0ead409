"""Colours that hold on white and on black, and for colour-blind eyes (after Okabe and Ito 2008)."""

from __future__ import annotations

INK = "var(--jp-ui-font-color1, var(--vscode-editor-foreground, currentColor))"
QUIET = "var(--jp-ui-font-color2, var(--vscode-descriptionForeground, #7d7d7d))"
RULE = "var(--jp-border-color2, var(--vscode-panel-border, rgba(128, 128, 128, 0.35)))"

BLUE = "#2b7fc3"
GREEN = "#1a9674"
ORANGE = "#d08a00"
RED = "#d9541e"
PURPLE = "#a86ca8"
GREY = "#8a8f98"

HEALTH = {"healthy": GREEN, "warning": ORANGE, "alert": RED, "not judged": GREY}
