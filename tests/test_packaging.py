"""What a user gets: one version everywhere, and a wheel that carries everything."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import modelops_jupyter

ROOT = Path(__file__).parents[1]
BUILT = ROOT / "modelops_jupyter" / "labextension" / "package.json"
SHARE = "share/jupyter/labextensions/modelops-jupyter"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build the wheel and return the names in it, those of shared data without their prefix."""
    assert BUILT.exists(), "The JupyterLab extension is not built: run `make labextension`."
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    (file,) = folder.glob("*.whl")
    return {re.sub(r"^[^/]*\.data/data/", "", name) for name in zipfile.ZipFile(file).namelist()}


def test_the_version_is_the_same_everywhere() -> None:
    package = json.loads((ROOT / "labextension" / "package.json").read_text())
    lock = json.loads((ROOT / "labextension" / "package-lock.json").read_text())
    versions = {package["version"], lock["version"], lock["packages"][""]["version"]}
    assert versions == {modelops_jupyter.__version__}


def test_the_lockfile_names_no_machine() -> None:
    lock = json.loads((ROOT / "labextension" / "package-lock.json").read_text())
    addresses = [entry.get("resolved", "https://registry.npmjs.org/") for entry in lock["packages"].values()]
    assert [address for address in addresses if not address.startswith("https://registry.npmjs.org/")] == []
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)


def test_jupyter_finds_both_extensions() -> None:
    (lab,) = modelops_jupyter._jupyter_labextension_paths()
    (server,) = modelops_jupyter._jupyter_server_extension_points()
    config = json.loads((ROOT / "jupyter-config" / "server-config" / "modelops_jupyter.json").read_text())
    install = json.loads((ROOT / "labextension" / "install.json").read_text())
    assert (lab["src"], lab["dest"]) == ("labextension", "modelops-jupyter")
    assert config["ServerApp"]["jpserver_extensions"] == {server["app"].name: True}
    assert install["packageName"] == "modelops_jupyter"


def test_the_wheel_carries_the_labextension_and_turns_the_server_extension_on(wheel: set[str]) -> None:
    built = {str(file.relative_to(BUILT.parent)) for file in BUILT.parent.rglob("*") if file.is_file()}
    assert {f"{SHARE}/{name}" for name in built} <= wheel
    assert f"{SHARE}/install.json" in wheel
    assert "etc/jupyter/jupyter_server_config.d/modelops_jupyter.json" in wheel


def test_the_wheel_carries_notebooks_and_dashboards(wheel: set[str]) -> None:
    notebooks, dashboards = ROOT / "notebooks", ROOT / "modelops_jupyter" / "dashboards"
    for file in tracked("notebooks"):
        assert f"modelops_jupyter/examples/{file.relative_to(notebooks)}" in wheel
    for file in tracked("modelops_jupyter/dashboards") if dashboards.exists() else ():
        assert str(file.relative_to(ROOT)) in wheel


def test_the_wheel_carries_nothing_else(wheel: set[str]) -> None:
    waste = re.compile(r"\.ipynb_checkpoints|__pycache__|node_modules|(^|/)tests/|\.tsx?$|\.modelops/")
    assert [name for name in wheel if waste.search(name)] == []


def tracked(folder: str) -> list[Path]:
    """Return the files that git knows in a folder."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in done.stdout.splitlines()]
