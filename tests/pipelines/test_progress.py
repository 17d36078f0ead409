"""What a person at a terminal sees of a pipeline while it runs."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import nbformat


def run(project: Path, stderr: int | None) -> "subprocess.Popen[bytes]":
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("first = 1"), nbformat.v4.new_code_cell("second = '<b>\\x1b[31m'")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, project / "train.ipynb")
    (project / "pipeline.yaml").write_text("name: nightly\nsteps:\n  train: {notebook: train.ipynb}\n")
    command = [sys.executable, "-m", "modelops_jupyter.cli", "run", "pipeline.yaml"]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=stderr)


def read_all(terminal: int) -> str:
    found = b""
    while True:
        try:
            some = os.read(terminal, 4096)
        except OSError:  # the other end is closed: so Linux says it
            return found.decode()
        if not some:
            return found.decode()
        found += some


def test_a_terminal_shows_the_cell_that_runs_and_keeps_the_steps(tmp_path: Path) -> None:
    terminal, process_end = pty.openpty()
    with run(tmp_path, process_end) as process:
        os.close(process_end)
        shown = read_all(terminal)
    os.close(terminal)

    assert process.returncode == 0
    assert "train, cell 1 of 2: running" in shown
    kept = [line.rsplit("\x1b[2K", 1)[-1].strip() for line in shown.split("\n")]
    assert [line for line in kept if line] == [
        "[1/1] train: running",
        next(line for line in kept if line.startswith("[1/1] train: completed in")),
    ]


def test_a_file_gets_the_steps_alone(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, run(tmp_path, log.fileno()) as process:
        pass

    assert process.returncode == 0
    written = (tmp_path / "log").read_text()
    assert "\x1b" not in written
    assert "cell" not in written
    assert written.startswith("[1/1] train: running\n")


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m modelops_jupyter.cli models | true; echo ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "0"
    assert done.stderr == ""
