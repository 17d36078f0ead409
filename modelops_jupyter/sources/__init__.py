"""Predictions in tables that others write: Parquet folders, Delta tables, SQL queries; where they lie, uncopied."""

from modelops_jupyter.sources.choice import Sources, read_source
from modelops_jupyter.sources.mapping import ModelFacts
from modelops_jupyter.sources.watched import WatchedSource

# Imported where a table of their kind is opened.
LATER = (
    "modelops_jupyter.sources.files",
    "modelops_jupyter.sources.parquet_folder",
    "modelops_jupyter.sources.delta",
    "modelops_jupyter.sources.sql",
    "modelops_jupyter.sources.inference_table",
    "pandas",
)

__all__ = ["ModelFacts", "Sources", "WatchedSource", "read_source"]
