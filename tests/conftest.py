"""What several test modules share."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from waiting import until

# Threads that spin for each other make small fits ten times slower on a busy machine; kernels and servers inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from modelops_jupyter import processes
from modelops_jupyter.errors import RegistryUnreachable
from modelops_jupyter.registry.client import check_reachable
from modelops_jupyter.settings import Settings

processes.skip_grammar()  # a second of every process of tests

# Property tests try a hundred examples; with HYPOTHESIS_PROFILE=thorough, a thousand.
for _name, _examples in (("quick", 100), ("thorough", 1000)):
    hypothesis_settings.register_profile(_name, max_examples=_examples, deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


# Tests that share a server, which takes seconds to start, run one after the other in one process.
SHARING = {
    "tests/registry/": "MLflow",
    "tests/ui/test_dashboard": "dashboard",
    "tests/ui/test_live": "dashboard",
    "tests/ui/": "JupyterLab",
}
# What takes longest begins first: nobody waits for it at the end.
LONGEST = ("JupyterLab", "MLflow", "tests/threads/", "tests/pipelines/", "tests/server/")
LONGEST += ("dashboard", "tests/docs/", "tests/test_cold")

MLFLOW_ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")


def together(nodeid: str) -> str:
    """Return the name of the tests that run in one process with this one: those of a server, or of its file."""
    return next((server for path, server in SHARING.items() if nodeid.startswith(path)), nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file together (`--dist loadfile`), and those of all files that share a server."""
    from xdist.scheduler import LoadFileScheduling

    class ByServer(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    config.option.loadscopereorder = False  # the order is that of the items
    return ByServer(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first where several processes share the tests."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        names = {item: together(item.nodeid) for item in items}
        items.sort(key=lambda item: next((n for n, p in enumerate(LONGEST) if names[item].startswith(p)), len(LONGEST)))


def _give_back_mlflows_addresses() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in MLFLOW_ADDRESSES}
    yield
    for name, address in before.items():
        if address is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = address
    if (mlflow := sys.modules.get("mlflow")) is not None:
        mlflow.set_tracking_uri(before["MLFLOW_TRACKING_URI"])
        mlflow.set_registry_uri(before["MLFLOW_REGISTRY_URI"])


# MLflow's own addresses are the process's: tests, and modules with their fixtures, give them back as they found them.
mlflow_addresses_of_a_test = pytest.fixture(autouse=True)(_give_back_mlflows_addresses)
mlflow_addresses_of_a_module = pytest.fixture(autouse=True, scope="module")(_give_back_mlflows_addresses)


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a real, empty MLflow database: making one takes seconds, so tests copy it, those of all workers one."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    settings = Settings(project=folder, root=folder / "empty")
    settings.root.mkdir(exist_ok=True)
    check_reachable(settings)
    return settings.mlflow_path


@pytest.fixture
def settings(tmp_path: Path, mlflow_database: Path) -> Settings:
    """Return the settings of an empty embedded workspace."""
    root = tmp_path / ".modelops"
    root.mkdir()
    shutil.copy(mlflow_database, root / "mlflow.db")
    return Settings(project=tmp_path, root=root, actor="ann")


class MlflowServer:
    """A real ``mlflow server`` on loopback that a test may stop, kill and start again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--port", str(self._port), "--workers", "1"]
        database, artifacts = f"sqlite:///{self._folder}/mlflow.db", str(self._folder / "a")
        command += ["--backend-store-uri", database, "--artifacts-destination", artifacts]
        log = self._folder / "server.log"
        with log.open("a") as output:
            # Its job runners are four more processes, and nothing here asks for jobs.
            environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output, start_new_session=True, env=environment
            )
        until(self.answers, said=log.read_text)

    def answers(self) -> bool:
        """Tell whether it can be used."""
        try:
            check_reachable(Settings(self._folder, self._folder, tracking_uri=self.uri))
        except RegistryUnreachable:
            return False
        return True

    def signal(self, number: int) -> None:
        """Send a signal to the server and its workers."""
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """Kill the server and its workers."""
        if self._process.poll() is None:
            self.signal(signal.SIGKILL)
            self._process.wait()


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Iterator[MlflowServer]:
    """Return a running server that all tests share."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(mlflow_database, folder)
    server = MlflowServer(folder)
    yield server
    server.kill()


@pytest.fixture
def stoppable_server(mlflow_server: MlflowServer) -> Iterator[MlflowServer]:
    """Return the same server to a test that stops it; others find it running."""
    yield mlflow_server
    if not mlflow_server.answers():
        mlflow_server.kill()
        mlflow_server.start()
