"""Readers who leave without a word: a browser that crashed, a laptop that was closed, a script that only fetched."""

import http.client
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path

import psutil
import pytest
from stored import fill

from modelops_jupyter.dashboards.hooks import MOST_KERNELS
from modelops_jupyter.dashboards.serve import Dashboard, serve
from modelops_jupyter.settings import Settings

VISITS, IDLE = 50, 8
PATHS = ("fleet.ipynb?", "model.ipynb?model=b&", "alerts.ipynb?", "governance.ipynb?")


def kernels(board: Dashboard) -> int:
    """Return how many kernels the server has."""
    return len(psutil.Process(board.process.pid).children())


def visit(board: Dashboard, path: str) -> int:
    """Fetch a page whole, and never say goodbye."""
    address = board.url.replace("fleet.ipynb?", path)
    connection = http.client.HTTPConnection("127.0.0.1", board.port, timeout=60)
    connection.request("GET", address.partition(str(board.port))[2])
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def admitted(board: Dashboard, path: str) -> bool:
    """Visit a page, and tell whether there was room."""
    return visit(board, path) == HTTPStatus.OK


def until(wanted: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is so; False if it never is."""
    end = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_fifty_visits_without_a_goodbye_leave_nothing(tmp_path: Path) -> None:
    fill(tmp_path, ["a", "b"])
    with serve(Settings(project=tmp_path, root=tmp_path / ".modelops"), port=0, idle=IDLE) as board:
        assert until(lambda: kernels(board) == 2, 30), "one waits for a reader of the fleet, one for a model's"
        most = 0
        for number in range(VISITS):
            path = PATHS[number % len(PATHS)]
            # Where all pages are taken, a reader is told to come back, and does.
            assert until(partial(admitted, board, path), 60)
            most = max(most, kernels(board))
        assert most <= MOST_KERNELS + 2
        assert until(lambda: kernels(board) == 2, 90), f"{kernels(board)} kernels are left"
        time.sleep(IDLE + 4)  # those that wait are idle, and stay all the same
        assert kernels(board) == 2
        assert admitted(board, PATHS[0])
