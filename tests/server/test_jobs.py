"""Slow verbs as jobs: started, watched, cancelled, and never lost from sight."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
from asking import PREFIX, Ask, Fetch, refused
from deltalake import write_deltalake
from jsonschema import Draft202012Validator

from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.server.calls import make_call
from modelops_jupyter.server.jobs import Jobs
from modelops_jupyter.server.openapi import document
from modelops_jupyter.server.routes import routes
from modelops_jupyter.server.served import plain
from modelops_jupyter.workspace import Workspace


async def ended(get: Ask, job: dict[str, Any], within: float = 90) -> dict[str, Any]:
    """Return a job when it has ended."""
    deadline = time.monotonic() + within
    while (found := await get(f"jobs/{job['id']}"))["state"] == "running":
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)
    return found


def notebook(path: Path, *cells: str, parameters: str = "") -> None:
    """Write a notebook whose first cell declares `parameters`."""
    book = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in (parameters, *cells)]
    book.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(book, path)


def table(rows: int = 200) -> pd.DataFrame:
    wind = np.random.default_rng(1).normal(size=rows)
    return pd.DataFrame({"wind": wind, "late": (wind > 0).astype(int)})


async def test_a_comparison_reads_a_file_or_a_dataset_version(
    get: Ask, post: Ask, model: Workspace, jp_root_dir: Path
) -> None:
    table().to_parquet(jp_root_dir / "live.parquet")
    write_deltalake(jp_root_dir / "datasets" / "live", table())
    write_deltalake(jp_root_dir / "datasets" / "live", table(50), mode="overwrite")
    words = {"version": "delay/1", "other": "delay/2", "data": "live.parquet", "target": "late"}
    asked = {**words, "data": "delta:datasets/live@0"}
    started = [await post("compare", body) for body in (asked, {**words, "target": "wnd"})]
    assert started[0]["state"] == "running"
    assert started[0]["arguments"] == asked
    version, wrong = [await ended(get, job) for job in started]
    assert (version["state"], version["error"]) == ("completed", None)
    assert (wrong["state"], wrong["error"]["code"]) == ("failed", "invalid-frame")
    assert {row["id"] for row in (await get("jobs"))["rows"]} == {job["id"] for job in started}
    # What a job does in a process of its own, done here, for other addresses: a process takes seconds to start.
    route = next(route for route in routes() if route.operation == "compare")
    others = ({**words, "data": data} for data in ("live.parquet", "delta:datasets/live"))
    calls = [make_call("compare", route.fields, body, jp_root_dir) for body in others]
    file, newest = [plain(model.compare(**call.arguments())) for call in calls]
    assert json.loads(json.dumps(file)) == version["result"]
    assert (file["rows"], newest["rows"]) == (200, 50)


async def test_a_table_is_scored_into_another(get: Ask, post: Ask, model: Workspace, jp_root_dir: Path) -> None:
    table().to_parquet(jp_root_dir / "live.parquet")
    job = await ended(get, await post("predict", {"version": "delay/1", "data": "live.parquet", "output": "out.csv"}))
    assert (job["state"], job["error"]) == ("completed", None)
    assert (job["result"]["rows"], job["result"]["output_path"]) == (200, "out.csv")
    assert pd.read_csv(jp_root_dir / "out.csv").columns.tolist()[:3] == ["wind", "late", "prediction"]
    code, body = await refused(post("predict", {"version": "delay/1", "data": "live.parquet", "output": "../out.csv"}))
    assert (code, "outside the server's folder" in body["message"]) == (400, True)


async def test_an_evaluation_puts_measured_metrics_on_record(
    get: Ask, post: Ask, model: Workspace, jp_root_dir: Path
) -> None:
    rows = table()
    rows.to_parquet(jp_root_dir / "live.parquet")
    rows[["late"]].to_parquet(jp_root_dir / "labels.parquet")
    asked = {"version": "delay/2", "data": "live.parquet", "target": "late"}
    job = await ended(get, await post("evaluate", asked))
    assert (job["state"], job["error"]) == ("completed", None)
    version = await get("version", version="delay/2")
    assert version["measured"] == job["result"]["measured"]
    assert (version["measured"]["rows"], version["claimed"]) == (200, {})
    row = (await get("versions", name="delay"))["rows"][0]
    assert row["evaluation"].startswith("measured on 200 rows: roc_auc ")
    gate = await get("gate", version="delay/2")
    assert gate["checks"][0]["source"] == "measured"
    entry = (await get("audit", limit=1))["rows"][0]
    assert (entry["action"], entry["details"]["measured"]) == ("evaluate", version["measured"])
    whole = document(routes())
    result = whole["paths"]["/evaluate"]["post"]["responses"]["202"]["x-job-result"]
    Draft202012Validator({**result, "components": whole["components"]}).validate(job["result"])
    # Labels may be a file, too; what a job does in a process of its own is done here.
    route = next(route for route in routes() if route.operation == "evaluate")
    body = {**asked, "data": "features.parquet", "target": "labels.parquet"}
    rows.drop(columns="late").to_parquet(jp_root_dir / "features.parquet")
    again = model.evaluate(**make_call("evaluate", route.fields, body, jp_root_dir).arguments())
    assert again.body["metrics"] == version["metrics"]


async def test_a_second_click_starts_no_second_job(get: Ask, post: Ask, model: Workspace) -> None:
    started = await asyncio.gather(*(post("monitor", {"name": "stranger"}, Idempotency_Key="once") for _ in range(3)))
    assert len({job["id"] for job in started}) == 1
    assert (await refused(post("monitor", {"name": "delay"}, Idempotency_Key="once")))[0] == 400
    done = await ended(get, started[0])
    assert (done["state"], done["error"]["code"]) == ("failed", "not-found")
    assert len((await get("jobs"))["rows"]) == 1


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("../outside.parquet", "invalid-input"),
        ("/etc/passwd", "invalid-input"),
        ("link.parquet", "invalid-input"),
        (".modelops/secret.parquet", "invalid-input"),
        ("delta:../elsewhere@1", "invalid-input"),
        ("a\0b.parquet", "invalid-input"),
        ("missing.parquet", "not-found"),
        ("delta:missing@1", "not-found"),
        ("notes.txt", "invalid-input"),
    ],
)
async def test_paths_that_lead_astray_start_nothing(
    get: Ask, post: Ask, empty: Workspace, jp_root_dir: Path, address: str, code: str
) -> None:
    for outside in (jp_root_dir.parent / "outside.parquet", empty.settings.root / "secret.parquet"):
        table().to_parquet(outside)
    (jp_root_dir / "link.parquet").symlink_to(jp_root_dir.parent / "outside.parquet")
    (jp_root_dir / "notes.txt").write_text("x")
    _, answer = await refused(post("compare", {"version": "m/1", "other": "m/2", "data": address}))
    assert (answer["code"], "'data'" in answer["message"]) == (code, True)
    assert (await get("jobs"))["rows"] == []


async def test_a_pipeline_reports_and_can_be_cancelled(
    get: Ask, post: Ask, jp_fetch: Fetch, empty: Workspace, jp_root_dir: Path, tmp_path: Path
) -> None:
    notebook(jp_root_dir / "a.ipynb", "print(n)", parameters="n = 1")
    notebook(
        jp_root_dir / "b.ipynb", "open('pid', 'w').write(str(__import__('os').getpid()))", "import time; time.sleep(99)"
    )
    (jp_root_dir / "p.yaml").write_text("steps: {a: {notebook: a.ipynb}, b: {notebook: b.ipynb, needs: [a]}}")
    job = await post("run", {"pipeline": "p.yaml", "parameters": {"n": 2}})
    deadline = time.monotonic() + 60
    while not (jp_root_dir / "pid").exists() or not (jp_root_dir / "pid").read_text():
        assert time.monotonic() < deadline, await get(f"jobs/{job['id']}")
        await asyncio.sleep(0.1)
    shutil.copytree(jp_root_dir, tmp_path / "copy")
    assert Jobs(tmp_path / "copy" / ".modelops" / "jobs").cancel(job["id"]).state == "interrupted"  # it runs elsewhere
    seen = await get(f"jobs/{job['id']}")
    assert seen["state"] == "running"
    assert [(step["step"], step["state"]) for step in seen["steps"]] == [("a", "completed"), ("b", "running")]
    gone = json.loads((await jp_fetch(*PREFIX, "jobs", job["id"], method="DELETE")).body)
    assert gone["state"] == "cancelled"
    kernel = int((jp_root_dir / "pid").read_text())
    assert not psutil.pid_exists(kernel) or psutil.Process(kernel).status() == psutil.STATUS_ZOMBIE
    assert [record.body["state"] for record in empty.store.find("run")] == ["interrupted"]
    stream = (await jp_fetch(*PREFIX, "jobs", job["id"], "events")).body.decode()
    assert stream.index("event: step") < stream.index("event: end")
    assert json.loads(stream.rsplit("data: ", 1)[1])["state"] == "cancelled"
    later = (await jp_fetch(*PREFIX, "jobs", job["id"], "events", params={"after": seen["events"]})).body.decode()
    assert f"id: {seen['events']}\n" not in later
    again = json.loads((await jp_fetch(*PREFIX, "jobs", job["id"], method="DELETE")).body)
    assert again["state"] == "cancelled"


async def test_a_job_of_a_dead_server_is_interrupted(get: Ask, empty: Workspace, jp_root_dir: Path) -> None:
    """A process stands in for a server: it starts a job and is killed."""
    notebook(jp_root_dir / "a.ipynb", "import time; time.sleep(99)")
    (jp_root_dir / "p.yaml").write_text("steps: {a: {notebook: a.ipynb}}")
    program = (
        "import sys, time; from pathlib import Path\n"
        "from modelops_jupyter.actor import Actor; from modelops_jupyter.server.jobs import Jobs\n"
        "from modelops_jupyter.server.calls import Call\n"
        "root = Path(sys.argv[1])\n"
        "job = Jobs(root / '.modelops' / 'jobs').start(\n"
        "    Call('run', {'pipeline': str(root / 'p.yaml')}, {}), {}, project=root, actor=Actor('ann'))\n"
        "print(job.id, flush=True); time.sleep(99)"
    )
    server = subprocess.Popen([sys.executable, "-c", program, str(jp_root_dir)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    job = {"id": server.stdout.readline().strip()}
    assert (await get(f"jobs/{job['id']}"))["state"] == "running"
    server.send_signal(signal.SIGKILL)
    server.wait()
    assert (await ended(get, job, within=60))["state"] == "interrupted"


async def test_no_more_jobs_than_the_server_allows(
    post: Ask, empty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Jobs, "_launch", lambda self, path, actor: None)  # a job that is about to begin, four times
    for _ in range(4):
        await post("monitor", {"name": "delay"})
    assert (await refused(post("monitor", {"name": "delay"})))[1]["code"] == "conflict"


@pytest.mark.parametrize("job", ["ghost-ghost", "..", "%2e%2e", "x" * 100, "job.json"])
async def test_hostile_job_ids_are_not_found(get: Ask, empty: Workspace, job: str) -> None:
    assert (await refused(get(f"jobs/{job}")))[0] in (400, 404)


async def test_a_notebook_runs_with_parameters_cell_by_cell(
    get: Ask, post: Ask, jp_fetch: Fetch, empty: Workspace, jp_root_dir: Path
) -> None:
    declared = (
        "from typing import Literal\nn: int = 1  # how many\nmode: Literal['fast', 'slow'] = 'fast'\nsince = None"
    )
    notebook(jp_root_dir / "a.ipynb", "print('n is', n)", "", "n / 0 if mode == 'slow' else n", parameters=declared)
    rows = (await get("notebook-parameters", path="a.ipynb"))["rows"]
    assert [(row["name"], row["type"], row["value"], row["help"]) for row in rows] == [
        ("n", "int", 1, "how many"),
        ("mode", "Literal['fast', 'slow']", "fast", ""),
        ("since", None, None, ""),
    ]
    assert rows[1]["choices"] == ["fast", "slow"]
    started = [
        await post("run-notebook", {"path": "a.ipynb", "parameters": {"n": 3, "mode": mode}, "output": f"{mode}.ipynb"})
        for mode in ("fast", "slow")
    ]
    done, failed = [await ended(get, job) for job in started]
    assert (done["state"], done["cell"]["number"], done["cell"]["total"]) == ("completed", 4, 4)
    assert done["result"]["output_path"] == "fast.ipynb"
    assert nbformat.read(jp_root_dir / "fast.ipynb", 4).cells[2].outputs[0].text == "n is 3\n"
    assert (failed["error"]["code"], failed["cell"]["state"]) == ("notebook-failed", "failed")
    assert "ZeroDivisionError" in failed["error"]["message"]
    assert (jp_root_dir / "slow.ipynb").exists()
    stream = (await jp_fetch(*PREFIX, "jobs", done["id"], "events")).body.decode()
    told = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: {")]
    cells = [event for event in told if event.get("type") == "cell"]
    assert [(cell["number"], cell["state"]) for cell in cells[:4]] == [
        (1, "running"),
        (1, "completed"),
        (2, "running"),
        (2, "completed"),
    ]
    assert cells[5]["output"] == "n is 3\n"
    assert cells[4]["source"] == "print('n is', n)"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"path": "a.ipynb", "output": "../b.ipynb"}, "invalid-input"),
        ({"path": "a.ipynb", "output": ".modelops/b.ipynb"}, "invalid-input"),
        ({"path": "../a.ipynb"}, "invalid-input"),
        ({"path": "ghost.ipynb"}, "not-found"),
    ],
)
async def test_notebooks_stay_in_the_servers_folder(
    get: Ask, post: Ask, empty: Workspace, jp_root_dir: Path, body: dict[str, str], code: str
) -> None:
    notebook(jp_root_dir / "a.ipynb", "1")
    notebook(jp_root_dir.parent / "a.ipynb", "1")
    assert (await refused(post("run-notebook", body)))[1]["code"] == code
    if "output" not in body:
        assert (await refused(get("notebook-parameters", path=body["path"])))[1]["code"] == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"path": "a.ipynb", "output": "a.ipynb"}, "conflict"),
        ({"path": "a.ipynb", "parameters": {"x;import os": 1}}, "invalid-pipeline"),
        ({"path": "a.ipynb", "output": "b.txt"}, "invalid-input"),
    ],
)
async def test_what_a_notebook_cannot_take_runs_nothing(
    empty: Workspace, jp_root_dir: Path, body: dict[str, Any], code: str
) -> None:
    notebook(jp_root_dir / "a.ipynb", "open('ran', 'w')")
    given = {name: str(jp_root_dir / value) if isinstance(value, str) else value for name, value in body.items()}
    with pytest.raises(ModelOpsError) as caught:
        empty.run_notebook(**given)
    assert caught.value.code == code
    assert not (jp_root_dir / "ran").exists()
