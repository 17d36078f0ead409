"""Tables scored into tables: every column is kept, what breaks the contract is named, nothing is half written."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from scored_flights import N, elsewhere, rows, workspace_of_delay
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidFrame, InvalidInput, NotFound
from modelops_jupyter.frames import to_arrow
from modelops_jupyter.settings import Settings
from modelops_jupyter.table_files import reading
from modelops_jupyter.workspace import Workspace


@pytest.fixture
def ws(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(settings.project)
    with workspace_of_delay(settings) as workspace:
        yield workspace


def test_every_column_is_kept_and_the_answers_are_those_of_predict(ws: Workspace) -> None:
    given = elsewhere()
    given.to_parquet("in.parquet")
    done = ws.predict_file("delay/1", "in.parquet", "out.parquet")
    written = pd.read_parquet("out.parquet")
    prediction, score = ws.predict("delay/1", given)
    pd.testing.assert_frame_equal(written[given.columns], given)
    assert list(written.columns) == [*given.columns, "prediction", "score", "invalid"]
    assert (written["prediction"] == prediction).all()
    assert np.allclose(written["score"], score)
    assert (done.rows, done.scored) == (N, N)


def test_what_breaks_the_contract_is_named_by_column_and_count(ws: Workspace) -> None:
    given = elsewhere()
    given.loc[[3, 4], "wind"] = -9999
    given.loc[5, "origin"] = "SFO"
    given.loc[6, "wind"] = np.nan
    given.to_parquet("in.parquet")
    done = ws.predict_file("delay/1", "in.parquet", "out.parquet")
    marks = pd.read_parquet("out.parquet").set_index("id")["invalid"]
    assert marks["00003"] == "wind: outside the range of training"
    assert marks["00005"] == "origin: not seen in training"
    assert marks["00006"] == "wind: missing, as it never was in training"
    assert marks.notna().sum() == done.marked == 4
    assert {(rule.column, rule.kind): rule.rows for rule in done.broken} == {
        ("wind", "outside"): 2,
        ("wind", "missing"): 1,
        ("origin", "unseen"): 1,
    }
    assert "'wind' lies outside the range of training, 0 to 1000, in 2 of 300 rows (the first holds '-9999.0')" in map(
        str, done.broken
    )
    assert pd.read_parquet("out.parquet")["prediction"].isna().sum() == 1  # the model takes no missing value
    assert done.scored == N - 1


def test_refused_rows_leave_nothing_behind(ws: Workspace) -> None:
    elsewhere().replace({"origin": {"JFK": "SFO"}}).to_parquet("in.parquet")
    before = sorted(file.name for file in Path().iterdir())
    with pytest.raises(InvalidFrame, match=r"'origin' holds a category that training did not have in \d+ of 300 rows"):
        ws.predict_file("delay/1", "in.parquet", "out.parquet", invalid="refuse")
    assert sorted(file.name for file in Path().iterdir()) == before


def test_allowed_rows_are_scored_without_a_mark_and_counted(ws: Workspace) -> None:
    elsewhere().assign(wind=-9999.0).to_parquet("in.parquet")
    done = ws.predict_file("delay/1", "in.parquet", "out.parquet", invalid="allow")
    assert "invalid" not in pd.read_parquet("out.parquet").columns
    assert (done.scored, done.marked) == (N, N)


def test_text_in_a_number_column_has_no_prediction_and_the_others_have(ws: Workspace) -> None:
    given = elsewhere().astype({"wind": str})
    given.loc[7, "wind"] = "calm"
    given.to_csv("in.csv", index=False)
    done = ws.predict_file("delay/1", "in.csv", "out.csv")
    written = pd.read_csv("out.csv", dtype=str)
    assert written.loc[7, "invalid"] == "wind: no number"
    assert written["prediction"].isna().sum() == 1
    assert written["id"].iloc[12] == "00012"
    assert set(written["prediction"].dropna()) == {"0", "1"}
    assert "'wind' holds no number in 1 of 300 rows (the first holds 'calm')" in map(str, done.broken)
    with pytest.raises(InvalidFrame, match="'wind' holds no number in 1 of 300 rows"):
        ws.predict("delay/1", given)


def test_a_row_is_scored_alike_whatever_rows_stand_beside_it(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    given = elsewhere()
    given.loc[::7, "wind"] = np.nan
    given.loc[::5, "origin"] = "SFO"
    given.to_parquet("in.parquet", row_group_size=13)
    ws.predict_file("delay/1", "in.parquet", "whole.parquet")
    monkeypatch.setattr(reading, "ROWS", 32)
    ws.predict_file("delay/1", "in.parquet", "parts.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet("whole.parquet"), pd.read_parquet("parts.parquet"))
    assert pq.ParquetFile("parts.parquet").num_row_groups == 10


def test_no_row_that_can_be_scored_is_a_sentence_and_no_file(ws: Workspace) -> None:
    elsewhere().assign(wind=None).to_parquet("in.parquet")
    with pytest.raises(
        InvalidFrame, match=r"can score no row of 'in\.parquet': 'wind' is missing.* in 300 of 300 rows"
    ):
        ws.predict_file("delay/1", "in.parquet", "out.parquet")
    assert not Path("out.parquet").exists()


def test_a_column_that_is_not_there_is_named(ws: Workspace) -> None:
    elsewhere().drop(columns="wind").to_parquet("in.parquet")
    with pytest.raises(InvalidFrame, match="no column 'wind'"):
        ws.predict_file("delay/1", "in.parquet", "out.parquet")


def test_delta_tables_and_folders(ws: Workspace) -> None:
    given = elsewhere()
    write_deltalake("flights", to_arrow(given))
    ws.predict_file("delay/1", "delta:flights", "delta:scored")
    ws.predict_file("delay/1", "flights", "delta:scored")
    assert DeltaTable("scored").version() == 1
    assert DeltaTable("scored").to_pyarrow_table().num_rows == N
    write_deltalake("by_origin", to_arrow(given), partition_by=["origin"])
    done = ws.predict_file("delay/1", "by_origin", "by_origin.parquet")
    assert (done.scored, done.marked) == (N, 0)
    assert sorted(pd.read_parquet("by_origin.parquet")["origin"]) == sorted(given["origin"])
    Path("parts").mkdir()
    given[:100].to_parquet("parts/1.parquet")
    given[100:].to_parquet("parts/2.parquet")
    assert ws.predict_file("delay/1", "parts", "out.csv").scored == N


def test_logged_as_log_predictions_does_once(ws: Workspace) -> None:
    given = elsewhere().assign(at=elsewhere()["at"].astype(str))
    given.loc[7, "wind"] = np.nan
    given.to_csv("in.csv", index=False)
    words = ["predict", "delay/1", "in.csv", "out.csv", "--log", "--id", "id", "--time", "at", "--batch-id", "b"]
    assert main(words) == 0
    extent = ws.log.extent("delay")
    assert extent is not None
    assert extent.rows == N - 1
    again = ws.predict_file("delay/1", "in.csv", "out.csv", log=True, id="id", time="at", batch_id="b")
    assert again.logged == 0
    assert "not logged again" in str(again)
    logged = ws.log.read("delay", pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-02", tz="UTC"))
    assert logged is not None
    assert logged.schema.field("wind").type == pa.float64()
    assert set(logged["origin"].to_pylist()) == {"JFK", "LGA"}


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        ({"output": "out.xlsx"}, InvalidInput, "no table that can be written"),
        ({"output": "nowhere/out.csv"}, NotFound, "no folder 'nowhere'"),
        ({"output": "in.parquet"}, InvalidInput, "write to another one"),
        ({"data": "gone.parquet"}, NotFound, "no file 'gone.parquet'"),
        ({"data": "torn.parquet"}, InvalidFrame, "'torn.parquet' holds no table"),
        ({"data": "modelops.toml"}, InvalidInput, "no table that can be read in parts"),
        ({"invalid": "drop"}, InvalidInput, "refuse, mark or allow"),
        ({"log": True}, InvalidInput, "--id, --time"),
        ({"id": "id"}, InvalidInput, "--log"),
        ({"log": True, "id": "key", "time": "at"}, InvalidFrame, "no column 'key'"),
    ],
)
def test_a_wrong_call_is_one_sentence(
    ws: Workspace, call: dict[str, object], error: type[Exception], says: str
) -> None:
    elsewhere().to_parquet("in.parquet")
    Path("torn.parquet").write_bytes(b"PAR1....")
    with pytest.raises(error, match=says):
        ws.predict_file("delay/1", **{"data": "in.parquet", "output": "out.parquet", **call})  # type: ignore[arg-type]


def test_a_table_that_was_scored_says_so(ws: Workspace) -> None:
    elsewhere().to_parquet("in.parquet")
    ws.predict_file("delay/1", "in.parquet", "out.parquet")
    with pytest.raises(InvalidFrame, match="has a column 'prediction' already"):
        ws.predict_file("delay/1", "out.parquet", "twice.parquet")


def test_an_empty_table_gives_an_empty_one(ws: Workspace) -> None:
    elsewhere()[:0].to_parquet("in.parquet")
    assert ws.predict_file("delay/1", "in.parquet", "out.parquet").rows == 0
    assert list(pd.read_parquet("out.parquet").columns)[-3:] == ["prediction", "score", "invalid"]


def test_names_of_classes_and_numbers_keep_their_types(ws: Workspace) -> None:
    data = rows()[["wind", "seats"]]
    words = np.where(data["wind"] > 600, "long", np.where(data["wind"] > 300, "middle", "short"))
    ws.register(HistGradientBoostingClassifier(max_iter=5).fit(data, words), "kind", data=data, target=words)
    ws.register(LinearRegression().fit(data, data["wind"]), "speed", data=data, target=data["wind"])
    elsewhere().to_parquet("in.parquet")
    ws.predict_file("kind/1", "in.parquet", "kind.parquet")
    ws.predict_file("speed/1", "in.parquet", "speed.parquet")
    kind, speed = pq.read_schema("kind.parquet"), pq.read_schema("speed.parquet")
    assert kind.field("prediction").type == pa.string()
    assert speed.field("prediction").type == pa.float64()
    assert "score" not in kind.names + speed.names


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_categories_come_as_text_and_new_ones_are_named(ws: Workspace, library: str) -> None:
    module = pytest.importorskip(library)
    data = rows().astype({"origin": "category"})
    late = (data["origin"] == "JFK").astype(int)
    settings = {"enable_categorical": True} if library == "xgboost" else {"verbose": -1}
    make = getattr(module, "XGBClassifier" if library == "xgboost" else "LGBMClassifier")
    for _ in range(2):
        ws.register(make(n_estimators=3, **settings).fit(data, late), "trees", data=data, target=late)
    given = elsewhere().astype({"wind": str}).assign(late=(elsewhere()["origin"] == "JFK").astype(int))
    assert (ws.predict("trees/1", given)[0] == given["late"]).all()
    assert ws.compare("trees/1", "trees/2", data=given, target="late").rows == N
    given.loc[4, "origin"] = "SFO"
    given.to_csv("in.csv", index=False)
    done = ws.predict_file("trees/1", "in.csv", "out.parquet")
    assert [(rule.column, rule.kind, rule.rows) for rule in done.broken] == [("origin", "unseen", 1)]
    assert done.scored == (N - 1 if library == "xgboost" else N)  # which takes no category that it has not seen


def test_labels_and_log_take_rows_of_any_form(ws: Workspace) -> None:
    data = rows()[["wind", "seats"]]
    late = (data["wind"] > 500).to_numpy().astype(int).reshape(-1, 1)
    for number, target in enumerate((late, pd.DataFrame(late, columns=["late"]), late.tolist()), start=1):
        registered = ws.register(LogisticRegression().fit(data, late.ravel()), "forms", data=data, target=target)
        assert registered.version == number
    given = elsewhere().astype({"wind": str, "seats": str}).assign(said=0)
    ws.log_predictions("forms/1", given.drop(columns="origin"), id="id", time="at", prediction="said")
    ws.log_predictions(
        "forms/1",
        given.drop(columns="origin").assign(wind=None, id="x" + given["id"]),
        id="id",
        time="at",
        prediction="said",
    )
    logged = ws.log.read("forms", pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-02", tz="UTC"))
    assert logged is not None
    assert logged.num_rows == 2 * N
    assert logged.schema.field("wind").type == pa.float64()


def test_many_broken_rules_are_one_line_and_a_short_table(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(settings.project)
    wide = pd.DataFrame(np.random.default_rng(0).uniform(size=(N, 25)), columns=[f"x{n}" for n in range(25)])
    beyond = wide.copy()
    for position, name in enumerate(wide.columns):
        beyond.loc[:position, name] = 7.0
    beyond.loc[0, "x0"] = np.nan
    with Workspace(settings) as ws:
        ws.register(LinearRegression().fit(wide, wide["x0"]), "wide", data=wide, target=wide["x0"])
        done = {how: ws.predict_file("wide/1", beyond, f"{how}.parquet", invalid=how) for how in ("mark", "allow")}
    lines = str(done["mark"]).splitlines()
    assert lines[1] == (
        "25 rows break the contract in 25 columns (missing values of 1 column, range of 24 columns); the column "
        "`invalid` says how."
    )
    assert lines[2].split() == ["column", "rows", "what", "contract", "first"]
    assert lines[3].split()[:3] == ["x24", "25", "range"]
    assert len(lines) == 14
    assert lines[-1] == "  and 15 more"
    assert len(done["mark"].to_frame()) == 25
    assert "24 columns); they were scored where the model can." in str(done["allow"])
    html = done["allow"]._repr_mimebundle_()["text/html"]
    assert "25 rows break the contract" in html
    assert "x1<" not in html, "only the most frequent are shown"


def test_a_notebook_names_the_table_that_it_scores(ws: Workspace) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "modelops_jupyter")
    shell.user_ns["flights"] = elsewhere()
    done = shell.run_line_magic("modelops", "predict delay/1 flights out.csv")
    assert str(done).startswith("delay/1 scored 300 of 300 rows of flights into out.csv.")
