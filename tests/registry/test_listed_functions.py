"""Functions that a model may call: those that are listed, which touch no file and import nothing."""

import builtins
import contextlib
import os
import shutil
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets._base
import sklearn.metrics._scorer
from hypothesis import given
from hypothesis import strategies as st
from test_hostile_models import TRANSFORMED, _attribute, _edited, _function

from modelops_jupyter.scoring.flavors._functions import (
    CHECKS,
    DISTANCES,
    ELEMENTWISE,
    KERNELS,
    METRICS,
    POOLING,
    SELECTING,
)
from modelops_jupyter.scoring.flavors._skops_audit import read_schema, refusals

_WATCHING: list[list[str]] = []
_ACTS = ("open", "exec", "compile", "subprocess.Popen", "os.system", "socket.connect", "pickle.find_class")


def _watch(event: str, arguments: Any) -> None:
    for events in _WATCHING:
        if event in _ACTS:
            events.append(f"{event}{arguments}")


sys.addaudithook(_watch)


_FUNCTIONS = sorted(
    {
        f"{module.__name__}.{name}"
        for module in (np, np.lib.npyio, sklearn.datasets, sklearn.metrics, sklearn.utils, pd, os, shutil, builtins)
        for name in dir(module)
        if callable(getattr(module, name)) and not isinstance(getattr(module, name), np.ufunc)
    }
)


@given(st.sampled_from(_FUNCTIONS), st.sampled_from(["FunctionNode", "TypeNode"]))
def test_of_all_functions_only_those_that_are_listed_may_transform(name: str, loader: str) -> None:
    module, _, attribute = name.rpartition(".")
    content = _edited(TRANSFORMED, _attribute("FunctionTransformer", "func", _function(module, attribute, loader)))
    refused = refusals(read_schema(content))
    assert [refusal.name for refusal in refused] == ([] if name in ELEMENTWISE else [name])


@pytest.mark.parametrize("name", sorted(ELEMENTWISE | POOLING | SELECTING | METRICS | KERNELS | DISTANCES | CHECKS))
def test_listed_functions_touch_no_file_and_import_nothing(name: str, tmp_path: Path) -> None:
    """Whatever they are given: every argument that they take is the name of a file."""
    module, _, attribute = name.rpartition(".")
    function = getattr(import_module(module), attribute)
    target = tmp_path / "written"
    events: list[str] = []
    _WATCHING.append(events)
    try:
        for argument in (str(target), target, [str(target)], np.array([str(target)], dtype=object)):
            for number in (1, 2, 3):
                with contextlib.suppress(Exception), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    function(*[argument] * number)
    finally:
        _WATCHING.remove(events)
    assert not events
    assert not target.exists()
