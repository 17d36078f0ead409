"""``%modelops`` in a real IPython shell: the same answers, Python names as data, one-line errors."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.actions import prediction_logging
from modelops_jupyter.errors import ModelOpsError, NotFound
from modelops_jupyter.listing import Listing
from modelops_jupyter.magics import complete
from modelops_jupyter.settings import Settings


@pytest.fixture
def shell(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.chdir(settings.project)
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "modelops_jupyter")
    yield shell
    shell.history_manager.end_session()


def test_a_model_of_the_notebook_is_registered_listed_and_completed(shell: InteractiveShell) -> None:
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["a", "b"])
    y = (x["a"] > 0).astype(int)
    shell.user_ns.update(model=LogisticRegression().fit(x, y), X=x, y=y)
    version = shell.run_line_magic("modelops", "register model delay --data X --target y --description 'two words'")
    assert version.full_name == "delay/1"
    models = shell.run_line_magic("modelops", "models")
    assert isinstance(models, Listing)
    assert models[0]["name"] == "delay"
    assert complete(shell, SimpleNamespace(line="%modelops ver", symbol="ver")) == [
        "versions",
        "version",
        "verify-audit",
    ]
    assert complete(shell, SimpleNamespace(line="%modelops check del", symbol="del")) == ["delay", "delay/1"]
    assert "--reason" in complete(shell, SimpleNamespace(line="%modelops promote delay/1 --", symbol="--"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("register ghost m --data X", "no name 'ghost'"),
        ("versions ghost", "no model 'ghost'"),
        ("fly", "fly"),
        ("comment m 'unfinished", "quotation"),
        ("log-predictions delay F --id a --time t --prediction odd", "ValueError: what is this"),
    ],
)
def test_errors_are_one_sentence(
    shell: InteractiveShell, line: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("what is this")

    monkeypatch.setattr(prediction_logging, "log_predictions", fail)
    shell.user_ns["F"] = pd.DataFrame({"a": [1]})
    with pytest.raises(ModelOpsError, match=said):
        shell.run_line_magic("modelops", line)


def test_a_refusal_is_shown_as_what_it_is_with_what_to_do_next(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["a", "b"])
    labels = (x["a"] > 0).astype(int)  # a name of its own: a magic line sees the variables of its caller
    held_out = {"X_valid": x[1::2], "y_valid": labels[1::2]}
    shell.user_ns.update(model=LogisticRegression().fit(x, labels), X=x[::2], y=labels[::2], **held_out)
    rows = "--data X --target y --validated-on X_valid --outcomes y_valid"
    shell.run_line_magic("modelops", f"register model delay {rows}")
    capsys.readouterr()
    assert not shell.run_cell("%modelops promote delay/1 --reason first").success
    shown = capsys.readouterr().out
    assert shown.startswith(
        "GateClosed: delay/1 may not become champion: 0 of 1 approvals. Approve it first: `modelops "
    )
    assert "Traceback" not in shown


def test_debug_shows_where_an_error_comes_from(shell: InteractiveShell) -> None:
    with pytest.raises(NotFound):
        shell.run_line_magic("modelops", "versions ghost --debug")
