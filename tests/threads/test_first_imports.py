"""No thread of ours imports a module first: two that did could wait for each other for ever.

Every path that starts threads runs in fresh processes whose imports are slow and watched; see watched/sitecustomize.py.
"""

import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import skops.io
import stock
from deltalake import write_deltalake
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sqlalchemy import create_engine
from waiting import until
from watched import Watched

from modelops_jupyter.frames import to_arrow
from modelops_jupyter.server.jobs import ENDED
from modelops_jupyter.server.routes import PREFIX, Route, routes
from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parents[2] / "modelops_jupyter"
DAYS, ROWS, BEGIN = 20, 200, pd.Timestamp("2026-05-01", tz="UTC")
STARTS_THREADS = re.compile(r"ThreadPoolExecutor\(|\bThread\(|to_thread\(|run_in_executor\(")
# The targets answer nobody: what a delivery imports, it has imported before it is refused.
SETTINGS = """
actor = "ann"
[use_case.delay]
risk_tier = "low"
[notify.hook]
url = "http://localhost:9/hook"
secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
allow_private = true
[notify.chat]
url = "json://localhost:9/"
allow_private = true
"""
COLUMNS = "columns = {request_id = 'id', timestamp = 'at', prediction = 'said'}"


def of_source(*lines: str) -> str:
    """Return what monitors the model on a table that lies elsewhere."""
    text = "\n".join(["", "[source.delay]", *lines, COLUMNS])
    return (
        "import pathlib, shutil\nshutil.rmtree('.modelops/log')\nsettings = pathlib.Path('modelops.toml')\n"
        f"settings.write_text(settings.read_text() + {text!r})\nmo.open().monitor('delay')"
    )


SERVE = """
import http.client, json, subprocess, sys, threading, time
from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.serving.run import EndpointServer
from modelops_jupyter.settings import find_settings

def modelops(*words):
    subprocess.run([sys.executable, "-m", "modelops_jupyter", *words], check=True, stdout=subprocess.DEVNULL)

for number in (1, 2):
    modelops("approve", f"delay/{number}", "--reason", "fine")
modelops("promote", "delay/1", "--reason", "first")
server = EndpointServer(find_settings(), ServingOptions(("delay",), port=0, log_seconds=0.1, most_bytes=10_000_000))

def ask(path, content):
    caller = http.client.HTTPConnection("127.0.0.1", server.port, timeout=200)
    caller.request("POST" if content else "GET", path, json.dumps(content), {"Content-Type": "application/json"})
    return json.loads(caller.getresponse().read())

def work():
    try:
        row = {"wind": 0.5, "origin": "JFK", "tail": "1"}
        assert ask("/invocations", {"dataframe_records": [row]})["version"] == 1
        assert ask("/invocations", {"dataframe_records": [row] * 3000})["version"] == 1
        assert ask("/labels", {"labels": [{"request_id": "a", "label": 1}]})["rows"] == 1
        modelops("promote", "delay/2", "--reason", "newer")
        while ask("/health", None)["models"]["delay"]["version"] != 2:
            time.sleep(0.1)
        assert ask("/invocations", {"dataframe_records": [{**row, "wind": 1e6}]})["verdicts"] == ["refer"]
        asked.append(True)
    finally:
        server.stop()

asked = []
threading.Thread(target=work).start()
server.run()
assert asked
"""

# Each runs in a copy of one workspace, in processes of its own; backtests and explanations start no thread.
PATHS = {
    "compare_data": "mo.compare_data('known.parquet', 'current.parquet', timestamp='at')",
    "compare_data of numbers": "mo.compare_data('numbers.parquet', 'numbers.parquet', timestamp='at')",
    "compare_data of every type": "mo.compare_data('types.parquet', 'types.parquet', timestamp='at')",
    "register": "main(['register', 'model.skops', 'late', '--validated-on', 'known.parquet', '--target', 'late'])",
    "log_predictions": (
        "main(['log-predictions', 'delay/1', '--data', 'current.parquet', '--id', 'id', '--time', 'at',"
        " '--prediction', 'said', '--score', 'score'])"
    ),
    "monitor": "mo.open().monitor('delay', segments=['origin'], alert_budget='2/month')",
    "monitor of a folder": of_source("table = 'scored'"),
    "monitor of a Delta table": of_source("table = 'delta:scored_in_delta'"),
    "monitor of a query": of_source(
        "database = 'sqlite:///scored.db'", "query = 'SELECT * FROM scored'", "key = 'written'", "zone = 'UTC'"
    ),
    "watch": "mo.open().watch(once=True)",
    "deliver": (
        "import pathlib\nsettings = pathlib.Path('modelops.toml')\n"
        'text = \'\\n[notify.one]\\nurl = "json://192.0.2.1/x"\\n[notify.two]\\nurl = "json://localhost:9/x"\\n\'\n'
        "settings.write_text(settings.read_text() + text)\nmo.open().deliver(now=True)"
    ),
    "adopt": "mo.open().adopt(all=True)",
    "run": "mo.open().run('pipeline.yaml', jobs=2)",
    "serve": SERVE,
    "RunView": (
        "from modelops_jupyter.display.widgets import RunView\n"
        "view = RunView(mo.open(), 'pipeline.yaml')\nview.start()\nview.wait()\nassert view.state == 'completed'"
    ),
}
# Which test runs the threads that a module starts: one of PATHS, or the server's.
THREADS_OF = {
    "actions/adoption.py": "adopt",
    "actions/watching.py": "monitor",
    "dashboards/hooks.py": "server",
    "display/widgets/actions.py": "RunView",
    "monitoring/scanning.py": "monitor",
    "notifications/outbox.py": "deliver",
    "pipelines/run.py": "run",
    "pipelines/runner.py": "run",
    "pipelines/worker.py": "run",
    "profiles/threads.py": "compare_data",
    "server/answers.py": "server",
    "server/extension.py": "server",
    "server/job_process.py": "server",
    **dict.fromkeys((f"serving/{name}.py" for name in ("app", "champions", "process", "recorder", "run")), "serve"),
    **dict.fromkeys(("serving/scorer.py", "serving/state.py"), "serve"),
}
# Those that an environment of developers has, beside ours.
EXTENSIONS = ("jupyterlab", "notebook", "notebook_shim", "voila.server_extension", "jupyter_lsp")
# What is asked of each route that the server answers in a thread.
REQUESTS: dict[str, dict[str, Any]] = {
    "status": {},
    "doctor": {},
    "models": {},
    "versions": {"name": "delay"},
    "overview": {"name": "delay"},
    "distribution": {"name": "delay", "column": "origin"},
    "curves": {"name": "delay"},
    "version": {"version": "delay/1"},
    "gate": {"version": "delay/1"},
    "alerts": {},
    "incidents": {},
    "incident": {"id": ""},  # that of the workspace
    "acknowledge": {"id": "", "reason": "seen"},
    "assign": {"id": "", "owner": "bob"},
    "resolve": {"id": "", "reason": "mended"},
    "mute": {"subject": "delay", "sign": "volume", "until": "2999-01-01", "reason": "holidays"},
    "revoke": {"subject": "delay", "sign": "volume", "reason": "over"},
    "accept": {"subject": "", "until": "2999-01-01", "reason": "new supplier"},
    "runs": {},
    "board": {},
    "audit": {},
    "audit_head": {},
    "verify_audit": {},
    "card": {"version": "delay/1"},
    "check": {"version": "delay/1"},
    "comment": {"subject": "delay/1", "text": "looks well"},
    "approve": {"version": "delay/1", "reason": "reads well"},
    "promote": {"version": "delay/1", "reason": "best"},
    "rollback": {"name": "delay", "reason": "worse"},
    "reject": {"version": "delay/2", "reason": "worse"},
    "reconcile": {},
    "multivariate_drift": {"name": "delay"},
    "notebook_parameters": {"path": "one.ipynb"},
    "list_jobs": {},
    "openapi": {},
    "open_dashboard": {},
}


def flights(day: int, rows: int = ROWS) -> pd.DataFrame:
    """Return the rows of a day, with texts that are nearly all different; from day 14 on, something is broken."""
    generator = np.random.default_rng(day)
    frame = pd.DataFrame(
        {
            "wind": generator.normal(0, 1, rows),
            "origin": generator.choice(["EWR", "JFK", "LGA"], rows),
            "tail": generator.integers(0, 1 << 40, rows).astype("str"),
        }
    )
    late = frame["wind"] + generator.normal(0, 0.5, rows) > (1 if day < 14 or day >= 1000 else -1)
    at = BEGIN + pd.Timedelta(days=day) + pd.to_timedelta(np.arange(rows) % 1440, unit="min")
    return frame.assign(id=[f"{day}-{n}" for n in range(rows)], at=at, late=late.astype(int))


def write_types(folder: Path) -> None:
    """Write a table of numbers, and one with a column of every type that can be counted, with gaps."""
    days, gaps = np.arange(2000) % DAYS, np.arange(2000) % 7 == 0
    at = pa.array((BEGIN + pd.to_timedelta(days, unit="D")).tz_convert(None)).cast(pa.timestamp("us", "UTC"))
    numbers = {kind: pa.array(days.astype(kind), mask=gaps) for kind in ("int8", "uint64", "float32", "float64")}
    texts = pa.array([f"text {n}" for n in range(2000)], mask=gaps)
    others = {
        "string": texts,
        "large_string": texts.cast(pa.large_string()),
        "dictionary": texts.dictionary_encode(),
        "bool": pa.array(days > 9, mask=gaps),
        "decimal": pa.array(days).cast(pa.decimal128(20, 1)),
        "null": pa.nulls(2000),
        "date": at.cast(pa.date32()),
        "list": pa.array([[1]] * 2000),
    }
    pq.write_table(pa.table({"at": at, **numbers}), folder / "numbers.parquet")
    pq.write_table(pa.table({"at": at, **numbers, **others}), folder / "types.parquet")


def write_tables(folder: Path, rows: pd.DataFrame) -> None:
    """Write predictions to tables of a team's own."""
    (folder / "scored").mkdir()
    rows.to_parquet(folder / "scored" / "rows.parquet")
    write_deltalake(str(folder / "scored_in_delta"), to_arrow(rows))
    engine = create_engine(f"sqlite:///{folder / 'scored.db'}")
    local = rows.assign(at=rows["at"].dt.tz_localize(None), written=range(len(rows)))
    local.to_sql("scored", engine, index=False)
    engine.dispose()


@pytest.fixture(scope="session")
def monitored(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """Make a workspace with two versions of a monitored model, an incident, and the files that the paths read."""
    folder = tmp_path_factory.mktemp("monitored")
    (folder / "modelops.toml").write_text(SETTINGS)
    (folder / ".modelops").mkdir()
    (folder / ".modelops" / "mlflow.db").write_bytes(mlflow_database.read_bytes())
    known = flights(1000, 3000)
    features = known[["wind", "origin", "tail"]]
    inputs = make_column_transformer((OneHotEncoder(), ["origin"]), ("passthrough", ["wind"]))
    model = make_pipeline(inputs, LogisticRegression()).fit(features, known["late"])
    skops.io.dump(model, folder / "model.skops")
    features.assign(late=known["late"]).to_parquet(folder / "known.parquet")
    write_types(folder)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "one.ipynb")
    steps = "  first: {notebook: one.ipynb}\n  second: {notebook: one.ipynb}\n"
    (folder / "pipeline.yaml").write_text(f"name: both\nsteps:\n{steps}")
    with Workspace(find_settings(folder, environ={})) as ws:
        for day in (1001, 1002):
            unseen = flights(day, 3000)
            reference = (unseen[features.columns], unseen["late"])
            ws.register(model, "delay", data=features, target=known["late"], reference=reference)
        frame = pd.concat([flights(day) for day in range(DAYS)], ignore_index=True)
        rows = frame.assign(said=model.predict(frame), score=model.predict_proba(frame)[:, 1]).drop(columns="late")
        ws.log_predictions("delay/1", rows, id="id", time="at", prediction="said", score="score")
        ws.log_labels("delay", frame[["id", "late"]], id="id", label="late")
        rows.assign(id=rows["id"] + "-late").to_parquet(folder / "current.parquet")
        write_tables(folder, rows)
        with stock.tracking(ws.tracking_uri) as client:
            stock.register(client, "bought", stock.log())
        ws.monitor("delay")
        assert ws.incidents("delay").rows
        ws.mute("delay", sign="volume", until="2999-01-01", reason="holidays")
    return folder


@pytest.fixture
def watched(tmp_path: Path, monitored: Path) -> Watched:
    """Return a copy of the workspace for processes that are watched."""
    project, record = tmp_path / "project", tmp_path / "record"
    record.mkdir()
    project.mkdir()
    for file in monitored.iterdir():
        if file.is_file():
            (project / file.name).write_bytes(file.read_bytes())
        else:
            shutil.copytree(file, project / file.name)
    return Watched(project, record)


def test_whatever_starts_threads_is_run_here() -> None:
    starting = {str(f.relative_to(PACKAGE)) for f in PACKAGE.rglob("*.py") if STARTS_THREADS.search(f.read_text())}
    assert starting == set(THREADS_OF), "name the path or the test that runs its threads"
    assert set(THREADS_OF.values()) <= {*PATHS, "server"}


@pytest.mark.parametrize("path", PATHS)
def test_threads_import_nothing_first(watched: Watched, path: str) -> None:
    for _ in range(2 if "compare" in path else 1):
        watched.run("-c", f"import modelops_jupyter as mo\nfrom modelops_jupyter.cli import main\n{PATHS[path]}")
        assert watched.imports() == ""


def test_the_watch_sees_a_thread_that_imports(watched: Watched) -> None:
    """The watch itself works: a comparison whose threads import pandas is found out."""
    code = f"from modelops_jupyter.profiles import threads\nthreads.FOR_TEXTS = ()\n{PATHS['compare_data']}"
    watched.run("-c", f"import modelops_jupyter as mo\n{code}", seconds=0)
    assert re.search(r"imports pandas in modelops-reference_\d", watched.imports())


def test_every_route_that_a_thread_answers_is_asked_here() -> None:
    answered = {
        route.operation for route in routes() if route.answer not in ("start", "job", "events", "log", "cancel")
    }
    assert answered == set(REQUESTS), "say what to ask of it"


def test_a_request_imports_nothing_in_its_thread(watched: Watched) -> None:
    with Workspace(find_settings(watched.project, environ={})) as ws:
        incident = ws.incidents("delay").rows[0]["id"]
        ws.approve("delay/2", reason="first")
        ws.promote("delay/2", reason="first")
    asked = {
        name: {word: value or incident if word in ("id", "subject") else value for word, value in values.items()}
        for name, values in REQUESTS.items()
    }
    watched.ask(asked)
    assert watched.imports() == ""


@dataclass(frozen=True)
class Server:
    """A fresh Jupyter server on the workspace."""

    address: str

    def ask(self, route: Route, values: dict[str, Any]) -> Any:
        """Return the answer of a route."""
        path = route.path.format(**values)
        body = json.dumps(values).encode() if route.method == "POST" else None
        query = "" if body or not values else "?" + urllib.parse.urlencode(values)
        headers = {"Authorization": "token secret", "Content-Type": "application/json"}
        request = urllib.request.Request(self.address + PREFIX + path + query, body, headers, method=route.method)
        with urllib.request.urlopen(request, timeout=100) as answer:
            return json.load(answer)


@pytest.fixture
def server(watched: Watched) -> Iterator[Server]:
    """Run a fresh Jupyter server with this extension alone, slowly."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = watched.record.parent / "home"
    options = [
        f"--port={port}",
        "--IdentityProvider.token=secret",
        "--no-browser",
        "--allow-root",
        f"--ServerApp.jpserver_extensions={dict.fromkeys(EXTENSIONS, False) | {'modelops_jupyter': True}}",
        f"--ServerApp.root_dir={watched.project}",
    ]
    own = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    log = watched.record.parent / "server.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "jupyter_server", *options]
        process = subprocess.Popen(
            command, cwd=watched.project, env={**watched.environment(), **own}, stdout=out, stderr=out
        )
    try:
        until(lambda: process.poll() is not None or _listens(port), said=log.read_text)
        yield Server(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def test_a_fresh_server_that_is_asked_for_everything_at_once_answers(watched: Watched, server: Server) -> None:
    by_operation = {route.operation: route for route in routes() if route.path != "/models/{name}"}
    panels = ("status", "models", "overview", "versions", "curves", "distribution", "board", "incidents", "openapi")
    asked = [(by_operation[name], REQUESTS[name]) for name in (*panels, *panels)]
    with ThreadPoolExecutor(len(asked)) as browser:
        answers = list(browser.map(lambda question: server.ask(*question), asked))
    assert [route.operation for (route, _), answer in zip(asked, answers, strict=True) if not answer] == []
    job = server.ask(by_operation["monitor"], {"name": "delay"})
    dashboard = server.ask(by_operation["open_dashboard"], {})
    with urllib.request.urlopen(dashboard["url"], timeout=100) as page:
        assert page.status == 200
    until(lambda: server.ask(by_operation["get_job"], {"id": job["id"]})["state"] in ENDED)
    assert server.ask(by_operation["get_job"], {"id": job["id"]})["state"] == "completed"
    assert watched.imports() == ""
