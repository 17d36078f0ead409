"""Runs say where they come from, in every way that a notebook or script is run; real kernels, MLflow and git."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from subprocess import DEVNULL, Popen, check_output
from types import SimpleNamespace
from urllib.error import URLError
from urllib.request import Request, urlopen

import nbformat
import papermill
import pytest
from jupyter_client import BlockingKernelClient
from nbclient import NotebookClient
from projects import CODE, NOTEBOOK, RULES, SCRIPT, Project, write_notebook
from repositories import git
from waiting import until

import modelops_jupyter as mo
from modelops_jupyter.provenance import UNKNOWN, NotebookRunContext, Source, corrections, find_source, tags_of
from modelops_jupyter.provenance.git import GitFacts

pytestmark = pytest.mark.slow

URL = "https://git.example.org/team/delay.git"


def test_mlflow_knows_our_provider() -> None:
    """Where this fails, install the package again: entry points are read from the installed metadata."""
    found = entry_points(group="mlflow.run_context_provider", name="modelops")
    assert [point.load() for point in found] == [NotebookRunContext]


def check(project: Project, name: str, kind: str = "NOTEBOOK", begun: str | None = None) -> None:
    """Check every run's source; `begun` is the name that MLflow itself gives the run that it begins in a script."""
    tags = project.tags()
    source = tags.pop("version")
    for which, found in tags.items():
        expected = begun if which == "begun" and begun is not None else name
        assert (which, found["mlflow.source.name"], found["mlflow.source.type"]) == (which, expected, kind)
        assert (which, found["mlflow.source.git.commit"]) == (which, project.commit)
        assert (which, found["mlflow.source.git.branch"]) == (which, "main")
        assert (which, found["mlflow.source.git.repoURL"]) == (which, URL)
        assert (which, found["modelops.git.dirty"]) == (which, "false")
        assert "s3cret" not in json.dumps(found)
    assert (source["name"], source["git_commit"], source["git_dirty"]) == (name, project.commit, False)
    assert source["notebook"] == (name if kind == "NOTEBOOK" and name != UNKNOWN else None)


def test_our_runner_tells_a_kernel_its_notebook_and_not_to_the_one_that_it_starts(project: Project) -> None:
    """A kernel inherits the environment of the one that started it, with the other notebook's name."""
    outer = project.top / "outer.ipynb"
    other = project.top.parent / "other"
    inner = (
        "import papermill\n"
        f"Path(os.environ['RUNS']).rename({str(other)!r})\n"
        f"papermill.execute_notebook({str(project.notebook)!r}, os.devnull)"
    )
    write_notebook(outer, CODE, inner)
    project.commit_all()
    with mo.open(project.top) as ws:
        ws.run_notebook(outer, output=project.top.parent / "done.ipynb")
    check(project, UNKNOWN)
    other.rename(project.runs)
    check(project, "outer.ipynb")


def test_our_engine_tells_a_kernel_its_notebook(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.top)
    papermill.execute_notebook(NOTEBOOK, os.devnull, engine_name="modelops", progress_bar=False)
    check(project, NOTEBOOK)


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "papermill", NOTEBOOK, os.devnull],
        ["-m", "papermill", NOTEBOOK, os.devnull, "--engine", "modelops", "--cwd", "scripts"],
        ["-m", "jupyter", "execute", NOTEBOOK],
    ],
    ids=["papermill", "papermill with our engine", "jupyter execute"],
)
def test_a_notebook_that_a_command_executes(project: Project, words: list[str]) -> None:
    project.run(*words)
    check(project, NOTEBOOK)


def test_a_plain_kernel_says_that_it_does_not_know_its_notebook(project: Project) -> None:
    """It has the facts of its folder's repository all the same; VS Code tells it the notebook in a variable."""
    told = f"__vsc_ipynb_file__ = {str(project.notebook)!r}"
    other = project.top.parent / "other"
    write_notebook(
        project.top.parent / "plain.ipynb", CODE, f"Path(os.environ['RUNS']).rename({str(other)!r})\n{told}", CODE
    )
    notebook = nbformat.read(project.top.parent / "plain.ipynb", as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(project.notebook.parent)}}).execute()
    check(project, NOTEBOOK)
    other.rename(project.runs)
    check(project, UNKNOWN)


@contextmanager
def jupyter_server(project: Project) -> Iterator[str]:
    """Run a Jupyter Server over the project's parent folder and yield its address."""
    runtime = Path(project.environment["JUPYTER_RUNTIME_DIR"])
    words = ["-m", "jupyter_server", "--port=0", "--IdentityProvider.token=word", "--allow-root"]
    words += [f"--ServerApp.root_dir={project.top.parent}"]
    process = Popen([sys.executable, *words], env=project.environment, stdout=DEVNULL, stderr=DEVNULL)
    try:
        until(lambda: list(runtime.glob("jpserver-*.json")))
        address = json.loads(next(runtime.glob("jpserver-*.json")).read_text())["url"]
        until(lambda: listens(address))  # the file is written before the port is open
        yield address
    finally:
        process.terminate()
        process.wait(30)


def listens(address: str) -> bool:
    """Return whether a server is at the address."""
    try:
        ask(address, "GET", "status")
    except URLError:
        return False
    return True


def ask(address: str, method: str, path: str, body: object = None) -> dict[str, object]:
    request = Request(
        f"{address}api/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "token word"},
        method=method,
    )
    with urlopen(request, timeout=30) as answer:
        return dict(json.loads(answer.read() or "{}"))


def answers(client: BlockingKernelClient) -> bool:
    """Return whether the kernel is up: on a busy machine its heart beats late."""
    try:
        client.wait_for_ready(timeout=5)
    except RuntimeError:
        return False
    return True


def execute(project: Project, kernel: str, code: str) -> None:
    """Execute code in a kernel that a server has started, as a page of JupyterLab does."""
    client = BlockingKernelClient(
        connection_file=str(Path(project.environment["JUPYTER_RUNTIME_DIR"]) / f"kernel-{kernel}.json")
    )
    client.load_connection_file()
    client.start_channels()
    until(lambda: answers(client))
    errors: list[str] = []

    def hear(message: dict[str, dict[str, str]]) -> None:
        errors.extend(message["content"].get("traceback", ()))

    client.execute_interactive(code, timeout=120, output_hook=hear)
    client.stop_channels()
    assert not errors, "\n".join(errors)


def test_a_notebook_of_jupyter_server_also_when_it_is_renamed(project: Project) -> None:
    """JupyterLab's notebooks begin as Untitled.ipynb, and their kernel keeps that name in its environment."""
    with jupyter_server(project) as address:
        path = f"{project.top.name}/{NOTEBOOK}"
        asked = {"path": path, "name": Path(NOTEBOOK).name, "type": "notebook", "kernel": {"name": "python3"}}
        session = ask(address, "POST", "sessions", asked)
        kernel = str(session["kernel"]["id"])  # type: ignore[index]
        execute(project, kernel, CODE)
        check(project, NOTEBOOK)
        renamed = "my nötebooks/final.ipynb"
        git(project.top, "mv", NOTEBOOK, renamed)
        project.notebook.touch()  # another notebook has taken the name
        project.commit_all()
        ask(address, "PATCH", f"sessions/{session['id']}", {"path": f"{project.top.name}/{renamed}"})
        execute(project, kernel, CODE)
        check(project, renamed)
        inner = str(project.top / renamed)
        execute(project, kernel, f"import papermill\npapermill.execute_notebook({inner!r}, {os.devnull!r})")
        check(project, UNKNOWN)


def test_a_script_is_named_in_its_repository(project: Project) -> None:
    """Runs that MLflow begins in a script are MLflow's to describe: it names them as they were called."""
    project.run("train it.py", folder=project.script.parent)
    check(project, SCRIPT, "LOCAL", begun="train it.py")


def test_the_shell_registers_as_modelops(project: Project) -> None:
    project.run("-m", "modelops_jupyter.cli", "register", str(RULES), "care")
    with mo.open(project.top) as ws:
        body = ws.version("care/1").body
        tags = ws.registry.client.get_run(body["run_id"]).data.tags
        assert f"Git commit**: {project.commit}" in ws.card("care/1").to_markdown()
    assert (tags["mlflow.source.name"], tags["mlflow.source.type"]) == ("modelops", "LOCAL")
    assert (tags["mlflow.source.git.commit"], body["source"]["git_commit"]) == (project.commit, project.commit)


def test_a_run_that_another_process_made_is_left_as_it_is(project: Project) -> None:
    """Who knows where it came from? Not the one who registers it later."""
    with mo.open(project.top) as ws:
        client = ws.registry.client
        long_ago = int((time.time() - 86_400) * 1000)
        run = client.create_run(ws.registry.experiment_id, start_time=long_ago).info.run_id
        ws.register(RULES, "care", run_id=run)
        assert not [tag for tag in client.get_run(run).data.tags if "source" in tag or "git" in tag]


GIT = GitFacts(Path("/p"), "c0ffee", "main", "https://example.org/m.git", True)
OURS = Source("a/b.ipynb", "NOTEBOOK", GIT, is_file=True).facts()


def test_only_what_is_missing_or_wrong_is_corrected() -> None:
    own = tags_of(OURS)
    assert corrections({}, OURS) == own
    assert corrections(own, OURS) == {}
    wrong = {"mlflow.source.name": "/env/ipykernel_launcher.py", "mlflow.source.type": "LOCAL"}
    assert corrections(wrong, OURS) == own
    right = {"mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL"}
    assert corrections(right, OURS) == {tag: own[tag] for tag in own if "git" in tag}
    other = {**right, "mlflow.source.git.commit": "another"}
    assert corrections(other, OURS) == {}
    assert corrections({**right, "mlflow.source.git.commit": "c0ffee"}, OURS) == {
        "mlflow.source.git.branch": "main",
        "mlflow.source.git.repoURL": "https://example.org/m.git",
        "modelops.git.dirty": "true",
    }
    assert corrections({}, Source("x", "LOCAL", None).facts()) == {
        "mlflow.source.name": "x",
        "mlflow.source.type": "LOCAL",
    }


def test_outside_git_a_file_is_named_in_its_project_else_by_its_name(tmp_path: Path) -> None:
    script = tmp_path / "jobs" / "train.py"
    script.parent.mkdir()
    script.write_text(
        "import json, sys\nfrom pathlib import Path\nfrom modelops_jupyter.provenance import find_source\n"
        "project = Path(sys.argv[1]) if sys.argv[1:] else None\nprint(json.dumps(find_source(project).facts()))"
    )

    def name(*arguments: str) -> str:
        output = check_output([sys.executable, str(script), *arguments], text=True)
        return str(json.loads(output)["name"])

    assert name() == "train.py"
    assert name(str(tmp_path)) == "jobs/train.py"
    (tmp_path / "modelops.toml").touch()
    assert name() == "jobs/train.py"
    code = "from modelops_jupyter.provenance import find_source; print(find_source().name)"
    assert check_output([sys.executable, "-c", code], text=True).strip() == "<console>"


def test_programs_that_are_installed_are_no_scripts() -> None:
    assert find_source().name in ("pytest", "<console>")  # this test's own, or that of xdist's worker, a `python -c`
    assert not NotebookRunContext().in_context()


def test_a_context_that_is_set_outside_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", json.dumps({"mlflow.source.name": "nightly"}))
    tags = NotebookRunContext().tags()
    assert "mlflow.source.name" not in tags
    assert tags["mlflow.source.type"] == "LOCAL"


def test_the_provider_is_light() -> None:
    """MLflow imports it wherever a run is made."""
    code = "import sys, modelops_jupyter.provenance; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(check_output([sys.executable, "-c", code], text=True).split())
    assert not loaded & {
        "mlflow",
        "pandas",
        "numpy",
        "pyarrow",
        "IPython",
        "psutil",
        "jupyter_client",
        "git",
        "pydantic",
    }


def test_many_runs_of_a_cell_ask_git_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit in a later cell is seen at once."""
    monkeypatch.chdir(project.top)
    shell = SimpleNamespace(kernel=object(), user_ns={"__vsc_ipynb_file__": str(project.notebook)}, execution_count=1)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    provider = NotebookRunContext()
    before = provider.tags()
    assert (before["mlflow.source.name"], before["mlflow.source.git.commit"]) == (NOTEBOOK, project.commit)
    project.script.write_text("")
    project.commit_all()
    assert provider.tags() == before
    shell.execution_count = 2
    assert provider.tags()["mlflow.source.git.commit"] == project.commit != before["mlflow.source.git.commit"]


def test_a_folder_that_was_removed_has_no_facts(tmp_path: Path) -> None:
    code = "import os; os.rmdir(os.getcwd()); from modelops_jupyter.provenance import find_source; print(find_source())"
    (tmp_path / "gone").mkdir()
    output = check_output([sys.executable, "-c", code], text=True, cwd=tmp_path / "gone")
    assert output.startswith("Source(name='<console>', type='LOCAL', git=None")
