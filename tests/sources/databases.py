"""A real PostgreSQL for the tests, where its programs are installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, or None."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *map(Path, os.get_exec_path())]
    return next((folder for folder in places if (folder / "initdb").exists()), None)


@contextmanager
def postgres() -> Iterator[str]:
    """Run PostgreSQL on a socket in a folder of its own, and give its SQLAlchemy URL.

    Not in pytest's folder, which is root's alone where root runs the tests: PostgreSQL refuses to run as root.
    """
    with TemporaryDirectory(prefix="pg-") as folder:
        yield from _running(Path(folder))


def _running(folder: Path) -> Iterator[str]:
    found = programs()
    assert found is not None
    data, socket = folder / "data", folder / "s"
    data.mkdir()
    socket.mkdir()
    as_user: list[str] = []
    if os.geteuid() == 0:
        for path in (folder, data, socket):
            shutil.chown(path, "nobody")
        as_user = ["setpriv", "--reuid=nobody", "--clear-groups"]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(socket)}

    def run(*command: str) -> None:
        done = subprocess.run(
            [*as_user, *command], capture_output=True, text=True, env=environment, cwd=socket, timeout=60
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)

    run(str(found / "initdb"), "-D", str(data), "-U", "ann", "--auth=trust", "--no-sync")
    run(
        *(str(found / "pg_ctl"), "-D", str(data), "-w", "-l", str(socket / "log"), "start"),
        *("-o", f"-c listen_addresses='' -c unix_socket_directories='{socket}' -c fsync=off"),
    )
    try:
        yield f"postgresql+psycopg://ann:s3cret@/postgres?host={socket}"
    finally:
        run(str(found / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
