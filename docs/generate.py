"""Write the reference pages of the documentation from the code: ``python docs/generate.py`` fills ``docs/reference``.

Nothing on those pages is written by hand but the ways out of errors and the uses of environment variables, below; a
new error or variable without a line here ends the build.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from modelops_jupyter import errors
from modelops_jupyter.display.words import METRICS
from modelops_jupyter.governance.policy import CheckSpec, Rule
from modelops_jupyter.monitoring.figures import distances, drift, shares, transport
from modelops_jupyter.monitoring.record.tables import DATABRICKS_DRIFT
from modelops_jupyter.pipelines.spec import Step
from modelops_jupyter.server.routes import PREFIX, Route, routes
from modelops_jupyter.settings import Settings, Target, UseCase
from modelops_jupyter.source_settings import Source, SourceTable
from modelops_jupyter.verb import Verb
from modelops_jupyter.verb_groups import GROUPS
from modelops_jupyter.verbs import VERBS, parser
from modelops_jupyter.workspace import Workspace

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "modelops_jupyter"
REFERENCE = ROOT / "docs" / "reference"
NOTE = "% Made by docs/generate.py: change the code, not this page.\n\n"

WAYS_OUT = {
    "internal": "Repeat the command with `--debug` and report the traceback: this is a fault of ours or of the object passed.",
    "invalid-input": "Change the argument that the message names. Nothing was written.",
    "invalid-reference": "Write `name`, `name/3` or `name@champion`.",
    "invalid-frame": "Rename, add or convert the column that the message names, then repeat. Nothing was written.",
    "invalid-policy": "Correct the line of the policy file that the message names.",
    "invalid-pipeline": "Correct the pipeline file or the parameter that the message names. Nothing has run.",
    "not-found": "List what there is: `modelops models`, `modelops versions NAME`; or check the path.",
    "refused": "Read which rule refused it; change the call or the policy.",
    "gate-closed": "Run `modelops gate NAME/3`: each failed check says what would open it, often `modelops approve`.",
    "policy-not-enforceable": "Set `require_enforced_separation = false`, or work on a server that can enforce it.",
    "unsafe-artifact": "Save the model in an allowed format (skops, ONNX, XGBoost, LightGBM, CatBoost), or pass `unsafe=True` "
    "if you trust it.",
    "artifact-changed": "Do not use the files. Run `modelops doctor`; restore them from a backup, or register the model again.",
    "conflict": "Read the current state (`modelops version NAME@champion`), then repeat.",
    "dependency-failed": "Repeat later; run `modelops doctor` if it stays.",
    "store-busy": "Wait for the other process, then repeat.",
    "store-full": "Free space on the disk, then repeat: nothing was half-written.",
    "store-damaged": "Run `modelops doctor`; restore `.modelops/modelops.db` from a backup.",
    "store-too-new": "Upgrade modelops-jupyter to the release that wrote the store, or newer.",
    "workspace-read-only": "Make the folder that the message names writable for you.",
    "job-damaged": "Run `modelops doctor`: it names the job's folder. Other jobs are shown as before; run this one again.",
    "log-damaged": "Run `modelops doctor`; restore the files that it names from a backup.",
    "source-unreachable": "Check the address and the credentials in `[source.NAME]`; the next run reads what is new.",
    "source-file-unreadable": "Write the file again, or remove it; the other files are monitored meanwhile.",
    "registry-unreachable": "Start MLflow, or correct `tracking_uri`; then run `modelops reconcile`.",
    "registry-damaged": "Run `modelops doctor`: it names what is missing and how to restore it.",
    "delivery-failed": "Check the target's address and secret in `[notify.NAME]`; `modelops deliver --now` tries again.",
    "library-missing": "Install the extra that the message names, such as `pip install 'modelops-jupyter[onnx]'`.",
    "notebook-failed": "Open the executed notebook that the message names, correct the cell, then `modelops run --resume`.",
}
VARIABLES = {
    "MODELOPS_WORKSPACE": "Folder or `modelops.toml` of the workspace, where no path is passed. Set in notebooks of a pipeline.",
    "MODELOPS_TRACKING_URI": "`tracking_uri` of `modelops.toml`.",
    "MODELOPS_POLICY": "`policy` of `modelops.toml`.",
    "MODELOPS_ACTOR": "`actor` of `modelops.toml`: the name that goes on record.",
    "MODELOPS_ALERT_BUDGET": "`alert_budget` of `modelops.toml`.",
    "MODELOPS_SAMPLE_ROWS": "`sample_rows` of `modelops.toml`.",
    "MODELOPS_HOLIDAYS": "`holidays` of `modelops.toml`, separated by blanks.",
    "MODELOPS_SERVE_TOKEN": "Token that requests to `modelops serve` carry.",
    "MODELOPS_TRUSTED_FOLDERS": "Folders whose `modelops.toml` is used although another user can write it; separated as in `PATH`.",
    "MODELOPS_SECRET_…": "Secrets that `modelops.toml` names as `$MODELOPS_SECRET_…`; it can name no other variable.",
    "MODELOPS_ALLOW_UNSAFE": "With `1`, MLflow's own tools load versions that run code when they are loaded.",
    "MODELOPS_STEP": "Set by a pipeline for its notebooks: a step that is repeated registers no model twice.",
    "MODELOPS_NOTEBOOK": "Set for kernels that a pipeline starts: which notebook runs, for the lineage.",
    "MODELOPS_NOTEBOOK_PARENT": "Set with it: the process that set it.",
    "MODELOPS_PROCESS_TREE": "Set for processes that we start: what they start carries it, so that all of them can be ended.",
    "MODELOPS_DASHBOARD_TOKEN": "Set for the dashboards' own process.",
    "MODELOPS_DASHBOARD_IDLE": "Set for the dashboards' own process.",
    "MODELOPS_DASHBOARD_LOG": "Set for the dashboards' own process.",
}
# What computes a drift statistic, where it is not a function of its name in `distances`.
COMPUTED_BY: Mapping[str, Callable[..., Any]] = {
    "wasserstein": transport.wasserstein,
    "share_shift": shares.share_shift,
}


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(exist_ok=True)
    for name, page in pages().items():
        (REFERENCE / f"{name}.md").write_text(NOTE + page, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return the text of every page by its name."""
    groups = {f"verbs-{title.replace(' ', '-')}": verbs(title) for title in GROUPS if title != "start"}
    others = {
        "settings": settings(),
        "policy": policy(),
        "pipeline": pipeline(),
        "environment": environment(),
        "errors": error_codes(),
        "statistics": statistics(),
    }
    return {"index": index([*groups, *others]), **groups, **others}


def index(names: Iterable[str]) -> str:
    """Return the page that leads to the others."""
    lines = "\n".join(names)
    return f"# Reference\n\nMade from the code at each build.\n\n```{{toctree}}\n:maxdepth: 2\n\n{lines}\n```\n"


def verbs(group: str) -> str:
    """Return the page of the verbs of a group."""
    by_name = {verb.name: verb for verb in VERBS}
    about = "Each verb does the same in Python, as a magic, in a shell and over REST.\n"
    return f"# Verbs: {group}\n\n{about}\n" + "\n".join(
        verb_section(by_name[name]) for name in GROUPS[group] if name in by_name
    )


def verb_section(verb: Verb) -> str:
    """Return one verb: what it does, its four forms side by side, its arguments."""
    method = getattr(Workspace, verb.operation)
    summary, sections = docstring(method, alone=True)
    route = next(route for route in routes() if route.operation == verb.operation and route.path == f"/{verb.name}")
    sub = parser("modelops")[1].choices[verb.name]
    usage = usage_of(sub)
    lines = [f"## {verb.name}", "", summary, "", "::::{grid} 1 1 2 2", ":gutter: 2", ""]
    for title, text in (
        ("Python", f"ws.{verb.operation}{signature(method)}"),
        ("Shell", usage),
        ("Notebook", "%" + usage),
        ("REST", rest(route)),
    ):
        language = "python" if title == "Python" else "text"
        lines += [":::{grid-item}", f"**{title}**", f"```{language}", text, "```", ":::"]
    lines += ["::::", "", *arguments(method, sub, route, sections)]
    return "\n".join(lines) + "\n"


def usage_of(sub: argparse.ArgumentParser) -> str:
    """Return how a line is written: what has a place first, then the options."""
    words = [sub.prog]
    for action in sorted(sub._actions, key=lambda action: bool(action.option_strings)):
        if action.dest == "help":
            continue
        value = "" if action.nargs == 0 else "{" + ",".join(action.choices) + "}" if action.choices else ""
        value = value or ("" if action.nargs == 0 else action.metavar or action.dest.upper())
        text = " ".join(filter(None, (*action.option_strings[-1:], value)))
        required = action.required if action.option_strings else action.nargs != "?"
        words.append(text if required else f"[{text}]")
    return " ".join(words)


def signature(method: Callable[..., Any]) -> str:
    """Return a signature without `self` and types, one argument a line where it is long."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(method).parameters.items()
        if name != "self"
    ]
    short = str(inspect.Signature(parameters))
    if len(short) < 50:
        return short
    return "(\n" + "".join(f"    {part},\n" for part in short[1:-1].split(", ")) + ")"


def rest(route: Route) -> str:
    """Return a route, and how it is answered."""
    answers = {"start": "202: a job, see /jobs", "read": "200", "write": "200"}
    sent = "query" if route.method == "GET" else "JSON body"
    names = ", ".join(field.name if field.required else f"[{field.name}]" for field in route.fields)
    return f"{route.method} {PREFIX}{route.path}\n{sent}: {names or 'nothing'}\nanswer: {answers[route.answer]}"


def arguments(
    method: Callable[..., Any], sub: argparse.ArgumentParser, route: Route, sections: Mapping[str, str]
) -> list[str]:
    """Return the table of arguments: by their Python and REST name, their option, and what they mean."""
    options = {action.dest: action for action in sub._actions if action.dest != "help"}
    fields = {field.name: field for field in route.fields}
    rows = []
    for name, parameter in list(inspect.signature(method).parameters.items())[1:]:
        if name not in fields:
            continue
        aliases = (name, name.removesuffix("s"), {"reference": "validated_on", "frame": "data"}.get(name, name))
        option = next((options[alias] for alias in aliases if alias in options), None)
        written = "" if option is None else f"`{(option.option_strings or [option.metavar or option.dest])[-1]}`"
        default = "required" if parameter.default is parameter.empty else f"`{parameter.default!r}`"
        words = fields[name].schema.get("enum")
        text = sections.get(name) or (option.help if option is not None else "") or fields[name].help
        choice = f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""
        rows.append((f"`{name}`", written, default, sentence(text) + choice))
    return (
        [*table(("Python, REST", "shell", "default", "meaning"), rows), ""] if rows else ["It takes no arguments.", ""]
    )


def docstring(thing: Any, *, alone: bool = False) -> tuple[str, dict[str, str]]:
    """Return what a docstring says first, and its text by the names of parameters or attributes.

    With `alone`, a text about several names together is left out.
    """
    text = inspect.getdoc(thing) or ""
    first, *others = re.split(r"^(?:Parameters|Attributes|Raises|Returns|Examples)\n-+\n", text, flags=re.M)
    by_name: dict[str, str] = {}
    for part in others:
        for names, body in re.findall(r"^(\w[\w, ]*)(?: : [^\n]*)?\n((?:[ ]{4}[^\n]*\n?)+)", part, flags=re.M):
            together = names.split(", ")
            by_name |= dict.fromkeys(together if alone is False or len(together) == 1 else (), " ".join(body.split()))
    return first.strip(), by_name


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return a Markdown table."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines]


def sentence(text: str) -> str:
    """Return a text as a sentence in Markdown."""
    text = text.replace("``", "`").strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') or not text else '.'}"


def keys_of(shape: type, names: Mapping[str, str] | None = None) -> list[str]:
    """Return the table of the keys of a dataclass: name, type, default, meaning."""
    _, texts = docstring(shape)
    for base in shape.__mro__[1:-1]:
        texts = docstring(base)[1] | texts
    rows = []
    for field in dataclasses.fields(shape):
        if names is not None and field.name not in names:
            continue
        plain = field.default is not dataclasses.MISSING
        made = field.default_factory is not dataclasses.MISSING
        default = repr(field.default) if plain else repr(field.default_factory()) if made else "required"
        shown = "required" if default == "required" else "none" if default in ("None", "''") else f"`{default}`"
        meaning = (names or {}).get(field.name) or texts.get(field.name, "")
        rows.append((f"`{field.name}`", f"`{field.type}`".replace(" | None", ""), shown, sentence(meaning)))
    return table(("key", "type", "default", "meaning"), rows)


def settings() -> str:
    """Return the page of modelops.toml."""
    _, texts = docstring(Settings)
    own = {
        name: texts.get(name, "")
        for name in ("tracking_uri", "policy", "actor", "alert_budget", "holidays", "sample_rows")
    }
    lines = ["# modelops.toml", "", "A variable `MODELOPS_KEY` takes the place of a key; see [](environment.md).", ""]
    lines += [
        "`workspace` (default `.modelops`) is the workspace's own folder, beside the file.",
        "",
        *keys_of(Settings, own),
    ]
    for title, shape, about in (
        ("[use_case.MODEL]", UseCase, "Who owns a model, and what its errors cost."),
        ("[notify.TARGET]", Target, "Where messages go. `name` is the TARGET of the heading."),
        ("[source.MODEL]", Source, "Where predictions are that are not in our log."),
        ("[source.MODEL.labels]", SourceTable, "Where their labels are."),
    ):
        lines += ["", f"## {title}", "", about, "", *keys_of(shape)]
    return "\n".join(lines) + "\n"


def policy() -> str:
    """Return the page of the policy file."""
    shipped = (PACKAGE / "governance" / "policy.toml").read_text(encoding="utf-8")
    lines = [
        "# Policy file",
        "",
        "Named by `policy` in `modelops.toml`: a table for each alias. Without one, this policy holds:",
    ]
    lines += ["", "```toml", shipped.rstrip(), "```", "", "## [ALIAS]", "", *keys_of(Rule)]
    return "\n".join([*lines, "", "## [[ALIAS.checks]]", "", *keys_of(CheckSpec)]) + "\n"


def pipeline() -> str:
    """Return the page of the pipeline file."""
    about = {
        "notebook": "Path of the notebook, beside the pipeline file",
        "needs": "Steps that must be complete before",
        "parameters": "Values for names that the notebook's `parameters` cell declares",
        "timeout": "Seconds of wall clock after which the step is ended",
        "for_each": "Lists of values by parameter: the notebook runs once per value, or per combination",
    }
    lines = [
        "# Pipeline file",
        "",
        "`name` is the pipeline's (default: the file's); `steps` holds a table per step:",
        "",
    ]
    return "\n".join([*lines, *keys_of(Step, about)]) + "\n"


def environment() -> str:
    """Return the page of environment variables; every one that the code reads must be in `VARIABLES`."""
    found = {
        "MODELOPS_" + key.upper()
        for key in ("tracking_uri", "policy", "actor", "alert_budget", "sample_rows", "holidays")
    }
    for file in PACKAGE.rglob("*.py"):
        found |= set(re.findall(r"\"(MODELOPS_[A-Z_]+[A-Z])\"", file.read_text(encoding="utf-8")))
    found = {name for name in found if not name.startswith("MODELOPS_SECRET_")}
    if unknown := found ^ {name for name in VARIABLES if not name.endswith("…")}:
        raise SystemExit(f"docs/generate.py: VARIABLES and the code differ in {', '.join(sorted(unknown))}.")
    rows = [(f"`{name}`", text) for name, text in VARIABLES.items()]
    head = "# Environment variables\n\nA variable takes the place of the key in `modelops.toml`.\n\n"
    return head + "\n".join(table(("variable", "meaning"), rows)) + "\n"


def error_codes() -> str:
    """Return the page of errors; every code must have a way out."""
    classes = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ModelOpsError)
    ]
    codes = {kind.code for kind in classes if kind is not errors.ModelOpsError}
    if unknown := codes ^ set(WAYS_OUT):
        raise SystemExit(f"docs/generate.py: WAYS_OUT and the code differ in {', '.join(sorted(unknown))}.")
    rows = [
        (f"`{k.code}` `{k.__name__}`", f"{k.exit_code}, {k.http_status}", sentence(docstring(k)[0]), WAYS_OUT[k.code])
        for k in sorted(classes, key=lambda kind: (kind.http_status, kind.code))
        if k is not errors.ModelOpsError
    ]
    about = (
        "A message says what happened, which value, and what to do next. The code is the same in a shell (`--json`), in REST "
        "and in Python (`error.code`). `InvalidInput` is a `ValueError` too, `NotFound` a `LookupError`, `LibraryMissing` an "
        "`ImportError`.\n\n"
    )
    head = ("code, error", "exit code, HTTP", "what happened", "way out")
    return "# Error codes\n\n" + about + "\n".join(table(head, rows)) + "\n"


def statistics() -> str:
    """Return the page of drift statistics: title, kinds of columns, other tools' names, formula and source."""
    lines = [
        "# Drift statistics",
        "",
        "From the profiles of windows; `p` are the reference's shares by bin, `q` the window's.",
        "",
    ]
    for name in dict.fromkeys((*drift.NUMERIC, *drift.CATEGORY)):
        kinds = [kind for kind, names in (("numbers", drift.NUMERIC), ("categories", drift.CATEGORY)) if name in names]
        shown = name in (*drift.Methods().numeric, *drift.Methods().category)
        function = COMPUTED_BY.get(name) or getattr(distances, name)
        title = METRICS.get(name, name.replace("_", " "))
        facts = [f"`{name}`, of {' and '.join(kinds)}", "in every window" if shown else "on request"]
        facts += [f"Databricks: `{DATABRICKS_DRIFT[name]}`"] if name in DATABRICKS_DRIFT else []
        lines += [f"## {title[:1].upper()}{title[1:]}", "", "; ".join(facts) + ".", "", docstring(function)[0], ""]
    lines += ["What alerts are raised by, and under which limits, is in [](../alerts.md).", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
