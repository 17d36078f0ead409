"""A look that costs nothing sees every change, whoever made it, and looking at a file disturbs nobody's locks."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelops_jupyter.store import Change, ChangeWatch, Put, open_store, trouble

PROGRAM = """
import sys
from pathlib import Path
from modelops_jupyter.store import Change, Put, open_store
store = open_store(Path(sys.argv[1]), Path(sys.argv[2]))
for line in sys.stdin:
    store.commit(Change(puts=(Put("k", line.strip(), {}),)))
    print(len(store.find("k")), flush=True)
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Write a fact in another process; how many it sees then."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "s.db"), str(tmp_path / "s.lock")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write(key: str) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        print(key, file=process.stdin, flush=True)
        return int(process.stdout.readline())

    yield write
    process.kill()
    process.wait()


def test_every_change_is_seen_and_nothing_else(tmp_path: Path, elsewhere: Callable[[str], int]) -> None:
    path = tmp_path / "s.db"
    watch = ChangeWatch(path)
    assert watch.mark() is None
    elsewhere("first")
    marks = [watch.mark()]
    for number in range(3):
        elsewhere(f"theirs {number}")
        marks.append(watch.mark())
        store = open_store(path, tmp_path / "s.lock")  # looks at the file first
        assert len(store.find("k")) == 2 + 2 * number
        assert watch.mark() == marks[-1]
        store.commit(Change(puts=(Put("k", f"ours {number}", {}),)))
        store.close()
        marks.append(watch.mark())
    assert None not in marks
    assert len(set(marks)) == 7
    shutil.copy(path, tmp_path / "backup")
    (tmp_path / "backup").replace(path)
    assert watch.mark() not in marks
    path.unlink()
    assert watch.mark() is None
    watch.close()


def test_looking_at_a_database_leaves_its_log_to_who_uses_it(tmp_path: Path, elsewhere: Callable[[str], int]) -> None:
    """A descriptor that is closed takes the process's locks along: the other process then removes the log in use."""
    elsewhere("first")
    ours = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    ours.execute("SELECT * FROM records").fetchall()
    assert trouble(tmp_path / "s.db") is None
    elsewhere("second")
    assert len(ours.execute("SELECT * FROM records").fetchall()) == 2
    ours.execute("INSERT INTO records VALUES ('k', 'third', '', 1, '{}', '2026-01-01T00:00:00+00:00', '', 9)")
    assert elsewhere("fourth") == 4
    ours.close()
