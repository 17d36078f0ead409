"""Models and artifacts in MLflow."""

from modelops_jupyter.registry.adoption import Lineage, StockModel, StockVersion
from modelops_jupyter.registry.drafts import Draft
from modelops_jupyter.registry.fingerprints import data_fingerprint, row_hashes
from modelops_jupyter.registry.importance import Importance, feature_importance
from modelops_jupyter.registry.mlmodel import ModelFile, class_names, describe_task
from modelops_jupyter.registry.pyfunc import PyFuncEstimator
from modelops_jupyter.registry.registry import Registry
from modelops_jupyter.registry.stock import StockFile, StockFiles, draft_on_record, draft_stock
from modelops_jupyter.registry.training_rows import TrainingRows
from modelops_jupyter.scoring.flavors.decision import DecisionTable
from modelops_jupyter.scoring.flavors.onnx import OnnxModel
from modelops_jupyter.scoring.formats import read_model_file
from modelops_jupyter.scoring.predictions import Predictions, predict

# What asking MLflow imports: pandas first, and so on, each by itself.
LATER = ("pandas", "pydantic", "mlflow", "modelops_jupyter.registry.mlflow_modules")

__all__ = [
    "DecisionTable",
    "Draft",
    "Importance",
    "Lineage",
    "ModelFile",
    "OnnxModel",
    "Predictions",
    "PyFuncEstimator",
    "Registry",
    "StockFile",
    "StockFiles",
    "StockModel",
    "StockVersion",
    "TrainingRows",
    "class_names",
    "data_fingerprint",
    "describe_task",
    "draft_on_record",
    "draft_stock",
    "feature_importance",
    "predict",
    "read_model_file",
    "row_hashes",
]
