"""The governance board: which versions wait for whom, what serves and who let it, what was decided last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions import rejected_service
from modelops_jupyter.presentable import Presentable

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.governance import Policy
    from modelops_jupyter.store import Record, Store, Vouching

MOST_WAITING = 200
LATEST = 50
SHOWN = 10  # of the decisions, where there is no room for all
SHOWN_METRICS = 2  # of those that were measured
ALIAS = "champion"


@dataclass(frozen=True)
class Board(Presentable):
    """Where decisions stand.

    Attributes
    ----------
    waiting : tuple of mapping
        The newest version of each model, unless it serves, has served or was rejected: ``model``, ``version``,
        ``registered_by``, ``registered_at``, ``evaluation`` (its metrics, as measured or claimed), ``approved_by``,
        ``gate`` (open or closed), ``missing``.
    serving : tuple of mapping
        Each champion: ``model``, ``version``, ``since``, ``promoted_by``, ``reason``, ``rejected`` (a sentence where
        it was rejected while it serves), ``evaluation``, ``unsafe``, ``calls`` (functions of the project).
    decisions : tuple of mapping
        The last 50 approvals, rejections, comments, promotions and rollbacks, newest first: ``at``, ``what``,
        ``model``, ``version``, ``actor``, ``reason``.
    entries : int
        Entries on record.
    broken : int or None
        The first entry that does not fit the chain; None while the record is whole.
    more : int
        Versions that wait beyond the 200 of `waiting`, whose gates were not asked.
    """

    waiting: tuple[Mapping[str, Any], ...]
    serving: tuple[Mapping[str, Any], ...]
    decisions: tuple[Mapping[str, Any], ...]
    entries: int
    broken: int | None
    more: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the board as plain data."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per waiting version."""
        import pandas as pd

        columns = ["model", "version", "registered_by", "registered_at", "evaluation", "approved_by", "gate", "missing"]
        return pd.DataFrame(self.waiting, columns=columns)

    def __str__(self) -> str:
        record = "whole" if self.broken is None else f"broken at entry {self.broken}"
        lines = [f"{len(self.waiting)} waiting, {len(self.serving)} serving; the record is {record}."]
        for row in self.waiting:
            lines.append(f"  waits   {row['model']}/{row['version']}: {row['missing'] or 'ready to promote'}")
            lines += _evaluated(row)
        for row in self.serving:
            lines.append(
                f"  serves  {row['model']}/{row['version']} since {_day(row['since'])}, by {row['promoted_by']}"
            )
            lines += [f"          {row['rejected']}"] if row["rejected"] else []
            lines += _evaluated(row)
        for row in self.decisions[:SHOWN]:
            lines.append(
                f"  {_day(row['at'])}  {row['what']} {row['model']}/{row['version']} by {row['actor']}: {row['reason']}"
            )
        return "\n".join(lines)


def _evaluated(row: Mapping[str, Any]) -> list[str]:
    return [f"          {row['evaluation']}"] if row["evaluation"] else []


def _day(at: object) -> str:
    return str(at)[:10]


def read_board(store: Store, policy: Policy) -> Board:
    """Gather the board; nothing is written."""
    from modelops_jupyter.store import Vouching, in_order, verify

    check = verify(store)
    champions = {r.body["name"]: r.body for r in store.find("alias") if r.body["alias"] == ALIAS}
    newest: dict[str, Mapping[str, Any]] = {}
    versions: dict[tuple[str, int], Mapping[str, Any]] = {}
    for record in store.find("version"):
        body = record.body
        versions[body["name"], body["version"]] = body
        if body["version"] > newest.get(body["name"], {"version": 0})["version"]:
            newest[body["name"]] = body
    decided: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
    acts = in_order((*store.find("decision"), *store.find("transition")))
    for record in acts:
        if record.kind == "decision":
            decided[record.body["name"], record.body["version"]].append(record.body)
    moves = [record.body for record in acts if record.kind == "transition"]
    served = {(move["name"], move["to_version"]) for move in moves if move["alias"] == ALIAS}
    vouching = Vouching(store)
    undecided = _undecided([newest[name] for name in sorted(newest)], decided, served)
    return Board(
        waiting=tuple(_waits(store, policy, body, vouching) for body in undecided[:MOST_WAITING]),
        serving=_serving(champions, versions, moves),
        decisions=tuple(_act(record) for record in reversed(acts[-LATEST:])),
        entries=check.entries,
        broken=check.first_bad,
        more=max(0, len(undecided) - MOST_WAITING),
    )


def _undecided(
    newest: list[Mapping[str, Any]],
    decided: Mapping[tuple[str, int], list[Mapping[str, Any]]],
    served: set[tuple[str, int]],
) -> list[Mapping[str, Any]]:
    """Return the versions that neither serve, nor served, nor were rejected; the longest on record first."""
    found: list[Mapping[str, Any]] = []
    for body in sorted(newest, key=lambda body: str(body["created_at"])):
        key = (body["name"], body["version"])
        last = [d for d in decided.get(key, []) if d["decision"] != "comment"]
        rejected = bool(last) and last[-1]["decision"] == "reject"
        if not rejected and key not in served:
            found.append(body)
    return found


def _waits(store: Store, policy: Policy, body: Mapping[str, Any], vouching: Vouching) -> Mapping[str, Any]:
    from modelops_jupyter.governance import gate, metrics_text

    report = gate(store, policy, body, ALIAS, vouching)
    return {
        "model": body["name"],
        "version": body["version"],
        "registered_by": body["created_by"],
        "registered_at": body["created_at"],
        "evaluation": metrics_text(body, most=SHOWN_METRICS),
        "approved_by": ", ".join(report.approved_by),
        "gate": "open" if report.passed else "closed",
        "missing": "; ".join(check.message for check in report.checks if check.applies and not check.passed),
    }


def _serving(
    champions: Mapping[str, Mapping[str, Any]],
    versions: Mapping[tuple[str, int], Mapping[str, Any]],
    moves: list[Mapping[str, Any]],
) -> tuple[Mapping[str, Any], ...]:
    from modelops_jupyter.governance import called_functions, metrics_text

    last = {move["name"]: move for move in moves if move["alias"] == ALIAS}
    return tuple(
        {
            "model": name,
            "version": held["version"],
            "since": held["since"],
            "promoted_by": last.get(name, {}).get("actor", ""),
            "reason": last.get(name, {}).get("reason", ""),
            "rejected": rejected_service.sentence(held),
            "evaluation": metrics_text(versions.get((name, held["version"]), {}), most=SHOWN_METRICS),
            "unsafe": bool(versions.get((name, held["version"]), {}).get("unsafe")),
            "calls": called_functions(versions.get((name, held["version"]), {})),
        }
        for name, held in sorted(champions.items())
    )


def _act(record: Record) -> Mapping[str, Any]:
    body = record.body
    what, version = (
        (body["decision"], body["version"]) if record.kind == "decision" else (body["action"], body["to_version"])
    )
    about = {"at": body["at"], "what": what, "model": body["name"], "version": version}
    return about | {"actor": body["actor"], "reason": body["reason"]}
