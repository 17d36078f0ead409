"""What stands beside a model's own file: how MLflow loads it, on what it was seen, what it needs, and every digest."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter._version import __version__
from modelops_jupyter.errors import InvalidFrame, ModelFailed, ModelOpsError
from modelops_jupyter.registry.environment import LOCK, Environment, installed, lock
from modelops_jupyter.registry.mlmodel import OWN
from modelops_jupyter.registry.requirements import CONDA, PYTHON_ENV, write_requirements
from modelops_jupyter.registry.scoring_copy import scoring_copy
from modelops_jupyter.registry.signatures import EXAMPLE_ROWS, signature, write_examples
from modelops_jupyter.scoring import input_columns
from modelops_jupyter.scoring.formats import Flavor
from modelops_jupyter.scoring.manifest import write_manifest
from modelops_jupyter.scoring.predictions import own_columns, predict

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow.models import Model, ModelSignature

NO_ANSWER = "modelops_no_answer"  # in MLflow's metadata: why the signature has no outputs


def describe(
    model: Any, folder: Path, flavor: Flavor, frames: Sequence[pd.DataFrame], facts: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Complete the folder into which `flavor` has written an adapted model, and return the contract of its columns.

    Parameters
    ----------
    frames
        The rows it has been seen with, its training data first; none leave it without signature and example.
    facts
        Kind, task, classes and the functions of the project that it calls.
    """
    scoring_copy().write(folder)
    _write_environment(folder, flavor)
    names = getattr(model, "feature_names_in_", None)
    if frames and names is not None:  # what else is in a table is nothing that the model asks for
        own = own_columns([str(name) for name in names], frames[0])
        frames = [frames[0][own], *frames[1:]]
    columns = input_columns.describe(frames)
    description = _mlmodel(folder, flavor, facts)
    if frames:
        example = frames[0].head(EXAMPLE_ROWS)
        try:
            prediction = _decided(predict(model, example, undecided="missing").prediction)
        except Exception as error:  # of whatever kind: the version is registered, and says what came of it
            if isinstance(error, ModelOpsError) and not isinstance(error, ModelFailed):
                raise  # the call was wrong
            prediction = None
            description.metadata = {NO_ANSWER: f"{type(error).__name__}: {error}"}
        description.signature = _signature(model, frames, columns, prediction)
        description.saved_input_example_info = write_examples(folder, example)
    description.save(str(folder / "MLmodel"))
    functions = facts["project_functions"]
    write_manifest(folder, format=flavor.NAME, safe=flavor.SAFE, columns=columns, functions=functions)
    return columns


def _decided(prediction: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """Return the answers without those that no rule of a decision table gives; None where there are no others."""
    import numpy as np

    if prediction.dtype.kind != "O":
        return prediction
    values = [value for value in prediction.tolist() if value is not None]
    return np.asarray(values, dtype="object" if len({*map(type, values)}) > 1 else None) if values else None


def _write_environment(folder: Path, flavor: Flavor) -> None:
    """Write what it takes to load the model, and the lock; where that cannot be taken, the reason is on record."""
    try:
        environment = installed()
        locked = lock(environment)
    except Exception as error:  # whatever other people's metadata raises: a model is registered all the same
        environment = Environment((), ())
        locked = {"reason": f"The environment could not be read ({type(error).__name__}: {error})."}
    (folder / LOCK).write_text(json.dumps(locked, sort_keys=True, indent=1), encoding="utf-8")
    write_requirements(folder, flavor, environment)


def _mlmodel(folder: Path, flavor: Flavor, facts: Mapping[str, Any]) -> Model:
    """Describe the artifact as MLflow does: the library's flavor, MLflow's own of any function, and ours."""
    from mlflow.models import Model

    description, copy = Model(), scoring_copy()
    for name, options in flavor.mlflow_flavor(folder).items():
        description.add_flavor(name, **options)
    description.add_flavor(
        "python_function",
        loader_module=copy.loader_module,
        code=copy.file,
        env={"virtualenv": PYTHON_ENV, "conda": CONDA},
        python_version=platform.python_version(),
    )
    about = {"format": flavor.NAME, "data": flavor.FILE, "safe": flavor.SAFE, "modelops_version": __version__}
    description.add_flavor(OWN, **about, **facts)
    description.model_size_bytes = (folder / flavor.FILE).stat().st_size
    return description


def _signature(
    model: Any,
    frames: Sequence[pd.DataFrame],
    columns: Sequence[Mapping[str, Any]],
    prediction: np.ndarray[Any, Any] | None,
) -> ModelSignature:
    from mlflow.exceptions import MlflowException

    try:
        return signature(model, frames, columns, prediction)
    except MlflowException as error:
        raise InvalidFrame(f"MLflow cannot describe data: {str(error).splitlines()[0]}") from error
