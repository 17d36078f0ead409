"""The peers, each in an environment of its own: neither imports beside pandas 3."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

FOLDER = Path(os.environ.get("MODELOPS_PEERS", Path(__file__).parents[2] / ".peers"))
# NannyML imports statsmodels without asking for it.
PEERS = {
    "nannyml": ("nannyml==0.13.1", "statsmodels", "pandas<3"),
    "evidently": ("evidently==0.7.23", "pandas<3"),
    "frouros": ("frouros==0.9.0", "pandas<3", "pyarrow"),
    "duckdb": ("duckdb==2.0.1", "pyarrow"),
}


def python_of(peer: str) -> Path:
    """Return the interpreter of a peer; its environment is made when it is not there, which takes minutes."""
    folder = FOLDER / peer
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        print(f"installing {', '.join(PEERS[peer])} into {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS[peer]], check=True)
        (folder / "installed").touch()
    return python


def run_peer(peer: str, script: str, *arguments: str) -> None:
    """Run a script of `tests/benchmarks` in a peer's environment."""
    quiet = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1", "PYTHONWARNINGS": "ignore", "PYTHONPATH": ""}
    command = [str(python_of(peer)), str(Path(__file__).parent / script), *arguments]
    subprocess.run(command, check=True, env=quiet)
