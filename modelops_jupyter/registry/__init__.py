"""Models and artifacts in MLflow."""

from modelops_jupyter.registry.flavors.decision import DecisionTable
from modelops_jupyter.registry.flavors.onnx import OnnxModel
from modelops_jupyter.registry.formats import read_model_file
from modelops_jupyter.registry.predictions import Predictions, predict
from modelops_jupyter.registry.registry import Registry, SavedVersion

__all__ = ["DecisionTable", "OnnxModel", "Predictions", "Registry", "SavedVersion", "predict", "read_model_file"]
