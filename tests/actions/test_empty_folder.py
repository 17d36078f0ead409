"""A question about a workspace that is not there is answered, and leaves no workspace behind."""

from pathlib import Path

import pytest

from modelops_jupyter.cli import main


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("promote nothing/1 --reason x", 2, "no model 'nothing'"),
        ("rollback nothing --reason x", 2, "no model 'nothing'"),
        ("approve nothing/1 --reason x", 2, "no model 'nothing'"),
        ("check nothing/1", 2, "no model 'nothing'"),
        ("gate nothing/1", 2, "no model 'nothing'"),
        ("compare nothing/1 nothing/2 --data rows.csv", 2, "no model 'nothing'"),
        ("evaluate nothing/1 --data rows.csv --target late", 2, "no model 'nothing'"),
        ("log-labels nothing rows.csv --id id --label late", 2, "no model 'nothing'"),
        ("monitor nothing", 2, "no model 'nothing'"),
        ("backtest nothing", 2, "no model 'nothing'"),
        ("overview nothing", 2, "no model 'nothing'"),
        ("card nothing/1", 2, "no model 'nothing'"),
        ("resolve nothing:1 --reason x", 2, "no incident 'nothing:1'"),
        ("compare-data rows.csv nothing.parquet", 2, "no file 'nothing.parquet'"),
        ("models", 0, "No models yet"),
        ("alerts", 0, "No alerts"),
        ("incidents", 0, "No incidents"),
        ("runs", 0, "No runs yet"),
        ("audit", 0, "Nothing on record"),
    ],
)
def test_a_question_leaves_an_empty_folder_empty(
    line: str, code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("id,late\n1,0\n")
    assert main(line.split()) == code
    assert said in "".join(capsys.readouterr())
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv"]
