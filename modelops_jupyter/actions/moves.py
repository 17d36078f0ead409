"""Judging versions and moving aliases: what the workspace's verbs do, with MLflow's aliases put right afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.aliases import project_alias
from modelops_jupyter.actions.obstacles import check_can_serve
from modelops_jupyter.actions.rejected_service import incidents_of
from modelops_jupyter.actions.versions import find_model, find_version
from modelops_jupyter.errors import RegistryDamaged
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.refs import ModelReference, check_name

if TYPE_CHECKING:
    from modelops_jupyter.governance import Decision, GateReport, Transition


def check(ws: Foundations, reference: str | ModelReference, alias: str) -> GateReport:
    """See `Workspace.check`."""
    from modelops_jupyter.governance import check, keep_policy

    version = find_version(ws.known, reference)  # before the store is opened: a refusal leaves none behind
    keep_policy(ws.store, ws.policy, ws.actor)
    return check(ws.store, ws.policy, version.body, alias)


def gate(ws: Foundations, reference: str | ModelReference, alias: str) -> GateReport:
    """See `Workspace.gate`."""
    from modelops_jupyter.governance import gate

    version = find_version(ws.known, reference)
    return gate(ws.store, ws.policy, version.body, alias)


def approve(ws: Foundations, reference: str | ModelReference, reason: str) -> Decision:
    """See `Workspace.approve`."""
    from modelops_jupyter.governance import approve, check_reason, keep_policy

    version, reason = find_version(ws.known, reference), check_reason(reason)
    keep_policy(ws.store, ws.policy, ws.actor)
    told = incidents_of(ws.store, ws.settings)
    return approve(ws.store, ws.policy, version.body, reason, ws.actor, consequences=told)


def reject(ws: Foundations, reference: str | ModelReference, reason: str) -> Decision:
    """See `Workspace.reject`."""
    from modelops_jupyter.governance import check_reason, keep_policy, reject

    version, reason = find_version(ws.known, reference), check_reason(reason)
    keep_policy(ws.store, ws.policy, ws.actor)
    told = incidents_of(ws.store, ws.settings)
    return reject(ws.store, ws.policy, version.body, reason, ws.actor, consequences=told)


def comment(ws: Foundations, reference: str | ModelReference, text: str) -> Decision:
    """See `Workspace.comment`."""
    from modelops_jupyter.governance import comment

    version = find_version(ws.known, reference)
    return comment(ws.store, ws.policy, version.body, text, ws.actor)


def promote(
    ws: Foundations, reference: str | ModelReference, alias: str, reason: str, expected: int | None
) -> Transition:
    """See `Workspace.promote`."""
    from modelops_jupyter.governance import check_reason, keep_policy, promote

    version, reason = find_version(ws.known, reference), check_reason(reason)
    check_can_serve(ws.registry, version.body, f"{version.full_name} cannot be promoted")
    keep_policy(ws.store, ws.policy, ws.actor)
    told = incidents_of(ws.store, ws.settings)
    move = promote(
        ws.store, ws.policy, version.body, alias, reason, ws.actor, expected_version=expected, consequences=told
    )
    project_alias(ws.store, ws.registry, version.name, alias)
    return move


def rollback(ws: Foundations, name: str, alias: str, reason: str) -> Transition:
    """See `Workspace.rollback`."""
    from modelops_jupyter.governance import check_reason, keep_policy, rollback

    reason = check_reason(reason)

    def check(version: Mapping[str, Any]) -> None:
        number = version["version"]
        try:
            check_can_serve(ws.registry, version, f"{name}@{alias} cannot go back to version {number}")
        except RegistryDamaged as error:
            passed_over = f"or `modelops reject {name}/{number} --reason ...`, so that rollback passes it over"
            raise RegistryDamaged(f"{str(error).rstrip('.')}, {passed_over}.") from error

    find_model(ws.known, check_name(name))  # says so when there is no such model
    ws.registry.check()
    keep_policy(ws.store, ws.policy, ws.actor)
    told = incidents_of(ws.store, ws.settings)
    move = rollback(ws.store, ws.policy, name, alias, reason, ws.actor, check_can_serve=check, consequences=told)
    project_alias(ws.store, ws.registry, name, alias)
    return move
