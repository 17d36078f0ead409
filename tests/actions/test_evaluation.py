"""Measured or claimed: what a gate takes, what `register` and `evaluate` measure, and what they refuse."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from sklearn import metrics as sk
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from modelops_jupyter.actions.versions import references
from modelops_jupyter.cli import main
from modelops_jupyter.errors import GateClosed, InvalidFrame, InvalidInput, ModelOpsError
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

GENERATOR = np.random.default_rng(0)
X = pd.DataFrame(GENERATOR.normal(size=(400, 2)), columns=["wind", "rain"])
Y = pd.Series((X["wind"] + GENERATOR.normal(0, 0.5, 400) > 0).astype(int), name="late")
X_TRAIN, Y_TRAIN, X_VALID, Y_VALID = X[:300], Y[:300], X[300:], Y[300:]
MODEL = LogisticRegression().fit(X_TRAIN, Y_TRAIN)
ADVICE = (
    r"register the version with reference=\(rows, outcomes\) \(`--validated-on FILE --outcomes COLUMN`\), or run "
    r"`modelops evaluate m/1 --data FILE --target COLUMN`"
)


@pytest.fixture
def ws(settings: Settings) -> Workspace:
    return Workspace(settings)


def registered(ws: Workspace, **options: Any) -> dict[str, Any]:
    return dict(ws.register(MODEL, "m", **{"data": X_TRAIN, "target": Y_TRAIN, **options}).body)


def test_a_claim_opens_no_gate_and_the_refusal_says_what_does(ws: Workspace) -> None:
    registered(ws, metrics={"roc_auc": 0.999999})
    ws.approve("m/1", reason="looks wonderful")
    with pytest.raises(GateClosed, match=rf"roc_auc 1 is only claimed, and for champion .* measured .*: {ADVICE}"):
        ws.promote("m/1", reason="a coin toss")
    check = ws.check("m/1").checks[0]
    assert (check.passed, check.source) == (False, "claimed")
    ws.evaluate("m/1", data=X_VALID.assign(late=Y_VALID), target="late")
    assert ws.promote("m/1", reason="measured").to_version == 1


@pytest.mark.parametrize("reference", [None, "training rows", "training rows, shuffled index"])
def test_a_coin_toss_that_knows_its_training_rows_by_heart_stays_out(ws: Workspace, reference: str | None) -> None:
    toss = pd.Series(np.random.default_rng(1).integers(0, 2, 300), name="late")
    model = DecisionTreeClassifier(random_state=0).fit(X_TRAIN, toss)
    assert sk.roc_auc_score(toss, model.predict_proba(X_TRAIN)[:, 1]) > 0.99
    rows = X_TRAIN if reference != "training rows, shuffled index" else X_TRAIN.set_axis(range(300, 0, -1))
    version = ws.register(model, "m", data=X_TRAIN, target=toss, reference=None if reference is None else (rows, toss))
    assert version.body["measured"] is None
    ws.approve("m/1", reason="never wrong")
    with pytest.raises(GateClosed, match=r"was not measured .*validation rows"):
        ws.promote("m/1", reason="never wrong")
    ws.evaluate("m/1", data=X_VALID, target=pd.Series(np.random.default_rng(2).integers(0, 2, 100)))
    with pytest.raises(GateClosed, match=r"must be at least 0\.6 \(measured on 100 rows"):
        ws.promote("m/1", reason="never wrong")


LABELS: dict[str, Callable[[pd.Series], Any]] = {
    "numbers": lambda y: y,
    "text": lambda y: y.map({0: "on time", 1: "very late"}),
    "truth values": lambda y: y == 1,
    "an array": lambda y: y.to_numpy(),
    "polars": lambda y: pl.Series("late", y.to_numpy()),
    "categories": lambda y: y.map({0: "no", 1: "yes"}).astype("category"),
    "one column": lambda y: y.to_frame(),
}


@pytest.mark.parametrize("spelled", LABELS)
def test_what_register_measures_is_what_scikit_learn_says(ws: Workspace, spelled: str) -> None:
    train, valid = LABELS[spelled](Y_TRAIN), LABELS[spelled](Y_VALID)
    plain = {"polars": lambda y: y.to_numpy(), "one column": lambda y: y["late"]}.get(spelled, lambda y: y)
    model = LogisticRegression().fit(X_TRAIN, plain(train))
    body = ws.register(model, "m", data=X_TRAIN, target=train, reference=(X_VALID, valid)).body
    score = model.predict_proba(X_VALID)[:, 1]
    assert body["measured"]["metrics"]["roc_auc"] == pytest.approx(sk.roc_auc_score(Y_VALID, score))
    assert body["measured"]["metrics"]["log_loss"] == pytest.approx(sk.log_loss(Y_VALID, score))
    assert body["measured"]["metrics"]["accuracy"] == sk.accuracy_score(plain(valid), model.predict(X_VALID))
    assert body["measured"]["rows"] == 100
    assert body["metrics"] == body["measured"]["metrics"]
    assert ws.registry.client.get_run(body["run_id"]).data.metrics == body["metrics"]


def test_many_classes_and_regressions_are_measured(ws: Workspace) -> None:
    kinds = pd.cut(X["wind"], [-9, -1, 1, 9], labels=["low", "mid", "high"]).astype(str)
    forest = RandomForestClassifier(20, random_state=0).fit(X_TRAIN, kinds[:300])
    body = ws.register(forest, "kinds", data=X_TRAIN, target=kinds[:300], reference=(X_VALID, kinds[300:])).body
    said = forest.predict(X_VALID)
    assert body["metrics"] == {
        "accuracy": sk.accuracy_score(kinds[300:], said),
        "balanced_accuracy": pytest.approx(sk.balanced_accuracy_score(kinds[300:], said)),
    }
    delay = 10 + 20 * X["wind"] + GENERATOR.normal(0, 3, 400)
    line = LinearRegression().fit(X_TRAIN, delay[:300])
    body = ws.register(line, "delays", data=X_TRAIN, target=delay[:300], reference=(X_VALID, delay[300:])).body
    said = line.predict(X_VALID)
    assert body["metrics"]["mean_absolute_error"] == pytest.approx(sk.mean_absolute_error(delay[300:], said))
    assert body["metrics"]["r2"] == pytest.approx(sk.r2_score(delay[300:], said))


def test_rows_without_an_outcome_are_not_measured_on(ws: Workspace) -> None:
    partly = Y_VALID.astype("Int64").where(Y_VALID.index % 3 > 0)
    measured = registered(ws, reference=(X_VALID, partly))["measured"]
    known = partly.notna()
    score = MODEL.predict_proba(X_VALID[known])[:, 1]
    assert measured["rows"] == known.sum()
    assert measured["metrics"]["roc_auc"] == pytest.approx(sk.roc_auc_score(Y_VALID[known], score))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "no validation rows were given"),
        ({"reference": X_VALID}, "no row has a label"),
        ({"reference": (X_VALID, [None] * 100)}, "no row has a label"),
        ({"reference": (X_VALID, [1] * 100)}, "every label is '1'"),
        ({"reference": (X_TRAIN, Y_TRAIN)}, "those that the model was fitted on"),
        ({"reference": (X_TRAIN.assign(rain=np.nan), Y_TRAIN)}, "the model failed on these rows (ValueError: Input X "),
    ],
)
def test_without_a_measurement_the_version_is_registered_and_says_why(
    ws: Workspace, options: dict[str, Any], reason: str
) -> None:
    version = ws.register(MODEL, "m", data=X_TRAIN, target=Y_TRAIN, **options)
    assert version.body["measured"] is None
    assert version.body["metrics"] == {}
    assert reason in version.body["measured_reason"]
    assert f"not measured: {version.body['measured_reason']}" in str(version)
    assert reason in ws.check("m/1").checks[0].message
    assert version.body["features"] == ["wind", "rain"]
    assert ws.store.get("reference", "m/000001") is not None
    assert ws.predict("m/1", X_VALID)[0].tolist() == MODEL.predict(X_VALID).tolist()


class Counting:
    """Counts the rows that it predicts."""

    classes_ = np.array([0, 1])
    coef_ = np.array([[1.0, 0.0]])
    predicted = 0
    scored = 0

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        Counting.predicted += len(frame)
        return (frame["wind"] > 0).to_numpy().astype(int)

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        Counting.scored += len(frame)
        score = 1 / (1 + np.exp(-frame["wind"].to_numpy()))
        return np.column_stack([1 - score, score])


def test_measuring_predicts_the_reference_no_second_time(ws: Workspace) -> None:
    ws.register(Counting(), "m", reference=X_VALID, unsafe=True)
    unmeasured = Counting.predicted, Counting.scored
    version = ws.register(Counting(), "m", reference=(X_VALID, Y_VALID), unsafe=True)
    assert version.body["measured"]["metrics"]["roc_auc"] > 0.9
    rows = len(X_VALID) + 5  # the reference once, and the example that the version carries
    assert unmeasured == (rows, rows)
    assert (Counting.predicted, Counting.scored) == (2 * rows, 2 * rows)


# ---- the labels of the reference ---------------------------------------------------------------------------------

INSIDE = X_VALID.assign(late=Y_VALID, flight_id=range(100))


@pytest.mark.parametrize(
    "options",
    [
        {"reference": INSIDE},
        {"reference": INSIDE, "target": Y_TRAIN.to_numpy(), "outcomes": "late"},
        {"reference": (INSIDE, "late"), "target": Y_TRAIN.to_numpy()},
        {"reference": INSIDE, "outcomes": Y_VALID.to_numpy()},
        {"reference": INSIDE, "data": X_TRAIN.assign(late=Y_TRAIN, day=1), "target": "late"},
        {"reference": pl.DataFrame(INSIDE), "target": pl.Series("late", Y_TRAIN.to_numpy())},
    ],
    ids=str,
)
def test_labels_within_the_reference_are_kept_and_its_other_columns_left_out(
    ws: Workspace, options: dict[str, Any]
) -> None:
    body = registered(ws, **options)
    assert body["measured"]["rows"] == 100
    assert body["features"] == ["wind", "rain"]
    reference = references(ws.store, "m")[1]
    assert reference.profile.outcomes.labelled == 100
    assert set(reference.binning.columns) == {"wind", "rain", "prediction", "score"}
    assert "late" not in str(ws.registry.client.list_artifacts(body["run_id"]))


def test_a_column_that_the_model_was_fitted_on_is_a_feature_whatever_the_target_is_called(ws: Workspace) -> None:
    target = (X["wind"] > 0).astype(int)  # which keeps the name "wind"
    for model in (
        LogisticRegression().fit(X_TRAIN, target[:300]),
        LogisticRegression().fit(X_TRAIN.values, target[:300]),
    ):
        body = ws.register(model, "m", data=X_TRAIN, target=target[:300], reference=X_VALID).body
        assert body["features"] == ["wind", "rain"]
        assert body["measured"] is None


def test_a_model_without_column_names_is_not_fitted_on_its_labels(ws: Workspace) -> None:
    model = LogisticRegression().fit(X_TRAIN.to_numpy(), Y_TRAIN)
    table = X_TRAIN.assign(late=Y_TRAIN)
    body = ws.register(model, "m", data=table, target=table["late"], reference=X_VALID.assign(late=Y_VALID)).body
    assert body["features"] == ["wind", "rain"]
    assert body["measured"]["rows"] == 100


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"outcomes": Y_VALID}, InvalidInput, "pass that too, with reference="),
        ({"reference": (X_VALID, Y_VALID), "outcomes": Y_VALID}, InvalidInput, "given twice"),
        ({"data": None}, InvalidInput, "target holds the labels of data"),
        ({"target": "lste"}, InvalidFrame, "no column 'lste' in the data, which has wind, rain"),
        ({"reference": X_VALID, "outcomes": "lste"}, InvalidFrame, "no column 'lste' in the reference"),
        ({"reference": (X_VALID, Y_VALID[1:])}, InvalidFrame, "100 rows and 99 labels"),
        ({"reference": (X_VALID, pd.concat([Y_VALID, Y_VALID], axis=1))}, InvalidFrame, "one column"),
        (
            {"reference": (X_VALID, Y_VALID.map(str) + "?")},
            InvalidFrame,
            "label column of the reference holds .[01][?]., which is not a class of the model: its classes are 0, 1",
        ),
    ],
)
def test_labels_that_cannot_be_meant_are_refused_and_nothing_is_written(
    ws: Workspace, options: dict[str, Any], error: type[ModelOpsError], says: str
) -> None:
    with pytest.raises(error, match=says):
        registered(ws, **options)
    assert ws.audit().rows == ()
    assert ws.registry.client.search_model_versions("name='m'") == []


# ---- evaluate ----------------------------------------------------------------------------------------------------


def test_an_evaluation_replaces_the_one_before_and_both_stay_in_the_audit_chain(ws: Workspace) -> None:
    before = registered(ws, reference=(X_VALID, Y_VALID), metrics={"roc_auc": 0.99, "complaints": 3})
    after = ws.evaluate("m/1", data=X_VALID[:50], target=Y_VALID[:50]).body
    assert after["measured"]["rows"] == 50
    assert after["metrics"] == {"complaints": 3.0, **after["measured"]["metrics"]}
    unchanged = set(before) - {"metrics", "measured", "version", "name"}
    assert {key: after[key] for key in unchanged} == {key: before[key] for key in unchanged}
    last, first = ws.audit().rows
    assert (last["action"], last["actor"]) == ("evaluate", "ann")
    assert last["details"]["measured"] == after["measured"]
    assert last["details"]["replaces"] == first["details"]["measured"] == before["measured"]
    assert last["detail"].startswith("measured on 50 rows: roc_auc 0.")
    assert ws.verify_audit().ok


def test_a_version_that_was_only_claimed_compares_with_a_measured_champion(ws: Workspace) -> None:
    (ws.settings.project / "policy.toml").write_text(
        "[champion]\n[[champion.checks]]\nmetric = 'roc_auc'\nmin_absolute_change = -0.1\n"
    )
    strict = Workspace(replace(ws.settings, policy=ws.settings.project / "policy.toml"))
    registered(strict, metrics={"roc_auc": 0.5})
    strict.store.commit(_champion("m", 1))
    registered(strict, reference=(X_VALID, Y_VALID))
    with pytest.raises(
        GateClosed, match=r"roc_auc of m/1, which is champion now, was not measured.*evaluate m/1 --data"
    ):
        strict.promote("m/2", reason="better")
    strict.evaluate("m/1", data=X_VALID[1:], target=Y_VALID[1:])
    with pytest.raises(GateClosed, match="m/1, which is champion now, was measured on other rows"):
        strict.promote("m/2", reason="better")
    strict.evaluate("m/1", data=X_VALID, target=Y_VALID)
    assert strict.promote("m/2", reason="better").to_version == 2


def _champion(name: str, version: int) -> Any:
    from modelops_jupyter.store import Change, Event, Put

    state = {"name": name, "alias": "champion", "version": version, "previous": None, "since": "2026-01-01"}
    event = Event("promote", f"{name}/{version}", "ann", "self-asserted")
    return Change(puts=(Put("alias", f"{name}@champion", state, subject=name),), event=event)


@pytest.mark.parametrize(
    ("data", "target", "says"),
    [
        (X_TRAIN, Y_TRAIN, "m/1 was not measured: the validation rows are those that the model was fitted on"),
        (X_VALID, [0] * 100, "every label is '0'"),
        (X_VALID, [None] * 100, "no row has a label"),
        (X_VALID, Y_VALID + 1, "holds '2', which is not a class of m/1: its classes are 0, 1"),
        (X_VALID, "late", "no column 'late' in the data"),
        (X_VALID, None, "Metrics take labels"),
        (X_VALID[["wind"]], Y_VALID, "no column 'rain'"),
        (X_VALID.assign(rain=np.nan), Y_VALID, "m/1 was not measured: the model failed on these rows"),
        (X_VALID[:0], Y_VALID[:0], "no rows"),
    ],
)
def test_an_evaluation_that_shows_nothing_is_refused_and_nothing_is_written(
    ws: Workspace, data: pd.DataFrame, target: Any, says: str
) -> None:
    before = registered(ws)
    with pytest.raises(InvalidFrame, match=says):
        ws.evaluate("m/1", data=data, target=target)
    assert ws.version("m/1").body == before
    assert len(ws.audit()) == 1


def test_the_shell_measures_and_the_gate_opens(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skops.io.dump(MODEL, tmp_path / "m.skops")
    X_TRAIN.assign(late=Y_TRAIN).to_parquet(tmp_path / "train.parquet")
    INSIDE.to_parquet(tmp_path / "valid.parquet")
    INSIDE.rename(columns={"late": "came_late"}).to_csv(tmp_path / "other.csv", index=False)
    at = ["--workspace", str(tmp_path)]
    register = [
        "register",
        str(tmp_path / "m.skops"),
        "m",
        "--data",
        str(tmp_path / "train.parquet"),
        "--target",
        "late",
    ]
    assert main([*register, "--metric", "roc_auc=0.999", *at]) == 0
    assert "claimed: roc_auc 0.999" in capsys.readouterr().out
    assert main(["check", "m/1", *at]) == 1
    assert "`modelops evaluate m/1 --data FILE --target COLUMN`" in capsys.readouterr().out
    assert main(["evaluate", "m/1", "--data", str(tmp_path / "valid.parquet"), "--target", "late", *at]) == 0
    assert "measured: roc_auc 0.9" in capsys.readouterr().out
    assert main([*register, "--validated-on", str(tmp_path / "valid.parquet"), *at]) == 0
    outcomes = ["--validated-on", str(tmp_path / "other.csv"), "--outcomes", "came_late"]
    assert main([*register, *outcomes, *at]) == 0
    bodies = [ws.version(f"m/{n}").body for n in (1, 2, 3)]
    assert bodies[0]["metrics"] == bodies[1]["metrics"]
    assert bodies[2]["measured"]["rows"] == 100
    assert [body["features"] for body in bodies] == [["wind", "rain"]] * 3
    assert main(["approve", "m/3", "--reason", "measured", *at]) == 0
    assert main(["promote", "m/3", "--reason", "measured", *at]) == 0


def test_every_view_says_whether_a_metric_was_measured_or_claimed(ws: Workspace) -> None:
    registered(ws, reference=(X_VALID, Y_VALID), metrics={"roc_auc": 0.5, "complaints": 3})
    views = {
        "version": ws.version("m/1"),
        "versions": ws.versions("m"),
        "card": ws.card("m/1"),
        "gate": ws.gate("m/1"),
        "board": ws.board(),
        "audit": ws.audit(),
    }
    for name, view in views.items():
        bundle = view._repr_mimebundle_()
        for text in (bundle["text/plain"].lower(), bundle["text/html"].lower()):
            assert "measured" in text, name
            assert "claimed" in text, name
            assert "complaints" in text or name == "gate", name
    page = ws.overview("m")
    assert "measured on 100 rows" in page._repr_mimebundle_()["text/html"]
    assert page.versions[0]["evaluation"].startswith("measured on 100 rows: roc_auc 0.9")


# ---- models of an MLflow registry ---------------------------------------------------------------------------------


def log_with_mlflow(ws: Workspace, names: list[str]) -> None:
    """Register the model as a script with stock MLflow does, with a metric that nothing here has measured."""
    import mlflow

    assert ws.store.find("version") == ()
    mlflow.set_tracking_uri(ws.tracking_uri)
    for name in names:
        with mlflow.start_run(experiment_id="0"):
            mlflow.log_metric("roc_auc", 0.999)
            example, answers = X_TRAIN.head(), MODEL.predict(X_TRAIN.head())
            mlflow.sklearn.log_model(
                MODEL,
                name="model",
                registered_model_name=name,
                serialization_format="skops",
                pip_requirements=["scikit-learn"],  # MLflow finds out by another process otherwise
                signature=mlflow.models.infer_signature(example, answers),
            )


def test_metrics_of_adopted_versions_are_claims_until_they_are_measured(ws: Workspace) -> None:
    log_with_mlflow(ws, ["given-rows", "evaluated"])
    rows = X_VALID.assign(late=Y_VALID)
    ws.adopt("given-rows", reference=rows, outcomes="late")
    ws.adopt("evaluated")
    given, claimed = ws.version("given-rows/1").body, ws.version("evaluated/1").body
    score = MODEL.predict_proba(X_VALID)[:, 1]
    assert given["measured"]["metrics"]["roc_auc"] == pytest.approx(sk.roc_auc_score(Y_VALID, score))
    assert given["claimed"] == claimed["claimed"] == claimed["metrics"] == {"roc_auc": 0.999}
    assert claimed["measured"] is None
    assert ws.gate("given-rows/1").checks[0].passed
    assert "`modelops evaluate evaluated/1" in ws.gate("evaluated/1").checks[0].message

    ws.evaluate("evaluated/1", data=rows, target="late")
    measured = ws.version("evaluated/1").body["measured"]
    assert measured["metrics"] == given["measured"]["metrics"]
    ws.adopt("evaluated", reference=X_VALID)  # rows without labels give a reference, and take no measurement away
    assert references(ws.store, "evaluated")[1].profile.rows == 100
    assert ws.version("evaluated/1").body["measured"] == measured
    assert ws.verify_audit().ok


def test_an_adopted_version_that_cannot_predict_the_rows_says_so_and_has_no_reference(ws: Workspace) -> None:
    log_with_mlflow(ws, ["m"])
    adoption = ws.adopt("m", reference=X_VALID.assign(rain=np.nan, late=Y_VALID), outcomes="late")
    assert "the model failed on these rows (ValueError" in str(adoption)
    assert ws.store.get("reference", "m/000001") is None
    assert ws.version("m/1").body["measured"] is None


@pytest.mark.parametrize(
    "rows",
    [X_VALID[::-1], X_VALID[::-1].reset_index(drop=True), pl.from_pandas(X_VALID[::-1])],
    ids=["same-index", "another-index", "no-index"],
)
def test_labels_that_stand_in_the_order_of_the_rows_are_taken(ws: Workspace, rows: Any) -> None:
    body = registered(ws, reference=(rows, Y_VALID[::-1]))
    expected = sk.roc_auc_score(Y_VALID, MODEL.predict_proba(X_VALID)[:, 1])
    assert body["measured"]["metrics"]["roc_auc"] == pytest.approx(expected)
    with pytest.raises(InvalidFrame, match="in another order"):
        ws.evaluate("m/1", data=X_VALID, target=Y_VALID[::-1])


def test_rows_without_a_label_say_nothing_in_a_comparison(settings: Settings) -> None:
    labels = pd.Series(Y_VALID).astype("float64").reset_index(drop=True)
    labels[::3] = float("nan")
    known = labels.notna().to_numpy()
    with Workspace(settings) as ws:
        for c in (1.0, 0.01):
            ws.register(LogisticRegression(C=c).fit(X_TRAIN, Y_TRAIN), "m", data=X_TRAIN, target=Y_TRAIN)
        compared = ws.compare("m/1", "m/2", data=X_VALID, target=labels)
        alone = ws.compare("m/1", "m/2", data=X_VALID[known], target=labels[known])
        assert (compared.rows, compared.conclusion) == (alone.rows, alone.conclusion)
        with pytest.raises(InvalidFrame, match="No row has a label"):
            ws.compare("m/1", "m/2", data=X_VALID, target=labels * float("nan"))
