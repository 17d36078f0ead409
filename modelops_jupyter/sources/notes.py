"""What a table of others holds that cannot be read, as sentences: monitoring goes on without it, and names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modelops_jupyter.wording import count

MOST_FILES, MOST_LABELS, LONGEST = 3, 5, 40


@dataclass(frozen=True)
class SourceNotes:
    """Notes of one run, each made once however often a value is read.

    Attributes
    ----------
    left_out : mapping of str to mapping of str to str
        By table, then by file: why it was left out.
    lacking : mapping of tuple of str to list of str
        By table and column: the files that have no such column.
    labels, times : mapping of tuple of str to list of str
        By table and column: labels and times that cannot be read.
    others : list of str
    """

    left_out: dict[str, Mapping[str, str]] = field(default_factory=dict)
    lacking: dict[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    labels: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    times: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    others: dict[str, None] = field(default_factory=dict)

    def add_label(self, where: str, column: str, text: str) -> None:
        """Note a label that cannot be read."""
        self.labels.setdefault((where, column), {})[text] = None

    def add_time(self, where: str, column: str, text: str) -> None:
        """Note a time that cannot be read."""
        self.times.setdefault((where, column), {})[text] = None

    def add(self, sentence: str) -> None:
        """Note anything else, as a sentence."""
        self.others[sentence] = None

    def of_files(self) -> tuple[str, ...]:
        """Return what is noted whenever the tables are opened, a sentence each; of many files the first ones."""
        return (
            *(text for where, files in self.left_out.items() for text in _left_out(where, files)),
            *(_lacking(where, column, files) for (where, column), files in self.lacking.items() if files),
        )

    def of_rows(self) -> tuple[str, ...]:
        """Return what is noted of the rows that were read, a sentence each."""
        return (
            *(_labels(where, column, list(texts)) for (where, column), texts in self.labels.items()),
            *(_times(where, column, list(texts)) for (where, column), texts in self.times.items()),
            *self.others,
        )


def _left_out(where: str, files: Mapping[str, str]) -> list[str]:
    reasons = [f"Left out: {reason}" for reason in list(files.values())[:MOST_FILES]]
    more = len(files) - MOST_FILES
    return [*reasons, f"{count(more, 'more file')} of {where} {_was(more)} left out."] if more > 0 else reasons


def _lacking(where: str, column: str, files: Sequence[str]) -> str:
    named = ", ".join(map(repr, files[:MOST_FILES]))
    more = f" and {len(files) - MOST_FILES} more" if len(files) > MOST_FILES else ""
    return (
        f"{count(len(files), 'file')} of {where} without column {column!r} ({named}{more}): it counts as missing there."
    )


def _times(where: str, column: str, texts: Sequence[str]) -> str:
    return f"Column {column!r} of {where} holds texts that are no times ({_few(texts)}): their rows have no time."


def _few(texts: Sequence[str]) -> str:
    named = ", ".join(repr(text if len(text) <= LONGEST else f"{text[:LONGEST]}…") for text in texts[:MOST_LABELS])
    return f"{named} and {len(texts) - MOST_LABELS} more" if len(texts) > MOST_LABELS else named


def _labels(where: str, column: str, texts: Sequence[str]) -> str:
    return (
        f"Column {column!r} of {where} holds labels that cannot be read ({_few(texts)}): their rows count as not "
        "labelled yet. Write labels as the model's target was written, and leave those empty that are not known yet."
    )


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
