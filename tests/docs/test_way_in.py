"""CONTRIBUTING.md, docs/architecture.md and docstrings name what there is: every path, name and command."""

import ast
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from ours import PACKAGE, ROOT, names

from modelops_jupyter.verbs import VERBS, parser

PAGES = ("CONTRIBUTING.md", "docs/architecture.md")
BACKTICKED = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
NAME = re.compile(r"_?[A-Za-z]\w*(\.\w+)*")
# What a page names that is not in the repository: files of a workspace or of a build, words of others.
NOT_IN_THE_REPOSITORY = {"modelops.toml", ".modelops/", "modelops.db", "mlflow.db", "build/docs"}
WORDS_OF_OTHERS = {"make", "papermill.execute_notebook", "import modelops_jupyter", "delay/3", "--resume"}
# Words that stand for an argument, an option's value, or something in a notebook.
WORDS = {"p", "q", "read", "write", "execute", "parameters", "artifacts", "log", "run", "on_cell", "expected_revision"}
WORDS |= {"reference", "version", "label", "profile", "settings", "show", "query", "table", "document"}


def text_without_blocks(page: str) -> str:
    return re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.M | re.S)


def is_path(text: str) -> bool:
    return any((folder / text).exists() for folder in (ROOT, PACKAGE))


def is_name(text: str) -> bool:
    if not NAME.fullmatch(text):
        return False
    if "." in text:
        return names().has(text)
    return text in names().classes or any(text in defined for defined in names().modules.values())


def is_test_name(text: str) -> bool:
    """Return whether a constant of a test module has this name."""
    return text.isupper() and any(
        re.search(rf"^{text}\b", file.read_text(), flags=re.M) for file in (ROOT / "tests").rglob("test_*.py")
    )


def is_command(text: str) -> bool:
    words = shlex.split(text, comments=True)
    if words[0] == "make":
        return all(re.search(rf"^{word}:", (ROOT / "Makefile").read_text(), flags=re.M) for word in words[1:])
    if words[0] != "modelops":
        return False
    if words[1:] != ["--help"] and len(words) > 2:
        parser("modelops")[0].parse_args(words[1:])  # raises where a verb or an option is not ours
    return words[1] in {"--help", *(verb.name for verb in VERBS)}


@pytest.mark.parametrize("page", PAGES)
def test_every_path_and_name_of_a_page_is_there(page: str) -> None:
    unknown = [
        text
        for text in dict.fromkeys(BACKTICKED.findall(text_without_blocks(page)))
        if text not in NOT_IN_THE_REPOSITORY | WORDS_OF_OTHERS | WORDS
        and not (is_path(text) or is_name(text) or is_test_name(text) or is_command(text))
    ]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_is_one(page: str) -> None:
    for block in re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(), flags=re.M | re.S):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[0] in ("make", "modelops"):
                assert is_command(line), line
            elif "pytest" in words:
                assert all(is_path(word) for word in words if word.startswith("tests/")), line
                if words[-2] == "-k":
                    files = [word for word in words if word.endswith(".py")]
                    assert re.search(rf"def test_\w*{words[-1]}", (ROOT / files[0]).read_text()), line


def test_a_name_that_is_not_there_is_noticed() -> None:
    assert not is_path("tests/monitoring/test_nothing.py")
    assert is_name("governance.transitions.promote")
    assert not is_name("governance.transitions.demote")
    assert is_name("Workspace.promote")  # of a class
    assert is_name("Workspace.store")  # of a class that it derives from
    assert not is_name("Workspace.demote")


def test_every_dotted_name_of_a_docstring_is_there() -> None:
    wrong = []
    for where, text in names().docstrings:
        for quoted in BACKTICKED.findall(text):
            name = quoted.removesuffix("()")
            dotted = NAME.fullmatch(name) and "." in name and Path(name).suffix != ".toml"
            if dotted and names().is_ours(name) and not names().has(name):
                wrong.append(f"{where}: {name}")
    assert [text for text in wrong if text.rpartition(": ")[2].split(".")[0] not in LIBRARIES] == []


# Libraries that modules of ours are called like: `flavors/onnx.py`.
LIBRARIES = {"lightgbm", "xgboost", "catboost", "onnx", "mlflow", "numpy", "pandas", "sklearn"}


def test_the_picture_has_the_layers_of_the_test() -> None:
    source = (ROOT / "tests" / "test_architecture.py").read_text()
    (value,) = (n.value for n in ast.parse(source).body if isinstance(n, ast.Assign) and n.targets[0].id == "LAYERS")
    levels: dict[str, list[int]] = {}
    for level, modules in enumerate(ast.literal_eval(value)):
        for module in modules:
            levels.setdefault(module.partition(".")[0], []).append(level)
    picture = (ROOT / "docs" / "layers.svg").read_text()
    rows = [re.findall(r'class="module"[^>]*>(\w+)<', row) for row in picture.split("<g>")[1:]]
    assert all(rows)
    for above, below in pairwise(rows):
        lowest = min(level for module in above for level in levels[module])
        highest = max(level for module in below for level in levels[module])
        assert lowest > highest, (above, below)
