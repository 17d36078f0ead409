"""Predictions and labels on Delta Lake."""

from modelops_jupyter.log.dataset import read_dataset
from modelops_jupyter.log.examination import table_problems
from modelops_jupyter.log.kept import check_kept, keep
from modelops_jupyter.log.prediction_log import TABLES, PredictionLog
from modelops_jupyter.log.quarantine import PutAside, quarantine_problems, read_quarantine
from modelops_jupyter.log.source import Extent, Position, PredictionSource
from modelops_jupyter.log.table import Appended

__all__ = [
    "TABLES",
    "Appended",
    "Extent",
    "Position",
    "PredictionLog",
    "PredictionSource",
    "PutAside",
    "check_kept",
    "keep",
    "quarantine_problems",
    "read_dataset",
    "read_quarantine",
    "table_problems",
]
