"""What people fit can be registered, and predicts in another process what it predicts here."""

import pickle
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import catboost
import category_encoders
import imblearn.combine
import imblearn.ensemble
import imblearn.over_sampling
import imblearn.pipeline
import imblearn.under_sampling
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from estimators import LABELS, MIXED, NUMBERS, Case, behind_columns, chosen, every_class, instances, piped, scikit_learn
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline

from modelops_jupyter.errors import InvalidInput, UnsafeArtifact
from modelops_jupyter.registry import Registry, predict
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow

NEITHER = "it neither predicts nor transforms rows that it was not fitted on"
LABELS_ONLY = "it takes labels, and no rows"
SEVERAL = "it is made for several targets"
NO_TABLE = "its rows are no row of a table"
# Estimators that cannot be registered, alone or in a pipeline, and why.
CANNOT = {
    "Birch": "its subclusters refer to each other",
    "AgglomerativeClustering": NEITHER,
    "ClassicalMDS": NEITHER,
    "DBSCAN": NEITHER,
    "EmpiricalCovariance": NEITHER,
    "GraphicalLasso": NEITHER,
    "GraphicalLassoCV": NEITHER,
    "HDBSCAN": NEITHER,
    "KernelDensity": NEITHER,
    "LedoitWolf": NEITHER,
    "MDS": NEITHER,
    "MinCovDet": NEITHER,
    "NearestNeighbors": NEITHER,
    "OAS": NEITHER,
    "OPTICS": NEITHER,
    "ShrunkCovariance": NEITHER,
    "SpectralBiclustering": NEITHER,
    "SpectralClustering": NEITHER,
    "SpectralCoclustering": NEITHER,
    "SpectralEmbedding": NEITHER,
    "TSNE": NEITHER,
    "ClassifierChain": SEVERAL,
    "MultiOutputClassifier": SEVERAL,
    "LabelBinarizer": LABELS_ONLY,
    "LabelEncoder": LABELS_ONLY,
    "MultiLabelBinarizer": LABELS_ONLY,
    "DictVectorizer": NO_TABLE,
    "FeatureHasher": NO_TABLE,
    "KernelCenterer": NO_TABLE,
    "PatchExtractor": NO_TABLE,
    "PLSSVD": "it transforms rows and labels together",
}
QUICK = {"n_estimators": 3, "random_state": 0, "n_jobs": 1}
SILENT = {"iterations": 3, "verbose": 0, "allow_writing_files": False, "random_seed": 0, "thread_count": 1}


def boosters() -> dict[str, Any]:
    """Return pipelines with models of LightGBM, XGBoost and CatBoost in them."""
    kinds = {
        "LGBMClassifier": lightgbm.LGBMClassifier(**QUICK, verbose=-1),
        "LGBMRegressor": lightgbm.LGBMRegressor(**QUICK, verbose=-1),
        "XGBClassifier": xgboost.XGBClassifier(**QUICK),
        "XGBRegressor": xgboost.XGBRegressor(**QUICK),
        "XGBRFClassifier": xgboost.XGBRFClassifier(**QUICK),
        "CatBoostClassifier": catboost.CatBoostClassifier(**SILENT),
        "CatBoostRegressor": catboost.CatBoostRegressor(**SILENT),
    }
    piped = {f"{name} piped": behind_columns(model) for name, model in kinds.items()}
    searched = {
        f"{name} searched": GridSearchCV(behind_columns(kinds[name]), {f"{name.lower()}__max_depth": [2, 3]}, cv=2)
        for name in ("LGBMClassifier", "XGBClassifier", "CatBoostClassifier")
    }
    frame = make_column_transformer(("passthrough", ["a", "b", "c"]), verbose_feature_names_out=False)
    frame.set_output(transform="pandas")
    return {
        **piped,
        **searched,
        "LGBMClassifier with categories": make_pipeline(
            frame.set_output(transform="pandas"), clone(kinds["LGBMClassifier"])
        ),
        "XGBClassifier with metrics": behind_columns(xgboost.XGBClassifier(**QUICK, eval_metric=["auc", "logloss"])),
        "CatBoostClassifier alone": kinds["CatBoostClassifier"],
    }


def imbalanced() -> dict[str, Any]:
    """Return pipelines and ensembles of imbalanced-learn."""
    columns, logistic = behind_columns().steps, LogisticRegression()
    samplers = [
        imblearn.over_sampling.SMOTE(random_state=0, k_neighbors=2),
        imblearn.over_sampling.RandomOverSampler(random_state=0),
        imblearn.under_sampling.RandomUnderSampler(random_state=0),
        imblearn.under_sampling.TomekLinks(),
        imblearn.combine.SMOTETomek(random_state=0),
    ]
    ensembles = [
        imblearn.ensemble.BalancedRandomForestClassifier(3, random_state=0),
        imblearn.ensemble.BalancedBaggingClassifier(n_estimators=2, random_state=0),
        imblearn.ensemble.EasyEnsembleClassifier(2, random_state=0),
        imblearn.ensemble.RUSBoostClassifier(n_estimators=2, random_state=0),
    ]
    sampled = {
        type(sampler).__name__: imblearn.pipeline.Pipeline([*columns, ("sample", sampler), ("model", logistic)])
        for sampler in samplers
    }
    return {**sampled, **{type(model).__name__: behind_columns(model) for model in ensembles}}


def encoders() -> dict[str, Any]:
    """Return pipelines that begin with an encoder of category_encoders."""
    return {
        name: make_pipeline(getattr(category_encoders, name)(cols=["k", "c"]), LogisticRegression(max_iter=1000))
        for name in category_encoders.__all__
    }


def fitted(cases: Iterable[Case]) -> list[Case]:
    """Fit every model where it stands."""
    cases = list(cases)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of iterations that are few on purpose
        for case in cases:
            case.model.fit(case.frame, case.target)
    return cases


def differing(cases: Iterable[Case], registry: Registry, root: Path) -> dict[str, str]:
    """Draft every model, read all of them in one other process, and return what is not as it was here, by name."""
    expected, listed, wrong = {}, {}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that a model was not fitted with
        for number, case in enumerate(cases):
            try:
                with registry.draft(case.model, data=case.frame, target=np.ravel(case.target)) as draft:
                    shutil.copytree(draft.folder, root / str(number))
                    listed[str(number)] = (case.name, draft.flavor, case.frame)
                expected[case.name] = predict(case.model, case.frame)
            except Exception as error:  # any: the name is what a reader needs
                wrong[case.name] = f"{type(error).__name__}: {error}"
    (root / "cases").write_bytes(pickle.dumps(listed))
    script = Path(__file__).with_name("read_elsewhere.py")
    subprocess.run([sys.executable, "-W", "ignore", str(script), str(root)], check=True, timeout=200)
    answers = pickle.loads((root / "answers").read_bytes())
    return wrong | {name: "differs" for name, here in expected.items() if not same(here, answers[name])}


def same(here: Any, there: tuple[Any, Any]) -> bool:
    """Tell whether predictions are equal, and scores but for how a sum was rounded."""
    prediction, score = there
    if here.prediction.dtype.kind == "f":
        equal = np.allclose(here.prediction, prediction, rtol=1e-9, atol=1e-12)
    else:
        equal = here.prediction.tolist() == prediction.tolist()
    return (
        bool(equal)
        and (score is None) == (here.score is None)
        and (score is None or bool(np.allclose(here.score, score, rtol=1e-9, atol=1e-12)))
    )


@pytest.mark.filterwarnings("ignore:Class PassiveAggressive:FutureWarning")  # scikit-learn takes it out in 1.10
def test_every_estimator_of_scikit_learn(settings: Settings, tmp_path: Path) -> None:
    cases = fitted(scikit_learn(frozenset(CANNOT)))
    assert {case.name.split()[0] for case in cases} == set(every_class()) - set(CANNOT)
    assert differing(cases, Registry(settings), tmp_path) == {}


def test_what_people_choose(settings: Settings, tmp_path: Path) -> None:
    table = MIXED.assign(k=MIXED["k"].fillna("none"), a=MIXED["a"].fillna(0.0))
    models = {**chosen(), **{name: lambda model=model: model for name, model in {**boosters(), **imbalanced()}.items()}}
    cases = [Case(name, make(), MIXED, LABELS) for name, make in models.items()]
    cases += [Case(name, model, table.drop(columns="t"), LABELS) for name, model in encoders().items()]
    alone = ("categories from dtype", "CatBoostClassifier alone")
    cases = [
        Case(case.name, case.model, MIXED[["a", "b"] if "alone" in case.name else ["a", "b", "c"]], LABELS)
        if case.name in alone
        else case
        for case in cases
    ]
    assert differing(fitted(cases), Registry(settings), tmp_path) == {}


@pytest.mark.parametrize("name", [name for name, reason in CANNOT.items() if reason == NEITHER])
def test_what_neither_predicts_nor_transforms_is_refused(settings: Settings, name: str) -> None:
    for model in instances(name, every_class()[name])[:1]:
        assert not hasattr(model, "predict")
        assert not hasattr(model, "transform")
        case = fitted([piped(name, model)])[0]
        with (
            pytest.raises(InvalidInput, match=r"has no predict\(\)"),
            Registry(settings).draft(case.model, data=case.frame),
        ):
            pass


@pytest.mark.parametrize("name", [name for name, reason in CANNOT.items() if reason == SEVERAL])
def test_what_is_made_for_several_targets_is_refused(settings: Settings, name: str) -> None:
    case = fitted([piped(name, instances(name, every_class()[name])[0])])[0]
    with (
        pytest.raises(InvalidInput, match="register one model for each target"),
        Registry(settings).draft(case.model, data=case.frame),
    ):
        pass


@pytest.mark.parametrize(
    "target", [NUMBERS[["a", "b"]], (NUMBERS[["a", "b"]] > 4).astype(int)], ids=["values", "classes"]
)
@pytest.mark.parametrize("kind", [KNeighborsClassifier, KNeighborsRegressor, RandomForestRegressor])
def test_several_targets_are_refused(settings: Settings, kind: Any, target: pd.DataFrame) -> None:
    if kind is KNeighborsClassifier:
        target = (target > 4).astype(int)
    model = kind().fit(MIXED[["b"]], target)
    refusal = pytest.raises(InvalidInput, match="predicts 2 targets for each row, and a version predicts one")
    with refusal, Registry(settings).draft(model, data=MIXED[["b"]]):
        pass


@pytest.mark.parametrize("name", [name for name, reason in CANNOT.items() if reason in (LABELS_ONLY, NO_TABLE)])
def test_what_takes_no_table_cannot_be_fitted_in_a_pipeline(name: str) -> None:
    case = piped(name, instances(name, every_class()[name])[0])
    with pytest.raises((TypeError, ValueError, AttributeError)):
        case.model.fit(case.frame, case.target)


def test_what_transforms_labels_with_rows_fits_no_pipeline() -> None:
    case = piped("PLSSVD", instances("PLSSVD", every_class()["PLSSVD"])[0])
    with pytest.raises(ValueError, match="dim 3"):
        case.model.fit(case.frame, case.target)


def test_birch_is_named_with_its_place(settings: Settings) -> None:
    case = fitted([piped("Birch", instances("Birch", every_class()["Birch"])[0])])[0]
    where = r"_birch\.Birch \(model\.steps\[1\]\[1\]\): its parts refer to each other"
    with pytest.raises(UnsafeArtifact, match=where), Registry(settings).draft(case.model, data=case.frame):
        pass


def test_registered_models_are_loaded_by_the_workspace(settings: Settings) -> None:
    """The whole way, for a few; the tests above leave MLflow out, whose part is the same for all."""
    names = ("LGBMClassifier piped", "CatBoostClassifier piped", "XGBClassifier searched")
    with Workspace(settings) as ws:
        for name in names:
            case = fitted([Case(name, boosters()[name], MIXED, LABELS)])[0]
            version = ws.register(case.model, name.replace(" ", "-"), data=MIXED, target=LABELS)
            assert not version.body["unsafe"]
            prediction, score = ws.predict(f"{version.name}/1", MIXED)
            assert prediction.tolist() == case.model.predict(MIXED).tolist()
            assert score is not None
            np.testing.assert_allclose(score, case.model.predict_proba(MIXED)[:, 1], rtol=1e-9)
