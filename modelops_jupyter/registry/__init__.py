"""Models and artifacts in MLflow."""

from modelops_jupyter.registry.digests import data_fingerprint
from modelops_jupyter.registry.drafts import Draft
from modelops_jupyter.registry.flavors.decision import DecisionTable
from modelops_jupyter.registry.flavors.onnx import OnnxModel
from modelops_jupyter.registry.formats import read_model_file
from modelops_jupyter.registry.importance import Importance, feature_importance
from modelops_jupyter.registry.predictions import Predictions, predict
from modelops_jupyter.registry.registry import Registry

# What asking MLflow imports: pandas first, and so on, each by itself.
LATER = ("pandas", "pydantic", "mlflow", "modelops_jupyter.registry.mlflow_modules")

__all__ = [
    "DecisionTable",
    "Draft",
    "Importance",
    "OnnxModel",
    "Predictions",
    "Registry",
    "data_fingerprint",
    "feature_importance",
    "predict",
    "read_model_file",
]
