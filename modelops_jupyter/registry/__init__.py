"""Models and artifacts in MLflow."""

from modelops_jupyter.registry.drafts import Draft
from modelops_jupyter.registry.fingerprints import data_fingerprint
from modelops_jupyter.registry.importance import Importance, feature_importance
from modelops_jupyter.registry.registry import Registry
from modelops_jupyter.scoring.flavors.decision import DecisionTable
from modelops_jupyter.scoring.flavors.onnx import OnnxModel
from modelops_jupyter.scoring.formats import read_model_file
from modelops_jupyter.scoring.predictions import Predictions, predict

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
