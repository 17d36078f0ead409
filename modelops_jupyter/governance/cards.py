"""The model card: what a version is, was shown to do, and who decided what; all of it from the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelops_jupyter.governance.project_code import altered_source, function_rows, source_texts
from modelops_jupyter.governance.recorded import measured_on, metric_text, recorded_metrics
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.store import Store, in_order


@dataclass(frozen=True)
class ModelCard(Presentable):
    """Sections of (label, value) rows, in reading order; `code` is the text of each file of the project it runs."""

    title: str
    sections: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    code: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain data."""
        sections = {name: dict(rows) for name, rows in self.sections}
        return {"title": self.title, "sections": sections, "code": dict(self.code)}

    def to_markdown(self) -> str:
        """Return the card as Markdown; what users wrote is escaped, so that it stays text."""
        lines = [f"# {_text(self.title)}"]
        for name, rows in self.sections:
            lines += ["", f"## {name}", ""]
            lines += [f"- **{_text(label)}**: {_text(value)}" for label, value in rows] or ["Nothing on record."]
        for file, text in self.code.items():
            lines += ["", f"## {_text(file)}", "", *_fenced(text)]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_markdown()


def _text(value: str) -> str:
    """Escape what Markdown or the HTML inside it would understand, and nothing else: a card is read in terminals, too.

    A ``>`` means something at the beginning of a line alone, where no text stands; a ``&`` before a name and ``;``.
    """
    import re

    words = re.sub(r"&(?=#?\w+;)", "&amp;", " ".join(value.split())).replace("<", "&lt;")
    return re.sub(r"([\\`*\[\]|#]|(?<!\w)_|_(?!\w)|~(?=~)|(?<=~)~)", r"\\\1", words)


def _fenced(text: str) -> list[str]:
    """Return source as a block of Markdown, whose fence is longer than any in it."""
    import re

    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return [f"{fence}python", *text.splitlines(), fence]


def model_card(store: Store, name: str, version: int) -> ModelCard:
    """Gather the card of a version from the store."""
    key = f"{name}/{version:06d}"
    record, model = store.get("version", key), store.get("model", name)
    if record is None or model is None:
        from modelops_jupyter.errors import NotFound

        raise NotFound(f"There is no version {version} of {name!r}: see `modelops versions {name}`.")
    body = record.body
    facts = [
        ("Kind", body["kind"]),
        ("Task", body["task"]),
        ("Format", body["flavor"] + (", UNSAFE: runs code when loaded" if body["unsafe"] else "")),
        *_rules(body.get("decision_table")),
        *((f"Calls {name} of the project", file) for name, file in function_rows(body)),
        ("Source on record", _warning(body)),
        ("Description", model.body["description"]),
        ("Registered", f"{body['created_at']} by {body['created_by']}"),
        ("Adopted from MLflow", f"{body['adopted_at']} by {body['adopted_by']}" if body.get("adopted") else None),
    ]
    origin = [
        ("MLflow run", body["run_id"]),
        ("Notebook", body["source"]["notebook"]),
        ("Script", body["source"].get("script")),
        ("Git commit", _commit(body["source"])),
        ("Inputs", ", ".join(body["inputs"])),
        ("Data fingerprint (SHA-256)", body["data_fingerprint"]),
        ("Fingerprint of the labels it was measured on (SHA-256)", (body.get("measured") or {}).get("fingerprint")),
        ("Artifact digest (SHA-256)", body["digest"]),
        ("Features", ", ".join(body["features"])),
    ]
    decisions = [r.body for r in in_order(store.find("decision", name)) if r.body["version"] == version]
    moves = [r.body for r in in_order(store.find("transition", name))]
    moves = [move for move in moves if version in (move["to_version"], move["from_version"])]
    return ModelCard(
        f"{name}/{version}",
        (
            ("What it is", _present(facts)),
            ("Where it comes from", _present(origin)),
            ("What it was shown to do", _shown(body)),
            ("Who decided", tuple((f"{d['decision']}, {d['at']}", f"{d['actor']}: {d['reason']}") for d in decisions)),
            (
                "Where it served",
                tuple((f"{m['action']}, {m['at']}", f"{m['alias']} → {m['to_version']}: {m['reason']}") for m in moves),
            ),
        ),
        source_texts(body),
    )


def _warning(body: Mapping[str, Any]) -> str | None:
    """Return that the text shown is not what runs, where it is not."""
    altered = altered_source(body)
    return altered and f"{altered} as it is shown here is not what the version runs: register it again"


def _shown(version: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return a row for each metric, as measured or claimed, and on which rows it was measured, or why it was not."""
    rows = [(metric.name, metric_text(metric)) for metric in recorded_metrics(version)]
    if version.get("measured"):
        rows.append(("Measured", measured_on(version)))
    if version.get("measured_reason"):
        rows.append(("Not measured", str(version["measured_reason"])))
    return tuple(rows)


def _commit(source: dict[str, Any]) -> str | None:
    """Return the commit, and whether it holds what ran."""
    commit: str | None = source["git_commit"]
    return f"{commit}, with changes that are not committed" if commit and source.get("git_dirty") else commit


def _rules(table: dict[str, Any] | None) -> list[tuple[str, Any]]:
    """Return what a decision table decides, and by how many rules."""
    if table is None:
        return []
    return [("Decision", table["decision"]), ("Outputs", ", ".join(table["outputs"])), ("Rules", table["rules"])]


def _present(rows: list[tuple[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((label, str(value)) for label, value in rows if value)
