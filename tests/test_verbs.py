"""One table of verbs serves the shell and the notebook; a wrong call says so in one sentence."""

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from stored import fill

from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.monitoring.pace import WorkEvent
from modelops_jupyter.verb_calls import assignments
from modelops_jupyter.verbs import VERBS, parser


def test_parameters_stay_as_they_are_written() -> None:
    assert assignments(["trials=3", "fast=true", "name=x=y"]) == {"trials": "3", "fast": "true", "name": "x=y"}


@pytest.mark.parametrize("pair", ["trials", "x;import os=1", "=3"])
def test_a_parameter_that_is_no_pair_is_named(pair: str) -> None:
    with pytest.raises(InvalidInput, match="name=value"):
        assignments([pair])


def test_a_wrong_line_raises_instead_of_ending_the_process() -> None:
    with pytest.raises(InvalidInput, match="VERSION"):
        parser("%modelops")[0].parse_args(["promote"])


@pytest.mark.parametrize("words", [[], ["fly"], ["promote", "m/1"], ["versions", "../m"], ["run", "missing.yaml"]])
def test_wrong_calls_exit_with_2_and_one_sentence(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    message = capsys.readouterr().err
    assert message.startswith("modelops: ")
    assert "Traceback" not in message


UNREADABLE = [
    ("empty.csv", b"", "No columns"),
    ("torn.csv", b'a,b\n1,2,3,4\n"', "torn.csv"),
    ("latin.csv", "a\n\u00fc".encode("latin-1"), "latin.csv"),
    ("bad.parquet", b"PAR1....", "bad.parquet"),
    ("bad.skops", b"PK..", "bad.skops"),
    ("bad.onnx", b"\x00\x01", "ONNX"),
    ("bad.ubj", b"\x00\x01", "bad.ubj"),
    ("bad.txt", b"tree\nx", "bad.txt"),
    ("bad.json", b"{", "not JSON"),
]


@pytest.mark.parametrize(("name", "content", "says"), UNREADABLE, ids=[name for name, _, _ in UNREADABLE])
def test_a_file_that_cannot_be_read_is_a_wrong_call(
    name: str, content: bytes, says: str, capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(content)
    assert main(["register", name, "m", "--data", name]) == 2
    message = capsys.readouterr().err
    assert message.startswith("modelops: ")
    assert message.count("\n") == 1
    assert says in message


def test_what_nobody_foresaw_is_one_sentence_and_no_gates_no(
    capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelops_jupyter.actions import catalogue

    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero\nand more")

    monkeypatch.setattr(catalogue, "models", fail)
    monkeypatch.chdir(tmp_path)
    assert main(["models"]) == 3
    message = capsys.readouterr().err
    assert message.startswith("modelops: ")
    assert message.count("\n") == 1
    assert "ZeroDivisionError: by zero" in message
    assert "--debug" in message
    assert main(["models", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "internal"
    with pytest.raises(ZeroDivisionError):
        main(["models", "--debug"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["alerts", "--state", "opne"], "open, recovered or superseded, not 'opne'"),
        (["audit", "--limit", "0"], "at least 1, not 0"),
        (["audit", "--limit", "-1"], "at least 1, not -1"),
        (["overview", "m", "--every", "3D"], "1h, 1D, 1W long, not '3D'"),
        (["curves", "m", "--every", "3D"], "1h, 1D, 1W long, not '3D'"),
        (["distribution", "m", "x", "--every", "3D"], "1h, 1D, 1W long, not '3D'"),
        (["demo", "--workspace", "elsewhere"], "--workspace"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_no_argument_can_be_is_refused(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, ["m"])
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert says in capsys.readouterr().err


def test_json_errors_are_json(capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["versions", "ghost", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not-found"


def test_a_mistyped_verb_is_answered_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["staus"]) == 2
    assert capsys.readouterr().err == (
        "modelops: There is no verb 'staus': did you mean 'status'? See `modelops --help`.\n"
    )
    assert main(["check"]) == 2
    assert capsys.readouterr().err.startswith("modelops: The following arguments are required: VERSION")


def test_files_that_run_code_and_columns_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("wind,late\n1,0\n2,1\n")
    Path("model.pkl").write_bytes(b"")
    assert main(["register", "model.pkl", "delay", "--data", "rows.csv", "--target", "late"]) == 2
    assert "write the model with `skops.io.dump`" in capsys.readouterr().err
    assert main(["compare", "delay/1", "delay/2", "--data", "rows.csv", "--target", "lste"]) == 2
    assert "There is no column 'lste' in the data, which has wind, late" in capsys.readouterr().err


class Waiting:
    """A workspace whose backtest tells that it is half done, and then that it is done."""

    def backtest(
        self,
        name: str,
        *,
        every: str | None,
        alert_budget: str | None,
        version: int | None,
        role: str,
        on_progress: Callable[[WorkEvent], None],
    ) -> str:
        for number in (50, 51, 100):
            on_progress(WorkEvent(f"backtest of {name}", "completed" if number == 100 else "running", number, 100))
        return "done"


@pytest.mark.parametrize(
    ("module", "terminal", "shown"),
    [
        ("io", True, "\r\x1b[2Kbacktest of m: 50%\r\x1b[2Kbacktest of m: 51%\r\x1b[2K"),
        ("ipykernel.iostream", False, "\rbacktest of m: 50%\rbacktest of m: 100%\n"),
        ("io", False, ""),
    ],
    ids=["terminal", "notebook", "file"],
)
def test_whoever_waits_for_a_backtest_sees_how_far_it_is(
    module: str, terminal: bool, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = type("Stream", (StringIO,), {"__module__": module, "isatty": lambda self: terminal})()
    monkeypatch.setattr("sys.stderr", stream)
    namespace = parser("modelops")[0].parse_args(["backtest", "m"])
    assert namespace.call(Waiting(), namespace, str) == "done"
    assert stream.getvalue() == shown


def test_a_misspelled_option_is_answered_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", "delay", "--sgments", "origin"]) == 2
    assert "has no option '--sgments': did you mean '--segments'?" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_an_option_that_a_verb_lacks_is_answered_with_that_verbs_options(verb: str) -> None:
    top, verbs = parser("modelops")
    own = {name for action in verbs.choices[verb]._actions for name in action.option_strings}
    others = {name for other in verbs.choices.values() for a in other._actions for name in a.option_strings}
    needed = [a for a in verbs.choices[verb]._actions if a.required]
    words = [word for a in needed for word in ([a.option_strings[0], "1"] if a.option_strings else ["1"])]
    for option in sorted(name for name in others - own if name.startswith("--") and not is_prefix(name, own)):
        with pytest.raises(InvalidInput, match=rf"`modelops {verb}` has no option '{option}'") as caught:
            top.parse_args([verb, *words, option])
        named = set(re.findall(r"--[\w-]+", str(caught.value))) - {option}
        assert named <= own
        assert named


def is_prefix(name: str, options: set[str]) -> bool:
    return any(option.startswith(name) for option in options)


@pytest.mark.parametrize("verb", ["register", "adopt", "evaluate", "compare"])
def test_validation_rows_and_their_labels_have_the_same_words_in_every_verb(verb: str) -> None:
    positional = {"register": ["m.skops", "m"], "adopt": ["m"], "evaluate": ["m/1"], "compare": ["m/1", "m/2"]}[verb]
    words = ["--validated-on", "rows.parquet", "--outcomes", "late"]
    given = vars(parser("modelops")[0].parse_args([verb, *positional, *words]))
    assert {"rows.parquet", "late"} <= {value for value in given.values() if isinstance(value, str)}
