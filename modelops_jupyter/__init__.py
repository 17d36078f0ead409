"""ModelOps for people who live in Jupyter.

>>> import modelops_jupyter as mo
>>> ws = mo.open()  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from modelops_jupyter._version import __version__
from modelops_jupyter.presentable import Presentable, present_with

if TYPE_CHECKING:
    from modelops_jupyter.actions.data_comparison import compare_data
    from modelops_jupyter.backups import restore
    from modelops_jupyter.errors import ModelOpsError
    from modelops_jupyter.refs import ModelReference
    from modelops_jupyter.registry import DecisionTable, OnnxModel
    from modelops_jupyter.workspace import Workspace, open

# Imported on first use: a notebook that only loads the extension pays for nothing else.
_LAZY = {
    "DecisionTable": "modelops_jupyter.registry",
    "ModelOpsError": "modelops_jupyter.errors",
    "ModelReference": "modelops_jupyter.refs",
    "OnnxModel": "modelops_jupyter.registry",
    "Workspace": "modelops_jupyter.workspace",
    "compare_data": "modelops_jupyter.actions.data_comparison",
    "open": "modelops_jupyter.workspace",
    "restore": "modelops_jupyter.backups",
}

__all__ = [
    "DecisionTable",
    "ModelOpsError",
    "ModelReference",
    "OnnxModel",
    "Workspace",
    "__version__",
    "compare_data",
    "open",
    "restore",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _display(result: Presentable) -> dict[str, Any]:
    from modelops_jupyter.display import mimebundle

    return mimebundle(result)


def _live(result: Presentable, workspace: Any) -> Any:
    from modelops_jupyter.display.widgets import widget_of

    return widget_of(result, workspace)


present_with(_display, _live)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell a Jupyter server where its extension is."""
    from modelops_jupyter.server.extension import ModelOpsExtension

    return [{"module": "modelops_jupyter.server.extension", "app": ModelOpsExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the built extension is."""
    return [{"src": "labextension", "dest": "modelops-jupyter"}]


def load_ipython_extension(shell: Any) -> None:
    """Make ``%modelops`` known: ``%load_ext modelops_jupyter``."""
    from modelops_jupyter import magics

    magics.load(shell)
