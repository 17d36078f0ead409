"""Kinds of model that MLflow does not know."""
