"""Acting as a user to whom no file belongs, in a folder that this user may enter: root may write anything."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Act as a user to whom the files do not belong."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """Lend an empty folder that every user may enter, as pytest's own may not be."""
    folder = Path(tempfile.mkdtemp(prefix="modelops-tests-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def write_protected(folder: Path) -> Iterator[None]:
    """Take the right to write from everything below a folder."""
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
