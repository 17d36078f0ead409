"""A real PostgreSQL for the tests, where its programs are installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, or None."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *map(Path, os.get_exec_path())]
    return next((folder for folder in places if (folder / "initdb").exists()), None)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run PostgreSQL on a socket in `folder`, and give its SQLAlchemy URL."""
    found = programs()
    assert found is not None
    data, socket = folder / "data", folder / "s"
    data.mkdir()
    socket.mkdir()
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        for path in (data, socket):
            shutil.chown(path, "nobody")
        for path in (folder, *folder.parents):
            if path.stat().st_uid == 0 and path != Path("/"):
                path.chmod(path.stat().st_mode | 0o011)
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
