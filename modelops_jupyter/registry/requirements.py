"""What it takes to load a version with stock MLflow: pinned requirements, for pip, virtualenv and conda."""

from __future__ import annotations

import ast
import pickletools
import platform
import re
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import yaml

from modelops_jupyter.registry.environment import Environment, Installed
from modelops_jupyter.scoring.formats import Flavor
from modelops_jupyter.scoring.project_code import FOLDER
from modelops_jupyter.scoring.project_sources import imported_names

REQUIREMENTS, PYTHON_ENV, CONDA = "requirements.txt", "python_env.yaml", "conda.yaml"
# MLflow brings these in any case, in whichever version is newest then; answers hang on them.
_ALWAYS = ("mlflow", "numpy", "pandas", "scipy", "scikit-learn")
_BUILD = ("pip", "setuptools", "wheel")
_OWN = "modelops-jupyter"


def write_requirements(folder: Path, flavor: Flavor, environment: Environment) -> None:
    """Write the requirements of the model that `flavor` has written into `folder`."""
    pins = requirements(folder, flavor, environment)
    (folder / REQUIREMENTS).write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
    python, build = platform.python_version(), _pins(environment.distribution(name) for name in _BUILD)
    virtual = {"python": python, "build_dependencies": build, "dependencies": [f"-r {REQUIREMENTS}"]}
    pip = next((pin for pin in build if pin.startswith("pip==")), "pip").replace("==", "<=")
    packages = [f"python={python}", pip, {"pip": pins}]
    conda = {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": packages}
    for name, content in ((PYTHON_ENV, virtual), (CONDA, conda)):
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def requirements(folder: Path, flavor: Flavor, environment: Environment) -> list[str]:
    """Return the pinned distributions: MLflow's, the flavor's, and those that the model's own types are from."""
    named = dict.fromkeys((*_ALWAYS, *flavor.LIBRARIES))
    # By name, or by its module: xgboost-cpu imports as xgboost.
    libraries = [environment.distribution(n) or environment.distribution_of(n.replace("-", "_")) for n in named]
    return _pins([*libraries, *map(environment.distribution_of, sorted(imported_modules(folder)))])


def _pins(items: Iterable[Installed | None]) -> list[str]:
    present = {item.name: item for item in items if item is not None and item.name != _OWN}
    return [f"{name}=={item.entry['version']}" for name, item in present.items()]


def imported_modules(folder: Path) -> set[str]:
    """Return the top-level modules that reading a scikit-learn model or a pickle imports; the model is not loaded.

    With a scikit-learn model those that the project's code beside it imports.
    """
    modules: set[str] = set()
    for file in folder.glob("*.skops"):
        with zipfile.ZipFile(file) as archive:
            modules |= set(re.findall(r'"__module__": *"(\w+)', archive.read("schema.json").decode()))
    for file in folder.glob("*.pkl"):
        modules |= _pickled_modules(file.read_bytes())
    for file in (folder / FOLDER).rglob("*.py"):
        modules |= {name.partition(".")[0] for name in imported_names(ast.parse(file.read_text(encoding="utf-8")))}
    return {module for module in modules if module not in sys.stdlib_module_names and module != "__main__"}


def _pickled_modules(content: bytes) -> set[str]:
    """Return the modules of the globals in a pickle: those that its opcodes name, and texts that may be one's name."""
    modules = set()
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name == "GLOBAL":
            modules.add(str(argument).partition(" ")[0])
        elif opcode.name in ("SHORT_BINUNICODE", "BINUNICODE") and str(argument) in sys.modules:
            modules.add(str(argument))  # of STACK_GLOBAL, whose module was put on the stack before
    return {module.partition(".")[0] for module in modules}
