"""Imports go down only, and heavy libraries stay where they belong; read from the source, not from memory."""

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "modelops_jupyter"
LAYERS = (
    {"errors", "_version", "imports", "clock", "derived_names", "choices"},
    {"scoring"},
    {"written", "wording", "mixed_columns"},
    {"persons"},
    {
        "refs",
        "roles",
        "trust",
        "network",
        "actor",
        "presentable",
        "processes",
        "portable",
        "problems",
        "provenance",
        "disk_space",
    },
    {"job_folders", "source_settings"},
    {"listing"},
    {"settings", "frames", "live_names", "columns", "time_columns"},
    {"hashing", "class_labels"},
    {"store"},
    {"log"},
    {"sources"},
    {"profiles"},
    {"registry", "monitoring", "governance", "pipelines", "notifications"},
    {"actions.rejected_service"},
    {"actions.fleet", "actions.labelled_rows", "actions.measurement", "actions.model_answers", "data_files"},
    {"actions.validation", "actions.versions", "actions.restoration", "actions.data_comparison", "table_files"},
    {"actions.scored_rows", "actions.obstacles"},
    {"actions.logged_features"},
    {"actions.publication", "actions.aliases", "actions.adopted", "actions.service_files"},
    {"actions.evaluation", "actions.registration"},
    {"actions.references", "actions.reconciliation", "actions.logged_comparison"},
    {"actions.catalogue", "actions.casework", "actions.liveness", "actions.reminding"},
    {"actions.prediction_logging", "actions.running"},
    {"actions.scoring_parts", "actions.scored_logging", "actions.suppressions"},
    {"actions.batch_scoring"},
    {"actions.watching"},
    {"actions.overview", "foundations"},
    {"actions.moves", "actions.rounds", "actions.adoption"},
    {"actions.inspection", "actions.board"},
    {"diagnosis", "serving"},
    {"backups"},
    {"workspace_incidents", "workspace_inspection", "workspace_records", "workspace_scoring"},
    {"workspace"},
    {"display", "verb", "verb_arguments"},
    {"verb_calls", "verb_groups"},
    {"verbs_of_monitoring"},
    {"verbs"},
    {"dashboards"},
    {"server"},
    {"demo"},
    {"cli"},
    {"magics", "__main__"},
    {"__init__"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
OWNERS = {
    "mlflow": {"registry", "pipelines", "scoring"},  # of scoring, `mlflow_loader`, which MLflow itself runs
    "papermill": {"pipelines"},
    "IPython": {"magics", "display"},
    "deltalake": {"log", "sources", "table_files"},
    "apprise": {"notifications"},
    "standardwebhooks": {"notifications"},
    "urllib3": {"notifications"},
    "onnx": {"scoring"},
    "onnxruntime": {"scoring"},
    "xgboost": {"scoring"},
    "lightgbm": {"scoring"},
    "sqlalchemy": {"store", "registry", "sources"},
    "fsspec": {"sources"},
    "plotly": {"display"},
    "ipywidgets": {"display", "dashboards"},
    "anywidget": {"display"},
    "tornado": {"server", "dashboards"},
    "jupyter_server": {"server", "dashboards"},
    "starlette": {"serving"},
    "uvicorn": {"serving"},
}
# Within monitoring, from what is known of a window to what is said of it.
MONITORING = (
    "record",
    "figures",
    "judging",
    "incidents",
    "scanning",
    "kept",
    "pooling",
    "past",
    "pace",
    "run",
    "monitor",
    "explaining",
    "backtest",
    "data",
)
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def part(words: Sequence[str]) -> str:
    """Return the part of the system that a module is of: a package, a module of none, or one of the actions."""
    return ".".join(words[:2]) if words[0] == "actions" else words[0]


def part_of(file: Path) -> str:
    """Return the part of the system that a file is of."""
    return part(file.relative_to(PACKAGE).with_suffix("").parts)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_go_down_only(file: Path) -> None:
    own = part_of(file)
    if own in ("__init__", "actions.__init__"):
        return
    for name in imports(file):
        words = name.split(".")
        other = part(words[1:]) if words[0] == "modelops_jupyter" and len(words) > 1 else ""
        if other in LEVEL and other != own:
            assert LEVEL[other] < LEVEL[own], f"{own} must not import {other}"


@pytest.mark.parametrize("file", sorted((PACKAGE / "monitoring").rglob("*.py")), ids=lambda file: file.name)
def test_monitoring_is_built_from_below(file: Path) -> None:
    own = file.relative_to(PACKAGE / "monitoring").with_suffix("").parts[0]
    for name in imports(file):
        words = name.split(".")
        if words[:2] == ["modelops_jupyter", "monitoring"] and words[2:] and own != "__init__":
            assert words[2] in MONITORING, f"{file.name} imports {name} through the package"
            assert words[2] == own or MONITORING.index(words[2]) < MONITORING.index(own), f"{own} imports {words[2]}"


@pytest.mark.parametrize("file", sorted((PACKAGE / "scoring").rglob("*.py")), ids=lambda file: file.name)
def test_a_copy_of_scoring_works_under_any_name(file: Path) -> None:
    """Versions carry a copy of `scoring` and `errors`: it imports nothing else of the package, and that relatively."""
    root = len(file.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == root:
            assert node.module == "errors"
        assert not isinstance(node, ast.ImportFrom) or node.level <= root
    assert not any(name.startswith("modelops_jupyter") for name in imports(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_libraries_stay_where_they_belong(file: Path) -> None:
    for name in imports(file):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or part_of(file) in owners, f"{part_of(file)} must not import {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_files_are_short(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 450


def test_test_files_have_names_of_their_own() -> None:
    """Of two with one name pytest imports the first for both."""
    names = [
        file.name for file in Path(__file__).parent.rglob("*.py") if file.name not in ("conftest.py", "__init__.py")
    ]
    assert sorted(names) == sorted(set(names))
