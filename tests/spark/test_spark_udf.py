"""A version as a function of Spark's, by stock MLflow."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.spark
pyspark = pytest.importorskip("pyspark")

ROWS = 60
RANDOM = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "delay": np.where(np.arange(ROWS) % 7 == 0, np.nan, RANDOM.normal(size=ROWS)),
        "legs": RANDOM.integers(0, 5, ROWS),
        "carrier": pd.Series(RANDOM.choice(["AA", "UA", None], ROWS), dtype="str"),
    }
)
LATE = np.where(X["legs"] > 2, "late", "on time")


def test_a_version_scores_a_spark_table(tmp_path: Path, mlflow_database: Path) -> None:
    import mlflow
    from pyspark.sql import SparkSession
    from pyspark.sql.functions import struct

    os.environ["PYSPARK_PYTHON"] = sys.executable
    root = tmp_path / ".modelops"
    root.mkdir()
    shutil.copy(mlflow_database, root / "mlflow.db")
    columns = make_column_transformer(
        (SimpleImputer(), ["delay", "legs"]), (OneHotEncoder(handle_unknown="ignore"), ["carrier"])
    )
    model = make_pipeline(columns, LogisticRegression()).fit(X, LATE)
    with Workspace(Settings(project=tmp_path, root=root, actor="ann")) as ws:
        ws.register(model, "m", data=X, target=LATE)
        prediction, score = ws.predict("m/1", X)
    folder = next((root / "artifacts").rglob("MLmodel")).parent
    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        plain = X.astype(object).where(X.notna(), None)
        table = session.createDataFrame(plain.to_dict("records"), "delay double, legs long, carrier string")
        predicted = mlflow.pyfunc.spark_udf(session, str(folder), env_manager="local")
        assert [row.late for row in table.select(predicted(struct(*X.columns)).alias("late")).collect()] == list(
            prediction
        )
        method = {"response_method": "predict_proba"}
        likely = mlflow.pyfunc.spark_udf(
            session, str(folder), env_manager="local", result_type="array<double>", params=method
        )
        rows = table.select(likely(struct(*X.columns)).alias("likely")).collect()
        assert [row.likely[1] for row in rows] == list(score)
    finally:
        session.stop()
