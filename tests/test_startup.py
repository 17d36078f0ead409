"""What a user waits for before anything happens: no heavy library may stand in the way."""

import json
import subprocess
import sys

import pytest

HEAVY = ("mlflow", "pandas", "plotly", "ipywidgets", "sqlalchemy", "deltalake", "sklearn", "papermill")


@pytest.mark.parametrize(
    "code",
    [
        "import modelops_jupyter",
        "from modelops_jupyter.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass",
        "from IPython.core.interactiveshell import InteractiveShell as S\n"
        "S.instance().run_line_magic('load_ext', 'modelops_jupyter')",
        "import modelops_jupyter\nmodelops_jupyter._jupyter_server_extension_points()",
    ],
    ids=["import", "help", "load_ext", "server"],
)
def test_no_heavy_import(code: str) -> None:
    program = f"{code}\nimport sys, json\nprint('\\n' + json.dumps(sorted(set({HEAVY!r}) & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_dashboards_server_builds_no_grammar_of_addresses() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "modelops_jupyter.dashboards.voila_process", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "nbformat" in done.stderr
    assert "rfc3987_syntax.syntax_helpers" not in done.stderr  # it was not found
