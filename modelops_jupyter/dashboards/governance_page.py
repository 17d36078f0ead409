"""The governance board: what waits for whom, what serves and who let it, what was decided last."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as w

from modelops_jupyter.actions.board import Board
from modelops_jupyter.dashboards.page import (
    Request,
    View,
    advice,
    card,
    command,
    csv_text,
    guarded,
    html,
    model_address,
    open_workspace,
    tile,
    tiles,
)
from modelops_jupyter.display import boards
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.wording import count

WAITING_NOTE = "The newest version of each model that does not serve yet, and what it still lacks; the longest first."
SERVING_NOTE = "What is in service, since when, and who let it."


class GovernancePage(View):
    """The widgets of the page."""

    page, title = "governance", "Governance"

    def __init__(self, request: Request) -> None:
        self.request = request
        self.board: Board | None = None
        self.head, self.tiles = html("mo-head"), html()
        self.head.value = element("header", element("h1", "Governance", tabindex="-1"))
        self.waiting, self.serving, self.decisions = (html("mo-list", "mo-table") for _ in range(3))
        self.body = w.VBox(
            [
                card("Waiting for a decision", self.waiting, note=WAITING_NOTE),
                card("In service", self.serving, note=SERVING_NOTE),
                card("Latest decisions", self.decisions),
            ]
        )
        self.root = w.VBox([self.head, self.tiles, self.body])

    def show(self, query: Mapping[str, str]) -> None:
        """Read the workspace and draw the board."""
        self.board = None
        self.tiles.value = guarded(self._read)
        board = self.board
        self.body.layout.display = None if board is not None else "none"
        if board is not None:
            link = model_address if self.request.served else None
            self.waiting.value = guarded(lambda: boards.waiting(board, link))
            self.serving.value = guarded(lambda: boards.serving(board, link))
            self.decisions.value = guarded(lambda: boards.decisions(board, link))

    def _read(self) -> str:
        workspace = open_workspace()
        if workspace is None:
            words = (
                "Register a model first: ",
                command("modelops register"),
                ", or try ",
                command("modelops demo"),
                ".",
            )
            return advice("Nothing to decide yet.", join(*words))
        with workspace:
            self.board = workspace.board()
        return _summary(self.board)

    def query(self) -> dict[str, str]:
        """Return nothing: this page has no choices."""
        return {}

    def table(self) -> tuple[str, str]:
        """Return what waits, what serves and the latest decisions as CSV, a row each."""
        rows: list[list[object]] = []
        if self.board is not None:
            waits = ("registered_at", "model", "version", "registered_by", "missing")
            rows += [["waits", *(row[field] for field in waits)] for row in self.board.waiting]
            serves = ("since", "model", "version", "promoted_by", "reason")
            rows += [["serves", *(row[field] for field in serves)] for row in self.board.serving]
            decided = ("what", "at", "model", "version", "actor", "reason")
            rows += [[row[field] for field in decided] for row in self.board.decisions]
        return "governance", csv_text(("what", "at", "model", "version", "who", "why"), rows)

    def document(self) -> tuple[str, Html]:
        """Return the whole board."""
        return "governance", boards.board(self.board) if self.board else Html(self.tiles.value)


def _summary(board: Board) -> Html:
    ready = sum(row["gate"] == "open" for row in board.waiting)
    unsafe = sum(row["unsafe"] for row in board.serving)
    whole = ("✓ whole", f"{count(board.entries, 'entry', 'entries')}, checked now")
    return tiles(
        tile("Waiting", f"{len(board.waiting) + board.more:,}", f"{ready:,} of them ready to promote"),
        tile("In service", f"{len(board.serving):,}", f"{unsafe:,} in an unsafe format"),
        tile("Record", *(whole if board.broken is None else ("✕ broken", f"first at entry {board.broken:,}"))),
    )
