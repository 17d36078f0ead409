"""Processor time a request takes at the endpoint, against an echo on the same server and against MLflow's own.

    python -m tests.benchmarks.serving [--requests 400] [--trees]

Each server is a process of its own; eight clients ask one row at a time. Counted is the server's processor time alone,
so that what else a machine does hardly matters; only the ratios within one run mean anything.

Measured on two busy cores (load 7 to 10), logistic regression on 15 columns, contract checks and logging on,
uvicorn 0.54 with h11 and asyncio (uvloop and httptools are taken where they are installed): 14 times an echo of
the same server (650 µs here), 0.28 times `mlflow models serve` (wanted: at most 0.8); with --durable 1.14 times
as much as without. Nearly all of it is the DataFrame and scikit-learn's pipeline, which only a twin without
them would spare.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import psutil
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import modelops_jupyter as mo

CALLERS = 8
ROWS = 4_000
ECHO = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
async def echo(request):
    return Response(await request.body(), media_type="application/json")
app = Starlette(routes=[Route("/invocations", echo, methods=["POST"]), Route("/ping", lambda request: Response("x"))])
uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
"""


def make(folder: Path, trees: bool) -> dict[str, object]:
    """Make a workspace with the champion `delay` of 15 columns; return a row of it."""
    generator = np.random.default_rng(0)
    x = pd.DataFrame(generator.normal(size=(ROWS, 13)), columns=[f"number_{n}" for n in range(13)])
    x = x.assign(origin=generator.choice(["EWR", "JFK", "LGA"], ROWS), carrier=generator.choice(list("ABCDEFGH"), ROWS))
    y = (x["number_0"] + generator.normal(size=ROWS) > 0).astype(int)
    inputs = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["origin", "carrier"]), remainder="passthrough"
    )
    model = make_pipeline(inputs, HistGradientBoostingClassifier() if trees else LogisticRegression(max_iter=500))
    with mo.open(folder) as ws:
        half = ROWS // 2
        model.fit(x[:half], y[:half])
        ws.register(model, "delay", data=x[:half], target=y[:half], reference=(x[half:], y[half:]))
        ws.approve("delay/1", reason="fine")
        ws.promote("delay/1", reason="first")
        (folder / "uri").write_text(ws.tracking_uri)
    row: dict[str, object] = x.iloc[0].to_dict()
    return row


@contextmanager
def running(command: list[str], url: str, **environment: str) -> Iterator[psutil.Process]:
    """Run a server until the caller is done, from when it answers on."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # where MLflow looks for uvicorn
    process = subprocess.Popen(command, env={**os.environ, "PATH": path, **environment}, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            try:
                ask(url, "/ping", b"")
                break
            except OSError:
                time.sleep(0.2)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def ask(url: str, path: str, body: bytes) -> bytes:
    """Return the answer to one request."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    connection.request("POST" if body else "GET", path, body or None, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    connection.close()
    return content


def micros(process: psutil.Process, url: str, body: bytes, requests: int) -> float:
    """Return the server's processor time for a request, in microseconds."""

    def some(number: int) -> None:
        where = urlsplit(url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        for _ in range(number):
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
        connection.close()

    def spent() -> float:
        return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))

    some(20)
    before = spent()
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(some, [requests // CALLERS] * CALLERS))
    return (spent() - before) / (requests // CALLERS * CALLERS) * 1e6


def main() -> None:
    """Measure each server once, and print what each costs and the ratios."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=400)
    options.add_argument("--trees", action="store_true")
    options.add_argument("--only", nargs="*", help="some of the servers, by name")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        row = make(folder, given.trees)
        body = json.dumps({"dataframe_records": [row]}).encode()
        ours = [sys.executable, "-m", "modelops_jupyter", "serve", "delay", "--workspace", name, "--port"]
        mlflow = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/delay/1", "--env-manager", "local"]
        servers = {
            "echo": [sys.executable, "-c", ECHO, "18771"],
            "ours": [*ours, "18772"],
            "ours, durable": [*ours, "18773", "--durable"],
            "mlflow models serve": [*mlflow, "--port", "18774", "--workers", "1"],
        }
        cost = {}
        for what, command in servers.items():
            if given.only and what not in given.only:
                continue
            url = f"http://127.0.0.1:{next(word for word in command if word.startswith('1877'))}"
            with running(command, url, MLFLOW_TRACKING_URI=(folder / "uri").read_text()) as process:
                cost[what] = micros(process, url, body, given.requests * (5 if what == "echo" else 1))
            print(f"{what:<20} {cost[what]:9,.0f} µs", flush=True)
        for one, other in (("ours", "echo"), ("ours", "mlflow models serve"), ("ours, durable", "ours")):
            if {one, other} <= set(cost):
                print(f"{one} / {other}: {cost[one] / cost[other]:.2f}")


if __name__ == "__main__":
    main()
