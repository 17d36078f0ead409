"""The governance board as static HTML: what waits, what serves, what was decided; names may lead to a model's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from modelops_jupyter.actions.board import Board
from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.tables import badge, block, heading, moment_text, note, prose, steady, table
from modelops_jupyter.display.words import NOTHING, sentence
from modelops_jupyter.wording import count

Link = Callable[[str], str | None]
WHAT = {
    "approve": ("✓", "approved", palette.GREEN),
    "reject": ("✕", "rejected", palette.RED),
    "comment": ("○", "commented on", palette.BLUE),
    "promote": ("▲", "promoted", palette.GREEN),
    "rollback": ("↩", "rolled back to", palette.RED),
    "adopted": ("◆", "adopted as", palette.BLUE),
}


def board(shown: Board) -> Html:
    """Show the whole board."""
    return block(
        heading("Governance", level=3),
        record(shown),
        heading("Waiting for a decision"),
        waiting(shown),
        heading("In service"),
        serving(shown),
        heading("Latest decisions"),
        decisions(shown),
    )


def record(shown: Board) -> Html:
    """Say whether the record is whole."""
    if shown.broken is None:
        told = badge("✓", "The record is whole", palette.GREEN)
    else:
        told = badge("✕", f"The record is broken at entry {shown.broken}", palette.RED)
    return element("p", told, element("span", f" · {count(shown.entries, 'entry', 'entries')}, checked just now"))


def waiting(shown: Board, link: Link | None = None) -> Html:
    """Return a row per version that waits, the longest first, with what it lacks."""
    if not shown.waiting:
        return note("Nothing waits: every newest version serves, has served or was rejected.")
    rows = [
        [
            name(f"{w['model']}/{w['version']}", w["model"], link),
            join(steady(moment_text(w["registered_at"])), f" by {w['registered_by']}"),
            sentence(w["evaluation"]) or NOTHING,
            w["approved_by"] or "nobody yet",
            badge("✓", "open", palette.GREEN) if w["gate"] == "open" else badge("✕", "closed", palette.RED),
            prose(w["missing"]) if w["missing"] else "ready to promote",
        ]
        for w in shown.waiting
    ]
    hidden: list[list[str]] = [[]] * shown.more
    return table(("Version", "Registered", "Evaluation", "Approved by", "Gate", "What it lacks"), rows + hidden)


def serving(shown: Board, link: Link | None = None) -> Html:
    """Return a row per champion: since when, and who let it."""
    if not shown.serving:
        return note("No model has a champion yet.")
    rows = [
        [
            name(f"{s['model']}/{s['version']}", s["model"], link),
            steady(moment_text(s["since"])),
            s["promoted_by"] or NOTHING,
            _why(s),
            sentence(s["evaluation"]) or NOTHING,
            _format(s),
        ]
        for s in shown.serving
    ]
    return table(("Version", "Since", "Promoted by", "Why", "Evaluation", "Format"), rows)


def _why(champion: Mapping[str, Any]) -> str:
    """Return why a version was promoted, unless it was rejected since."""
    if not champion["rejected"]:
        return champion["reason"] or NOTHING
    return join(badge("✕", "rejected", palette.RED), " ", prose(champion["rejected"]))


def _format(champion: Mapping[str, Any]) -> str:
    if champion["unsafe"]:
        return badge("▲", "unsafe format", palette.RED)
    return f"allowed, calls {champion['calls']}" if champion["calls"] else "allowed"


def decisions(shown: Board, link: Link | None = None) -> Html:
    """Return the last decisions, newest first."""
    if not shown.decisions:
        return note("Nothing decided yet.")
    return table(("When", "Decision", "Who", "Why"), [_decision(d, link) for d in shown.decisions], most=50)


def _decision(d: Mapping[str, Any], link: Link | None) -> list[str]:
    what = badge(*WHAT.get(d["what"], ("○", str(d["what"]), palette.GREY)))
    subject = name(f"{d['model']}/{d['version']}", d["model"], link)
    return [steady(moment_text(d["at"])), join(what, " ", subject), d["actor"], d["reason"]]


def name(words: str, model: str, link: Link | None) -> Html:
    """Return a version's name, leading to its model's page where there is one."""
    target = link(model) if link is not None else None
    return element("a", words, href=target) if target else element("b", words)
