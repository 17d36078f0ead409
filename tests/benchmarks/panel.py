"""The list of models that JupyterLab's panel shows, on a warm server, beside MLflow's own search calls.

    python -m tests.benchmarks.panel [MODELS]

A workspace of 1,000 models (or MODELS) of 5 versions each, a tenth of them with an open alert, all with a sparkline of
60 windows; and an MLflow SQLite registry of the same models and versions. Asked are a real Jupyter Server over HTTP
with its token, and MLflow's client in process: what ``search_registered_models`` and ``search_model_versions`` must
answer to count versions and name champions (MLflow has no health to show). Median and slowest of the repetitions, and
the processor time of each, which a busy machine does not change.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Put, Store, open_store

VERSIONS, WINDOWS, REPEATS = 5, 60, 15
TARGET_SECONDS = 0.3
AT = "2026-01-01T00:00:00+00:00"
ROUTE = "/modelops/api/v1/models"


def fill(store: Store, models: int) -> None:
    """Put on record what registering, promoting and monitoring that many models leaves."""
    for number in range(models):
        name = f"model-{number:04d}"
        puts = [Put("model", name, {"name": name, "kind": "ml", "description": "", "created_at": AT}, subject=name)]
        for version in range(1, VERSIONS + 1):
            body = {
                "name": name,
                "version": version,
                "kind": "ml",
                "flavor": "sklearn",
                "run_id": "a" * 32,
                "model_uri": "models:/m-" + "b" * 32,
                "unsafe": False,
                "digest": "c" * 64,
                "artifact_digests": {f"file{n}": "d" * 64 for n in range(6)},
                "data_fingerprint": "e" * 64,
                "task": "classification",
                "classes": ["0", "1"],
                "features": [f"feature_{n}" for n in range(30)],
                "metrics": {"roc_auc": 0.9, "log_loss": 0.3, "brier_score": 0.1},
                "source": {"mlflow.source.name": "train.ipynb", "mlflow.source.git.commit": None},
                "inputs": [],
                "created_at": AT,
                "created_by": "ann",
                "step": None,
            }
            puts.append(Put("version", f"{name}/{version:06d}", body, subject=name))
        alias = {"name": name, "alias": "champion", "version": 3, "previous": 2, "since": AT}
        line = [0.8 + 0.001 * (n % 7) for n in range(WINDOWS)]
        seen = {"checked_at": AT, "windows": WINDOWS, "realised": WINDOWS, "through": AT, "metric": "roc_auc"}
        seen |= {"every": "1D", "tracks": [], "without_rows": []}
        puts.append(Put("alias", f"{name}@champion", alias, subject=name))
        puts.append(Put("monitor", f"{name}/1D", {**seen, "line": line}, subject=name))
        if number % 10 == 0:
            alert = {"model": name, "kind": "drift", "column": "x", "metric": "psi", "figure": 1.0, "state": "open"}
            puts.append(Put("alert", f"{name}/x", {**alert, "window_start": AT}, subject=name))
        store.commit(Change(puts=tuple(puts)))


@contextmanager
def server(folder: Path) -> Iterator[tuple[http.client.HTTPConnection, psutil.Process]]:
    """Run a Jupyter server on `folder` and lend it with a connection to it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=secret"]
    options += ["--ServerApp.jpserver_extensions={'modelops_jupyter': True}", f"--ServerApp.root_dir={folder}"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MODELOPS")}
    environment |= {"JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options], env=environment, stdout=log, stderr=log
        )
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(300):
            try:
                ask(connection)
                break
            except OSError:
                connection.close()
                time.sleep(0.2)
        yield connection, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def ask(connection: http.client.HTTPConnection, etag: str = "") -> tuple[int, bytes, str]:
    """Ask for the list; return status, body and ETag."""
    headers = {"Authorization": "token secret", **({"If-None-Match": etag} if etag else {})}
    connection.request("GET", ROUTE, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers.get("ETag", "")


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock of each repetition, and seconds of processor time of one on average."""

    clock: list[float]
    processor: float

    def __str__(self) -> str:
        median, slowest = statistics.median(self.clock) * 1000, max(self.clock) * 1000
        return f"median {median:7.1f} ms   slowest {slowest:7.1f} ms   processor {self.processor * 1000:7.1f} ms"


def timed(process: psutil.Process, work: Callable[[], object], before: Callable[[int], object] | None = None) -> Cost:
    """Return what `work` costs `process`; `before` is not on the clock."""
    clock, used = [], sum(process.cpu_times()[:2])
    for number in range(REPEATS):
        if before is not None:
            before(number)
        began = time.perf_counter()
        work()
        clock.append(time.perf_counter() - began)
    return Cost(clock, (sum(process.cpu_times()[:2]) - used) / REPEATS)


def mlflow_cost(folder: Path, models: int) -> Cost:
    """Fill an MLflow registry and return what its own calls cost, warm."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    client = mlflow.MlflowClient()
    for number in range(models):
        name = f"model-{number:04d}"
        client.create_registered_model(name)
        for _ in range(VERSIONS):
            client.create_model_version(name, source=str(folder))
        client.set_registered_model_alias(name, "champion", "3")

    def search() -> None:
        found, token = [], None
        while not found or token:
            page = client.search_registered_models(max_results=1000, page_token=token)
            found, token = [*found, *page], page.token
        versions, token = [], None
        while not versions or token:
            page = client.search_model_versions(max_results=10_000, page_token=token)
            versions, token = [*versions, *page], page.token
        assert len(found) == models
        assert len(versions) == models * VERSIONS

    search()
    return timed(psutil.Process(), search)


def main(models: int) -> int:
    """Measure and print; 1 if the panel's data take longer than the target."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(project=folder, root=folder / ".modelops")
        store = open_store(settings.store_path, settings.lock_path)
        fill(store, models)

        def change(number: int) -> None:
            body = {"model": "model-0000", "kind": "drift", "state": ("open", "recovered")[number % 2]}
            store.commit(Change(puts=(Put("alert", "model-0000/x", body, subject="model-0000"),)))

        with server(folder) as (connection, process):
            rows = {"after a change in the store": timed(process, lambda: ask(connection), change)}
            for number in range(2):
                change(number)
                shown = json.loads(ask(connection)[1])["rows"][0]["open_alerts"]
                assert shown == 1 - number, f"the change is seen: {number} {shown}"
            _, body, etag = ask(connection)
            rows["nothing changed"] = timed(process, lambda: ask(connection))
            rows["nothing changed, with its ETag (304)"] = timed(process, lambda: ask(connection, etag))
            assert ask(connection, etag)[0] == 304
        store.close()
        rows["MLflow search_registered_models + search_model_versions"] = mlflow_cost(folder, models)
    print(f"{models} models x {VERSIONS} versions, {len(body) / 1024:.0f} kB over the wire, {os.cpu_count()} cores")
    for label, cost in rows.items():
        print(f"{label:58} {cost}")
    worst = statistics.median(rows["after a change in the store"].clock)
    print(f"target: {TARGET_SECONDS * 1000:.0f} ms after a change: {'met' if worst <= TARGET_SECONDS else 'missed'}")
    return 0 if worst <= TARGET_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
