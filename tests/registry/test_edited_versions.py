"""A version that was edited runs nothing of its own, whatever its files say."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from saving import save
from sklearn.linear_model import LogisticRegression
from test_hostile_models import X, Y

from modelops_jupyter.errors import ArtifactChanged, UnsafeArtifact
from modelops_jupyter.registry import Registry
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace


def edit(line: str) -> Callable[[Path], None]:
    """Return what makes a version's MLmodel name a loader, or code, of a stranger's choice."""

    def act(folder: Path) -> None:
        described = (folder / "MLmodel").read_text()
        key = line.partition(":")[0]
        before = next(other for other in described.splitlines() if other.strip().startswith(f"{key}:"))
        (folder / "MLmodel").write_text(described.replace(before, f"    {line}"))

    return act


def plant(name: str) -> Callable[[Path], None]:
    """Return what puts a module of a stranger's beside a version's own code."""

    def act(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("raise SystemExit('run')")

    return act


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (edit("loader_module: os"), "'MLmodel' was changed"),
        (edit("loader_module: evil.loader"), "'MLmodel' was changed"),
        (edit("code: ../../evil"), "'MLmodel' was changed"),
        (edit("pickled_model: ../../evil.pkl"), "'MLmodel' was changed"),
        (edit("serialization_format: cloudpickle"), "'MLmodel' was changed"),
        (plant("code/evil.py"), r"'code/evil\.py' was added"),
        (plant("sitecustomize.py"), r"'sitecustomize\.py' was added"),
    ],
    ids=["os", "loader", "code", "file", "format", "beside", "site"],
)
def test_an_edited_version_runs_nothing_of_its_own(
    settings: Settings, act: Callable[[Path], None], sentence: str
) -> None:
    with Workspace(settings) as ws:
        ws.register(LogisticRegression().fit(X, Y), "m", data=X)
        act(next(settings.artifacts_path.rglob("MLmodel")).parent)
        paths, modules = list(sys.path), set(sys.modules)
        with pytest.raises(ArtifactChanged, match=sentence):
            ws.predict("m/1", X)
        assert sys.path == paths
        assert "evil" not in " ".join(set(sys.modules) - modules)


def test_bytecode_beside_a_version_is_no_part_of_it_and_is_not_loaded(settings: Settings) -> None:
    with Workspace(settings) as ws:
        model = LogisticRegression().fit(X, Y)
        ws.register(model, "m", data=X)
        plant("code/__pycache__/evil.cpython-311.pyc")(next(settings.artifacts_path.rglob("MLmodel")).parent)
        assert ws.predict("m/1", X)[0].tolist() == model.predict(X).tolist()
        assert "evil" not in " ".join(sys.modules)


def test_a_version_is_read_by_the_format_on_record_whatever_its_files_say(settings: Settings) -> None:
    registry = Registry(settings)
    saved = save(registry, LogisticRegression().fit(X, Y), "m", data=X)
    for format in ("os", "python_function", "modelops_scoring_00000000.scoring.mlflow_loader"):
        with pytest.raises(UnsafeArtifact, match="not on the allow-list"):
            registry.load({**saved.body, "flavor": format})
