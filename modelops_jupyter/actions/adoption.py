"""Adopting what an MLflow registry holds: versions, aliases, figures and lineage go on record as MLflow has them.

MLflow is read and never written. A model goes on record in one transaction, so a process that is killed leaves whole
models or none of one; the next call takes what is missing.
"""

from __future__ import annotations

import shlex
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from modelops_jupyter.actions.adopted import REASON, Adoption, left_out, reason_of, together, version_facts
from modelops_jupyter.actions.measurement import without_metrics
from modelops_jupyter.actions.references import GivenReference, Rows, give_reference, learn_task, read_rows
from modelops_jupyter.actions.versions import contract_put, unsafe_put, version_key
from modelops_jupyter.errors import InvalidInput, InvalidReference, NotFound, RegistryUnreachable
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.refs import check_alias, check_name
from modelops_jupyter.store import Change, Event, Put, Record, Store

if TYPE_CHECKING:
    from modelops_jupyter.monitoring.pace import WorkEvent
    from modelops_jupyter.registry import Lineage, Registry, StockFiles, StockModel, StockVersion

AT_ONCE = 4  # downloads
AHEAD = 8  # versions whose files lie ready
FAILURES = 3  # of MLflow in a row, after which it is not asked any more
Files = Future["StockFiles"]


@dataclass(frozen=True)
class Waiting:
    """What of MLflow's registry is not on record: how many models, and those that their names keep out of ``--all``."""

    models: int = 0
    misnamed: tuple[str, ...] = ()


def unadopted(store: Store, registry: Registry) -> Waiting:
    """Return the models of MLflow's registry with versions that are not on record; no file and no run is read."""
    registered = registry.stock.registered()
    ours = _names(store)
    pending = {record.key for record in store.find("registration", bodies=False)}  # being registered right now
    recorded = {record.key for record in store.find("version", bodies=False)}
    names = [
        name
        for name, model in registered.items()
        if any(
            version_key(ours.get(name, name), number) not in recorded and token not in pending
            for number, token in model.versions.items()
        )
    ]
    misnamed = tuple(sorted(name for name in names if not _has_name_here(name, ours)))
    return Waiting(len(names) - len(misnamed), misnamed)


def _has_name_here(mlflow_name: str, names: Mapping[str, str]) -> bool:
    try:
        _name_here(mlflow_name, names, None)
    except InvalidInput:
        return False
    return True


def adopt(
    ws: Foundations,
    name: str | None,
    *,
    all: bool,
    reference: Any,
    outcomes: Any,
    new_name: str | None,
    unsafe: bool,
    on_progress: Callable[[WorkEvent], None] | None,
) -> Adoption:
    """See `Workspace.adopt`."""
    from modelops_jupyter.monitoring.pace import Pace

    _check_request(name, all, new_name)
    rows = read_rows(reference, outcomes)
    models = ws.registry.stock.models(name)
    if name is not None and not models:  # it may be the name that a model of MLflow's was given here
        names = _names(ws.store) if ws.settings.store_path.exists() else {}  # looking creates none
        theirs = next((theirs for theirs, here in names.items() if here == name), None)
        models = () if theirs is None else ws.registry.stock.models(theirs)
    if name is not None and not models:
        known = ", ".join(sorted(ws.registry.stock.registered())) or "none yet"
        raise NotFound(f"MLflow has no registered model {name!r}: it has {known}.")
    tasks, left = _plan(ws.store, models, new_name)
    fresh = [version for task in tasks for version in task.fresh]
    call = _Call(ws, rows, unsafe, name is not None, ws.registry.stock.lineage(fresh))
    pace = Pace("adopt", max(1, len(tasks)), on_progress)
    parts, failures = [Adoption(left=tuple(left))], 0
    with tempfile.TemporaryDirectory() as temporary, closing(_fetched(call, fresh, Path(temporary))) as files:
        for position, task in enumerate(tasks):
            part, failed = _take(call, task, [next(files) for _ in task.fresh])
            parts.append(part)
            failures = failures + 1 if failed else 0
            if failures == FAILURES:
                reason = f"Not tried, since MLflow failed {FAILURES} times in a row: adopt again once it answers."
                rest = [other.model.name for other in tasks[position + 1 :] if other.fresh]
                parts.append(Adoption(left=tuple(left_out(model, None, reason) for model in rest)))
                break
            pace.one_more()
    return together(parts)


def _check_request(name: str | None, all: bool, new_name: str | None) -> None:
    if (name is None) != all:
        raise InvalidInput("Name one model of the MLflow registry, or say all=True (--all): one of the two.")
    if new_name is not None and name is None:
        raise InvalidInput("A new name (--as) is for one model: name the model.")
    if new_name is not None:
        check_name(new_name)


@dataclass(frozen=True)
class _Call:
    """What one call works with; `named` tells that one model was asked for, so that nothing is passed over."""

    ws: Foundations
    rows: Rows | None
    unsafe: bool
    named: bool
    lineage: Mapping[tuple[str, int], Lineage]


@dataclass(frozen=True)
class _Task:
    """A model to adopt: what it is called here, its record, the versions on record, and those that are new."""

    model: StockModel
    name: str
    record: Record | None
    recorded: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    fresh: tuple[StockVersion, ...] = ()


@dataclass(frozen=True)
class _Version:
    """A version ready to go on record."""

    body: Mapping[str, Any]
    reference: GivenReference | None
    note: str = ""
    no_reference: str = ""


# What there is to do.


def _names(store: Store) -> dict[str, str]:
    """Return what the models on record are called here, by MLflow's name."""
    return {str(record.body.get("mlflow_name", record.key)): record.key for record in store.find("model")}


def _plan(store: Store, models: Sequence[StockModel], new_name: str | None) -> tuple[list[_Task], list[dict[str, Any]]]:
    """Return what there is to do for every model, and what cannot be done."""
    tasks, left = [], []
    names = _names(store)
    for model in models:
        try:
            name = _name_here(model.name, names, new_name)
        except InvalidInput as error:
            left.append(left_out(model.name, None, error))
            continue
        pending = {record.key for record in store.find("registration", name, bodies=False)}
        recorded = {int(record.body["version"]): record.body for record in store.find("version", name)}
        unknown = [v for v in model.versions if v.version not in recorded and v.token not in pending]
        left += [
            left_out(model.name, version.version, f"MLflow has it as {version.status}: register it there again.")
            for version in unknown
            if not version.ready
        ]
        if not model.versions:
            left.append(left_out(model.name, None, "It has no versions: register one in MLflow, or delete it there."))
        fresh = tuple(version for version in unknown if version.ready)
        if recorded or fresh:
            tasks.append(_Task(model, name, store.get("model", name), recorded, fresh))
    return tasks, left


def _name_here(mlflow_name: str, names: Mapping[str, str], new_name: str | None) -> str:
    """Return what a model of MLflow's is called here.

    Raises
    ------
    InvalidInput
        If it has no name that fits, or another model has that name.
    """
    command = f"`modelops adopt {shlex.quote(mlflow_name)} --as NEWNAME`"
    if mlflow_name in names:
        if new_name not in (None, names[mlflow_name]):
            raise InvalidInput(f"It is on record as {names[mlflow_name]!r}: leave out the new name.")
        return names[mlflow_name]
    try:
        name = check_name(new_name or mlflow_name)
    except InvalidReference as error:
        raise InvalidInput(f"{str(error).rstrip('.')}, or adopt it under another name, {command}.") from error
    if name != mlflow_name and name in names:
        raise InvalidInput(
            f"MLflow's {name!r} is on record as {names[name]!r}: adopt {mlflow_name!r} under another name, {command}."
        )
    if name in names.values():
        other = next(theirs for theirs, ours in names.items() if ours == name)
        raise InvalidInput(f"{name!r} is on record for MLflow's {other!r}: adopt it under another name, {command}.")
    return name


def _fetched(call: _Call, versions: Sequence[StockVersion], temporary: Path) -> Generator[Files]:
    """Yield the files of versions in their order, several being fetched at once and none too far ahead."""
    stock = call.ws.registry.stock
    if versions:
        stock.prepare()  # imports, which threads must not do
    waiting, under_way = deque(versions), deque[Files]()
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="modelops-adopt")
    try:
        while waiting or under_way:
            while waiting and len(under_way) < AHEAD:
                version = waiting.popleft()
                lineage = call.lineage[version.name, version.version]
                under_way.append(pool.submit(stock.files, version, lineage, temporary))
            yield under_way.popleft()
    finally:
        pool.shutdown(cancel_futures=True)


# One model.


def _take(call: _Call, task: _Task, files: Sequence[Files]) -> tuple[Adoption, bool]:
    """Put what is new of a model on record; return what became of it, and whether MLflow failed."""
    at, left, failed = datetime.now(UTC).isoformat(), [], False
    ready: list[_Version] = []
    for version, future in zip(task.fresh, files, strict=True):
        try:
            ready.append(_ready(call, task, version, future.result(), at))
        except Exception as error:  # a file may hold anything: whatever its reader raises, the others are taken
            failed = failed or isinstance(error, RegistryUnreachable)
            left.append(left_out(task.model.name, version.version, reason_of(error)))
    parts = [Adoption(left=tuple(left))]
    if task.recorded:
        parts.append(Adoption(present=({"model": task.name, "versions": len(task.recorded)},)))
    try:
        if ready:
            parts.append(_put_on_record(call, task, ready, at))
    except Exception as error:  # as above
        failed = failed or isinstance(error, RegistryUnreachable)
        parts.append(Adoption(left=(left_out(task.model.name, None, reason_of(error)),)))
    if call.rows is not None:
        parts += [_refer_later(call, task, body) for body in task.recorded.values() if body.get("adopted")]
    return together(parts), failed


def _ready(call: _Call, task: _Task, version: StockVersion, files: StockFiles, at: str) -> _Version:
    """Return what goes on record of a version.

    Raises
    ------
    ModelOpsError
        If its files cannot be read, or are of another kind of model than those on record.
    """
    from modelops_jupyter.registry import draft_stock

    lineage = call.lineage[version.name, version.version]
    draft, how, note = draft_stock(files, lineage)
    kind = draft.kind if task.record is None else task.record.body["kind"]
    if kind != draft.kind:
        raise InvalidInput(f"{task.name!r} is on record as a {kind} model: a {draft.kind} model takes another name.")
    facts = version_facts(draft, how, version, lineage, files, at, call.ws.actor.name)
    body = {**facts, "name": task.name}
    given, no_reference = None, ""
    try:
        if draft.model is None and call.unsafe:
            draft = learn_task(draft, call.ws.registry.load(body, unsafe=True), call.rows)
            body |= {"task": draft.task, "task_hinted": draft.task_hinted, "classes": draft.classes}
        if call.rows is not None and draft.model is None:
            raise InvalidInput("It runs code when it is loaded: say unsafe=True (--unsafe) to give it a reference.")
        if call.rows is not None:
            given = give_reference(draft, call.rows, body["claimed"])
    except Exception as error:  # a model may raise anything on the rows
        no_reference = reason_of(error) if call.named else ""
    text = " ".join(filter(None, (note, _stage_note(version))))
    return _Version(body if given is None else {**body, **given.facts}, given, text, no_reference)


def _stage_note(version: StockVersion) -> str:
    if version.stage in ("None", "Archived"):
        return ""
    return f"MLflow has it in stage {version.stage}, which is no alias: promote it where it serves."


def _put_on_record(call: _Call, task: _Task, ready: Sequence[_Version], at: str) -> Adoption:
    """Write the versions of a model, and its aliases with the first of them, in one transaction."""
    ws, shown = call.ws, call.ws.registry.stock.aliases(task.model.name)
    numbers = {*task.recorded, *(version.body["version"] for version in ready)}
    wanted = shown if task.record is None else dict(task.record.body.get("aliases_left", {}))
    taken = {alias: at_ for alias, at_ in wanted.items() if _may_take(ws.store, task.name, alias, at_, shown, numbers)}
    left = {alias: at_ for alias, at_ in wanted.items() if alias not in taken}
    unsafe = {version.body["version"]: version.body["unsafe"] for version in ready}
    unsafe |= {number: body["unsafe"] for number, body in task.recorded.items()}
    puts = [_model(task, ready, left, at)]
    for version in ready:
        key = version_key(task.name, version.body["version"])
        puts.append(Put("version", key, version.body, subject=task.name, expected_revision=0))
        puts += [unsafe_put(key, task.name)] if version.body["unsafe"] else []
        puts += _reference_puts(key, task.name, version.reference)
    for alias, number in taken.items():
        puts += _alias_puts(ws, task.name, alias, number, unsafe[number], at)
    details = {
        "mlflow_name": task.model.name,
        "versions": {str(version.body["version"]): version.body["digest"] for version in ready},
        "aliases": taken,
        "unsafe": [version.body["version"] for version in ready if version.body["unsafe"]],
        "measurements": {str(v.body["version"]): v.body["measured"] for v in ready if v.body["measured"]},
        "reason": f"taken from the MLflow registry {ws.settings.registry}; aliases passed no gate",
    }
    event = Event("adopt", task.name, ws.actor.name, ws.actor.assurance, details)
    ws.store.commit(Change(puts=tuple(puts), event=event))
    aliases = {number: [alias for alias, at_ in taken.items() if at_ == number] for number in numbers}
    lacking = [left_out(task.name, v.body["version"], v.no_reference) for v in ready if v.no_reference]
    referenced = [f"{task.name}/{version.body['version']}" for version in ready if version.reference is not None]
    rows = (
        {
            "model": task.name,
            "version": version.body["version"],
            "aliases": ", ".join(aliases[version.body["version"]]),
            "flavor": version.body["flavor"],
            "unsafe": version.body["unsafe"],
            "task": version.body["task"],
            "reference": version.reference is not None,
            "note": version.note,
        }
        for version in ready
    )
    notes = tuple(_alias_note(task.name, alias, at_) for alias, at_ in left.items())
    return Adoption(tuple(rows), notes=notes, referenced=tuple(referenced), without_reference=tuple(lacking))


def _may_take(store: Store, name: str, alias: str, number: int, shown: Mapping[str, int], numbers: set[int]) -> bool:
    """Tell whether an alias of MLflow's becomes ours: it has a name of ours, its version is here, and it stands yet."""
    try:
        check_alias(alias)
    except InvalidReference:
        return False
    return number in numbers and shown.get(alias) == number and store.get("alias", f"{name}@{alias}") is None


def _alias_note(name: str, alias: str, number: int) -> str:
    return f"{name}: the alias {alias!r} stays MLflow's alone, at version {number}: promote a version to one of yours."


def _model(task: _Task, ready: Sequence[_Version], left: Mapping[str, int], at: str) -> Put:
    if task.record is not None:
        body = {**task.record.body, **({"aliases_left": left} if "aliases_left" in task.record.body else {})}
        return Put("model", task.name, body, subject=task.name, expected_revision=task.record.revision)
    body = {
        "name": task.name,
        "kind": ready[0].body["kind"],
        "created_at": task.model.created_at,
        "description": task.model.description,
        "mlflow_name": task.model.name,
        "adopted_at": at,
        "aliases_left": left,
    }
    return Put("model", task.name, body, subject=task.name, expected_revision=0)


def _alias_puts(ws: Foundations, name: str, alias: str, number: int, unsafe: bool, at: str) -> list[Put]:
    """Return an alias as MLflow shows it, the entry of history that says so, and that MLflow has it."""
    from modelops_jupyter.governance import Transition

    key, actor = f"{name}@{alias}", ws.actor
    state = {"name": name, "alias": alias, "version": number, "previous": None, "since": at, "unsafe": unsafe}
    state["rejected"] = None
    move = Transition(name, alias, None, number, "adopted", REASON, actor.name, actor.assurance, at)
    shown = {"name": name, "alias": alias, "version": number}
    return [
        Put("alias", key, state, subject=name, expected_revision=0),
        Put("transition", f"{name}/{uuid4().hex}", asdict(move), subject=name),
        Put("projection", key, shown, subject=name),
    ]


def _reference_puts(key: str, name: str, given: GivenReference | None) -> list[Put]:
    if given is None:
        return []
    puts = [Put("reference", key, given.profile, subject=name), contract_put(key, name, given.contract)]
    return puts + [Put("segment_reference", f"{key}/{c}", body, subject=name) for c, body in given.segments.items()]


def _refer_later(call: _Call, task: _Task, body: Mapping[str, Any]) -> Adoption:
    """Give a version that was adopted before the reference that it lacks."""
    from modelops_jupyter.registry import draft_on_record

    ws, key = call.ws, version_key(task.name, body["version"])
    record = ws.store.get("version", key)
    if call.rows is None or record is None or ws.store.get("reference", key) is not None:
        return Adoption()
    try:
        model = ws.registry.load(body, unsafe=call.unsafe)
        draft = learn_task(draft_on_record(body), model, call.rows)
        given = give_reference(draft, call.rows, body["claimed"])
        facts = given.facts if given.facts["measured"] else without_metrics(given.facts)  # what was measured stays
        put = Put("version", key, {**body, **facts}, subject=task.name, expected_revision=record.revision)
        details = {"reference": True, "reason": f"given a reference of {len(call.rows.frame)} rows"}
        details |= {"measured": facts.get("measured"), "replaces": body["measured"]}
        event = Event("adopt", f"{task.name}/{body['version']}", ws.actor.name, ws.actor.assurance, details)
        # Whoever promotes meanwhile has judged other figures, and is told so.
        judged_anew = Put("decisions", key, {"decided_at": datetime.now(UTC).isoformat()}, subject=task.name)
        ws.store.commit(Change(puts=(put, judged_anew, *_reference_puts(key, task.name, given)), event=event))
    except Exception as error:  # as in `_ready`
        lacking = (left_out(task.name, body["version"], reason_of(error)),) if call.named else ()
        return Adoption(without_reference=lacking)
    name = f"{task.name}/{body['version']}"
    return Adoption(notes=(f"{name} has a reference now.",), referenced=(name,))
