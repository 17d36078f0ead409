"""What a person finds without reading: completion, help by group, words to choose from, errors by built-in kind."""

import inspect
import re
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import modelops_jupyter as mo
from modelops_jupyter import errors
from modelops_jupyter.actions.catalogue import AUDIT_KINDS
from modelops_jupyter.choices import CHOICES
from modelops_jupyter.cli import _parser
from modelops_jupyter.profiles.windows import LENGTHS
from modelops_jupyter.server.routes import routes
from modelops_jupyter.verb_groups import GROUPS
from modelops_jupyter.verbs import VERBS, parser
from modelops_jupyter.workspace import Workspace

SHELL_ONLY = {"init", "demo", "dashboard", "serve", "restore"}
PYTHON_ONLY = {"load", "predict", "serve"}


@pytest.mark.parametrize("jedi", [True, False])
def test_completion_offers_the_public_names_and_nothing_else(jedi: bool) -> None:
    shell = InteractiveShell()
    shell.user_ns["mo"] = mo
    shell.Completer.use_jedi = jedi
    with provisionalcompleter():
        offered = {completion.text.lstrip(".") for completion in shell.Completer.completions("mo.", 3)}
    shell.history_manager.end_session()
    assert offered == {name for name in mo.__all__ if not name.startswith("_")}


def test_every_public_name_is_there() -> None:
    assert dir(mo) == sorted(mo.__all__)
    assert all(getattr(mo, name) is not None for name in mo.__all__)


def test_every_verb_is_in_one_group() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {verb.name for verb in VERBS} | SHELL_ONLY


def test_help_lists_every_verb_under_its_group() -> None:
    sections = re.split(r"^([a-z ]+):\n", _parser().format_help(), flags=re.M)
    listed = {
        title: tuple(re.findall(r"^  ([\w-]+)", text, flags=re.M))
        for title, text in zip(sections[1::2], sections[2::2], strict=True)
    }
    assert {title: listed[title] for title in GROUPS} == dict(GROUPS)
    assert "init" not in parser("%modelops")[0].format_help()


def test_the_help_of_a_workspace_has_the_groups() -> None:
    text = inspect.getdoc(Workspace) or ""
    methods = {verb.name: verb.operation for verb in VERBS}
    for title, names in GROUPS.items():
        if title != "start":
            found = re.search(rf"^{title.capitalize()}: (.*?)\.$", text, flags=re.M | re.S)
            assert found is not None, title
            listed = [name for name in re.findall(r"`(\w+)`", found[1]) if name not in PYTHON_ONLY]
            assert listed == [methods[name] for name in names if name not in SHELL_ONLY]


def test_closed_sets_are_what_the_code_goes_by() -> None:
    assert CHOICES["WindowLength"] == tuple(LENGTHS)
    assert CHOICES["AuditKind"] == tuple(AUDIT_KINDS)


def test_rest_offers_the_words_of_a_closed_set() -> None:
    fields = {(route.operation, field.name): field.schema for route in routes() for field in route.fields}
    roles = [*CHOICES["Role"]]
    assert fields["log_predictions", "role"] == {"type": "string", "enum": roles, "default": "served"}
    assert fields["predict_file", "role"] == {"type": "string", "enum": roles}
    assert fields["alerts", "state"]["enum"] == [*CHOICES["AlertState"]]


def test_options_of_a_closed_set_are_those_of_the_signature() -> None:
    for verb in VERBS:
        parameters = inspect.signature(getattr(Workspace, verb.operation)).parameters
        for action in parser("modelops")[1].choices[verb.name]._actions:
            if action.choices and action.dest in parameters:
                name = str(parameters[action.dest].annotation).removesuffix(" | None")
                assert tuple(action.choices) == CHOICES[name], (verb.name, action.dest)


def test_the_argument_of_a_version_is_called_version() -> None:
    for name, method in inspect.getmembers(Workspace, inspect.isfunction):
        for parameter in inspect.signature(method).parameters.values():
            if "ModelReference" in str(parameter.annotation):
                assert parameter.name in ("version", "other", "subject"), name


@pytest.mark.parametrize(
    ("ours", "builtin"),
    [
        (errors.InvalidInput, ValueError),
        (errors.InvalidFrame, ValueError),
        (errors.NotFound, LookupError),
        (errors.LibraryMissing, ImportError),
    ],
)
def test_an_error_is_the_built_in_kind_that_fits(ours: type[errors.ModelOpsError], builtin: type[Exception]) -> None:
    assert issubclass(ours, builtin)
    assert str(ours("One sentence.")) == "One sentence."


def test_a_wrong_call_is_met_by_the_built_in_kind(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no folder"):
        mo.open(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="model reference"), mo.open(tmp_path) as ws:
        ws.version("not a name")


def test_the_drawn_tree_has_every_error_that_the_module_has() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or "")) | {"ModelOpsError"}
    classes = inspect.getmembers(errors, inspect.isclass)
    assert drawn == {name for name, kind in classes if issubclass(kind, errors.ModelOpsError)}
