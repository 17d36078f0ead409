"""One verb, four faces: every method of the workspace with every argument is in the shell, the notebook and REST."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.actions.versions import references
from modelops_jupyter.cli import main
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.server.routes import routes
from modelops_jupyter.settings import Settings
from modelops_jupyter.verb import Verb
from modelops_jupyter.verbs import VERBS, parser
from modelops_jupyter.workspace import Workspace

PARTS = [part for part in Workspace.__mro__ if issubclass(part, Foundations) and part is not Foundations]
METHODS = {
    name: method
    for part in PARTS
    for name, method in vars(part).items()
    if callable(method) and not name.startswith("_")
}
VERB_OF = {verb.operation: verb for verb in VERBS}

# Methods that are Python's alone, and why.
NO_VERB = {
    "load": "it hands out a live object, which ends with the process of a shell or a request",
    "serve": "it hands out a running server; a shell has its own `modelops serve`, which runs until Ctrl-C",
    "predict": "it answers with arrays for rows that the caller holds; the verb of its name is predict_file",
}
# Arguments that are Python's alone, and why. Callbacks are, too: the other faces show progress by themselves.
NO_OPTION = {("monitor", "spelled"): "other libraries' words for its arguments, for code that was written for them"}
# Arguments that a shell calls by another name; a plural is given one by one.
SPELLED = {
    ("register", "reference"): "validated_on",
    ("adopt", "reference"): "validated_on",
    ("log_predictions", "frame"): "data",
    ("log_labels", "frame"): "data",
}
PAIRS = ("parameter", "metric")  # options of the form name=value


def arguments(name: str) -> dict[str, inspect.Parameter]:
    """Return the arguments of a method that every face must have."""
    found = list(inspect.signature(METHODS[name]).parameters.values())[1:]
    told = [p for p in found if not str(p.annotation).startswith("Callable[")]
    return {p.name: p for p in told if (name, p.name) not in NO_OPTION}


def options(verb: Verb) -> dict[str, Any]:
    """Return a verb's options in the shell, by name."""
    return {a.dest: a for a in parser("modelops")[1].choices[verb.name]._actions if a.dest != "help"}


def option_of(name: str, argument: str) -> str:
    dests = options(VERB_OF[name])
    spelled = SPELLED.get((name, argument), argument)
    return spelled if spelled in dests else spelled.removesuffix("s")


def test_every_method_is_a_verb_and_every_verb_a_method() -> None:
    assert set(METHODS) - set(NO_VERB) == set(VERB_OF)
    assert set(NO_VERB) <= set(METHODS)
    assert {name for name, _ in NO_OPTION} <= set(METHODS)


@pytest.mark.parametrize("name", sorted(VERB_OF))
def test_the_shell_has_every_argument_with_the_same_default(name: str) -> None:
    dests = options(VERB_OF[name])
    assert {option_of(name, argument) for argument in arguments(name)} == set(dests)
    for argument, parameter in arguments(name).items():
        option = dests[option_of(name, argument)]
        positional = not option.option_strings
        required = option.required if not positional else option.nargs != "?"
        assert required == (parameter.default is parameter.empty), argument
        if not required:
            assert (option.default or None) == (parameter.default or None), argument


class Recorder:
    """A workspace that only remembers what it was asked."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        def call(*given: Any, **named: Any) -> None:
            self.asked = name, inspect.signature(METHODS[name]).bind(self, *given, **named).arguments

        return call


def line(verb: Verb) -> list[str]:
    """Return a line that gives every option of a verb a value of its own."""
    words = [verb.name]
    for dest, option in options(verb).items():
        value = str(option.choices[-1]) if option.choices else "7" if option.type is int else f"{dest}_given"
        value = f"{value}=1" if dest in PAIRS else value
        flag = option.option_strings[-1:]
        words += flag if option.nargs == 0 else [*flag, value]
    return words


@pytest.mark.parametrize("name", sorted(VERB_OF))
def test_every_option_reaches_the_method(name: str) -> None:
    namespace = parser("modelops")[0].parse_args(line(VERB_OF[name]))
    recorder = Recorder()
    namespace.call(recorder, namespace, lambda text: f"read {text}")
    asked, given = recorder.asked
    assert asked == name
    for argument in arguments(name):
        option = option_of(name, argument)
        said = getattr(namespace, option)
        expected = {word.partition("=")[0]: "1" for word in said} if option in PAIRS else said
        assert given[argument] in (expected, f"read {said}"), argument


@pytest.mark.parametrize("name", sorted(VERB_OF))
def test_rest_has_every_argument(name: str) -> None:
    route = next(route for route in routes() if route.operation == name)
    fields = {field.name: field for field in route.fields}
    assert set(fields) == set(arguments(name))
    for argument, parameter in arguments(name).items():
        assert fields[argument].required == (parameter.default is parameter.empty)


def test_a_shell_gives_the_outcomes_of_data_and_reference_by_column(settings: Settings, tmp_path: Path) -> None:
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 2)), columns=["a", "b"])
    x["late"] = (x["a"] > 0).astype(int)
    skops.io.dump(LogisticRegression().fit(x[["a", "b"]][:200], x["late"][:200]), tmp_path / "m.skops")
    x[:200].to_parquet(tmp_path / "train.parquet")
    x[200:].to_parquet(tmp_path / "test.parquet")
    words = ["register", str(tmp_path / "m.skops"), "m", "--data", str(tmp_path / "train.parquet"), "--target", "late"]
    words += ["--validated-on", str(tmp_path / "test.parquet"), "--workspace", str(tmp_path)]
    assert main(words) == 0
    with Workspace(settings) as ws:
        assert ws.version("m/1").body["features"] == ["a", "b"]
        profile = references(ws.store, "m")[1].profile
        assert (profile.rows, profile.outcomes.labelled) == (100, 100)
