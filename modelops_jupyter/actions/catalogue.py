"""What there is: models, versions, alerts and the audit chain, read from the store alone."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.fleet import SeriesSummary, quiet_alerts, read_fleet
from modelops_jupyter.actions.versions import find_model, find_version
from modelops_jupyter.choices import CHOICES
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.listing import Listing
from modelops_jupyter.portable import absolute_path
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.refs import ModelReference, check_name
from modelops_jupyter.roles import SERVICE, Series, kind_of
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.governance import ModelCard
    from modelops_jupyter.settings import Settings, UseCase
    from modelops_jupyter.store import AuditEntry, AuditHead, AuditVerification, Store

# The kinds of entries of the audit trail, and the actions of each, as far as the first dot.
AUDIT_KINDS = {
    "decision": ("approve", "reject", "comment"),
    "move": ("promote", "rollback", "reconcile"),
    "version": ("register", "adopt", "evaluate"),
    "incident": ("incident", "alerts"),
    "monitor": ("monitor",),
    "run": ("run", "run-completed"),
    "other": (),
}
ALERT_STATES = CHOICES["AlertState"]
MOST_MISNAMED = 3  # names of MLflow's that a line names
MOST_UNSAFE = 5  # versions that a line names
SHOWN_METRICS = 3  # of those that were measured, where there is no room for all


@dataclass(frozen=True)
class Status(Presentable):
    """Where a workspace stands.

    Attributes
    ----------
    workspace, registry : str
    models : tuple of mapping
        Per model: kind, champion and whether that is unsafe, versions, health, monitored windows, windows with
        realised performance, open alerts, and in ``beside`` the shadow and canary predictions of each version.
    history : tuple of mapping
        Promotions and rollbacks, oldest first.
    alerts : tuple of mapping
    targets : tuple of mapping
        Per target of messages: sent, waiting, given up, failures in a row and the last of them.
    moved : tuple of str
        What MLflow does not show as it is on record, a sentence each with what to do: aliases, deleted models.
    quarantine : tuple of mapping
        Batches that did not fit the log: model, table, batch, rows, reason, and the file that holds them.
    unadopted : int
        Models of the MLflow registry with versions that are not on record, which `adopt` takes.
    misnamed : tuple of str
        Others, whose names cannot be used here.
    changed : tuple of str
        Versions in service whose files are gone, foreign or of another size, a sentence each with what to do.
    serving : tuple of str
        The endpoints of `modelops serve` that run, each with what is wrong, and those that ended with predictions lost.
    """

    workspace: str
    registry: str
    models: tuple[Mapping[str, Any], ...]
    history: tuple[Mapping[str, Any], ...]
    alerts: tuple[Mapping[str, Any], ...]
    targets: tuple[Mapping[str, Any], ...] = ()
    moved: tuple[str, ...] = ()
    quarantine: tuple[Mapping[str, Any], ...] = ()
    unadopted: int = 0
    misnamed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    serving: tuple[str, ...] = ()

    @property
    def adoption_sentence(self) -> str:
        """What waits in the MLflow registry, and what takes it; empty if nothing does."""
        return ". ".join(filter(None, (self._waiting(), self._misnamed())))

    def _misnamed(self) -> str:
        """Return which models have names that cannot be used here, and what to do."""
        if not self.misnamed:
            return ""
        first, most = self.misnamed[0], MOST_MISNAMED
        more = f" and {len(self.misnamed) - most} more" if len(self.misnamed) > most else ""
        names = ", ".join(repr(name) for name in self.misnamed[:most])
        cannot = count(len(self.misnamed), "model of the MLflow registry", "models of the MLflow registry")
        return (
            f"{cannot} cannot be adopted under {'its name' if len(self.misnamed) == 1 else 'their names'}: "
            f"{names}{more}. Rename in MLflow, or run `modelops adopt {shlex.quote(first)} --as NEWNAME`"
        )

    def _waiting(self) -> str:
        if not self.unadopted:
            return ""
        waiting = count(self.unadopted, "model of the MLflow registry is", "models of the MLflow registry are")
        return f"{waiting} not adopted yet: run `modelops adopt --all`"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "workspace": self.workspace,
            "registry": self.registry,
            "models": [dict(m) for m in self.models],
            "history": [dict(h) for h in self.history],
            "alerts": [dict(a) for a in self.alerts],
            "targets": [dict(t) for t in self.targets],
            "moved": list(self.moved),
            "quarantine": [dict(q) for q in self.quarantine],
            "unadopted": self.unadopted,
            "misnamed": list(self.misnamed),
            "changed": list(self.changed),
            "serving": list(self.serving),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row per model."""
        import pandas as pd

        return pd.DataFrame(self.models)

    def __str__(self) -> str:
        if not self.models and self.adoption_sentence:
            return f"{self.workspace}: no models on record. {self.adoption_sentence}."
        if not self.models:
            return f"{self.workspace}: no models yet. Register one with `modelops register`, or try `modelops demo`."
        lines = [f"{self.workspace} (registry {self.registry})"]
        for m in self.models:
            champion = f"champion {m['champion']}" if m["champion"] else "no champion"
            champion += " (UNSAFE: it runs code when it is loaded)" if m["unsafe"] else ""
            through = f" through {m['data_through'][:16].removesuffix('T00:00')}" if m["data_through"] else ""
            lines.append(
                f"  {m['name']:<24} {m['health']:<10} {champion}, {count(m['versions'], 'version')}{_unsafe(m)}, "
                f"{count(m['windows'], 'window')}{through}, {count(m['open_alerts'], 'open alert')}"
            )
            lines += [f"    {SeriesSummary(**series)}" for series in m["beside"]]
            lines += [f"    {remark}" for remark in m["remarks"]]
        lines += [_told(target) for target in self.targets]
        lines += [f"  {sentence}" for sentence in (*self.serving, *self.changed, *self.moved)]
        lines += [f"  {self.adoption_sentence}"] if self.adoption_sentence else []
        lines += [_aside(batch) for batch in self.quarantine]
        return "\n".join(lines)


def _unsafe(model: Mapping[str, Any]) -> str:
    """Return which versions run code when they are loaded, the champion left out, which says so itself."""
    others = [number for number in model["unsafe_versions"] if number != model["champion"]]
    more = f" and {len(others) - MOST_UNSAFE} more" if len(others) > MOST_UNSAFE else ""
    return f" ({', '.join(map(str, others[:MOST_UNSAFE]))}{more} unsafe)" if others else ""


def _aside(batch: Mapping[str, Any]) -> str:
    what = f"{batch['rows']} rows of {batch['model']} are in quarantine ({batch['reason']})"
    return f"  {what}: mend {batch['file']}, send them again, and remove it"


def _told(target: Mapping[str, Any]) -> str:
    if not target["failures"] and not target["given_up"]:
        return f"  notify.{target['name']} takes messages, {target['waiting']} waiting"
    since = f" since {target['last_success'][:16]}" if target["last_success"] else ""
    error = f" ({target['error']})" if target["error"] else ""
    return (
        f"  notify.{target['name']} FAILS{since}{error}: {target['waiting']} waiting, {target['given_up']} given up"
        if target["failures"]
        else f"  notify.{target['name']} takes messages again; {target['given_up']} were given up"
    )


def status(
    store: Store,
    settings: Settings,
    moved: Sequence[str] = (),
    unadopted: int = 0,
    misnamed: Sequence[str] = (),
    changed: Sequence[str] = (),
    serving: Sequence[str] = (),
) -> Status:
    """Gather the state of a workspace."""
    from modelops_jupyter.store import in_order

    summaries = tuple(
        {
            "name": summary.name,
            "kind": summary.kind,
            "champion": summary.champion,
            "unsafe": summary.unsafe,
            "unsafe_versions": list(summary.unsafe_versions),
            "versions": summary.versions,
            "health": summary.health,
            "windows": summary.windows,
            "windows_with_performance": summary.realised,
            "data_through": summary.data_through,
            "learning": summary.learning,
            "source_problems": list(summary.source_problems),
            "without_rows": summary.without_rows,
            "small_windows": summary.small_windows,
            "remarks": list(summary.remarks),
            "beside": [asdict(series) for series in summary.beside],
            "open_alerts": summary.open_alerts,
            "suppressed": list(summary.suppressed),
        }
        for summary in read_fleet(store)
    )
    history = [dict(record.body) for record in in_order(store.find("transition"))]
    return Status(
        workspace=str(settings.root),
        registry=settings.registry,
        models=summaries,
        history=tuple(history),
        alerts=alerts(store, None, None).rows,
        targets=_targets(store, settings),
        moved=tuple(moved),
        quarantine=_quarantine(settings),
        unadopted=unadopted,
        misnamed=tuple(misnamed),
        changed=tuple(changed),
        serving=tuple(serving),
    )


def _targets(store: Store, settings: Settings) -> tuple[Mapping[str, Any], ...]:
    if not settings.targets:
        return ()
    from modelops_jupyter.notifications import target_states

    return tuple(asdict(state) for state in target_states(store, settings.targets))


def _quarantine(settings: Settings) -> tuple[Mapping[str, Any], ...]:
    if not any(settings.log_path.glob("*/quarantine")):  # before Delta Lake is imported
        return ()
    from modelops_jupyter.log import read_quarantine

    return read_quarantine(settings.log_path)


def models(store: Store, use_cases: Mapping[str, UseCase]) -> Listing:
    """Return a row per model."""
    rows = tuple(
        {
            "name": s.name,
            "kind": s.kind,
            "champion": s.champion,
            "unsafe": s.unsafe,
            "unsafe_versions": list(s.unsafe_versions),
            "versions": s.versions,
            "health": s.health,
            "open_alerts": s.open_alerts,
            "suppressed": list(s.suppressed),
            "data_through": s.data_through,
            "metric": s.metric,
            "sparkline": s.sparkline,
            "learning": s.learning,
            "source_problems": list(s.source_problems),
            "without_rows": s.without_rows,
            "small_windows": s.small_windows,
            "remarks": list(s.remarks),
            "beside": [asdict(series) for series in s.beside],
            "owner": s.owner,
            "risk_tier": s.risk_tier,
        }
        for s in read_fleet(store, use_cases=use_cases)
    )
    unsafe = ("unsafe_versions",) if any(row["unsafe_versions"] for row in rows) else ()
    columns = ("name", "kind", "champion", *unsafe, "versions", "health", "open_alerts", "data_through")
    return Listing("Models", columns, rows, "No models yet: register one with `modelops register`.")


def versions(store: Store, name: str) -> Listing:
    """Return a row per version of a model, newest first."""
    from modelops_jupyter.governance import called_functions, metrics_text

    find_model(store, check_name(name))
    aliases: dict[int, list[str]] = {}
    for record in store.find("alias", name):
        aliases.setdefault(record.body["version"], []).append(record.body["alias"])
    rows = tuple(
        {
            **{fact: value for fact, value in record.body.items() if fact != "project_code"},  # a card has the text
            "calls": called_functions(record.body),
            "aliases": ", ".join(sorted(aliases.get(record.body["version"], []))),
            "evaluation": metrics_text(record.body, most=SHOWN_METRICS),
        }
        for record in reversed(store.find("version", name))
    )
    calls = ("calls",) if any(row["calls"] for row in rows) else ()
    columns = ("version", "aliases", "flavor", "evaluation", "unsafe", *calls, "created_by", "created_at")
    return Listing(f"Versions of {name}", columns, rows)


def alerts(store: Store, name: str | None, state: str | None) -> Listing:
    """Return alerts, newest first."""
    if state not in (None, *ALERT_STATES):
        raise InvalidInput(f"An alert is {', '.join(ALERT_STATES[:-1])} or {ALERT_STATES[-1]}, not {state!r}.")
    if name is not None:
        find_model(store, check_name(name))
    kinds = [kind_of("alert", SERVICE), kind_of("alert", Series(1))]
    bodies = [record.body for kind in kinds for record in store.find(kind, name)]
    quiet = quiet_alerts(store, name)
    alerts = [_with_role(body, quiet(body)) for body in bodies if state in (None, body["state"])]
    rows = tuple(sorted(alerts, key=lambda body: str(body["window_start"]), reverse=True))
    more = ("suppressed",) if any(row["suppressed"] for row in rows) else ()
    columns = ("model", "role", "window_start", "kind", "column", "metric", "figure", "threshold", "state")
    return Listing("Alerts", (*columns, *more, "message"), rows, "No alerts.")


def _with_role(alert: Mapping[str, Any], suppressed: str) -> dict[str, Any]:
    key = alert.get("series", "")
    return {**alert, "series": key, "role": Series.of_key(key).role, "suppressed": suppressed}


def runs(store: Store, name: str | None, project: Path) -> Listing:
    """Return runs of pipelines, newest first: all, or those of the pipelines that made versions of a model."""
    if name is not None:
        find_model(store, check_name(name))
    made: dict[str, list[str]] = {}
    for record in store.find("version", name):
        if record.body.get("step"):
            made.setdefault(record.body["step"].rpartition("/")[0], []).append(
                f"{record.subject}/{record.body['version']}"
            )
    rows = [_run(record.body, made, project) for record in store.find("run")]
    going_on = [row for row in rows if row["state"] == "running"]
    if going_on:
        from modelops_jupyter.pipelines import lease

        for row in going_on:
            row["state"] = lease.state_of(store, row, os.path.realpath(project))
    if name is not None:
        pipelines = {row["pipeline"] for row in rows if row["made"]}
        rows = [row for row in rows if row["pipeline"] in pipelines]
    columns = ("run_id", "pipeline", "state", "started_at", "seconds", "made")
    empty = "No runs yet: run a pipeline with `modelops run`."
    return Listing("Pipeline runs", columns, tuple(sorted(rows, key=lambda row: row["run_id"], reverse=True)), empty)


def _run(body: Mapping[str, Any], made: Mapping[str, Sequence[str]], project: Path) -> dict[str, Any]:
    """Return a run's row; a version knows the step that registered it by its run's origin and the step's inputs."""
    steps = [{**step, "output": absolute_path(step["output"], project)} for step in body["steps"]]
    begun = datetime.strptime(body["run_id"][:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return {
        "run_id": body["run_id"],
        "pipeline": body["pipeline"],
        "state": body["state"],
        "started_at": begun.isoformat(),
        "seconds": round(sum(step["seconds"] for step in steps), 1),
        "made": ", ".join(key for step in steps for key in made.get(f"{body['origin']}/{step['inputs']}", ())),
        "steps": steps,
    }


def audit(store: Store, name: str | None = None, kind: str | None = None, limit: int | None = None) -> Listing:
    """Return the audit chain, newest first; `detail` is the reason or text given, else what was put on record."""
    if limit is not None and limit < 1:
        raise InvalidInput(f"limit is the number of entries to show: at least 1, not {limit}.")
    if kind not in (None, *AUDIT_KINDS):
        raise InvalidInput(f"Entries of the audit trail are of kind {', '.join(AUDIT_KINDS)}, not {kind!r}.")
    if name is not None:
        find_model(store, check_name(name))
    rows: list[Mapping[str, Any]] = []
    for entry in reversed(store.audit()):
        if kind in (None, kind_of_entry(entry.action)) and name in (None, re.split("[/:@]", entry.subject)[0]):
            rows.append(_entry(entry))
            if len(rows) == limit:
                break
    columns = ("sequence", "at", "action", "subject", "actor", "assurance", "detail")
    return Listing("Audit trail", columns, tuple(rows), "Nothing on record yet.")


def kind_of_entry(action: str) -> str:
    """Return the kind of an entry of the audit trail.

    >>> kind_of_entry("approve"), kind_of_entry("incident.resolve"), kind_of_entry("migrate")
    ('decision', 'incident', 'other')
    """
    first = action.partition(".")[0]
    return next((kind for kind, actions in AUDIT_KINDS.items() if first in actions), "other")


def _entry(entry: AuditEntry) -> Mapping[str, Any]:
    from modelops_jupyter.governance import audited_metrics

    return {
        "sequence": entry.sequence,
        "at": entry.at.isoformat(),
        "action": entry.action,
        "kind": kind_of_entry(entry.action),
        "subject": entry.subject,
        "actor": entry.actor,
        "assurance": entry.assurance,
        "detail": entry.details.get("reason") or entry.details.get("text") or audited_metrics(entry.details),
        "details": dict(entry.details),
        "hash": entry.hash,
    }


def audit_head(store: Store) -> AuditHead:
    """See `Workspace.audit_head`."""
    from modelops_jupyter.store import head_of

    return head_of(store)


def verify_audit(store: Store, head: str | os.PathLike[str] | None) -> AuditVerification:
    """See `Workspace.verify_audit`."""
    from modelops_jupyter.store import read_head, verify

    return verify(store, None if head is None else read_head(Path(head)))


def card(store: Store, reference: str | ModelReference) -> ModelCard:
    """Return the model card of a version."""
    from modelops_jupyter.governance import model_card

    version = find_version(store, reference)
    return model_card(store, version.name, version.version)
