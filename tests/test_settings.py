"""Where a workspace is found, and what a wrong settings file says."""

from pathlib import Path

import pytest

from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.settings import find_settings


def test_nearest_file_upwards_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "modelops.toml").write_text('workspace = "ops"\ntracking_uri = "http://127.0.0.1:5000"\n')
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    settings = find_settings(environ={})
    assert settings.root == tmp_path / "ops"
    assert settings.tracking_uri == "http://127.0.0.1:5000"


def test_without_a_file_the_current_folder_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_settings(environ={}).root == tmp_path / ".modelops"


def test_variables_win_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "modelops.toml").write_text('actor = "ann"\n')
    settings = find_settings(environ={"MODELOPS_WORKSPACE": str(tmp_path), "MODELOPS_ACTOR": "bob"})
    assert (settings.project, settings.actor) == (tmp_path, "bob")


def test_opening_writes_nothing(tmp_path: Path) -> None:
    find_settings(tmp_path, environ={})
    assert list(tmp_path.iterdir()) == []


def test_sampled_rows_are_a_number(tmp_path: Path) -> None:
    assert find_settings(tmp_path, environ={}).sample_rows == 200
    (tmp_path / "modelops.toml").write_text("sample_rows = 0\n")
    assert find_settings(tmp_path, environ={}).sample_rows == 0
    assert find_settings(tmp_path, environ={"MODELOPS_SAMPLE_ROWS": "500"}).sample_rows == 500


@pytest.mark.parametrize(
    "text",
    ["workspace = ", "colour = 'red'", "actor = 3", "sample_rows = -1", "sample_rows = 'many'", "sample_rows = true"],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "modelops.toml").write_text(text)
    with pytest.raises(InvalidInput, match=r"modelops\.toml"):
        find_settings(tmp_path, environ={})


def test_targets_and_use_cases_are_read(tmp_path: Path) -> None:
    (tmp_path / "modelops.toml").write_text(
        '[use_case.delay]\nowner = "bob"\ncost_per_error = 40\n'
        '[notify.ops]\nurl = "https://x.example/t0p"\nsecret = "$S"\n'
    )
    settings = find_settings(tmp_path, environ={})
    assert (settings.use_cases["delay"].owner, settings.use_cases["delay"].cost_per_error) == ("bob", 40.0)
    (target,) = settings.targets
    assert (target.name, target.allow_private, "incident.*" in target.topics) == ("ops", False, True)
    assert "t0p" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('notify = "x"', r"\[notify\.NAME\]"),
        ("[notify.ops]\n", "no url"),
        ('[notify.ops]\nurl = "https://x"\ncolour = "red"\n', r"notify\.ops\.colour"),
        ('[notify.ops]\nurl = "https://x"\nallow_private = "yes"\n', "true or false"),
        ('[notify.ops]\nurl = "https://x"\ntopics = "incident"\n', "list"),
        ("[notify.ops]\nurl = 7\n", "text"),
        ("[use_case.m]\ncost_per_error = -1\n", "at least 0"),
        ("[use_case.m]\ncost_per_error = nan\n", "at least 0"),
    ],
)
def test_wrong_tables_are_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "modelops.toml").write_text(text)
    with pytest.raises(InvalidInput, match=says):
        find_settings(tmp_path, environ={})


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        find_settings(tmp_path / "nowhere", environ={})


@pytest.mark.parametrize("name", ["what?", "a%20b"])
def test_a_folder_that_would_be_taken_for_another_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InvalidInput, match="Rename the folder"):
        find_settings(tmp_path / name, environ={})


def test_other_odd_names_are_fine(tmp_path: Path) -> None:
    for name in ("My models", "Modèles ü", "a#b", "100 % sure", "a&b;c"):
        (tmp_path / name).mkdir()
        assert find_settings(tmp_path / name, environ={}).root == tmp_path / name / ".modelops"
