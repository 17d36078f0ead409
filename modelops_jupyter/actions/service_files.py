"""Versions in service whose files are not as registered, noticed by names and sizes before anybody loads them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from modelops_jupyter.actions.versions import version_key
from modelops_jupyter.errors import ArtifactChanged
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    from modelops_jupyter.registry import Registry
    from modelops_jupyter.store import Store


def changed_in_service(store: Store, registry: Registry) -> tuple[str, ...]:
    """Return a sentence for every version with an alias whose files are gone, foreign or of another size."""
    aliases: dict[str, list[str]] = defaultdict(list)
    for record in store.find("alias"):
        if record.body["version"]:
            aliases[version_key(record.body["name"], record.body["version"])].append(record.body["alias"])
    sentences = []
    for record in store.find("version", keys=aliases):
        try:
            changes = registry.changed_sizes(record.body)
        except ArtifactChanged as error:
            sentences.append(str(error))
            continue
        if changes:
            name, state = next(iter(changes.items()))
            more = f", and {count(len(changes) - 1, 'file')} more" if len(changes) > 1 else ""
            what = f"{record.subject}/{record.body['version']} ({', '.join(sorted(aliases[record.key]))})"
            sentences.append(f"{what} is not what was registered: {name!r} {state}{more}: run `modelops doctor`")
    return tuple(sentences)
