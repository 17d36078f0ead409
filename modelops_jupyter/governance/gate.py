"""The gate: pure judgement of one version against one rule, and its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import PolicyNotEnforceable
from modelops_jupyter.governance.measured_check import judge_measured
from modelops_jupyter.governance.metric_checks import CheckResult, judge_metric, kind_of
from modelops_jupyter.governance.policy import Policy, Rule
from modelops_jupyter.governance.project_code import altered_source, called_functions, files_text, source_texts
from modelops_jupyter.persons import distinct
from modelops_jupyter.presentable import Presentable

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.store import AuditVerification


@dataclass(frozen=True)
class GateReport(Presentable):
    """Whether a version may move to an alias now, and why.

    Attributes
    ----------
    self_review : bool
        The approval that counts was given by the one who registered the version.
    assurance : str
        How sure we are of who approved: ``authenticated`` where a server's identity provider knew everyone who did.
    holder : int or None
        The version that holds the alias now: what `promote` takes as `expected`.
    project_code : mapping of str to str
        The text of each file of the project that the version runs, by its path in the version: for who approves.
    """

    model: str
    version: int
    alias: str
    passed: bool
    checks: tuple[CheckResult, ...]
    approved_by: tuple[str, ...]
    self_review: bool
    assurance: str
    policy: str
    policy_digest: str
    holder: int | None = None
    project_code: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per check."""
        import pandas as pd

        return pd.DataFrame([asdict(check) for check in self.checks])

    def __str__(self) -> str:
        answer = "open" if self.passed else "closed"
        lines = [f"The gate of {self.model}/{self.version} to {self.alias} is {answer} (policy {self.policy})."]
        lines += [f"  {'ok ' if check.passed else 'no '} {check.message}" for check in self.checks]
        return "\n".join(lines)


def evaluate_gate(
    policy: Policy,
    alias: str,
    version: Mapping[str, Any],
    decisions: Sequence[Mapping[str, Any]],
    holder: Mapping[str, Any] | None,
) -> GateReport:
    """Judge `version` against the rule of `alias`.

    Parameters
    ----------
    decisions
        Everything decided about the version, oldest first. One that was made for other bytes does not count.
    holder
        The version that holds the alias now, or None.

    Raises
    ------
    PolicyNotEnforceable
        If the rule asks for enforced separation of duties, which an embedded workspace cannot give.
    """
    rule = policy.rule(alias)
    if rule.require_enforced_separation:
        raise PolicyNotEnforceable(
            f"Policy {policy.name!r} asks for enforced separation of duties for {alias!r}, but whoever can open this "
            "workspace's files is its administrator: use a team server, or set require_enforced_separation = false."
        )
    rejected, since = _counted(decisions, version, rule)
    approvals = [d for d in since if d["policy_digest"] == policy.digest]
    approved_by = distinct(str(d["actor"]) for d in approvals)
    checks = [judge_metric(spec, rule, alias, version, holder) for spec in rule.checks]
    if rule.require_measured and not any(check.applies for check in checks):
        measured = judge_measured(version, rule, alias)
        checks += [] if measured is None else [measured]
    if holder is not None and answers_of(version) != answers_of(holder):
        checks.append(_other_task(version, holder, alias, rule))
    if version["unsafe"]:
        checks.append(_unsafe(version, rule))
    if called_functions(version):
        checks.append(_project_code(version, rule))
    checks.append(_approvals(len(approved_by), rule, approvals, _uncounted(decisions, version, rule, approvals)))
    if rejected is not None and not since:
        text = f"rejected by {rejected['actor']}: {rejected['reason']}"
        checks.append(CheckResult("not rejected", False, True, None, None, text))
    return GateReport(
        model=str(version["name"]),
        version=int(version["version"]),
        alias=alias,
        passed=all(check.passed for check in checks),
        checks=tuple(checks),
        approved_by=approved_by,
        self_review=bool(approvals) and all(d["self_review"] for d in approvals),
        assurance=_assurance(approvals),
        policy=policy.name,
        policy_digest=policy.digest,
        holder=None if holder is None else int(holder["version"]),
        project_code=source_texts(version),
    )


def closed_by(report: GateReport, record: AuditVerification) -> GateReport:
    """Return a report of a gate that is closed since the audit chain does not vouch for what it was judged by."""
    check = CheckResult("record", False, True, None, None, edited_text(record))
    return replace(report, passed=False, checks=(*report.checks, check))


def edited_text(record: AuditVerification) -> str:
    """Return what is wrong with the record of a model, and what to do, as half a sentence."""
    reason = str(record.reason).rstrip(".")
    return (
        f"the record was edited behind the audit chain (entry {record.first_bad}: {reason}): run `modelops "
        "verify-audit`, and restore a backup"
    )


def rejection(
    decisions: Sequence[Mapping[str, Any]], version: Mapping[str, Any], rule: Rule
) -> Mapping[str, Any] | None:
    """Return the rejection that a version stands under, if one does: no approval that counts came after it."""
    rejected, approvals = _counted(decisions, version, rule)
    return None if approvals else rejected


def _counted(
    decisions: Sequence[Mapping[str, Any]], version: Mapping[str, Any], rule: Rule
) -> tuple[Mapping[str, Any] | None, list[Mapping[str, Any]]]:
    """Return the last rejection of these exact bytes, and the approvals since then, by whichever policy, that count."""
    judged = [d for d in decisions if d["digest"] == version["digest"] and d["decision"] in ("approve", "reject")]
    last = max((i for i, d in enumerate(judged) if d["decision"] == "reject"), default=-1)
    approvals = [d for d in judged[last + 1 :] if rule.allow_self_review or not d["self_review"]]
    return (None if last < 0 else judged[last]), approvals


def _unsafe(version: Mapping[str, Any], rule: Rule) -> CheckResult:
    verdict = "allows" if rule.allow_unsafe else "forbids"
    text = f"format {version['flavor']} is unsafe: it runs code when it is loaded, which the policy {verdict}"
    return CheckResult("format", rule.allow_unsafe, True, None, None, text)


def _other_task(version: Mapping[str, Any], holder: Mapping[str, Any], alias: str, rule: Rule) -> CheckResult:
    verdict = "allows" if rule.allow_other_task else "forbids: register it under a name of its own"
    text = (
        f"{version['name']}/{version['version']} is {kind_of(version)} and {holder['name']}/{holder['version']}, which "
        f"is {alias} now, {kind_of(holder)}{_classes_text(version, holder)}: who asks for {alias} gets answers of "
        f"another kind, which the policy {verdict}"
    )
    return CheckResult("same task", rule.allow_other_task, True, None, None, text)


def _classes_text(version: Mapping[str, Any], holder: Mapping[str, Any]) -> str:
    if version["task"] != holder["task"] or not holder["classes"]:
        return ""
    return f" ({', '.join(version['classes'][:5])} and {', '.join(holder['classes'][:5])})"


def answers_of(version: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """Return what kind of answers a version gives: its task and, of a classification, its classes."""
    return str(version["task"]), frozenset(map(str, version["classes"] or ()))


def _project_code(version: Mapping[str, Any], rule: Rule) -> CheckResult:
    reference = f"{version['name']}/{version['version']}"
    altered = altered_source(version)
    if altered is not None:
        text = f"the text of {altered} on record is not what the version runs: register it again"
        return CheckResult("project code", False, True, None, None, text)
    verdict = "allows" if rule.allow_project_code else "forbids"
    text = (
        f"project code: it calls {called_functions(version)} of the project it was made in ({files_text(version)}), "
        f"which the policy {verdict}; read the source with `modelops card {reference}`"
    )
    return CheckResult("project code", rule.allow_project_code, True, None, None, text)


def _approvals(given: int, rule: Rule, approvals: Sequence[Mapping[str, Any]], uncounted: str) -> CheckResult:
    needed, text = rule.approvals, f"{given} of {rule.approvals} approvals"
    if given and not rule.allow_self_review and _assurance(approvals) == "self-asserted":
        text = f"{text}, self-asserted: nobody but themselves says who gave them"
    text += uncounted if given < needed else ""
    return CheckResult("approvals", given >= needed, needed > 0, float(given), float(needed), text)


def _assurance(approvals: Sequence[Mapping[str, Any]]) -> str:
    """Return how sure we are of all who approved."""
    authenticated = bool(approvals) and all(d["assurance"] == "authenticated" for d in approvals)
    return "authenticated" if authenticated else "self-asserted"


def _uncounted(
    decisions: Sequence[Mapping[str, Any]], version: Mapping[str, Any], rule: Rule, counted: Sequence[Mapping[str, Any]]
) -> str:
    """Return why approvals since the last rejection do not count, as the end of a sentence; empty where all do."""
    words = [d for d in decisions if d["decision"] in ("approve", "reject")]
    last = max((i for i, d in enumerate(words) if d["decision"] == "reject"), default=-1)
    given: dict[str, list[str]] = {}
    for d in words[last + 1 :]:
        if d in counted:
            continue
        if d["digest"] != version["digest"]:
            reason = "was of other bytes"
        elif d["self_review"] and not rule.allow_self_review:
            reason = f"is a self-review, since {version['created_by']} registered it"
        else:
            reason = "was given under another policy: approve it again"
        given.setdefault(reason, []).append(str(d["actor"]))
    reasons = [f"that of {', '.join(distinct(names))} {reason}" for reason, names in given.items()]
    return f" ({'; '.join(reasons)})" if reasons else ""
