"""Every command and snippet of the hand-written pages runs, page by page, in a fresh workspace."""

import inspect
import re
import runpy
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from snippets import blocks_of, names, notebook

from modelops_jupyter import errors
from modelops_jupyter.cli import main
from modelops_jupyter.governance import load_policy
from modelops_jupyter.settings import Settings, find_settings
from modelops_jupyter.verbs import VERBS, parser

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(["tutorial.md", "coming-from.md", *(f"guides/{page.name}" for page in DOCS.glob("guides/*.md"))])
FAILS = {"--fail-on alert": (0, 1), "modelops gate delay/1": (0, 1)}  # commands whose exit code is an answer
SHELL_ONLY = {"dashboard", "demo", "init", "serve", "restore"}
INLINE = re.compile(r"(?<!`)`(modelops [^`]+)`(?!`)")


def run_shell(block: str) -> None:
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        assert words[0] == "modelops", line
        codes = next((codes for part, codes in FAILS.items() if part in line), (0,))
        assert main(words[1:]) in codes, line


def run_toml(block: str) -> None:
    name = block.splitlines()[0].removeprefix("# ")
    path = Path("checked") / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(block)
    assert load_policy(path) if name == "policy.toml" else find_settings(path, environ={})


@pytest.mark.parametrize("page", PAGES)
def test_every_snippet_of_a_page_runs(page: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(settings.project)
    monkeypatch.setenv("MODELOPS_SECRET_HOOK", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    blocks = [(language, block) for language, block in blocks_of(DOCS / page) if language in RUN]
    shell = InteractiveShell()
    if page != "tutorial.md":
        shell.user_ns.update(names())
    if any(language == "yaml" for language, _ in blocks):
        notebook(Path("train.ipynb"), "months = 1")
        notebook(Path("score.ipynb"), "origin = 'JFK'")
    for language, block in blocks:
        RUN[language](shell, block)
    if page == "tutorial.md":
        ws = shell.user_ns["ws"]
        assert ws.incidents("delay").rows, "the tutorial promises an incident"
        assert ws.version("delay@champion").version == 1
    shell.history_manager.end_session()


RUN: dict[str, Callable[[InteractiveShell, str], Any]] = {
    "python": lambda shell, block: shell.run_cell(block).raise_error(),
    "sh": lambda shell, block: run_shell(block),
    "toml": lambda shell, block: run_toml(block),
    "yaml": lambda shell, block: Path("pipeline.yaml").write_text(block),
}


@pytest.mark.parametrize("page", [*PAGES, "alerts.md"])
def test_every_command_in_a_sentence_is_one(page: str) -> None:
    verbs = {verb.name for verb in VERBS} | SHELL_ONLY
    for command in INLINE.findall((DOCS / page).read_text(encoding="utf-8")):
        words = shlex.split(command)
        assert words[1] in verbs, command
        options = (
            {flag for a in parser("modelops")[1].choices[words[1]]._actions for flag in a.option_strings}
            if (words[1] not in SHELL_ONLY)
            else set()
        )
        assert {word for word in words if word.startswith("--")} <= options | {"--json", "--debug"}, command


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return runpy.run_path(str(DOCS / "generate.py"))["pages"]()


def test_the_reference_has_every_verb_in_its_four_forms(made: dict[str, str]) -> None:
    text = "\n".join(page for name, page in made.items() if name.startswith("verbs-"))
    for verb in VERBS:
        section = text.partition(f"## {verb.name}\n")[2].partition("\n## ")[0]
        in_shell = f"modelops {verb.name}"
        for form in (f"ws.{verb.operation}(", f"\n{in_shell}", f"\n%{in_shell}", f"/api/v1/{verb.name}"):
            assert form in section, (verb.name, form)
        assert re.findall(r"^\| (\S+) .*\|  \|$", section, flags=re.M) == [], f"no meaning, of {verb.name}"


def test_the_reference_has_every_error_and_setting(made: dict[str, str]) -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ModelOpsError)]
    assert all(f"`{kind.__name__}`" in made["errors"] for kind in kinds if kind is not errors.ModelOpsError)
    for name in ("settings", "policy", "pipeline", "environment"):
        assert re.findall(r"^\| (\S+) .*\|  \|$", made[name], flags=re.M) == [], f"no meaning, on the page {name}"
