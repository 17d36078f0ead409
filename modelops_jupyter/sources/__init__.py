"""Predictions in tables that others write: Parquet folders, Delta tables, SQL queries; where they lie, uncopied."""

from modelops_jupyter.sources.choice import Sources
from modelops_jupyter.sources.mapping import ModelFacts
from modelops_jupyter.sources.watched import WatchedSource

__all__ = ["ModelFacts", "Sources", "WatchedSource"]
