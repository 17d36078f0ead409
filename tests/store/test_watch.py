"""A look that costs nothing sees every change, whoever made it."""

import shutil
import subprocess
import sys
from pathlib import Path

from modelops_jupyter.store import Change, ChangeWatch, Put, open_store


def test_every_change_is_seen_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    watch = ChangeWatch(path)
    assert watch.mark() is None
    store = open_store(path, tmp_path / "s.lock")
    marks = [watch.mark()]
    assert watch.mark() == marks[0] is not None
    store.commit(Change(puts=(Put("k", "a", {}),)))
    marks.append(watch.mark())
    program = (
        "import sys; from pathlib import Path; from modelops_jupyter.store import *\n"
        "open_store(Path(sys.argv[1]), Path(sys.argv[2])).commit(Change(puts=(Put('k', 'b', {}),)))"
    )
    subprocess.run([sys.executable, "-c", program, str(path), str(tmp_path / "s.lock")], check=True)
    marks.append(watch.mark())
    store.find("k")
    assert watch.mark() == marks[-1]
    assert len(set(marks)) == 3
    store.close()
    shutil.copy(path, tmp_path / "backup")
    (tmp_path / "backup").replace(path)
    assert watch.mark() not in marks
    path.unlink()
    assert watch.mark() is None
    watch.close()
