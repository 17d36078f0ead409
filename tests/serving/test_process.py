"""An endpoint of a notebook: whatever its model prints, it answers."""

import importlib
import sys
from pathlib import Path

import httpx
import pytest
from served_models import ROW, labels, records, rows
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from modelops_jupyter.serving import process
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

# In two predictions more than a pipe takes.
LOUD = """
def numbers(rows):
    print("x" * 100_000)
    return rows[["wind", "seats"]]

print("loading")
"""


def test_a_model_that_prints_delays_no_answer(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (own.project / "loud_features.py").write_text(LOUD)
    monkeypatch.syspath_prepend(str(own.project))
    numbers = importlib.import_module("loud_features").numbers
    try:
        model = make_pipeline(FunctionTransformer(numbers), LogisticRegression()).fit(rows(), labels(rows()))
        with Workspace(own) as ws:
            ws.register(model, "loud", data=rows(), target=labels(rows()))
            with ws.serve("loud/1", port=0) as endpoint:
                for _ in range(3):
                    answer = httpx.post(f"{endpoint.url}/invocations", json=records(ROW), timeout=60)
                    assert answer.status_code == 200, answer.text
    finally:
        del sys.modules["loud_features"]


def test_what_is_printed_is_bounded_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "server.log").open("ab", buffering=0) as log:
        monkeypatch.setattr(process, "MOST_PRINTED", 10)
        log.write(b"x" * 11)
        process._bound_log(log.fileno())
        log.write(b"next")
    assert (tmp_path / "server.log").read_bytes() == b"next"
