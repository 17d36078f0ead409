"""Processes whose imports are slow and watched: what a thread of ours imports first is written down."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
THREADS = Path(__file__).parent / "threads"


@dataclass(frozen=True)
class Watched:
    """A workspace for processes that are watched, and where the imports of their threads are written down."""

    project: Path
    record: Path

    def environment(self, seconds: float = 0.002) -> dict[str, str]:
        """Return the environment of a process that is watched, and whose imports take so much longer each."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "MODELOPS"))}
        own = {"FIRST_IMPORTS": str(self.record), "FIRST_IMPORTS_SECONDS": str(seconds)}
        return {**inherited, **own, "PYTHONPATH": os.pathsep.join([str(THREADS / "watched"), str(ROOT)])}

    def run(self, *command: str, seconds: float = 0.002) -> None:
        """Run Python, which must end well."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.project,
            env=self.environment(seconds),
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr

    def ask(self, requests: Mapping[str, Mapping[str, Any]]) -> None:
        """Ask the server's answers for what the values of each operation say; see threads/each_request.py."""
        file = self.record.with_suffix(".json")
        file.write_text(json.dumps(requests))
        self.run(str(THREADS / "each_request.py"), str(self.project), str(file), seconds=0)

    def imports(self) -> str:
        """Return what threads have imported first."""
        return "".join(file.read_text() for file in sorted(self.record.iterdir()))
