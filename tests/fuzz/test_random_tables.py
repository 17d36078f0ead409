"""Tables at random through the life of a model: register, log, labels, monitor, and everything that is shown of it."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ingredients import DAY, TRIES, Chance, check_sentence, frame, in_some_library, labels, model

from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow
ROWS = 60


@pytest.mark.timeout(14400)
@pytest.mark.filterwarnings("default")  # a user's tables make pandas and scikit-learn warn, which they may
@pytest.mark.parametrize("part", range(4))
def test_a_model_of_any_table_lives_or_is_refused(tmp_path: Path, mlflow_database: Path, part: int) -> None:
    lived = 0
    for number in range(int(6 * TRIES)):
        chance = random.Random(f"table {part} {number}")
        root = tmp_path / str(number) / ".modelops"  # MLflow keeps each database of a process open
        root.mkdir(parents=True)
        shutil.copy(mlflow_database, root / "mlflow.db")
        with Workspace(Settings(project=root.parent, root=root, actor="ann")) as ws:
            lived += _live(ws, chance, f"table {part} {number}")
        shutil.rmtree(root.parent)
    assert lived >= int(6 * TRIES) // 6, "tries that are all refused try nothing"


def _live(ws: Workspace, chance: Chance, seed: str) -> bool:
    """Take a model of a random table through its life; return whether it came to be monitored."""
    table = frame(chance, ROWS)
    task, target = labels(chance, ROWS)
    fitted = model(chance, task, table, target)
    half = ROWS // 2

    def tried(what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ModelOpsError as error:
            check_sentence(error, seed, what)
            return None
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError((seed, what, repr(error)[:500])) from error

    learn, judge = in_some_library(chance, table[:half]), in_some_library(chance, table[half:])
    if chance.random() < 0.05:
        learn, judge = table[:half].to_numpy(), table[half:].to_numpy()
    tried("register", lambda: ws.register(
        fitted, "m", data=learn, target=target[:half], reference=(judge, target[half:])
    ))  # fmt: skip
    if not tried("versions", lambda: len(ws.versions("m"))):
        return False
    tried("evaluate", lambda: ws.evaluate("m/1", data=judge, target=target[half:]))
    answer = tried("predict", lambda: ws.predict("m/1", in_some_library(chance, frame(chance, 5))))
    answer = tried("predict", lambda: ws.predict("m/1", in_some_library(chance, table)))
    if answer is None:
        return False
    tried("compare", lambda: _look_at(ws.compare("m/1", "m/1", data=table, target=target)))
    _log(ws, chance, tried, table, target, answer[0])
    for call in (
        lambda: ws.monitor("m", every=chance.choice(["1D", "1h", "1W"])),
        lambda: ws.monitor("m", segments=[str(chance.choice(list(table.columns)))]),
        lambda: ws.overview("m"),
        lambda: ws.distribution("m", str(chance.choice(list(table.columns)))),
        lambda: ws.curves("m"),
        lambda: ws.explain("m"),
        lambda: ws.multivariate_drift("m"),
        lambda: ws.card("m/1"),
        lambda: ws.version("m/1"),
        lambda: ws.versions("m"),
        lambda: ws.gate("m/1"),
        ws.models,
        ws.status,
        ws.alerts,
        ws.incidents,
        ws.board,
        ws.audit,
        ws.doctor,
    ):
        tried("show", lambda call=call: _look_at(call()))
    assert ws.verify_audit().ok, seed
    return True


def _log(
    ws: Workspace,
    chance: Chance,
    tried: Callable[..., Any],
    table: pd.DataFrame,
    target: list[Any],
    answers: np.ndarray,
) -> None:
    ids = [chance.choice([str, int])(number) for number in range(ROWS)] if chance.random() < 0.1 else list(range(ROWS))
    times = pd.DatetimeIndex([DAY + pd.Timedelta(hours=number) for number in range(ROWS)])
    logged = table.assign(my_id=ids, my_time=times, my_answer=list(answers))
    for part in (logged[:20], logged[20:]):
        given = in_some_library(chance, part)
        tried("log", lambda given=given: ws.log_predictions(
            "m/1", given, id="my_id", time="my_time", prediction="my_answer"
        ))  # fmt: skip
    outcomes = pd.DataFrame({"my_id": ids, "my_label": target})
    tried("labels", lambda: ws.log_labels("m", in_some_library(chance, outcomes), id="my_id", label="my_label"))


def _look_at(answer: Any) -> None:
    if hasattr(answer, "_repr_mimebundle_"):
        assert answer._repr_mimebundle_()
    if hasattr(answer, "to_dict"):
        json.dumps(answer.to_dict(), default=str, allow_nan=False)
    assert str(answer) is not None
