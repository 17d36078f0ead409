"""Any object that predicts, pickled: it runs code when it is loaded, so it is marked `unsafe` wherever it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import InvalidInput

NAME = "pickle"
FILE = "model.pkl"
SAFE = False
LIBRARIES: tuple[str, ...] = ("cloudpickle",)


def handles(model: Any) -> bool:
    """Return whether `model` predicts."""
    return hasattr(model, "predict")


def adapt(model: Any) -> Any:
    """Return `model` as it is."""
    return model


def write(model: Any, folder: Path, columns: Sequence[str] | None) -> None:
    """Pickle `model`."""
    import cloudpickle

    (folder / FILE).write_bytes(cloudpickle.dumps(model))


def read(folder: Path) -> Any:
    """Unpickle a model, which runs the code inside it."""
    import cloudpickle

    return cloudpickle.loads((folder / FILE).read_bytes())


def libraries(folder: Path) -> tuple[str, ...]:
    """Return the distributions that what `write` wrote needs."""
    return LIBRARIES


def recognises(file: Path) -> bool:
    """Return whether a file's name says that it holds a pickle."""
    return file.suffix in (".pkl", ".pickle", ".joblib")


def read_file(file: Path) -> Any:
    """Refuse to read a pickle from a file.

    Raises
    ------
    InvalidInput
        Always: reading it would run the code inside.
    """
    raise InvalidInput(
        f"{str(file)!r} runs code when it is read: write the model with `skops.io.dump`, or register it from "
        "Python with unsafe=True."
    )


def mlflow_flavor(folder: Path) -> dict[str, dict[str, Any]]:
    """Return no flavor of a library: MLflow has none for any object."""
    return {}
