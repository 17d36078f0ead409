"""What MLflow imports when it first opens a database or calls a server, for threads that will ask it.

Importing this module takes seconds, as it imports MLflow.
"""

from __future__ import annotations

import pkgutil
from importlib.util import find_spec

import mlflow.store.db

LATER = (
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_workspace_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_workspace_store",
    # Opening a database reads all of its migrations, and these are what they import.
    *(f"mlflow.store.db.{module.name}" for module in pkgutil.iter_modules(mlflow.store.db.__path__)),
    "alembic.config",
    # A call to a server looks whether it comes from a notebook, from Databricks or from Spark, and for a password.
    "mlflow.tracking.request_header.registry",
    "IPython",
    *(("pyspark",) if find_spec("pyspark") else ()),
    "netrc",
)
