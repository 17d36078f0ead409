"""What people do about versions: moves of aliases, and decisions; what else is written with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from modelops_jupyter.presentable import Presentable
from modelops_jupyter.store import Put


@dataclass(frozen=True)
class Transition(Presentable):
    """A move of an alias; `at` is an ISO time in UTC."""

    name: str
    alias: str
    from_version: int | None
    to_version: int
    action: str
    reason: str
    actor: str
    assurance: str
    at: str

    def __str__(self) -> str:
        before = f"from {self.from_version} " if self.from_version else "(given for the first time) "
        return f"{self.action}: {self.name}@{self.alias} {before}to {self.to_version} by {self.actor} ({self.reason})"


@dataclass(frozen=True)
class Decision(Presentable):
    """An approval, rejection or comment, bound to the exact bytes it was made about.

    `serves_as` names the aliases that the version had then; an approval counts by the policy of `policy_digest` alone.
    """

    name: str
    version: int
    decision: str
    reason: str
    actor: str
    assurance: str
    at: str
    digest: str
    self_review: bool
    serves_as: tuple[str, ...] = ()
    policy_digest: str = ""

    def __str__(self) -> str:
        note = " (a self-review)" if self.self_review and self.decision == "approve" else ""
        text = f"{self.decision} of {self.name}/{self.version} by {self.actor}{note}: {self.reason}"
        if self.decision != "reject" or not self.serves_as:
            return text
        advice = " and ".join(out_of_service(self.name, alias) for alias in self.serves_as)
        return f"{text}\nIt still serves as {' and '.join(self.serves_as)}: {advice}."


def out_of_service(name: str, alias: str) -> str:
    """Return how a version loses an alias, as half a sentence."""
    which = name if alias == "champion" else f"{name} {alias}"
    return f"run `modelops rollback {which} --reason ...`, or promote another version to {alias}"


class Consequences(Protocol):
    """What else is written, in the same transaction, when an alias is not what it was."""

    def __call__(
        self, before: Mapping[str, Any] | None, after: Mapping[str, Any]
    ) -> tuple[Sequence[Put], Sequence[Mapping[str, Any]]]:
        """Return writes, and messages to send."""


def no_more(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> tuple[tuple[Put, ...], tuple[Any, ...]]:
    """Return that nothing else is written."""
    return (), ()
