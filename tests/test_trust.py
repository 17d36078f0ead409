"""Settings that another user can write are not used; settings read only variables that are meant for them."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.settings import find_settings
from modelops_jupyter.trust import check_settings_file, fill_secrets

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no owners of files here")
STRANGER = 54321


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "modelops.toml").write_text('actor = "mallory"\n')
    return folder


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a path belong to a stranger: where this user may not give files away, this user becomes one."""
    if os.geteuid() == 0:
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: STRANGER)


@pytest.mark.parametrize("where", ["modelops.toml", ""])
def test_what_belongs_to_another_user_is_refused_by_every_command(
    project: Path, where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give_away(project / where, monkeypatch)
    monkeypatch.chdir(project / "deep" / "er")
    with pytest.raises(InvalidInput, match=r"are not used: .* belongs to the user"):
        find_settings()
    assert main(["status"]) == 2
    assert "MODELOPS_TRUSTED_FOLDERS=" in capsys.readouterr().err
    assert not list(project.rglob(".modelops"))
    lenient = find_settings(lenient=True)
    assert lenient.actor is None
    assert "are not used" in (lenient.problem or "")


@pytest.mark.parametrize(
    ("where", "mode"), [("modelops.toml", 0o666), ("modelops.toml", 0o646), ("", 0o777), ("", 0o757)]
)
def test_what_everybody_can_write_is_refused(project: Path, where: str, mode: int) -> None:
    (project / where).chmod(mode)
    with pytest.raises(InvalidInput, match="can be written by everybody"):
        find_settings(project)


def test_what_a_shared_group_can_write_is_refused(project: Path) -> None:
    file = project / "modelops.toml"
    file.chmod(0o664)
    if os.geteuid() != 0:
        pytest.skip("only root gives files to any group")
    assert find_settings(project).actor == "mallory"  # root's own group
    os.chown(file, 0, STRANGER)
    with pytest.raises(InvalidInput, match="can be written by the group 54321"):
        find_settings(project)


def test_a_link_counts_as_what_it_leads_to(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "modelops.toml").symlink_to(project / "modelops.toml")
    assert find_settings(own).actor == "mallory"
    give_away(project, monkeypatch)
    with pytest.raises(InvalidInput, match="belongs to"):
        find_settings(own)


def test_a_sticky_folder_such_as_tmp_may_hold_settings(project: Path) -> None:
    project.chmod(0o777 | stat.S_ISVTX)
    assert find_settings(project).actor == "mallory"


@pytest.mark.parametrize("trusted", ["{project}", "{project}/..", "/elsewhere{sep}{project}", "*"])
def test_a_folder_that_is_trusted_is_used(project: Path, trusted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(project / "modelops.toml", monkeypatch)
    environ = {"MODELOPS_TRUSTED_FOLDERS": trusted.format(project=project, sep=os.pathsep)}
    assert find_settings(project, environ).actor == "mallory"
    for other in ("", str(project / "deep"), "/elsewhere", f"{project}x"):
        with pytest.raises(InvalidInput, match="are not used"):
            check_settings_file(project / "modelops.toml", {"MODELOPS_TRUSTED_FOLDERS": other})


@given(
    st.text(st.characters(exclude_characters="$"), max_size=20),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True) | st.just("MODELOPS_SECRET_X"),
    st.booleans(),
)
def test_no_variable_of_another_prefix_is_ever_read(before: str, name: str, braces: bool) -> None:
    text = before + (f"${{{name}}}" if braces else f"${name}")
    if name.startswith("MODELOPS_SECRET_"):
        assert fill_secrets("it", text, {name: "value"}) == f"{before}value"
    else:
        with pytest.raises(InvalidInput, match="only variables that begin with MODELOPS_SECRET_"):
            fill_secrets("it", text, {name: "value"})


@given(st.text(max_size=60))
def test_any_text_is_filled_or_refused_in_a_sentence(text: str) -> None:
    alone = text.replace("$$", "")
    if "$" not in alone:
        assert fill_secrets("it", text, {}) == text.replace("$$", "$")
    else:
        with pytest.raises(InvalidInput, match=r"^it (names|holds)"):
            fill_secrets("it", text, {})
