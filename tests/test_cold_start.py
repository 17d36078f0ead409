"""Eight people type the first command in the same empty folder at the same moment."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from modelops_jupyter.registry import Registry
from modelops_jupyter.settings import Settings

pytestmark = pytest.mark.slow


def test_eight_processes_run_status_in_an_empty_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "modelops_jupyter.cli", "status", "--json"]
    processes = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    answers = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8
    assert all('"models": []' in answer for answer in answers)
    for name in ("modelops.db", "mlflow.db"):
        with sqlite3.connect(tmp_path / ".modelops" / name) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not list((tmp_path / ".modelops").glob("*.new"))
    assert Registry(Settings(tmp_path, tmp_path / ".modelops")).client.search_registered_models() == []
