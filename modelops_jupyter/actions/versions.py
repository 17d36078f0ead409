"""Versions on record, and what each was validated on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import NotFound
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.refs import ModelReference, parse

if TYPE_CHECKING:
    from modelops_jupyter.profiles import Reference
    from modelops_jupyter.registry import TrainingRows
    from modelops_jupyter.sources import ModelFacts
    from modelops_jupyter.store import Put, Store


MOST_VERSIONS = 8  # that a message names


@dataclass(frozen=True)
class RegisteredVersion(Presentable):
    """A version as it stands on record.

    Attributes
    ----------
    name : str
    version : int
    body : mapping
        Every recorded fact: kind, flavor, run, digests, fingerprint, inputs, who and when; ``metrics``, of which those
        in ``measured`` were measured by us (on which rows, when, by what) and those in ``claimed`` only claimed.
    aliases : tuple of str
    """

    name: str
    version: int
    body: Mapping[str, Any]
    aliases: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """How the version is referred to, as in ``delay/3``."""
        return f"{self.name}/{self.version}"

    def __str__(self) -> str:
        aliases = f" ({', '.join(self.aliases)})" if self.aliases else ""
        unsafe = ", unsafe: it runs code when it is loaded" if self.body.get("unsafe") else ""
        rows = [*self.evidence(), *(("calls", f"{name} ({file})") for name, file in self.project_functions())]
        return "\n  ".join([f"{self.full_name}{aliases}{unsafe}", *(f"{what}: {text}" for what, text in rows)])

    def evidence(self) -> tuple[tuple[str, str], ...]:
        """Return the version's metrics, a line for those that were measured and one for those that were claimed."""
        from modelops_jupyter.governance import evidence

        return evidence(self.body)

    def project_functions(self) -> tuple[tuple[str, str], ...]:
        """Return the functions of the project that the version calls, each with its kept file and that one's digest."""
        from modelops_jupyter.governance import function_rows

        return function_rows(self.body)

    def to_dict(self) -> dict[str, Any]:
        """Return every recorded fact."""
        return {**self.body, "aliases": list(self.aliases)}


def version_key(name: str, version: int) -> str:
    """Return the store's key of a version."""
    return f"{name}/{version:06d}"


def unsafe_put(key: str, name: str) -> Put:
    """Return what marks a version as one that runs code when it is loaded, for lists that do not read every version."""
    from modelops_jupyter.store import Put

    return Put("unsafe_version", key, {}, subject=name)


def contract_put(key: str, name: str, contract: Sequence[Mapping[str, Any]]) -> Put:
    """Return what puts the contract of a version on record; see `scoring.input_columns`."""
    from modelops_jupyter.store import Put

    return Put("contract", key, {"columns": [dict(column) for column in contract]}, subject=name)


def contract_of(store: Store, version: RegisteredVersion) -> list[dict[str, Any]]:
    """Return the contract of a version; without any column where it was registered without rows."""
    record = store.get("contract", version_key(version.name, version.version))
    return [] if record is None else list(record.body["columns"])


def training_rows_of(store: Store, version: RegisteredVersion) -> TrainingRows | None:
    """Return the hashes of the rows that a version was fitted on, where it was registered with them."""
    from modelops_jupyter.registry import TrainingRows

    record = store.get("training_rows", version_key(version.name, version.version))
    return None if record is None else TrainingRows.from_dict(record.body)


def mlflow_mark(body: Mapping[str, Any]) -> dict[str, str]:
    """Return what tells a version in MLflow from another one of its number: our digest, or where MLflow had it from."""
    return {"source": str(body["mlflow"]["source"])} if body.get("adopted") else {"digest": str(body["digest"])}


def find_model(store: Store, reference: str | ModelReference) -> str:
    """Return the name of the model that `reference` is about.

    Raises
    ------
    NotFound
        With the names that there are.
    """
    name = parse(reference).name
    if store.get("model", name) is None:
        registered = ", ".join(record.key for record in store.find("model")) or "none yet"
        raise NotFound(f"There is no model {name!r}: registered are {registered}.")
    return name


def find_version(store: Store, reference: str | ModelReference) -> RegisteredVersion:
    """Return the version behind `reference`; a bare name means its champion.

    Where a reference has a number and an alias, the number counts: an alias may have moved since.

    Raises
    ------
    NotFound
        With the names, versions or aliases that there are.
    """
    wanted = parse(reference)
    name = find_model(store, wanted)
    aliases = _aliases(store, name)
    number = wanted.version
    if number is None and wanted.alias is not None:
        if wanted.alias not in aliases:
            others = ", ".join(sorted(aliases)) or "none yet"
            raise NotFound(f"Model {name!r} has no alias {wanted.alias!r}: it has {others}.")
        number = aliases[wanted.alias]
    if number is None:
        number = aliases.get("champion")
    if number is None:
        versions = _versions_text(store, name, aliases)
        newest = max(record.body["version"] for record in store.find("version", name))
        raise NotFound(
            f"{name!r} alone means its champion, which it does not have: name a version, as in '{name}/{newest}', of "
            f"{versions}."
        )
    return _recorded(store, name, number, aliases)


def current_version(store: Store, reference: str | ModelReference) -> RegisteredVersion:
    """Return the champion of a model, or its newest version where it has none: for what all versions have in common."""
    name = find_model(store, reference)
    aliases = _aliases(store, name)
    newest = max(record.body["version"] for record in store.find("version", name))
    return _recorded(store, name, aliases.get("champion", newest), aliases)


def _recorded(store: Store, name: str, number: int, aliases: Mapping[str, int]) -> RegisteredVersion:
    record = store.get("version", version_key(name, number))
    if record is None:
        raise NotFound(f"Model {name!r} has no version {number}: it has {_versions_text(store, name, {})}.")
    here = tuple(sorted(alias for alias, at in aliases.items() if at == number))
    return RegisteredVersion(name, number, record.body, here)


def _aliases(store: Store, name: str) -> dict[str, int]:
    return {r.body["alias"]: r.body["version"] for r in store.find("alias", name) if r.body["version"]}


def _versions_text(store: Store, name: str, aliases: Mapping[str, int]) -> str:
    """Return the numbers of a model's versions, newest first, with their aliases."""
    names: dict[int, list[str]] = {int(record.body["version"]): [] for record in store.find("version", name)}
    for alias, number in sorted(aliases.items()):
        names.get(number, []).append(alias)
    texts = [f"{number} ({', '.join(names[number])})" if names[number] else str(number) for number in sorted(names)]
    more = [f"{len(texts) - MOST_VERSIONS} more"] if len(texts) > MOST_VERSIONS else []
    return ", ".join([*reversed(texts[-MOST_VERSIONS:]), *more])


def model_facts(store: Store, name: str, version: int | None) -> ModelFacts:
    """Return what reading a model's predictions from another table takes; `version` made them, else the champion."""
    from modelops_jupyter.sources import ModelFacts

    found = current_version(store, name) if version is None else find_version(store, f"{name}/{version}")
    bodies = [found.body, *(record.body for record in store.find("version", name))]
    classes = tuple(dict.fromkeys(text for body in bodies for text in body.get("classes", [])))
    return ModelFacts(name, found.body["task"], classes, tuple(found.body.get("features", ())), found.version)


def references(store: Store, name: str, segments: Sequence[str] = ()) -> dict[int, Reference]:
    """Return the reference of every version of a model that has one, with its segments by the columns of `segments`."""
    from modelops_jupyter.profiles import Reference, segments_from_dict

    find_model(store, name)  # says so when there is no such model
    found = {}
    for record in store.find("reference", name):
        sliced = {column: store.get("segment_reference", f"{record.key}/{column}") for column in segments}
        profiles = {c: segments_from_dict(kept.body) for c, kept in sliced.items() if kept is not None}
        found[int(record.key.rpartition("/")[2])] = replace(Reference.from_dict(record.body), segments=profiles)
    return found
