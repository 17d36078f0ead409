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
    """Return how long a call takes at its best, on a machine that does nothing else.

    Only if it takes longer than `limit`, it is asked how busy the machine is, and called again.
    """
    least = float("inf")
    for _ in range(times):
        begun = time.monotonic()
        call()
        took = time.monotonic() - begun
        least = min(least, took if took < limit else took / _slowness())
        if least < limit:
            break
    return least


def _slowness() -> float:
    """Return how many times longer than alone a computation takes now."""
    begun, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.3:
        pass
    return max(1.0, (time.monotonic() - begun) / 0.3)
