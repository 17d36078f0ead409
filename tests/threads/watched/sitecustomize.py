"""Loaded by every Python process that has this folder on its path: slow imports, and a record of those in our threads.

What a thread imports first is written to a file of the folder FIRST_IMPORTS. A module that takes long to be found keeps
its lock longer, which is when threads that import at the same time meet.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType

PACKAGE = f"{os.sep}modelops_jupyter{os.sep}"


class SlowAndWatched(MetaPathFinder):
    """Asked first for every module that is not there yet, while that module's lock is held; the others find it."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Wait, and write down who asks for a module that there is, if that is not the main thread."""
        time.sleep(self._seconds)
        thread = threading.current_thread()
        if thread is threading.main_thread() or not (lines := _our_lines()):
            return None
        others = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        if (spec := next(filter(None, others), None)) is not None:
            with (self._folder / f"{os.getpid()}.txt").open("a", encoding="utf-8") as file:
                file.write(f"{sys.argv[:3]} imports {name} in {thread.name}: {' < '.join(lines)}\n")
        return spec


def _our_lines() -> list[str]:
    """Return the lines of our package that the import comes from; none if the thread is another library's."""
    frame: FrameType | None = sys._getframe()
    lines = []
    while frame is not None:
        file = frame.f_code.co_filename
        if PACKAGE in file:
            lines.append(f"{file.rpartition(PACKAGE)[2]}:{frame.f_lineno}")
        frame = frame.f_back
    return lines


if "FIRST_IMPORTS" in os.environ:
    slow = float(os.environ.get("FIRST_IMPORTS_SECONDS", "0"))
    sys.meta_path.insert(0, SlowAndWatched(Path(os.environ["FIRST_IMPORTS"]), slow))
