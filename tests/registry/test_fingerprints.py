"""The same rows are known again, whatever their order and the types in which they are kept; new rows are not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelops_jupyter.data_files import read_file
from modelops_jupyter.errors import GateClosed, InvalidFrame
from modelops_jupyter.registry import TrainingRows, data_fingerprint
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

RANDOM = np.random.default_rng(0)
X = pd.DataFrame(RANDOM.normal(size=(400, 4)), columns=list("abcd"))
COIN = pd.Series(RANDOM.integers(0, 2, 400), name="coin")
ORDER = RANDOM.permutation(400)
LEARNT_BY_HEART = RandomForestClassifier(50, random_state=0).fit(X, COIN)
CELLS = st.one_of(st.integers(-5, 5), st.sampled_from(["a", "b", None]), st.dates())


@given(st.lists(st.tuples(CELLS, st.integers(-3, 3)), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_type_of_a_number_change_no_fingerprint(rows: list[Any], random: Any) -> None:
    frame = pd.DataFrame(rows, columns=["cell", "n"])
    shuffled = frame.sample(frac=1, random_state=random.randrange(1000))
    assert data_fingerprint(shuffled) == data_fingerprint(frame)
    assert data_fingerprint(frame.astype({"n": "Int16"})) == data_fingerprint(frame)
    assert data_fingerprint(frame.astype({"n": "float32"})) == data_fingerprint(frame)
    assert data_fingerprint(frame.assign(n=frame["n"] + 10)) != data_fingerprint(frame)
    assert data_fingerprint(frame, frame["n"]) != data_fingerprint(frame)


def test_text_that_is_kept_otherwise_and_cells_that_hold_lists_have_fingerprints() -> None:
    words = pd.DataFrame({"w": ["x", None, "y"]}, dtype="object")
    for kind in ("str", "category", "string"):
        assert data_fingerprint(words.astype(kind)) == data_fingerprint(words)
    nested = pd.DataFrame({"a": [{"b": 1}, [1, 2], {3}]})
    assert data_fingerprint(nested) == data_fingerprint(nested.iloc[::-1])


@pytest.mark.parametrize("values", [2, 5, 20, 100, 1000, 10**6])
def test_new_rows_are_not_taken_for_training_rows_however_few_values_they_have(values: int) -> None:
    """Of rows with few values nearly all have been seen before: that is chance, and is taken off."""
    generator = np.random.default_rng(values)
    shares = []
    for _ in range(40):
        training, new = (pd.DataFrame({"v": generator.integers(0, values, 300)}) for _ in range(2))
        shares.append(TrainingRows.of(training).share_of(new))
        shares.append(TrainingRows.of(training).sample(50).share_of(new))
        half = pd.concat([new[:150], training[:150]])
        if values > 1000:
            assert 0.4 < TrainingRows.of(training).share_of(half) < 0.6
    assert max(shares) < 0.1


@pytest.mark.parametrize(
    "reference",
    [
        (X, COIN),
        (X.iloc[ORDER], COIN.iloc[ORDER]),
        (X[1:], COIN[1:]),
        (X[:5], COIN[:5]),
        (X.astype("object"), COIN),
        (X.assign(d=X["d"].astype("Float64")), COIN),
        (X[:50].astype("float32"), COIN[:50]),
        (X[:50] + 1e-9, COIN[:50]),
    ],
    ids=["same", "shuffled", "one less", "five", "objects", "nullable", "single precision", "a little more"],
)
def test_training_rows_open_no_gate(settings: Settings, reference: Any) -> None:
    with Workspace(settings) as ws:
        version = ws.register(LEARNT_BY_HEART, "m", data=X, target=COIN, reference=reference)
        assert version.body["measured"] is None
        ws.approve("m/1", reason="roc_auc of 1")
        with pytest.raises(GateClosed, match="rows are those that the model was fitted on"):
            ws.promote("m/1", reason="roc_auc of 1")
        for rows in (X.iloc[ORDER], X[:5], X[-40:].astype("object")):
            with pytest.raises(InvalidFrame, match="rows are those that the model was fitted on"):
                ws.evaluate("m/1", data=rows, target=COIN[rows.index])


def test_a_model_that_is_registered_again_has_learnt_from_the_same_rows(settings: Settings) -> None:
    with Workspace(settings) as ws:
        ws.register(LEARNT_BY_HEART, "m", data=X, target=COIN)
        first = ws.version("m/1").body
        again = ws.register("models:/m/1", "other", reference=(X[:100], COIN[:100])).body
        assert (again["measured"], again["data_fingerprint"]) == (None, first["data_fingerprint"])
        with pytest.raises(InvalidFrame, match="rows are those that the model was fitted on"):
            ws.evaluate("other/1", data=X[:50], target=COIN[:50])
        moved = ws.register(
            "models:/other/1", "third", data=X[:5] + 9, target=COIN[:5], reference=(X[:100], COIN[:100])
        )
        assert moved.body["measured"] is None


def test_the_gate_says_what_it_does_not_know_of_the_rows(settings: Settings) -> None:
    with Workspace(settings) as ws:
        ws.register(LEARNT_BY_HEART, "m", reference=(pd.concat([X[:5]] * 20), pd.concat([COIN[:5]] * 20)))
        message = ws.gate("m/1").checks[0].message
        assert "measured on 100 rows, 5 of them distinct; which rows it was fitted on is not on record" in message


def test_a_sample_of_the_training_rows_is_enough_and_can_be_kept() -> None:
    generator = np.random.default_rng(5)
    training, new = (pd.DataFrame(generator.normal(size=(20_000, 3)), columns=list("abc")) for _ in range(2))
    sample = TrainingRows.from_dict(json.loads(json.dumps(TrainingRows.of(training).sample(2000).to_dict())))
    assert len(sample.exact.hashes) == len(sample.rounded.hashes) == 2000
    assert sample.share_of(training[:300].astype("float32")) > 0.99
    assert sample.share_of(training[:300].round(6)) > 0.9
    assert sample.share_of(training[:300] * (1 + 1e-9)) > 0.99
    assert sample.share_of(training[:300]) == 1
    assert sample.share_of(new) == 0
    assert 0.2 < sample.share_of(pd.concat([training[:500], new[:1500]])) < 0.3
    for few in (training[:0], new[:1]):
        assert sample.share_of(few) == 0
    alike = TrainingRows.of(pd.DataFrame({"a": [1] * 10}))
    assert (alike.share_of(pd.DataFrame({"a": [1]})), alike.sample(3).share_of(training[["a"]])) == (0, 0)


def test_training_rows_in_a_file_of_codes_open_no_gate(settings: Settings, tmp_path: Path) -> None:
    rows = X[:80].assign(zip=[f"{number:05d}" for number in range(80)])
    rows.assign(y=COIN[:80]).to_csv(tmp_path / "part.csv", index=False)
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(rows, COIN[:80])
    with Workspace(settings) as ws:
        ws.register(model, "m", data=rows, target=COIN[:80])
        part = read_file(str(tmp_path / "part.csv"))[:30]
        with pytest.raises(InvalidFrame, match="rows are those that the model was fitted on"):
            ws.evaluate("m/1", data=part, target="y")


def test_rows_of_which_some_were_learnt_say_how_many(settings: Settings) -> None:
    new = pd.DataFrame(np.random.default_rng(1).normal(size=(100, 4)), columns=list("abcd"))
    rows, labels = pd.concat([X[:100], new]), [*COIN[:100], *COIN[100:200]]
    with Workspace(settings) as ws:
        version = ws.register(LEARNT_BY_HEART, "m", data=X, target=COIN, reference=(rows, labels))
        assert "50% of the validation rows are rows that the model was fitted on" in version.body["measured_reason"]
        assert ws.register(LEARNT_BY_HEART, "m", data=X, target=COIN, reference=(new, COIN[:100])).body["measured"]


def test_outcomes_of_other_rows_have_another_fingerprint() -> None:
    """Two tables may hold as many of each outcome: then their order tells them apart."""
    labels = COIN.to_frame("outcome")
    assert data_fingerprint(labels, ordered=True) != data_fingerprint(labels.iloc[ORDER], ordered=True)
    assert data_fingerprint(labels, ordered=True) == data_fingerprint(labels.astype("float32"), ordered=True)
