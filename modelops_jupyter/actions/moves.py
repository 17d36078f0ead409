"""Judging versions and moving aliases: what the workspace's verbs do, with MLflow's aliases put right afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelops_jupyter.actions.aliases import project_alias
from modelops_jupyter.actions.versions import find_version
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.refs import ModelReference

if TYPE_CHECKING:
    from modelops_jupyter.governance import Decision, GateReport, Transition


def check(ws: Foundations, reference: str | ModelReference, alias: str) -> GateReport:
    """See `Workspace.check`."""
    from modelops_jupyter.governance import check

    return check(ws.store, ws.policy, find_version(ws.store, reference).body, alias)


def gate(ws: Foundations, reference: str | ModelReference, alias: str) -> GateReport:
    """See `Workspace.gate`."""
    from modelops_jupyter.governance import gate

    return gate(ws.store, ws.policy, find_version(ws.store, reference).body, alias)


def approve(ws: Foundations, reference: str | ModelReference, reason: str) -> Decision:
    """See `Workspace.approve`."""
    from modelops_jupyter.governance import approve

    return approve(ws.store, ws.policy, find_version(ws.store, reference).body, reason, ws.actor)


def reject(ws: Foundations, reference: str | ModelReference, reason: str) -> Decision:
    """See `Workspace.reject`."""
    from modelops_jupyter.governance import reject

    return reject(ws.store, ws.policy, find_version(ws.store, reference).body, reason, ws.actor)


def comment(ws: Foundations, reference: str | ModelReference, text: str) -> Decision:
    """See `Workspace.comment`."""
    from modelops_jupyter.governance import comment

    return comment(ws.store, ws.policy, find_version(ws.store, reference).body, text, ws.actor)


def promote(
    ws: Foundations, reference: str | ModelReference, alias: str, reason: str, expected: int | None
) -> Transition:
    """See `Workspace.promote`."""
    from modelops_jupyter.governance import promote

    version = find_version(ws.store, reference)
    ws.registry.check()
    move = promote(ws.store, ws.policy, version.body, alias, reason, ws.actor, expected_version=expected)
    project_alias(ws.store, ws.registry, version.name, alias)
    return move


def rollback(ws: Foundations, name: str, alias: str, reason: str) -> Transition:
    """See `Workspace.rollback`."""
    from modelops_jupyter.governance import rollback

    ws.registry.check()
    move = rollback(ws.store, ws.policy, name, alias, reason, ws.actor)
    project_alias(ws.store, ws.registry, name, alias)
    return move
