"""Alerts, incidents and the messages about them: verbs of a `Workspace`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from modelops_jupyter.actions import casework, catalogue, rounds, suppressions, watching
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.listing import Listing

if TYPE_CHECKING:
    from modelops_jupyter.actions.casework import Incident
    from modelops_jupyter.actions.rounds import Round
    from modelops_jupyter.choices import AlertState, IncidentState
    from modelops_jupyter.notifications import DeliveryReport


class IncidentVerbs(Foundations):
    """What a workspace says and does about alerts."""

    def alerts(self, name: str | None = None, *, state: AlertState | None = None) -> Listing:
        """Return alerts, newest first, of one model or of all."""
        return catalogue.alerts(self.known, name, state)

    def incidents(self, name: str | None = None, *, state: IncidentState | None = None) -> Listing:
        """Return incidents, newest first: alerts of one cause, of one model or of all."""
        return casework.incidents(self.known, name, state)

    def incident(self, id: str) -> Incident:
        """Return one incident: suspects, segments, loss, what to do next, and its timeline."""
        return casework.incident(self.known, id)

    def acknowledge(self, id: str, *, reason: str) -> Incident:
        """Take an open incident; whoever does owns it, if nobody did."""
        return casework.acknowledge(self.known, id, reason, self.actor)

    def resolve(self, id: str, *, reason: str) -> Incident:
        """Close an incident; the same cause is another incident from then on, which names this one."""
        return casework.resolve(self.known, id, reason, self.actor)

    def assign(self, id: str, owner: str) -> Incident:
        """Give an incident to an owner."""
        return casework.assign(self.known, id, owner, self.actor)

    def mute(
        self, subject: str, *, until: str, reason: str, column: str | None = None, sign: str | None = None
    ) -> Listing:
        """Keep alerts quiet until a date: still found and drawn, they send no message and do not count for health.

        Parameters
        ----------
        subject
            A model, with a column, a sign or both, or the id of an incident.
        until
            The first day of the data that is not covered.
        sign
            A kind of alert (``drift``, ``performance``), a sign (``null_rate``, ``distribution``) or a metric.
        """
        return suppressions.mute(self.store, subject, column, sign, until, reason, self.actor)

    def accept(
        self, subject: str, *, until: str, reason: str, column: str | None = None, sign: str | None = None
    ) -> Listing:
        """Take what is wrong now as normal until a date: its incident is resolved, and about the same opens no other.

        What is clearly stronger than now, or another sign, does. Arguments are those of `mute`.
        """
        return suppressions.accept(self.store, subject, column, sign, until, reason, self.actor)

    def revoke(self, subject: str, *, reason: str, column: str | None = None, sign: str | None = None) -> Listing:
        """Take back what was muted or accepted; `subject`, `column` and `sign` as they were said then."""
        return suppressions.revoke(self.store, subject, column, sign, reason, self.actor)

    def deliver(self, *, now: bool = False) -> DeliveryReport:
        """Send what waits to the targets of ``modelops.toml``, once to each; `now` leaves out pauses after failures."""
        return watching.deliver(self.store, self.settings, now)

    def watch(
        self, *, interval: str = "15m", once: bool = False, on_round: Callable[[Round], None] | None = None
    ) -> Round:
        """Run every monitor each `interval` until interrupted (or `once`), tell of incidents and of what stopped."""
        return rounds.watch(self, interval, once, on_round)
