"""The wheel in an empty environment without Node: what it needs comes with it, Jupyter finds both extensions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "modelops_jupyter" / "labextension" / "package.json"

pytestmark = [pytest.mark.demo, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, install it into an environment of its own as a user does, and return that one's programs."""
    assert BUILT.exists(), "The JupyterLab extension is not built: run `make labextension`."
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    programs = folder / "env" / "bin"
    # uv takes a fifth of pip's time for the same packages.
    install = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        str(programs / "python"),
        str(wheel),
    ]
    subprocess.run(install, check=True)
    return programs


def run(programs: Path, name: str, *words: str) -> str:
    """Run a program of that environment, where nothing else is found, and return what it prints on either stream."""
    kept = {key: os.environ[key] for key in os.environ if not key.startswith(("JUPYTER", "MODELOPS", "PYTHON"))}
    home = programs.parent / "home"
    home.mkdir(exist_ok=True)
    environment = {**kept, "PATH": str(programs), "HOME": str(home)}
    done = subprocess.run(
        [str(programs / name), *words], cwd=home, env=environment, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_jupyter_finds_both_extensions_enabled_and_ok(binaries: Path) -> None:
    assert not (binaries / "node").exists()
    lab = run(binaries, "jupyter", "labextension", "list")
    (line,) = [line for line in lab.splitlines() if "modelops-jupyter" in line]
    assert "enabled" in line
    assert "OK" in line
    server = run(binaries, "jupyter", "server", "extension", "list")
    (enabled,) = [line for line in server.splitlines() if "modelops_jupyter" in line and "enabled" in line]
    (checked,) = [line for line in server.splitlines() if "modelops_jupyter" in line and "OK" in line]
    assert "disabled" not in enabled
    assert checked


def test_what_it_needs_came_with_it(binaries: Path) -> None:
    run(binaries, "pip", "check")
    assert "register" in run(binaries, "modelops", "--help")
    assert run(binaries, "python", "-c", "import modelops_jupyter as mo; print(mo.open().models().to_dict()['rows'])")
