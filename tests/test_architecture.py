"""Imports go down only, and heavy libraries stay where they belong; read from the source, not from memory."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "modelops_jupyter"
LAYERS = (
    {"errors", "_version"},
    {"written"},
    {"refs", "actor", "presentable", "processes"},
    {"listing"},
    {"settings", "frames", "live_names", "columns"},
    {"store"},
    {"log"},
    {"profiles"},
    {"registry", "monitoring", "governance", "pipelines", "notifications"},
    {"fleet", "data_files"},
    {"versions"},
    {"publication", "aliases"},
    {"registration"},
    {"catalogue", "casework", "liveness", "prediction_logging", "running"},
    {"watching"},
    {"overview", "foundations"},
    {"moves", "rounds"},
    {"inspection", "board"},
    {"workspace"},
    {"display", "verb"},
    {"verbs"},
    {"dashboards"},
    {"server"},
    {"demo"},
    {"cli"},
    {"magics"},
    {"__init__"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
OWNERS = {
    "mlflow": {"registry", "pipelines"},
    "papermill": {"pipelines"},
    "IPython": {"magics", "display"},
    "deltalake": {"log"},
    "apprise": {"notifications"},
    "standardwebhooks": {"notifications"},
    "urllib3": {"notifications"},
    "onnx": {"registry"},
    "onnxruntime": {"registry"},
    "xgboost": {"registry"},
    "lightgbm": {"registry"},
    "sqlalchemy": {"store", "registry"},
    "plotly": {"display"},
    "ipywidgets": {"display", "dashboards"},
    "anywidget": {"display"},
    "tornado": {"server", "dashboards"},
    "jupyter_server": {"server", "dashboards"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def part(file: Path) -> str:
    inside = file.relative_to(PACKAGE)
    return inside.parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_go_down_only(file: Path) -> None:
    own = part(file)
    if own == "__init__":
        return
    for name in imports(file):
        words = name.split(".")
        if words[0] == "modelops_jupyter" and len(words) > 1 and words[1] in LEVEL and words[1] != own:
            assert LEVEL[words[1]] < LEVEL[own], f"{own} must not import {words[1]}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_libraries_stay_where_they_belong(file: Path) -> None:
    for name in imports(file):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or part(file) in owners, f"{part(file)} must not import {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_files_are_short(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 450
