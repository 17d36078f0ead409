"""Texts are watched by what is derived of them: emptied, cut or in another language they are named, and so is how."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier

import modelops_jupyter as mo
from modelops_jupyter.errors import NotFound
from modelops_jupyter.monitoring import MonitorReport
from modelops_jupyter.profiles import build_reference, scan
from modelops_jupyter.profiles.texts import kind_of_texts, measures
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

ENGLISH = """
    the delivery was late again and nobody answered my calls please send the missing part or refund what has been paid
    we ordered two boxes of green tea which arrived broken thank you for such quick help with this question about our
    invoice it would be great if someone could look into why the price changed between yesterday and today
"""
FINNISH = """
    toimitus oli jälleen myöhässä eikä kukaan vastannut puheluihini lähettäkää puuttuva osa tai palauttakaa maksettu
    summa tilasimme kaksi laatikkoa vihreää teetä jotka saapuivat rikkinäisinä kiitos nopeasta avusta laskua
    koskevaan kysymykseen olisi hienoa jos joku voisi selvittää miksi hinta muuttui eilisen ja tämän päivän välillä
"""
DAYS, ROWS = 16, 90
LOG = {"id": "i", "time": "t", "prediction": "p", "score": "s"}


def comments(rows: int, seed: int, words: str = ENGLISH) -> list[str]:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(8, 24, rows)
    return [" ".join(generator.choice(words.split(), length)).capitalize() + "." for length in lengths]


def rows(days: int, seed: int) -> pd.DataFrame:
    generator, number = np.random.default_rng(seed), days * ROWS
    return pd.DataFrame(
        {
            "timestamp": pd.date_range("2026-05-01", periods=number, freq=pd.Timedelta(days=1) / ROWS, tz="UTC"),
            "amount": generator.normal(50, 9, number),
            "order": [f"A-{seed}-{at:06d}" for at in range(number)],
            "comment": comments(number, seed),
        }
    )


REFERENCE = rows(DAYS, 1)


def damaged(fault: str, days: int = DAYS, since: int = 12) -> pd.DataFrame:
    frame = rows(days, 2)
    bad = slice(since * ROWS, (since + 4) * ROWS)
    texts = frame["comment"].to_numpy(dtype=object).copy()
    count = len(texts[bad])
    texts[bad] = {
        "healthy": texts[bad],
        "emptied": np.full(count, "", dtype=object),
        "missing": np.full(count, None, dtype=object),
        "cut": [text[:15] for text in texts[bad]],
        "language": comments(count, 5, FINNISH),
        "numbers": [None if at % 2 else "7" * 70 for at in range(count)],
    }[fault]
    return frame.assign(comment=texts)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("emptied", "comment has no value at all"),
        ("missing", "comment has no value at all"),
        ("cut", "`comment`: length fell from 8"),
        ("language", "`comment`: letter sequences that training hardly has rose from"),
        ("numbers", "`comment`: digits rose from 0 % to 100 % of characters"),
    ],
)
def test_a_damaged_text_is_named_on_its_first_day(fault: str, words: str) -> None:
    report = mo.compare_data(REFERENCE, damaged(fault))
    first = [alert for alert in report.alerts if alert.window_start.startswith("2026-05-13")]
    assert {alert.column.partition(" · ")[0] for alert in report.alerts} == {"comment"}
    assert any(words in alert.message for alert in first), [alert.message for alert in first]


def test_healthy_texts_raise_no_alert_and_identifiers_are_left_out() -> None:
    report = mo.compare_data(REFERENCE, damaged("healthy"))
    assert report.alerts == ()
    assert "only missing ones and their type are watched (an identifier): order." in report.remark
    assert "comment · length" in report.columns
    assert "order · presence" in report.columns
    assert not {"comment", "order"} & set(report.columns)


def test_a_text_that_became_numbers_is_of_another_type() -> None:
    report = mo.compare_data(REFERENCE, REFERENCE.assign(comment=7.5))
    assert {alert.metric for alert in report.alerts} == {"mistyped_rate", "null_rate"}
    assert {alert.column for alert in report.alerts} == {"comment · length"}


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, MonitorReport]:
    """A model whose comments are cut for four days at the end."""
    folder = tmp_path_factory.mktemp("texts")
    ws = Workspace(Settings(project=folder, root=folder / "w"))
    features, labels = REFERENCE[["amount", "order", "comment"]], np.arange(len(REFERENCE)) % 2
    ws.register(DummyClassifier().fit(np.zeros((len(labels), 3)), labels), "m", data=features, target=labels)
    frame = damaged("cut", 16).rename(columns={"timestamp": "t"})
    outputs = {"i": [f"r{at}" for at in range(len(frame))], "p": 0, "s": 0.5, "y": np.arange(len(frame)) % 2}
    ws.log_predictions("m/1", frame.assign(**outputs).drop(columns="y"), **LOG)
    ws.log_labels("m", pd.DataFrame({"i": outputs["i"], "y": outputs["y"]}), id="i", label="y")
    return ws, ws.monitor("m")


def test_an_incident_says_what_became_of_the_text(cut: tuple[Workspace, MonitorReport]) -> None:
    ws, report = cut
    (incident,) = ws.incidents("m").rows
    assert incident["title"].startswith("`comment`: length fell from ")
    assert incident["title"].endswith(" to 15 characters")
    assert [column.partition(" · ")[0] for column in incident["suspects"]] == ["comment"]
    assert "(an identifier): order." in report.remark
    page = ws.overview("m")
    assert "(an identifier): order." in str(page)


def test_a_text_is_looked_at_by_what_is_derived_of_it(cut: tuple[Workspace, MonitorReport]) -> None:
    ws, _ = cut
    assert ws.distribution("m", "comment · length").current
    with pytest.raises(NotFound, match="it has comment · capitals, comment · digits, comment · length"):
        ws.distribution("m", "comment")
    assert ws.explain("m", window="2026-05-13").rows_now == ROWS
    drifted = ws.multivariate_drift("m", window="2026-05-13")
    assert "comment" in str(drifted)


def test_a_text_is_muted_by_its_name(cut: tuple[Workspace, MonitorReport]) -> None:
    ws, _ = cut
    ws.mute("m", column="comment", until="2026-07-01", reason="the form is being replaced")
    ws.monitor("m")
    assert all(alert["suppressed"] for alert in ws.alerts("m").rows)
    ws.revoke("m", column="comment", reason="replaced")


# Whatever texts come, figures of each are those of Python.
@given(st.lists(st.none() | st.text(max_size=12), max_size=8))
def test_figures_of_a_text_are_its_own(texts: list[str | None]) -> None:
    clean = [None if text is None else text.encode("utf-8", "ignore").decode() for text in texts]
    found = measures(pa.array(clean, pa.string()))
    for place, text in enumerate(clean):
        alone = measures(pa.array([text], pa.string()))
        for name, figures in found.items():
            np.testing.assert_equal(figures[place], alone[name][0])
        if text is not None and text.isascii() and text.isprintable():
            length = found["length"][place]
            assert (0 if np.isnan(length) else length) == len(text.strip())
            assert (0 if np.isnan(length) else found["words"][place]) == len(text.split())


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", comments(400, 3)),
        ("text", comments(60, 3)),
        ("identifier", [f"{at:x}" for at in range(300)]),
        ("category", [f"city {at % 250}" for at in range(3000)]),
        ("category", ["yes", "no", None] * 50),
        ("category", comments(40, 3) * 50),
        ("category", []),
    ],
)
def test_what_a_column_of_texts_holds_is_recognised(kind: str, values: list[str | None]) -> None:
    assert kind_of_texts(pa.chunked_array([pa.array(values, pa.string())])) == kind


def test_dictionaries_and_pieces_count_alike() -> None:
    table = pa.table({"comment": comments(500, 7)})
    coded = pa.table(
        {
            "comment": pa.chunked_array(
                [table["comment"].slice(at, 100).combine_chunks().dictionary_encode() for at in range(0, 500, 100)]
            )
        }
    )
    reference = build_reference(table, task="decision", segments=())
    assert scan(table, reference.binning).columns == scan(coded, reference.binning).columns
    assert type(reference).from_dict(reference.to_dict()).binning == reference.binning


def test_a_text_that_is_a_file_is_read_once_for_all_figures(tmp_path: Path) -> None:
    path = tmp_path / "now.parquet"
    damaged("cut").to_parquet(path)
    alerts = mo.compare_data(REFERENCE, path).alerts
    assert {alert.column.partition(" · ")[0] for alert in alerts} == {"comment"}
