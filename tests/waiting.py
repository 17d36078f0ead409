"""What tests of processes wait for: that something is so, however long a busy machine takes."""

import time
from collections.abc import Callable


def until(true: Callable[[], object], seconds: float = 90, said: Callable[[], object] = str) -> None:
    """Wait until something is so; `said` tells what is known if it never is."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, said()
        time.sleep(0.05)


def least_seconds(call: Callable[[], object], limit: float, times: int = 3) -> float:
    """Return how long a call takes at its best: it is called again only if it took longer than `limit`."""
    least = float("inf")
    for _ in range(times):
        begun = time.monotonic()
        call()
        least = min(least, time.monotonic() - begun)
        if least < limit:
            break
    return least
