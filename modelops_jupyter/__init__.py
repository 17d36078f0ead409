"""ModelOps for people who live in Jupyter.

>>> import modelops_jupyter as mo
>>> ws = mo.open()  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from modelops_jupyter._version import __version__
from modelops_jupyter.presentable import Presentable as _Presentable
from modelops_jupyter.presentable import present_with as _present_with

if TYPE_CHECKING:
    from modelops_jupyter.actions.data_comparison import compare_data
    from modelops_jupyter.backups import restore
    from modelops_jupyter.errors import (
        Conflict,
        DependencyFailed,
        GateClosed,
        InvalidInput,
        ModelOpsError,
        NotFound,
        Refused,
    )
    from modelops_jupyter.refs import ModelReference
    from modelops_jupyter.registry import DecisionTable, OnnxModel
    from modelops_jupyter.workspace import Workspace, open

# Imported on first use: a notebook that only loads the extension pays for nothing else.
_LAZY = {
    "Conflict": "modelops_jupyter.errors",
    "DecisionTable": "modelops_jupyter.registry",
    "DependencyFailed": "modelops_jupyter.errors",
    "GateClosed": "modelops_jupyter.errors",
    "InvalidInput": "modelops_jupyter.errors",
    "ModelOpsError": "modelops_jupyter.errors",
    "ModelReference": "modelops_jupyter.refs",
    "NotFound": "modelops_jupyter.errors",
    "OnnxModel": "modelops_jupyter.registry",
    "Refused": "modelops_jupyter.errors",
    "Workspace": "modelops_jupyter.workspace",
    "compare_data": "modelops_jupyter.actions.data_comparison",
    "open": "modelops_jupyter.workspace",
    "restore": "modelops_jupyter.backups",
}

__all__ = [
    "Conflict",
    "DecisionTable",
    "DependencyFailed",
    "GateClosed",
    "InvalidInput",
    "ModelOpsError",
    "ModelReference",
    "NotFound",
    "OnnxModel",
    "Refused",
    "Workspace",
    "__version__",
    "compare_data",
    "open",
    "restore",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(_import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _display(result: _Presentable) -> dict[str, Any]:
    from modelops_jupyter.display import mimebundle

    return mimebundle(result)


def _live(result: _Presentable, workspace: Any) -> Any:
    from modelops_jupyter.display.widgets import widget_of

    return widget_of(result, workspace)


_present_with(_display, _live)


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
