"""What git says of a folder, in real repositories of every state."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repositories import git, repository

from modelops_jupyter.provenance.git import git_facts, without_credentials

NAMES = [
    "train.ipynb",
    "my notebooks/train it.ipynb",
    "été/naïve 模型.ipynb",
    "-q/--help.ipynb",
    'quo"te/new\tline.ipynb',
]


@pytest.mark.parametrize("name", NAMES)
def test_commit_branch_and_root_whatever_the_names(tmp_path: Path, name: str) -> None:
    top = repository(tmp_path / "my répo", name)
    file = top / name
    facts = git_facts(file.parent, file)
    assert facts is not None
    assert (facts.root, facts.branch, facts.url, facts.dirty) == (top, "main", None, False)
    assert facts.commit == git(top, "rev-parse", "HEAD")


def test_a_tree_is_dirty_if_the_commit_does_not_hold_what_ran(tmp_path: Path) -> None:
    top = repository(tmp_path, "train.ipynb", "rules.json")

    def dirty(name: str = "train.ipynb") -> bool | None:
        facts = git_facts(top, top / name)
        return facts and facts.dirty

    (top / "data.csv").write_text("x")
    assert dirty() is False  # other files that git does not know are no change
    (top / "new.ipynb").write_text("x")
    assert dirty("new.ipynb") is True
    (top / "rules.json").write_text("x")
    assert dirty() is True
    git(top, "commit", "-am", "second")
    assert dirty() is False


def test_a_detached_head_has_a_commit_and_no_branch(tmp_path: Path) -> None:
    top = repository(tmp_path, "a.py")
    git(top, "checkout", "--detach")
    facts = git_facts(top)
    assert facts is not None
    assert (facts.branch, facts.commit) == (None, git(top, "rev-parse", "HEAD"))


def test_a_repository_without_commits_has_a_branch_and_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / "a.py").touch()
    facts = git_facts(tmp_path, tmp_path / "a.py")
    assert facts is not None
    assert (facts.branch, facts.commit, facts.dirty) == ("main", None, True)


def test_without_a_repository_or_without_git_there_are_no_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git_facts(tmp_path) is None
    top = repository(tmp_path / "repo", "a.py")
    assert git_facts(tmp_path / "none") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_facts(top) is None


def test_variables_of_a_hook_do_not_lead_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, other = repository(tmp_path / "here", "a.py"), repository(tmp_path / "other", "b.py")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    facts = git_facts(here, here / "a.py")
    assert facts is not None
    assert (facts.root, facts.dirty) == (here, False)


PLANTED: dict[str, list[tuple[str, str]]] = {
    "fsmonitor": [("core.fsmonitor", "{script}")],
    "clean": [("filter.planted.clean", "{script}")],
    "a required filter": [("filter.planted.clean", "{script}"), ("filter.planted.required", "true")],
    "process": [("filter.planted.process", "{script}")],
    "a name with dots": [("filter.pla.nted.clean", "{script}")],
    "a name with =": [("filter.pla=nted.clean", "{script}")],
    "hooks": [("core.hooksPath", "{hooks}")],
    "textconv": [("diff.planted.textconv", "{script}"), ("diff.external", "{script}")],
}


@pytest.mark.parametrize("settings", PLANTED.values(), ids=PLANTED)
def test_asking_runs_nothing_of_the_repository(tmp_path: Path, settings: list[tuple[str, str]]) -> None:
    top = repository(tmp_path / "repo", "a.py", "b.py")
    script, hooks = tmp_path / "script.sh", tmp_path / "hooks"
    hooks.mkdir()
    for file in (script, *(hooks / name for name in ("post-index-change", "pre-commit", "fsmonitor-watchman"))):
        file.write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\ncat\n")
        file.chmod(0o755)
    for key, value in settings:
        name = key.removeprefix("filter.").rpartition(".")[0] if key.startswith("filter.") else "planted"
        git(top, "config", key, value.format(script=script, hooks=hooks))
        (top / ".gitattributes").write_text(f"*.py filter={name} diff=planted\n")
    for file in ("a.py", "b.py"):  # git has to look into both again
        (top / file).write_text("")
    os.utime(top / "a.py", (1, 1))
    facts = git_facts(top, top / "a.py")
    assert facts is not None
    assert facts.commit == git(top, "rev-parse", "HEAD")
    assert not (tmp_path / "ran").exists()
    if settings[0][0].startswith("filter.planted"):
        assert facts.dirty is False, "the files are those of the commit"
        (top / "a.py").write_text("x")
        changed = git_facts(top, top / "a.py")
        assert changed is not None
        assert changed.dirty is True
        assert not (tmp_path / "ran").exists()
        subprocess.run(["git", "-C", str(top), "status"], capture_output=True, check=False)
        assert (tmp_path / "ran").exists(), "what was planted works"


def test_a_filter_of_the_users_own_settings_is_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = repository(tmp_path / "repo")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text('[filter "upper"]\n\tclean = tr a-z A-Z\n')
    (top / ".gitattributes").write_text("*.txt filter=upper\n")
    (top / "a.txt").write_text("words")
    git(top, "add", ".")
    git(top, "commit", "-m", "filtered")
    os.utime(top / "a.txt", (1, 1))
    facts = git_facts(top, top / "a.txt")
    assert facts is not None
    assert facts.dirty is False


def test_a_repository_fetches_nothing_to_answer(tmp_path: Path) -> None:
    top = repository(tmp_path / "repo", "a.py")
    tree = git(top, "rev-parse", "HEAD^{tree}")
    (top / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    git(top, "config", "core.repositoryFormatVersion", "1")
    git(top, "config", "extensions.partialClone", "origin")
    git(top, "config", "remote.origin.promisor", "true")
    git(top, "config", "remote.origin.url", f"ext::sh -c 'touch {tmp_path}/ran'")
    git(top, "config", "protocol.ext.allow", "always")
    facts = git_facts(top, top / "a.py")
    assert facts is not None
    assert not (tmp_path / "ran").exists()


def test_origin_is_the_address_else_the_first_remote(tmp_path: Path) -> None:
    top = repository(tmp_path, "a.py")
    git(top, "remote", "add", "backup", "https://ann:secret@backup.example/m.git")
    facts = git_facts(top)
    assert facts is not None
    assert facts.url == "https://backup.example/m.git"
    git(top, "remote", "add", "origin", "ssh://git@example.org/team/m.git")
    facts = git_facts(top)
    assert facts is not None
    assert facts.url == "ssh://example.org/team/m.git"


WORDS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=4, max_size=12).map(lambda w: f"s3cr{w}")


@given(
    st.sampled_from(["https", "http", "ssh", "git+ssh", "ftp"]),
    WORDS,
    st.none() | WORDS,
    st.sampled_from(["", "?access_token=", "?a=b&private_token=", "#"]),
    WORDS,
)
def test_no_address_holds_a_credential(scheme: str, user: str, word: str | None, query: str, token: str) -> None:
    person = user if word is None else f"{user}:{word}"
    end = f"{query}{token}" if query else ""
    address = without_credentials(f"{scheme}://{person}@git.example.org:8443/team/models.git{end}")
    assert address == f"{scheme}://git.example.org:8443/team/models.git"
    assert "s3cr" not in without_credentials(f"{user}:{word or token}@git.example.org:team/models.git")


def test_addresses_without_credentials_stay_as_they_are() -> None:
    for address in ("git@github.com:org/repo.git", "/srv/git/repo.git", "../repo", "https://github.com/org/repo.git"):
        assert without_credentials(address) == address
