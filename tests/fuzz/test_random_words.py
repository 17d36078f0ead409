"""Words at random through the shell and the notebook: each ends in an answer or in one sentence of our own."""

from __future__ import annotations

import contextlib
import io
import random
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingredients import TRIES, Chance, check_sentence, frame, in_some_library, prepare, word
from IPython.core.interactiveshell import InteractiveShell

from modelops_jupyter.cli import main
from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.verb import Verb
from modelops_jupyter.verbs import VERBS

pytestmark = pytest.mark.slow
FRESH_EVERY = 200  # tries on one workspace
ENDLESS = {"watch": "--once"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "workspace"
    prepare(folder, mlflow_database)
    return folder


@pytest.fixture
def fewer_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, less in (("SIZES", {"shift": (2.0,)}), ("HEALTHY_SERIES", 1)):  # how much a backtest tries: seconds
        monkeypatch.setattr(f"modelops_jupyter.monitoring.backtest.{name}", less)


def line(chance: Chance, verb: Verb) -> list[str]:
    """Return a line for a verb, most of its arguments given."""
    words = [verb.name]
    for flags, options in verb.arguments:
        named = flags[-1].startswith("-")
        required = options.get("required") or not (named or options.get("nargs") == "?")
        if chance.random() > (0.97 if required else 0.35):
            continue
        argument = str(options.get("dest") or flags[-1].lstrip("-").replace("-", "_"))
        values = [] if options.get("action") == "store_true" else [word(chance, argument)]
        if options.get("nargs") == "*" or options.get("action") == "append":
            values *= chance.randint(1, 2)
        words += [flags[-1], *values] if named else values
    if verb.name in ENDLESS and ENDLESS[verb.name] not in words:
        words.append(ENDLESS[verb.name])
    return words


def workspaces(prepared: Path, folder: Path, tries: int) -> Iterator[tuple[int, Path]]:
    """Return each try with a workspace to do it in, a new one now and then."""
    for number in range(tries):
        if number % FRESH_EVERY == 0:
            shutil.rmtree(folder / "w", ignore_errors=True)
            shutil.copytree(prepared, folder / "w", symlinks=True)
        yield number, folder / "w"


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_line_in_a_shell_ends_in_an_answer_or_a_sentence(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: Verb, fewer_trials: None
) -> None:
    for number, folder in workspaces(prepared, tmp_path, int(6 * TRIES)):
        monkeypatch.chdir(folder)
        words = line(random.Random(f"shell {verb.name} {number}"), verb)
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            code = main(words)
        shown = stdout.getvalue() + stderr.getvalue()
        assert "Something went wrong" not in shown, (words, shown[-3000:])
        assert "Traceback" not in shown, (words, shown[-3000:])
        assert code in (0, 1, 2, 3), (words, code)
        assert code in (0, 1) or stderr.getvalue().strip().count("\n") <= 12, (words, stderr.getvalue()[:2000])


@pytest.mark.timeout(7200)
def test_a_line_in_a_notebook_ends_in_an_answer_or_a_sentence(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fewer_trials: None
) -> None:
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "modelops_jupyter")
    for number, folder in workspaces(prepared, tmp_path, int(100 * TRIES)):
        monkeypatch.chdir(folder)
        chance = random.Random(f"notebook {number}")
        shell.user_ns |= {"rows": in_some_library(chance, frame(chance, 30)), "seven": 7, "text": "x"}
        words = [chance.choice(["rows", "rows", "seven", "text"]) if chance.random() < 0.2 else w
                 for w in line(chance, chance.choice(VERBS))]  # fmt: skip
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                _look_at(shell.run_line_magic("modelops", shlex.join(words)))
        except ModelOpsError as error:
            check_sentence(error, number, words)
    shell.history_manager.end_session()


def _look_at(answer: Any) -> None:
    if answer is not None and hasattr(answer, "_repr_mimebundle_"):
        assert answer._repr_mimebundle_()
