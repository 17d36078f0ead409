"""The exact lock of the environment that a version carries: each distribution, or why it is not known."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from test_pyfunc import MIXED, ROWS, pipeline, register

from modelops_jupyter.registry.environment import installed, lock
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace


@pytest.fixture
def ws(settings: Settings) -> Iterator[Workspace]:
    with Workspace(settings) as opened:
        yield opened


def test_the_lock_names_every_distribution() -> None:
    content = lock(installed())
    by_name = {item["name"].lower(): item for item in content["distributions"]}
    assert by_name["numpy"]["version"] == np.__version__
    assert by_name["numpy"]["hash_of"] == "RECORD"
    own = by_name["modelops-jupyter"]
    assert (own["editable"], len(own["commit"])) == (True, 40) if own.get("editable") else own["hash"]
    assert content["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert str(Path.home()) not in json.dumps(content)


def metadata(site: Path, name: str, text: str = "Name: {name}\nVersion: 1.0\n", **files: str) -> None:
    folder = site / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(text.format(name=name))
    for file, content in files.items():
        (folder / {"direct_url": "direct_url.json"}.get(file, file)).write_text(content)


def test_a_lock_says_where_each_distribution_is_from_or_why_nobody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, source = tmp_path / "site", tmp_path / "source"
    site.mkdir()
    source.mkdir()
    git = ["git", "-C", str(source), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    metadata(site, "plain", RECORD="plain.py,,\n")
    metadata(site, "bare")
    metadata(site, "nameless", text="Version: 1.0\n")
    metadata(site, "versionless", text="Name: versionless\n")
    metadata(site, "empty", text="")
    metadata(site, "broken", direct_url="{")
    archive = {"url": "https://ann:secret@host/a.whl", "archive_info": {"hashes": {"sha256": "ab"}}}
    metadata(site, "archived", direct_url=json.dumps(archive), RECORD="x,,\n")
    vcs = {"url": "https://host/a.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}
    metadata(site, "versioned", direct_url=json.dumps(vcs))
    metadata(site, "commitless", direct_url=json.dumps({**vcs, "vcs_info": {"vcs": "git"}}))
    editable = {"url": source.as_uri(), "dir_info": {"editable": True}}
    metadata(site, "edited", direct_url=json.dumps(editable))
    metadata(site, "loose", direct_url=json.dumps({"url": tmp_path.as_uri(), "dir_info": {}}))
    content = lock(installed())
    by_name = {item["name"]: item for item in content["distributions"]}
    assert by_name["plain"]["hash_of"] == "RECORD"
    assert by_name["bare"]["reason"] == "it keeps no RECORD of its files"
    assert (by_name["archived"]["hash"], by_name["archived"]["hash_of"]) == ("sha256:ab", "archive")
    assert "secret" not in json.dumps(content)
    assert by_name["versioned"]["commit"] == "c0ffee"
    assert (by_name["edited"]["dirty"], by_name["edited"]["editable"]) == (False, True)
    assert "not under git" in by_name["loose"]["reason"]
    reasons = {item["name"].partition("-")[0]: item["reason"] for item in content["unlocked"]}
    assert {name: reasons[name] for name in ("nameless", "versionless", "empty")} == {
        "nameless": "it has no name",
        "versionless": "it has no version",
        "empty": "it has no metadata",
    }
    assert "broken" in reasons
    assert reasons["commitless"] == "its metadata cannot be read (KeyError: 'commit_id')"
    (source / "edited.py").write_text("")
    again = {item["name"]: item for item in lock(installed())["distributions"]}
    assert again["edited"]["dirty"]
    metadata(site, "new")  # an installation in between is seen
    assert "new" in {item["name"] for item in lock(installed())["distributions"]}


def test_a_repository_of_a_local_install_runs_no_hook_and_is_the_one_that_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, source, another = tmp_path / "site", tmp_path / "source", tmp_path / "another"
    for folder in (site, source, another):
        folder.mkdir()
    for folder in (source, another):
        git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", folder.name], check=True)
    head = ["git", "-C", str(source), "rev-parse", "HEAD"]
    commit = subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip()
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    hook.chmod(0o755)
    subprocess.run(["git", "-C", str(source), "config", "core.fsmonitor", str(hook)], check=True)
    metadata(site, "local", direct_url=json.dumps({"url": source.as_uri(), "dir_info": {}}))
    monkeypatch.setattr(sys, "path", [str(site)])
    monkeypatch.setenv("GIT_DIR", str(another / ".git"))
    (item,) = lock(installed())["distributions"]
    assert (item["commit"], item["dirty"]) == (commit, False)
    assert not (tmp_path / "hooked").exists()


def test_a_conda_environment_is_named_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta" / "numpy-2.4.0-py311_0.json").write_text("{}")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("CONDA_DEFAULT_ENV", "/opt/envs/flights")
    assert lock(installed())["conda"] == {"environment": "flights", "packages": ["numpy-2.4.0-py311_0"]}


def test_a_lock_that_cannot_be_taken_is_a_reason_on_record(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("no metadata here")

    monkeypatch.setattr("modelops_jupyter.registry.descriptions.installed", broken)
    folder, *_ = register(ws, pipeline())
    content = json.loads((folder / "environment.lock.json").read_text())
    assert content == {"reason": "The environment could not be read (RuntimeError: no metadata here)."}
    assert ws.predict("m/1", MIXED)[0].shape == (ROWS,)
