"""What a team has before it meets us: stock MLflow and scikit-learn alone. ``python two_hundred.py ADDRESS COUNT``."""

import logging
import sys
import warnings

import mlflow
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

logging.getLogger("mlflow").setLevel(logging.ERROR)
warnings.simplefilter("ignore")
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("tumours")
client = MlflowClient()
x, y = load_breast_cancer(return_X_y=True, as_frame=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
logged = []
for c in (0.0001, 0.001, 1.0, 100.0):  # a few models, registered under many names
    with mlflow.start_run():
        model = make_pipeline(StandardScaler(), LogisticRegression(C=c)).fit(x_train, y_train)
        mlflow.log_param("C", c)
        mlflow.log_metric("roc_auc", roc_auc_score(y_test, model.predict_proba(x_test)[:, 1]))
        signature = infer_signature(x_train, y_train)
        options = {"signature": signature, "pip_requirements": ["scikit-learn"]}
        logged.append(mlflow.sklearn.log_model(model, name="model", **options))
for n in range(int(sys.argv[2])):
    name = f"tumour-{n:03d}"
    client.create_registered_model(name)
    for info, alias in ((logged[n % 2], "champion"), (logged[2 + n % 2], "challenger")):
        version = client.create_model_version(name, info.model_uri, info.run_id, model_id=info.model_id)
        client.set_registered_model_alias(name, alias, version.version)
