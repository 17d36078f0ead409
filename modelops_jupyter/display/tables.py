"""Tables and small blocks with inline styles, so that they survive GitHub, e-mail and a sanitizer."""

from __future__ import annotations

from collections.abc import Sequence

from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.words import HEALTH, NOTHING, parts, sentence, short_time

MOST_ROWS = 50
_TABLE = "border-collapse:collapse;border:0;margin:4px 0 12px;font-size:13px;line-height:1.45"
_HEAD = f"text-align:left;font-weight:600;padding:4px 18px 4px 0;border:0;border-bottom:1px solid {palette.RULE}"
_CELL = "text-align:left;vertical-align:top;padding:4px 18px 4px 0;border:0"
_RIGHT = ";text-align:right;font-variant-numeric:tabular-nums"

Row = Sequence[str]


def table(head: Sequence[str], rows: Sequence[Row], *, right: Sequence[int] = (), most: int = MOST_ROWS) -> Html:
    """Return a table of at most `most` rows and a line that says how many more there are.

    Parameters
    ----------
    right
        Positions of the columns that hold numbers.
    """
    top = [element("th", name, style=_HEAD + (_RIGHT if n in right else "")) for n, name in enumerate(head)]
    body = [
        element(
            "tr", *(element("td", cell, style=_CELL + (_RIGHT if n in right else "")) for n, cell in enumerate(row))
        )
        for row in rows[:most]
    ]
    block = element("table", element("thead", element("tr", *top)), element("tbody", *body), style=_TABLE)
    return join(scrolling(block), more(len(rows) - most))


def facts(rows: Sequence[tuple[str, str]]) -> Html:
    """Return label and value, a row each."""
    cells = (
        element("tr", element("th", label, style=_CELL + ";font-weight:600"), element("td", value, style=_CELL))
        for label, value in rows
    )
    return element("table", element("tbody", *cells), style=_TABLE)


def scrolling(content: Html) -> Html:
    """Let wide content scroll on its own on a narrow screen."""
    return element("div", content, style="overflow-x:auto;max-width:100%")


def more(count: int) -> Html | None:
    """Say how many are not shown."""
    return note(f"and {count:,} more") if count > 0 else None


def note(*content: str) -> Html:
    """Return a quiet line."""
    return element("div", *content, style=f"color:{palette.QUIET};font-size:12px;margin:0 0 10px")


def prose(text: str) -> Html:
    """Return a message with its metrics named as people name them, and its commands as code."""
    return join(*(element("code", part.strip("`")) if command else sentence(part) for part, command in parts(text)))


def source(text: str) -> Html:
    """Return source as it is written."""
    return scrolling(element("pre", text, style="font-size:12px;margin:4px 0 10px"))


def heading(text: str, *, level: int = 4) -> Html:
    """Return a heading."""
    return element(f"h{level}", text, style="margin:14px 0 4px")


def block(*content: str | None) -> Html:
    """Return a result's whole display."""
    return element("div", *content, style=f"color:{palette.INK};max-width:1100px")


def health(word: str) -> Html:
    """Return health as an icon and a word."""
    return badge(*HEALTH.get(word, HEALTH["not judged"]), palette.HEALTH.get(word, palette.GREY))


def fold(summary: str, *content: str | None, opened: bool = False) -> Html:
    """Return content behind a summary to click."""
    told = element("summary", summary, style="cursor:pointer;font-size:13px;margin:6px 0")
    return element("details", told, *content, open="" if opened else None)


def steady(words: str) -> Html:
    """Return words that stay on one line."""
    return element("span", words, style=_NOWRAP)


def badge(icon: str, word: str, colour: str) -> Html:
    """Return a coloured icon with its word in the text's own colour."""
    return element("span", element("span", icon, style=f"color:{colour};font-weight:700"), f" {word}", style=_NOWRAP)


_NOWRAP = "white-space:nowrap"


def moment_text(text: str | None) -> Html:
    """Return a moment in UTC; a dashboard's script puts it into the reader's time zone, with UTC to look up."""
    return element("time", f"{short_time(text)} UTC", datetime=text) if text else Html(NOTHING)
