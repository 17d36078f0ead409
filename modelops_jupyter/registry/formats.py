"""Which model formats may be registered and loaded: an allow-list of our own, never the artifact's word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from modelops_jupyter.errors import InvalidInput, UnsafeArtifact
from modelops_jupyter.registry.flavors.decision import DecisionTable

SKLEARN, DECISION, PICKLE = "sklearn-skops", "decision-jdm", "pickle"
MODEL_FILES = {SKLEARN: "model.skops", DECISION: "decision.json", PICKLE: "model.pkl"}

# Classes of scikit-learn itself, and the NumPy and SciPy types its estimators hold. Functions never.
_TRUSTED = re.compile(r"sklearn(\.\w+)+\.[A-Z]\w*|sklearn\.\w+(\.\w+)*\.Cy\w+|numpy(\.\w+)*\.(dtype|ndarray|[a-z]+\d*)")


def trusted_types(untrusted: list[str]) -> list[str]:
    """Return those of skops' unknown types that we trust; raise `UnsafeArtifact`, naming them, for any other."""
    others = [name for name in untrusted if not _TRUSTED.fullmatch(name)]
    if others:
        raise UnsafeArtifact(
            f"The model holds types that are not scikit-learn's own: {', '.join(sorted(others))}. Rebuild it without "
            "them, or register it with unsafe=True (--unsafe), which marks it everywhere."
        )
    return untrusted


def write_model(model: Any, folder: Path, *, unsafe: bool) -> str:
    """Write `model` under `folder` in the safest format it has, and return the format's name."""
    if isinstance(model, DecisionTable):
        (folder / MODEL_FILES[DECISION]).write_text(model.to_json(), encoding="utf-8")
        return DECISION
    if _is_sklearn(model):
        import skops.io as skops

        file = folder / MODEL_FILES[SKLEARN]
        try:
            skops.dump(model, file)
            trusted_types(skops.get_untrusted_types(file=file))
            return SKLEARN
        except UnsafeArtifact:
            file.unlink()
            if not unsafe:
                raise
    elif not unsafe:
        raise UnsafeArtifact(
            f"{type(model).__module__}.{type(model).__name__} has no format on the allow-list (scikit-learn by skops, "
            "decision tables): register it with unsafe=True (--unsafe), which marks it everywhere."
        )
    import cloudpickle

    if not hasattr(model, "predict"):
        raise InvalidInput(f"A {type(model).__name__} has no predict(): register a fitted model.")
    (folder / MODEL_FILES[PICKLE]).write_bytes(cloudpickle.dumps(model))
    return PICKLE


def read_model(folder: Path, flavor: str, *, unsafe: bool = False) -> Any:
    """Return the live model under `folder`, whose bytes have been checked; pickles only where `unsafe` is True."""
    if flavor == SKLEARN:
        return read_skops(folder / MODEL_FILES[SKLEARN])
    if flavor == DECISION:
        return DecisionTable.from_file(folder / MODEL_FILES[DECISION])
    if flavor == PICKLE and unsafe:
        import cloudpickle

        return cloudpickle.loads((folder / MODEL_FILES[PICKLE]).read_bytes())
    raise UnsafeArtifact(
        f"A model of format {flavor!r} runs code when it is loaded: load it with unsafe=True if you trust it."
    )


def read_skops(file: Path) -> Any:
    """Return the estimator in a skops file whose types are all scikit-learn's own."""
    import skops.io as skops

    return skops.load(file, trusted=trusted_types(skops.get_untrusted_types(file=file)))


def _is_sklearn(model: Any) -> bool:
    from sklearn.base import BaseEstimator

    return isinstance(model, BaseEstimator)
